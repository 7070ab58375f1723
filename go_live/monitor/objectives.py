"""The SLO's limits as objectives: which share of the requests has to keep to which limit. Pure."""

from dataclasses import dataclass

from go_live.config import Config
from go_live.monitor.alerts import ENDED, FAILURES, number
from go_live.monitor.metrics import REQUEST_DURATION, REQUEST_EXECUTION, REQUEST_QUEUE, REQUESTS_TOTAL
from go_live.monitor.queries import MINUTE, Growth, Less, Query, Ratio, Times, Within


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One limit of golive.toml: "p95 is at most 8 s" is "95 % of the requests take at most 8 s"."""

    name: str
    """``total p95``."""
    target: float
    """The share that has to keep to it."""
    histogram: str = ""
    """Empty: the success rate, whose limit no time is."""
    limit_s: float = 0.0
    percentile: int = 0

    @property
    def words(self) -> str:
        """What is asked, in a few words."""
        return f"within {number(self.limit_s)} s" if self.histogram else "answered"

    def asked(self, window_s: int) -> Query:
        """How many requests the objective is about."""
        if self.histogram:
            return Growth(f"{self.histogram}_count", window_s)
        return Growth(REQUESTS_TOTAL, window_s, ENDED)

    def kept(self, window_s: int) -> Query:
        """The share of them that keeps to it."""
        if self.histogram:
            return Ratio(Within(self.histogram, self.limit_s, window_s), self.asked(window_s))
        return Less(1.0, fail_rate(window_s))

    def spent(self, window_s: int) -> Query:
        """The share that does not, by the share that need not: above 1 the objective is missed."""
        missed = Less(1.0, self.kept(window_s)) if self.histogram else fail_rate(window_s)
        return Times(missed, 1 / (1 - self.target))


def fail_rate(window_s: int) -> Query:
    """Failures among the requests that ended, as the alerts count them."""
    return Ratio(Growth(REQUESTS_TOTAL, window_s, FAILURES), Growth(REQUESTS_TOTAL, window_s, ENDED))


def window_s(config: Config) -> int:
    """The window of percentiles and rates: that of the alerts, so that both say the same."""
    return config.alerts.window_minutes * MINUTE


def objectives(config: Config) -> tuple[Objective, ...]:
    """Every limit of ``[slo]`` that the gateway's metrics can tell."""
    slo = config.slo
    limits = (
        ("total p95", REQUEST_DURATION, 95, slo.total_ms_p95),
        ("total p50", REQUEST_DURATION, 50, slo.total_ms_p50),
        ("exec p95", REQUEST_EXECUTION, 95, slo.exec_ms_p95),
        ("exec p50", REQUEST_EXECUTION, 50, slo.exec_ms_p50),
        ("queue p50", REQUEST_QUEUE, 50, slo.queue_ms_p50),
    )
    timed = (
        Objective(name=name, target=q / 100, histogram=histogram, limit_s=limit / 1000, percentile=q)
        for name, histogram, q, limit in limits
    )
    return (Objective(name="success", target=slo.success_rate), *timed)
