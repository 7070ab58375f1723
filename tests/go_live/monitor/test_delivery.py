"""A real Alertmanager with the generated configuration: what it sends, to whom, with which secrets."""

import datetime as dt
import json
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from go_live.config import Config
from go_live.monitor.alerts import ABSENT, FAIL_RATE, WATCHDOG, AlertRule, alert_rules
from go_live.monitor.rules import annotations
from tests.go_live.monitor.conftest import Edit
from tests.go_live.monitor.stack import WITHIN_S, Sink, alertmanager_for, listening

ENDPOINT = "4cqta56swdioxi"


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Who is told."""
    with listening() as kept:
        yield kept


@pytest.fixture
def running(tmp_path: Path, sink: Sink, edited: Edit) -> Iterator[str]:
    """Alertmanager's address."""
    config = edited('deadman_url = "https://deadman.example/golive"', f'deadman_url = "{sink.url}/deadman"')
    with alertmanager_for(config.alerts, sink, tmp_path) as address:
        yield f"http://{address}"


def report(url: str, rules: Sequence[AlertRule], *, over: bool = False) -> None:
    """Report that ``rules`` fire, or that they no longer do, as Prometheus would."""
    now = dt.datetime.now(dt.UTC)
    alerts = [
        {
            "labels": {"alertname": rule.name, "endpoint": ENDPOINT} | rule.labels,
            "annotations": annotations(rule, ENDPOINT),
            "startsAt": (now - dt.timedelta(minutes=1)).isoformat(),
            "endsAt": (now if over else now + dt.timedelta(minutes=5)).isoformat(),
        }
        for rule in rules
    ]
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=WITHIN_S) as response:  # noqa: S310 - loopback
        assert response.status == 200


def named(config: Config, name: str) -> list[AlertRule]:
    """The rules of that name."""
    return [alert for alert in alert_rules(config) if alert.name == name]


def test_a_page_arrives_at_pagerduty_and_slack_and_resolves(running: str, sink: Sink, config: Config) -> None:
    """With the routing key from its file, the runbook's address, and a resolution for both."""
    report(running, named(config, FAIL_RATE))
    page = sink.wait_for("/pagerduty", "trigger")[2]
    assert page["routing_key"] == "the-routing-key"
    assert page["payload"]["summary"] == f"{FAIL_RATE}: endpoint {ENDPOINT}: more than 1 % of the requests fail"
    assert page["payload"]["custom_details"]["runbook"] == "ALERTING_RULES.md#golivefailratehigh"
    told = sink.wait_for("/slack", "FIRING")[2]
    assert told["channel"] == config.alerts.slack_channel
    assert "more than 1 % of the requests fail (ALERTING_RULES.md#golivefailratehigh)" in json.dumps(told)
    report(running, named(config, FAIL_RATE), over=True)
    sink.wait_for("/pagerduty", "resolve")
    sink.wait_for("/slack", "RESOLVED")


def test_a_warning_arrives_at_slack_alone(running: str, sink: Sink, config: Config) -> None:
    """Nobody is woken by a queue delay, or by a metric of the device that is missing."""
    quiet = [
        *named(config, "GoliveDelayP50High"),
        *(rule for rule in named(config, ABSENT) if rule.severity == "slack"),
    ]
    report(running, quiet)
    sink.wait_for("/slack", "GoliveDelayP50High")
    sink.wait_for("/slack", "golive_worker_device_memory_ratio")
    assert {path for path, _, _ in sink.sent} == {"/slack"}


def test_several_missing_metrics_are_one_page_that_says_something(running: str, sink: Sink, config: Config) -> None:
    """Grouped alerts differ in what they say; the page carries the first one's words and is not empty."""
    report(running, [rule for rule in named(config, ABSENT) if rule.severity == "page"])
    page = sink.wait_for("/pagerduty", "trigger")[2]
    assert "a metric that the alerts need is missing (golive_" in page["payload"]["summary"]


def test_the_watchdog_beats_at_the_dead_mans_switch_alone(running: str, sink: Sink, config: Config) -> None:
    """With the token from its file, and nobody else hears of it."""
    report(running, named(config, WATCHDOG))
    _, authorization, body = sink.wait_for("/deadman", WATCHDOG)
    assert authorization == "Bearer the-token"
    assert body["status"] == "firing"
    assert {path for path, _, _ in sink.sent} == {"/deadman"}
