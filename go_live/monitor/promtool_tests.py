"""The alerts' unit tests, as promtool runs them: silent first, then firing, then resolved; and absent. Pure.

Each case is a story in minutes: a healthy time, a bad one, a healthy one. The healthy one is only just healthy, and the
bad one only so bad that its first minute shows in the whole window: a limit or a duration that drifts is seen, and not
only one that is gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from go_live.config import Config
from go_live.monitor import metrics
from go_live.monitor.alerts import ABSENT, WATCHDOG, AlertRule, series_of
from go_live.monitor.rules import RULE_FILE, annotations
from go_live.monitor.yaml_text import write

PER_MINUTE = 1000
"""Requests a minute in the stories: one of them is the margin by which a healthy minute is healthy."""
FAIL_PER_MINUTE = 10 * PER_MINUTE
"""The same for failures, of which there are few."""
Story = Sequence[tuple[int, int]]
"""(minutes, what is added in each of them)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When a story is looked at, in minutes after its start."""

    quiet: int
    """The last minute that is healthy."""
    pending: int
    """The threshold is crossed, but for a minute less than the rule asks."""
    firing: int
    """The last bad minute, and the first in which the alert fires."""
    resolved: int
    """Healthy for longer than the window."""


def test_file(alerts: Sequence[AlertRule], config: Config) -> str:
    """Text of the test file."""
    cases = [case for alert in alerts for case in _cases(alert, alerts, config)]
    return write({"rule_files": [RULE_FILE], "evaluation_interval": "1m", "tests": [*cases, _nothing(alerts, config)]})


def times(alert: AlertRule, window: int) -> Times:
    """When the story of ``alert`` is looked at. Its first bad minute crosses the threshold."""
    quiet = 2 * window
    firing = quiet + 1 + alert.for_minutes
    return Times(quiet=quiet, pending=firing - 1, firing=firing, resolved=firing + window + 1)


def counter(story: Story) -> str:
    """A counter's samples, one a minute, in promtool's notation.

    >>> counter([(2, 5), (1, 0)])
    '0+5x2 10+0x0'
    """
    minutes, added = story[0]
    parts, value = [f"0+{added}x{minutes}"], minutes * added
    for minutes, added in story[1:]:
        parts.append(f"{value + added}+{added}x{minutes - 1}")
        value += minutes * added
    return " ".join(parts)


def _cases(alert: AlertRule, alerts: Sequence[AlertRule], config: Config) -> Iterator[dict[str, Any]]:
    """The cases of one alert."""
    window = config.alerts.window_minutes
    at = times(alert, window)
    match alert.kind:
        case "percentile":
            yield _case(alert, at, _percentile_series(alert, at, config), config, "just past its limit")
        case "fail rate":
            yield _case(alert, at, _fail_rate_series(alert, at, config), config, "just past its limit")
            yield _case(alert, at, _thin_outage(at, config), config, "an outage in thin traffic")
            yield _silent(alert, _one_failure(at, config), at, "one failure is no rate")
            yield _silent(alert, _callers_mistakes(at, config), at, "callers' refused requests are no failures")
        case "gauge":
            yield _case(alert, at, _gauge_series(alert, at, config), config, "just past its limit")
        case "absence":
            yield _absence_case(alert, alerts, config)
        case "watchdog":
            yield _watchdog_case(alert, config)


def _case(alert: AlertRule, at: Times, series: Mapping[str, str], config: Config, what: str) -> dict[str, Any]:
    """Silent, silent, firing, resolved."""
    looks = [(at.quiet, False), (at.pending, False), (at.firing, True), (at.resolved, False)]
    expected = [_look(minute, alert.name, [_expected(alert, config)] if fires else []) for minute, fires in looks]
    return _test(f"{alert.name}: {what}", series, expected)


def _silent(alert: AlertRule, series: Mapping[str, str], at: Times, what: str) -> dict[str, Any]:
    """Silent for the whole story."""
    minutes = range(at.quiet, at.resolved + 1)
    return _test(f"{alert.name}: {what}", series, [_look(minute, alert.name, []) for minute in minutes])


def _absence_case(alert: AlertRule, alerts: Sequence[AlertRule], config: Config) -> dict[str, Any]:
    """The metric is there, is gone (as when a scrape fails), and comes back; the others are there all the time."""
    at = times(alert, config.alerts.window_minutes)
    away = at.firing - at.quiet
    series = {}
    for other in (other for other in alerts if other.kind == "absence"):
        gone = f"1x{at.quiet} stale _x{away - 1} 1x{at.resolved - at.firing}"
        series[_series(series_of(other.metric), config)] = gone if other is alert else f"1x{at.resolved}"
    expected = _expected(alert, config)
    looks = [
        _look(at.quiet, ABSENT, []),
        _look(at.pending, ABSENT, []),
        _look(at.firing, ABSENT, [expected]),
        _look(at.resolved, ABSENT, []),
    ]
    return _test(f"{ABSENT}: {alert.metric} is gone", series, looks)


def _watchdog_case(alert: AlertRule, config: Config) -> dict[str, Any]:
    """Fires from the first minute on, whatever there is."""
    looks = [_look(minute, WATCHDOG, [_expected(alert, config)]) for minute in (0, 60)]
    return _test(f"{WATCHDOG}: always", {}, looks)


def _nothing(alerts: Sequence[AlertRule], config: Config) -> dict[str, Any]:
    """No metric at all: no alert of a limit fires, and every missing metric is told."""
    limits = [alert for alert in alerts if alert.kind not in {"absence", "watchdog"}]
    gone = [alert for alert in alerts if alert.kind == "absence"]
    looks = [_look(minute, alert.name, []) for alert in limits for minute in (0, 60)]
    looks += [_look(0, ABSENT, []), _look(60, ABSENT, [_expected(alert, config) for alert in gone])]
    return _test("no metric at all", {}, looks)


def _percentile_series(alert: AlertRule, at: Times, config: Config) -> dict[str, str]:
    """A request fewer is beyond the limit than the percentile leaves, then as many more as show in a window."""
    allowed = round((100 - alert.percentile) / 100 * PER_MINUTE)
    bad = allowed + 2 * config.alerts.window_minutes
    within = _swing(at, PER_MINUTE - (allowed - 1), PER_MINUTE - bad)
    total = [(at.resolved, PER_MINUTE)]
    ends = {f"{alert.above:.10g}": within, _next_bucket(alert.above, config): total, "+Inf": total}
    bucket = f"{alert.metric}_bucket"
    return {_series(bucket, config, le=end): counter(story) for end, story in ends.items()}


def _next_bucket(limit_s: float, config: Config) -> str:
    """End of the bucket after the limit's own; the limit is the end of one, or nothing could be told."""
    ends = metrics.buckets_s(config)
    after = ends[ends.index(limit_s) + 1 :]
    return f"{after[0]:.10g}" if after else f"{limit_s * 2:.10g}"


