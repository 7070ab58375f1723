"""golive.toml -> what is shown of an endpoint: panels with their queries and limits. Pure.

The Grafana dashboard and the local page are two drawings of what stands here; item MON-3 compares with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from go_live.config import Config
from go_live.monitor import alerts, metrics
from go_live.monitor.alerts import number, percent
from go_live.monitor.metrics import REQUEST_DURATION, REQUEST_EXECUTION, REQUEST_QUEUE, REQUESTS_TOTAL, RequestOutcome
from go_live.monitor.objectives import Objective, fail_rate, objectives, window_s
from go_live.monitor.queries import DAY, HOUR, MINUTE, Gauge, Growth, Less, Percentile, Prometheus, Query, Ratio, Times

Kind = Literal["figure", "over time", "stacked", "table"]
Unit = Literal["s", "share", "requests", "requests/min", "tokens/s", "x", "alerts"]
"""``x``: times what is allowed."""

COMPLIANCE, FLOW, TIMES, THROUGHPUT = "SLO compliance", "Request flow", "Queue against execution", "Throughput"
BUDGET, MEMORY, FIRING = "Error budget", "Device memory", "Alerts"
FAST_SHARE, FAST_WINDOW_S = 0.02, HOUR
SLOW_SHARE, SLOW_WINDOW_S = 0.05, 6 * HOUR
"""Parts of the budget that, spent within such a time, are an incident (Google, The Site Reliability Workbook, 5)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or one figure, of a panel."""

    legend: str
    query: Query


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it is drawn."""

    value: float
    words: str
    at_least: bool = False
    """Good is above it; else below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What is drawn in one frame."""

    title: str
    says: str
    """What it shows, for who wonders."""
    kind: Kind
    unit: Unit
    lines: tuple[Line, ...]
    limits: tuple[Limit, ...] = ()
    alert: str = ""
    """The alert whose runbook belongs to it."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


def rows(config: Config) -> tuple[Row, ...]:
    """Everything that is shown, in its order."""
    return (
        Row(COMPLIANCE, _compliance(config)),
        Row(FLOW, _flow(config)),
        Row(TIMES, _times(config)),
        Row(THROUGHPUT, _throughput(config)),
        Row(BUDGET, _budget(config)),
        Row(MEMORY, (_memory(config),)),
        Row(FIRING, _alerts()),
    )


def panels(config: Config) -> tuple[Panel, ...]:
    """Every panel of every row."""
    return tuple(panel for row in rows(config) for panel in row.panels)


def alert_of(metric: str) -> str:
    """The alert that watches a percentile of golive.toml."""
    return alerts.SERIES[metric][0]


def _compliance(config: Config) -> tuple[Panel, ...]:
    """The share that keeps to each limit; how much of what may miss does; the times themselves."""
    window, slo = window_s(config), config.slo
    every = objectives(config)
    asked = Panel(
        title="Requests in the window",
        says=f"How many requests ended in the last {config.alerts.window_minutes} min: what the shares rest on. "
        f"Fewer than {config.alerts.fail_min_requests} show little.",
        kind="figure",
        unit="requests",
        lines=(Line("ended", every[0].asked(window)),),
    )
    spent = Panel(
        title="Misses against what is allowed",
        says="Of each limit the share of requests that miss it, divided by the share that may: 0.05 for a p95. "
        "Above 1 the limit is broken.",
        kind="over time",
        unit="x",
        lines=tuple(Line(objective.name, objective.spent(window)) for objective in every),
        limits=(Limit(1.0, "limit"),),
    )
    total = Panel(
        title="Total time",
        says="From the gateway's receipt of a request to its answer. A failed request counts with the time it took.",
        kind="over time",
        unit="s",
        lines=_percentiles(REQUEST_DURATION, window),
        limits=_limits(p50=slo.total_ms_p50, p95=slo.total_ms_p95),
        alert=alert_of("total_ms_p95"),
    )
    return (*(_share(objective, window) for objective in every), asked, spent, total)


def _share(objective: Objective, window: int) -> Panel:
    """The share that keeps to one limit."""
    return Panel(
        title=f"{objective.name}: {objective.words}",
        says=f"{percent(objective.target)} of the requests have to be {objective.words}.",
        kind="figure",
        unit="share",
        lines=(Line(objective.words, objective.kept(window)),),
        limits=(Limit(objective.target, "needed", at_least=True),),
    )


def _flow(config: Config) -> tuple[Panel, ...]:
    """What comes, what is under way, what waits."""
    by_outcome = tuple(
        Line(outcome.value, Times(Growth(REQUESTS_TOTAL, window_s(config), (outcome,), per_s=True), MINUTE))
        for outcome in RequestOutcome
    )
    room = config.gateway.waiting_max
    return (
        Panel(
            title="Requests by outcome",
            says="ok, failed and timeout were sent to the endpoint; a guardrail refused the refused ones, and the "
            "gateway never sent the rejected ones.",
            kind="stacked",
            unit="requests/min",
            lines=by_outcome,
            alert=alerts.FAIL_RATE,
        ),
        Panel(
            title="In flight, against the cap",
            says="Jobs under way upstream. The gateway never has more than its cap, as it tells it itself.",
            kind="over time",
            unit="requests",
            lines=(
                Line("in flight", Gauge(metrics.REQUESTS_IN_FLIGHT)),
                Line("cap", Gauge(metrics.CONCURRENCY_CAP)),
            ),
        ),
        Panel(
            title="Waiting in the gateway",
            says=f"Requests in the gateway's line, which has room for {room}; who comes then is turned away.",
            kind="over time",
            unit="requests",
            lines=(Line("waiting", Gauge(metrics.REQUESTS_WAITING)),),
            limits=(Limit(room, "full"),),
        ),
    )


def _times(config: Config) -> tuple[Panel, ...]:
    """Where the time goes: in the platform's queue or in execution."""
    window, slo = window_s(config), config.slo

    def mean(histogram: str) -> Query:
        return Ratio(Growth(f"{histogram}_sum", window), Growth(f"{histogram}_count", window))

    return (
        Panel(
            title="Execution time",
            says="The platform's executionTime: what the worker itself takes.",
            kind="over time",
            unit="s",
            lines=_percentiles(REQUEST_EXECUTION, window),
            limits=_limits(p50=slo.exec_ms_p50, p95=slo.exec_ms_p95),
            alert=alert_of("exec_ms_p95"),
        ),
        Panel(
            title="Queue time",
            says="The platform's delayTime: how long a job waits for a worker.",
            kind="over time",
            unit="s",
            lines=_percentiles(REQUEST_QUEUE, window),
            limits=_limits(p50=slo.queue_ms_p50),
            alert=alert_of("delay_ms_p50"),
        ),
        Panel(
            title="Mean queue and execution",
            says="What a job's time is made of, on average.",
            kind="stacked",
            unit="s",
            lines=(Line("execution", mean(REQUEST_EXECUTION)), Line("queue", mean(REQUEST_QUEUE))),
        ),
    )


