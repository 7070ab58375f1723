"""What a gateway's /metrics would tell, for tests: the gateway's own class, fed with requests that are not sent."""

from collections.abc import Mapping

from prometheus_client import generate_latest

from go_live.config import Config
from go_live.gateway.line import Line
from go_live.gateway.telemetry import Metrics, Served
from go_live.monitor.live.exposition import read
from go_live.monitor.metrics import RequestOutcome, buckets_s
from go_live.monitor.queries import Samples


class Told:
    """One gateway's metrics."""

    def __init__(self, config: Config) -> None:
        """Nothing was asked yet."""
        self.endpoint = config.endpoint.id
        self.metrics = Metrics(buckets_s(config))
        self.line = Line(cap=3, room=48)
        self.metrics.watch(self.endpoint, self.line)

    def ended(
        self,
        n: int = 1,
        outcome: RequestOutcome = RequestOutcome.OK,
        *,
        total_ms: float = 3000.0,
        exec_ms: float = 2500.0,
    ) -> None:
        """So many requests ended like this."""
        sent = outcome not in {RequestOutcome.REJECTED, RequestOutcome.REFUSED}
        for _ in range(n):
            self.metrics.keep(
                Served(
                    wall=0.0,
                    endpoint=self.endpoint,
                    caller="web",
                    outcome=outcome,
                    total_ms=total_ms,
                    wait_ms=0.0 if sent else None,
                    delay_ms=100.0 if sent else None,
                    exec_ms=exec_ms if sent else None,
                    tokens=150 if outcome is RequestOutcome.OK else None,
                )
            )

    @property
    def text(self) -> str:
        """What /metrics serves."""
        return generate_latest(self.metrics.registry).decode()

    def scrape(self) -> Mapping[str, Samples]:
        """That, read."""
        return read(self.text)
