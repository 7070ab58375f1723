"""The whole chain with real programs: a gateway's metrics, Prometheus, Alertmanager, and those who are told.

The metrics are the gateway's own class, told by the test what it would otherwise see; times are scaled by one factor.
"""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import start_http_server

from go_live.config import Config
from go_live.gateway.line import Line
from go_live.gateway.telemetry import Metrics, Served
from go_live.monitor.alerts import ABSENT, WATCHDOG, alert_rules
from go_live.monitor.metrics import RequestOutcome, buckets_s
from go_live.monitor.rules import rule_file
from tests.go_live.monitor.conftest import Edit
from tests.go_live.monitor.stack import alertmanager_for, free_address, listening, program

FACTOR = 20
"""Windows and durations are a twentieth of what golive.toml says; limits are as they are."""
WINDOW_S = 5 * 60 / FACTOR
PER_SECOND = 20
PROMETHEUS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}
scrape_configs: [{{job_name: golive, honor_labels: true, static_configs: [{{targets: ["{metrics}"]}}]}}]
"""
WARNINGS = ("GoliveDelayP50High", "GoliveTotalP50High", "GoliveDeviceMemoryHigh")
PAGES = ("GoliveTotalP95High", "GoliveFailRateHigh", "GoliveExecP95High")


def scaled(text: str) -> str:
    """A rule file with every window and duration divided by ``FACTOR``."""

    def seconds(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) * 60 // FACTOR}s"

    return re.sub(r"(\[|for: )(\d+)m", seconds, text).replace("interval: 15s", "interval: 1s")


class Traffic:
    """Tells the metrics of so many requests a second, good or bad ones."""

    def __init__(self, config: Config) -> None:
        """Good at first."""
        self.endpoint, self.bad = config.endpoint.id, False
        self.metrics = Metrics(buckets_s(config))
        self.metrics.watch(self.endpoint, Line(cap=3, room=3))
        self._over = threading.Event()

    def run(self) -> None:
        """Until it is over."""
        while not self._over.wait(1 / PER_SECOND):
            self.metrics.device_memory(self.endpoint, 0.99 if self.bad else 0.9)
            total, delay, execution = (12_000.0, 3_000.0, 9_000.0) if self.bad else (3_000.0, 100.0, 2_500.0)
            self.metrics.keep(
                Served(
                    wall=time.time(),
                    endpoint=self.endpoint,
                    caller="web",
                    outcome=RequestOutcome.FAILED if self.bad else RequestOutcome.OK,
                    total_ms=total,
                    wait_ms=0.0,
                    delay_ms=delay,
                    exec_ms=execution,
                )
            )

    @contextmanager
    def served(self, address: str) -> Iterator[None]:
        """Go on while the block runs, with /metrics at ``address``. After it there is silence."""
        host, _, port = address.partition(":")
        server, serving = start_http_server(int(port), host, self.metrics.registry)
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            server.shutdown()
            server.server_close()
            serving.join()


@contextmanager
def watched(config: Config, folder: Path, *, alertmanager: str, metrics: str) -> Iterator[None]:
    """Prometheus with the rules of ``config``."""
    rules, address = folder / "rules.yml", free_address()
    rules.write_text(scaled(rule_file(alert_rules(config))), encoding="utf-8")
    text = PROMETHEUS.format(rules=rules, alertmanager=alertmanager, metrics=metrics)
    (folder / "prometheus.yml").write_text(text, encoding="utf-8")
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={address}",
        "--rules.alert.resend-delay=3s",  # the first may be sent before Alertmanager has been found
    ]
    with program("prometheus", arguments, address, folder):
        yield


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_incident_arrives_and_resolves(tmp_path: Path, edited: Edit) -> None:
    """Slow, failing, queueing, full memory, silence: each alert reaches its receivers; what gets well is resolved."""
    with listening() as sink:
        config = edited('deadman_url = "https://deadman.example/golive"', f'deadman_url = "{sink.url}/deadman"')
        traffic, metrics = Traffic(config), free_address()
        with (
            alertmanager_for(config.alerts, sink, tmp_path) as alertmanager,
            watched(config, tmp_path, alertmanager=alertmanager, metrics=metrics),
        ):
            with traffic.served(metrics):
                sink.wait_for("/deadman", WATCHDOG)
                time.sleep(WINDOW_S)
                assert {path for path, _, _ in sink.sent} == {"/deadman"}, "healthy traffic is no incident"
                traffic.bad = True
                for name in PAGES:
                    sink.wait_for("/pagerduty", "trigger", name)
                for name in (*PAGES, *WARNINGS):
                    sink.wait_for("/slack", "FIRING", name)
                traffic.bad = False
                for name in PAGES:
                    sink.wait_for("/pagerduty", "resolve", name)
                for name in (*PAGES, *WARNINGS):
                    sink.wait_for("/slack", "RESOLVED", name)
                assert not [body for path, _, body in sink.sent if path == "/pagerduty" and names_any(body, WARNINGS)]
            sink.wait_for("/pagerduty", "trigger", ABSENT)


def names_any(body: object, names: Sequence[str]) -> bool:
    """Whether a notification is about one of them."""
    return any(name in str(body) for name in names)