def _throughput(config: Config) -> tuple[Panel, ...]:
    """Answers and tokens."""
    window, least = window_s(config), config.slo.tokens_per_s_p50
    answers = Times(Growth(REQUESTS_TOTAL, window, (RequestOutcome.OK,), per_s=True), MINUTE)
    return (
        Panel(
            title="Answers per minute",
            says="Requests that ended with a usable answer.",
            kind="over time",
            unit="requests/min",
            lines=(Line("answers", answers),),
        ),
        Panel(
            title="Output tokens per second",
            says="Of all answers together.",
            kind="over time",
            unit="tokens/s",
            lines=(Line("all answers", Growth(metrics.OUTPUT_TOKENS, window, per_s=True)),),
        ),
        Panel(
            title="Tokens per second of one request",
            says="Output tokens by the total time of the requests, waiting included: a mean, where the SLO's limit is "
            "of the median. Short answers and waiting requests lower it.",
            kind="over time",
            unit="tokens/s",
            lines=(
                Line("mean", Ratio(Growth(metrics.OUTPUT_TOKENS, window), Growth(f"{REQUEST_DURATION}_sum", window))),
            ),
            limits=(Limit(least, "p50 limit", at_least=True),),
        ),
    )


def _budget(config: Config) -> tuple[Panel, ...]:
    """What the success rate still allows, and how fast it is spent."""
    days, success = config.dashboard.error_budget_days, objectives(config)[0]
    fail = next((rule.above for rule in config.alerts.rules if rule.metric == "fail_rate"), None)
    return (
        Panel(
            title="Error budget left",
            says=f"Of the failures that a success rate of {percent(success.target)} allows over {days} days, the share "
            "that is left; below 0 the rate is missed.",
            kind="figure",
            unit="share",
            lines=(Line(f"left of {days} days", Less(1.0, success.spent(days * DAY))),),
            limits=(Limit(0.0, "spent", at_least=True),),
        ),
        Panel(
            title="Burn rate",
            says=f"At 1 the budget lasts exactly {days} days. The limits spend {percent(FAST_SHARE)} of it in an hour "
            f"and {percent(SLOW_SHARE)} in six.",
            kind="over time",
            unit="x",
            lines=(Line("1 h", success.spent(FAST_WINDOW_S)), Line("6 h", success.spent(SLOW_WINDOW_S))),
            limits=(
                Limit(burn_limit(SLOW_SHARE, days, SLOW_WINDOW_S), "6 h"),
                Limit(burn_limit(FAST_SHARE, days, FAST_WINDOW_S), "1 h"),
            ),
        ),
        Panel(
            title="Fail rate",
            says="Failures and time-outs among the requests that were answered, failed or timed out.",
            kind="over time",
            unit="share",
            lines=(Line("fail rate", fail_rate(window_s(config))),),
            limits=() if fail is None else (Limit(fail, "alert"),),
            alert=alerts.FAIL_RATE,
        ),
    )


