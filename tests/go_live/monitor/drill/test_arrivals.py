"""Notifications read as PagerDuty, Slack and a dead-man's switch get them (real ones: test_delivery.py)."""

import pytest

from go_live.config import Config
from go_live.monitor.alerts import alert_rules
from go_live.monitor.drill.arrivals import parse
from go_live.monitor.drill.incidents import doses


def test_a_page_says_its_alert_endpoint_and_metrics() -> None:
    """Of a group of missing metrics, each that fires."""
    body = {
        "event_action": "trigger",
        "payload": {
            "summary": "GoliveMetricsAbsent: endpoint e1: a metric is missing (golive_requests_total)",
            "custom_details": {"firing": "Labels:\n - metric = golive_request_queue_seconds\n", "resolved": ""},
        },
    }
    found = parse("/pagerduty", body, 1.5)
    assert (found.status, found.alert, found.endpoint) == ("firing", "GoliveMetricsAbsent", "e1")
    assert found.metrics == ("golive_requests_total", "golive_request_queue_seconds")
    assert found.tells("GoliveMetricsAbsent", "e1", "golive_requests_total")
    assert not found.tells("GoliveMetricsAbsent", "e1", "golive_worker_device_memory_ratio")
    assert not found.tells("GoliveMetricsAbsent", "e2")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/slack", {"attachments": []}),
        ("/pagerduty", {"event_action": "trigger"}),
        ("/deadman", {"status": "firing", "alerts": [{}]}),
        ("/elsewhere", {}),
    ],
)
def test_what_is_no_notification_is_refused(path: str, body: dict[str, object]) -> None:
    """It is never taken for one that says something."""
    with pytest.raises(ValueError, match=r"does not understand|nobody is told"):
        parse(path, body, 0.0)


def test_doses_are_beyond_every_limit(config: Config) -> None:
    """Each incident is worse than the limit that it has to cross, and a healthy worker is not."""
    limits = {rule.name: rule.above for rule in alert_rules(config)}
    given = doses(alert_rules(config), healthy_ms=2788)
    assert given.exec_ms > 1000 * max(limits["GoliveExecP95High"], limits["GoliveTotalP50High"])
    assert given.held_s > limits["GoliveTotalP95High"]
    assert given.failed_share > limits["GoliveFailRateHigh"]
    assert given.healthy_memory < limits["GoliveDeviceMemoryHigh"] < given.memory <= 1
