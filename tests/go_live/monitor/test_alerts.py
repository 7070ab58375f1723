"""golive.toml is where every threshold comes from."""

import pytest

from go_live.config import Config
from go_live.errors import UsageError
from go_live.monitor import alerts, metrics
from go_live.monitor.generated import generated
from tests.go_live.monitor.conftest import Edit

SUMMARY = {
    "GoliveTotalP95High": (8.0, 2, "page"),
    "GoliveFailRateHigh": (0.01, 2, "page"),
    "GoliveExecP95High": (5.0, 5, "page"),
    "GoliveDelayP50High": (2.0, 5, "slack"),
    "GoliveTotalP50High": (5.0, 5, "slack"),
}
"""Limit (seconds or share), minutes and severity, as the readiness summary has them."""


def by_name(config: Config) -> dict[str, alerts.AlertRule]:
    """Alerts by name; of those that share one, the last."""
    return {alert.name: alert for alert in alerts.alert_rules(config)}


def test_the_summary_s_five_alerts_are_there(config: Config) -> None:
    """Limits, durations and severities are the readiness summary's."""
    declared = {rule.metric for rule in config.alerts.rules}
    assert len(declared) == len(SUMMARY)
    rules = by_name(config)
    assert {name: (rules[name].above, rules[name].for_minutes, rules[name].severity) for name in SUMMARY} == SUMMARY


def test_memory_absence_and_watchdog_are_added(config: Config) -> None:
    """The device's memory has the gate's own limit, every metric that is watched may not be missing, and one fires."""
    rules = alerts.alert_rules(config)
    assert by_name(config)[alerts.DEVICE_MEMORY].above == config.gpu.memory_used_max
    watched = {rule.metric for rule in rules if rule.kind not in {"absence", "watchdog"}}
    assert {rule.metric for rule in rules if rule.name == alerts.ABSENT} == watched
    assert by_name(config)[alerts.WATCHDOG].expr == "vector(1)"


def test_refused_and_rejected_requests_are_no_failures(config: Config) -> None:
    """The fail rate asks for neither, above the line or below it."""
    expr = by_name(config)[alerts.FAIL_RATE].expr
    assert metrics.RequestOutcome.REFUSED not in expr
    assert metrics.RequestOutcome.REJECTED not in expr


def test_every_limit_ends_a_bucket(config: Config) -> None:
    """Otherwise a percentile near it would be an interpolation."""
    limits = {rule.above for rule in alerts.alert_rules(config) if rule.kind == "percentile"}
    assert limits <= set(metrics.buckets_s(config))


WINDOWED = [f"{name}.md" for name, *_ in (*alerts.SERIES.values(), (alerts.FAIL_RATE,))]
"""Runbook pages that look at the window."""


@pytest.mark.parametrize(
    ("old", "new", "files"),
    [
        ("above = 8000", "above = 7000", {"rules.yml", "rules_test.yml", "ALERTING_RULES.md", "GoliveTotalP95High.md"}),
        (
            "memory_used_max = 0.97",
            "memory_used_max = 0.9",
            {"rules.yml", "rules_test.yml", "ALERTING_RULES.md", "GoliveDeviceMemoryHigh.md"},
        ),
        (
            "fail_min_requests = 100",
            "fail_min_requests = 150",
            {"rules.yml", "ALERTING_RULES.md", "GoliveFailRateHigh.md"},
        ),
        ("window_minutes = 5", "window_minutes = 7", {"rules.yml", "rules_test.yml", "ALERTING_RULES.md", *WINDOWED}),
        (
            "absent_for_minutes = 5",
            "absent_for_minutes = 9",
            {"rules.yml", "rules_test.yml", "ALERTING_RULES.md", "GoliveMetricsAbsent.md"},
        ),
        ('slack_channel = "#golive-alerts"', 'slack_channel = "#other"', {"alertmanager.yml"}),
    ],
)
def test_one_value_changes_every_file_that_says_it(
    config: Config, edited: Edit, old: str, new: str, files: set[str]
) -> None:
    """golive.toml is the one source: nothing else has to be edited, and nothing else changes."""
    before, after = generated(config), generated(edited(old, new))
    assert {path.name for path in before if before[path] != after[path]} == files


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('metric = "total_ms_p50"', 'metric = "total_ms_p95"', "names total_ms_p95 more than once"),
        ("fail_min_requests = 100", "fail_min_requests = 50", "alerts.fail_min_requests is below 100"),
        ("fail_min_failures = 5", "fail_min_failures = 1", "fail_min_failures"),
        ("above = 0.01", "above = 1.5", "fail_rate is a share of requests"),
        ('deadman_url = "https://deadman.example/golive"', 'deadman_url = "https://me:key@host/"', "deadman_url"),
        ("absent_for_minutes = 5", "", "absent_for_minutes"),
    ],
)
def test_what_cannot_be_meant_is_refused(edited: Edit, old: str, new: str, said: str) -> None:
    """Two rules for a metric, a rate of one request, a key in an address, a missing value: each is named."""
    with pytest.raises(UsageError, match=said):
        edited(old, new)
