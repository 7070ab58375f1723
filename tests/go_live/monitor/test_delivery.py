"""A real Alertmanager with the generated configuration: what it sends, to whom, with which secrets."""

import datetime as dt
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from go_live.config import Config
from go_live.monitor.alerts import ABSENT, FAIL_RATE, WATCHDOG, AlertRule, alert_rules, runbook_url
from go_live.monitor.drill.receipts import alert, new_code
from go_live.monitor.rules import annotations
from go_live.monitor.stack import programs, watching
from tests.go_live.monitor.stack import Sink, hurried, listening

ENDPOINT = "4cqta56swdioxi"


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Who is told."""
    with listening() as kept:
        yield kept


@pytest.fixture
async def running(tmp_path: Path, sink: Sink, config: Config) -> AsyncIterator[str]:
    """Alertmanager's address."""
    if lack := programs.missing():
        pytest.skip(lack)
    address = programs.free_address()
    path = watching.write_alertmanager(config.alerts, sink.url, tmp_path, hurried)
    async with watching.alertmanager_running(path, address):
        yield f"http://{address}"


async def report(url: str, rules: Sequence[AlertRule], *, over: bool = False) -> None:
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
    async with aiohttp.ClientSession() as http, http.post(f"{url}/api/v2/alerts", json=alerts) as response:
        assert response.status == 200


def named(config: Config, name: str) -> list[AlertRule]:
    """The rules of that name."""
    return [alert for alert in alert_rules(config) if alert.name == name]


async def test_a_page_arrives_at_pagerduty_and_slack_and_resolves(running: str, sink: Sink, config: Config) -> None:
    """With the routing key from its file, the runbook's address, and a resolution for both."""
    await report(running, named(config, FAIL_RATE))
    page = (await sink.wait_for("/pagerduty", "trigger")).body
    assert page["routing_key"] == "the-routing-key"
    assert page["payload"]["summary"] == f"{FAIL_RATE}: endpoint {ENDPOINT}: more than 1 % of the requests fail"
    assert page["payload"]["custom_details"]["runbook"] == runbook_url(config, FAIL_RATE)
    told = (await sink.wait_for("/slack", "FIRING")).body
    assert told["channel"] == config.alerts.slack_channel
    assert f"more than 1 % of the requests fail ({runbook_url(config, FAIL_RATE)})" in json.dumps(told)
    await report(running, named(config, FAIL_RATE), over=True)
    await sink.wait_for("/pagerduty", "resolve")
    await sink.wait_for("/slack", "RESOLVED")


async def test_a_warning_arrives_at_slack_alone(running: str, sink: Sink, config: Config) -> None:
    """Nobody is woken by a queue delay, or by a metric of the device that is missing."""
    quiet = [
        *named(config, "GoliveDelayP50High"),
        *(rule for rule in named(config, ABSENT) if rule.severity == "slack"),
    ]
    await report(running, quiet)
    await sink.wait_for("/slack", "GoliveDelayP50High")
    await sink.wait_for("/slack", "golive_worker_device_memory_ratio")
    assert {sent.path for sent in sink.sent} == {"/slack"}


async def test_several_missing_metrics_are_one_page_that_says_something(
    running: str, sink: Sink, config: Config
) -> None:
    """Grouped alerts differ in what they say; the page carries the first one's words and is not empty."""
    await report(running, [rule for rule in named(config, ABSENT) if rule.severity == "page"])
    page = (await sink.wait_for("/pagerduty", "trigger")).body
    assert "a metric that the alerts need is missing (golive_" in page["payload"]["summary"]


async def test_the_watchdog_beats_at_the_dead_mans_switch_alone(running: str, sink: Sink, config: Config) -> None:
    """With the token from its file, and nobody else hears of it."""
    await report(running, named(config, WATCHDOG))
    _, authorization, body = await sink.wait_for("/deadman", WATCHDOG)
    assert authorization == "Bearer the-token"
    assert body["status"] == "firing"
    assert {sent.path for sent in sink.sent} == {"/deadman"}


async def test_a_test_alert_s_code_is_shown_to_its_own_channel_alone(running: str, sink: Sink, config: Config) -> None:
    """Who can say the page's code has seen PagerDuty; who can say the warning's has seen Slack."""
    page, warning = new_code(), new_code()
    now = dt.datetime.now(dt.UTC).timestamp()
    alerts = [alert("page", page, config, now), alert("slack", warning, config, now)]
    async with aiohttp.ClientSession() as http, http.post(f"{running}/api/v2/alerts", json=alerts) as response:
        assert response.status == 200
    assert "TEST" in (await sink.wait_for("/pagerduty", page)).body["payload"]["summary"]
    await sink.wait_for("/slack", warning)
    await sink.wait_for("/slack", "say that it arrived (")  # the page, as Slack shows it
    shown = {sent.path: json.dumps(sent.body) for sent in sink.sent if page in json.dumps(sent.body)}
    assert set(shown) == {"/pagerduty"}
    assert {sent.path for sent in sink.sent if warning in json.dumps(sent.body)} == {"/slack"}