def burn_limit(share: float, days: int, within_s: int) -> float:
    """The burn rate that spends ``share`` of a budget of ``days`` within so many seconds."""
    return round(share * days * DAY / within_s, 6)


def _memory(config: Config) -> Panel:
    """How full the device is."""
    most = config.gpu.memory_used_max
    return Panel(
        title="Device memory in use",
        says="Of the worker that was probed last. Nothing: no worker told of a device.",
        kind="over time",
        unit="share",
        lines=(Line("in use", Gauge(metrics.DEVICE_MEMORY, most=True)),),
        limits=(Limit(most, "limit"),),
        alert=alerts.DEVICE_MEMORY,
    )


def _alerts() -> tuple[Panel, ...]:
    """What fires, and whether anything could."""
    names = "|".join(dict.fromkeys([*(name for name, _, _ in alerts.SERIES.values()), *_OTHERS]))
    firing = f'ALERTS{{alertname=~"{names}",alertstate="firing"}}'
    beating = f'count(ALERTS{{alertname="{alerts.WATCHDOG}",alertstate="firing"}}) or vector(0)'
    return (
        Panel(
            title="Alerts firing",
            says="Empty is good, as long as alerting works, which the figure beside it tells.",
            kind="table",
            unit="alerts",
            lines=(Line("firing", Prometheus(firing)),),
        ),
        Panel(
            title="Alerting works",
            says="The Watchdog fires always: 0 means that Prometheus evaluates no rules, and no other alert can fire.",
            kind="figure",
            unit="alerts",
            lines=(Line("watchdog", Prometheus(beating)),),
            limits=(Limit(1.0, "beats", at_least=True),),
            alert=alerts.WATCHDOG,
        ),
    )


_OTHERS = (alerts.FAIL_RATE, alerts.DEVICE_MEMORY, alerts.ABSENT)


def _percentiles(histogram: str, window: int) -> tuple[Line, ...]:
    return tuple(Line(f"p{q}", Percentile(q, histogram, window)) for q in (50, 95))


def _limits(**bounds_ms: float) -> tuple[Limit, ...]:
    """Limits on times, by percentile, lowest first."""
    found = (Limit(bound / 1000, f"{q} limit") for q, bound in bounds_ms.items())
    return tuple(sorted(found, key=lambda limit: limit.value))


def words_of(panel: Panel) -> Sequence[str]:
    """The limits of a panel in words: ``p95 limit 8 s``, ``p50 limit at least 40 tokens/s``."""
    return [
        f"{limit.words} {'at least ' if limit.at_least else ''}{quantity(limit.value, panel.unit)}"
        for limit in panel.limits
    ]


def quantity(value: float, unit: Unit) -> str:
    """A figure with its unit."""
    if unit == "share":
        return percent(value)
    return number(value) if unit in {"requests", "alerts"} else f"{number(value)} {unit}"
