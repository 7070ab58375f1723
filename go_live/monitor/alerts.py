"""golive.toml -> the alerts: expression, duration, severity and limit of each, as Prometheus evaluates them. Pure.

Everything else that is generated (rules, their unit tests, ALERTING_RULES.md) is another form of what stands here.
"""

from dataclasses import dataclass, replace
from typing import Literal

from go_live.config import Alert, Config
from go_live.monitor import metrics

Severity = Literal["page", "slack", "none"]
"""``page``: PagerDuty and Slack; ``slack``: Slack; ``none``: the dead-man's switch only."""
Kind = Literal["percentile", "fail rate", "gauge", "absence", "watchdog"]

RUNBOOKS = "docs/runbooks"
"""Folder of the runbook pages in the repository."""
WATCHDOG = "Watchdog"
ABSENT = "GoliveMetricsAbsent"
FAILURES = (metrics.RequestOutcome.FAILED, metrics.RequestOutcome.TIMEOUT)
"""Outcomes that are the endpoint's failures."""
ENDED = (metrics.RequestOutcome.OK, *FAILURES)
"""What they are a share of: ``refused`` is the caller's mistake, and ``rejected`` was never sent (decision 0166)."""

SERIES = {
    "total_ms_p95": ("GoliveTotalP95High", metrics.REQUEST_DURATION, 95),
    "total_ms_p50": ("GoliveTotalP50High", metrics.REQUEST_DURATION, 50),
    "exec_ms_p95": ("GoliveExecP95High", metrics.REQUEST_EXECUTION, 95),
    "delay_ms_p50": ("GoliveDelayP50High", metrics.REQUEST_QUEUE, 50),
}
"""Of each percentile that golive.toml limits: its alert, its histogram, and which percentile."""
FAIL_RATE = "GoliveFailRateHigh"
DEVICE_MEMORY = "GoliveDeviceMemoryHigh"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One alert. Rules of one name differ in the metric that they watch."""

    name: str
    kind: Kind
    severity: Severity
    for_minutes: int
    expr: str
    """PromQL."""
    limit: str
    """The threshold in words, as ALERTING_RULES.md and the notification say it."""
    metric: str
    """The Prometheus metric that it watches; empty: none."""
    above: float = 0.0
    """The threshold, in the metric's unit: seconds, or a share."""
    percentile: int = 0
    runbook_url: str = ""
    """Where on-call reads what to do."""

    @property
    def labels(self) -> dict[str, str]:
        """Labels that the rule adds."""
        return {"severity": self.severity} | ({"metric": self.metric} if self.kind == "absence" else {})


def alert_rules(config: Config) -> tuple[AlertRule, ...]:
    """Every alert that ``config`` asks for, in its order; the same for every place in which they appear."""
    window = f"{config.alerts.window_minutes}m"
    declared = tuple(_declared(rule, config, window) for rule in config.alerts.rules)
    memory = AlertRule(
        name=DEVICE_MEMORY,
        kind="gauge",
        severity="slack",
        for_minutes=config.alerts.device_memory_for_minutes,
        expr=f"max by (endpoint) ({metrics.DEVICE_MEMORY}) > {number(config.gpu.memory_used_max)}",
        limit=f"more than {percent(config.gpu.memory_used_max)} of the device's memory is in use",
        metric=metrics.DEVICE_MEMORY,
        above=config.gpu.memory_used_max,
    )
    watched = dict.fromkeys(rule.metric for rule in (*declared, memory))
    absences = tuple(_absence(metric, config) for metric in watched)
    every = (*declared, memory, *absences, _watchdog())
    return tuple(replace(rule, runbook_url=runbook_url(config, rule.name)) for rule in every)


def runbook_url(config: Config, name: str) -> str:
    """Where the runbook page of the alert ``name`` can be read."""
    return f"{config.alerts.docs_url}/{RUNBOOKS}/{name}.md"


def number(value: float) -> str:
    """A number as PromQL, YAML and people read it: ``8``, ``0.01``."""
    return f"{value:.10g}"


def percent(share: float) -> str:
    """A share in percent: ``1 %``."""
    return f"{number(round(share * 100, 8))} %"


def one_of(outcomes: tuple[metrics.RequestOutcome, ...]) -> str:
    """A PromQL matcher of these outcomes."""
    return f'{metrics.OUTCOME_LABEL}=~"{"|".join(outcomes)}"'


def series_of(metric: str) -> str:
    """The series that shows whether ``metric`` is there: a histogram's count, else the metric itself."""
    return f"{metric}_count" if metric.endswith("_seconds") else metric


def _declared(rule: Alert, config: Config, window: str) -> AlertRule:
    """One of golive.toml's ``[[alerts.rules]]``."""
    return _fail_rate(rule, config, window) if rule.metric == "fail_rate" else _percentile(rule, window)


def _percentile(rule: Alert, window: str) -> AlertRule:
    """A percentile of a histogram; a limit is the end of a bucket, so that nothing is interpolated across it."""
    name, metric, percentile = SERIES[rule.metric]
    above_s = rule.above / 1000
    rate = f"sum by (endpoint, le) (rate({metric}_bucket[{window}]))"
    return AlertRule(
        name=name,
        kind="percentile",
        severity=rule.severity,
        for_minutes=rule.for_minutes,
        expr=f"histogram_quantile({percentile / 100}, {rate}) > {number(above_s)}",
        limit=f"{rule.metric} is above {number(rule.above)} ms",
        metric=metric,
        above=above_s,
        percentile=percentile,
    )


def _fail_rate(rule: Alert, config: Config, window: str) -> AlertRule:
    """Failures among the requests that ended, where there were enough of either to speak of a rate."""
    failed = f"sum by (endpoint) (increase({metrics.REQUESTS_TOTAL}{{{one_of(FAILURES)}}}[{window}]))"
    ended = f"sum by (endpoint) (increase({metrics.REQUESTS_TOTAL}{{{one_of(ENDED)}}}[{window}]))"
    alerts = config.alerts
    return AlertRule(
        name=FAIL_RATE,
        kind="fail rate",
        severity=rule.severity,
        for_minutes=rule.for_minutes,
        expr=(
            f"{failed} / {ended} > {number(rule.above)}\n"
            "and on (endpoint) (\n"
            f"  {ended} >= {alerts.fail_min_requests}\n"
            f"  or {failed} >= {alerts.fail_min_failures}\n)"
        ),
        limit=f"more than {percent(rule.above)} of the requests fail",
        metric=metrics.REQUESTS_TOTAL,
        above=rule.above,
    )


def _absence(metric: str, config: Config) -> AlertRule:
    """Silence is not health: a metric that an alert needs is missing. Pages where an alert that pages needs it."""
    pages = metric != metrics.DEVICE_MEMORY
    return AlertRule(
        name=ABSENT,
        kind="absence",
        severity="page" if pages else "slack",
        for_minutes=config.alerts.absent_for_minutes,
        expr=f'absent({series_of(metric)}{{{metrics.ENDPOINT_LABEL}="{config.endpoint.id}"}})',
        limit="a metric that the alerts need is missing",
        metric=metric,
    )


def _watchdog() -> AlertRule:
    """Always fires: who does not hear of it knows that alerting is broken."""
    return AlertRule(
        name=WATCHDOG,
        kind="watchdog",
        severity="none",
        for_minutes=0,
        expr="vector(1)",
        limit="alerting works, which this alert says by firing always",
        metric="",
    )