def _fail_rate_series(alert: AlertRule, at: Times, config: Config) -> dict[str, str]:
    """A failure fewer than the limit allows, then as many more as show in a window; half of them are time-outs.

    All the time as many requests again are refused or never sent, which must not count, above the line or below it.
    """
    allowed = ceil(round(FAIL_PER_MINUTE * alert.above, 6)) - 1
    bad = allowed + 2 * config.alerts.window_minutes + ceil(allowed / 20)
    late = _swing(at, allowed // 2, bad // 2)
    failed = _swing(at, allowed - allowed // 2, bad - bad // 2)
    ok = _swing(at, FAIL_PER_MINUTE - allowed, FAIL_PER_MINUTE - bad)
    beside = _swing(at, FAIL_PER_MINUTE, FAIL_PER_MINUTE)
    stories = {"ok": ok, "failed": failed, "timeout": late, "refused": beside, "rejected": beside}
    return {_outcome(outcome, config): counter(story) for outcome, story in stories.items()}


def _thin_outage(at: Times, config: Config) -> dict[str, str]:
    """One request a minute, and then callers who try again and again: too few for a rate, and all of them fail."""
    failures = 2 * config.alerts.fail_min_failures + config.alerts.window_minutes
    return {
        _outcome("ok", config): counter(_swing(at, 1, 0)),
        _outcome("failed", config): counter(_swing(at, 0, failures)),
    }


def _one_failure(at: Times, config: Config) -> dict[str, str]:
    """One request a minute, and one of them fails: more than any limit of a rate, and no rate."""
    rest = at.resolved - at.quiet - 1
    return {
        _outcome("ok", config): counter([(at.resolved, 1)]),
        _outcome("failed", config): counter([(at.quiet, 0), (1, 1), (rest, 0)]),
    }


def _callers_mistakes(at: Times, config: Config) -> dict[str, str]:
    """Half of all requests are refused by the guardrails or never sent; those that were sent are answered."""
    shares = {"ok": 100, "refused": 50, "rejected": 50}
    return {_outcome(outcome, config): counter(_swing(at, n, n)) for outcome, n in shares.items()}


def _gauge_series(alert: AlertRule, at: Times, config: Config) -> dict[str, str]:
    """At the limit, above it, at it again."""
    fine, bad = alert.above, alert.above + (1 - alert.above) / 2
    values = f"{fine:.10g}x{at.quiet} {bad:.10g}x{at.firing - at.quiet - 1} {fine:.10g}x{at.resolved - at.firing}"
    return {_series(alert.metric, config): values}


def _swing(at: Times, healthy: int, bad: int) -> Story:
    """Healthy, bad, healthy."""
    return [(at.quiet, healthy), (at.firing - at.quiet, bad), (at.resolved - at.firing, healthy)]


def _outcome(outcome: str, config: Config) -> str:
    return _series(metrics.REQUESTS_TOTAL, config, **{metrics.OUTCOME_LABEL: metrics.RequestOutcome(outcome).value})


def _series(metric: str, config: Config, **labels: str) -> str:
    every = {metrics.ENDPOINT_LABEL: config.endpoint.id} | labels
    return metric + "{" + ",".join(f'{name}="{value}"' for name, value in every.items()) + "}"


def _expected(alert: AlertRule, config: Config) -> dict[str, Any]:
    """The alert as it has to arrive."""
    where = {} if alert.kind == "watchdog" else {metrics.ENDPOINT_LABEL: config.endpoint.id}
    return {"exp_labels": alert.labels | where, "exp_annotations": annotations(alert, config.endpoint.id)}


def _look(minute: int, name: str, expected: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"eval_time": f"{minute}m", "alertname": name, "exp_alerts": list(expected)}


def _test(name: str, series: Mapping[str, str], looks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "alert_rule_test": list(looks),
    }
