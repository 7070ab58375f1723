"""A real Alertmanager with the generated configuration: what it sends, to whom, with which secrets."""

import datetime as dt
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from go_live.config import Config
from go_live.monitor import alertmanager
from go_live.monitor.alerts import ABSENT, FAIL_RATE, WATCHDOG, AlertRule, alert_rules
from go_live.monitor.rules import annotations
from tests.go_live.monitor.conftest import Edit

PROGRAM = "prometheus-alertmanager"
WITHIN_S = 30
ENDPOINT = "4cqta56swdioxi"
Sent = tuple[str, str | None, dict[str, Any]]
"""Path, Authorization header and body of one notification."""


@dataclass
class Sink:
    """Stands for PagerDuty, Slack and the dead-man's switch; keeps what it is sent."""

    url: str = ""
    sent: list[Sent] = field(default_factory=list)

    def wait_for(self, path: str, text: str) -> Sent:
        """The first notification to ``path`` that contains ``text``."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            for sent in list(self.sent):
                if sent[0] == path and text in json.dumps(sent[2]):
                    return sent
            time.sleep(0.05)
        raise AssertionError(f"nothing with {text!r} arrived at {path}; there is {self.sent}")


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A webhook server on loopback."""
    kept = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.sent.append((self.path, self.headers["Authorization"], body))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture
def running(tmp_path: Path, sink: Sink, toml: str, edited: Edit) -> Iterator[str]:
    """Alertmanager's address; it groups for a second and no longer, and finds its secrets in files."""
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} not found on PATH: apt-get install prometheus-alertmanager")
    del toml
    alerts = edited('deadman_url = "https://deadman.example/golive"', f'deadman_url = "{sink.url}/deadman"').alerts
    secrets = {
        alertmanager.ROUTING_KEY: "the-routing-key",
        alertmanager.WEBHOOK: f"{sink.url}/slack",
        alertmanager.DEADMAN_KEY: "the-token",
    }
    for name, value in secrets.items():
        (tmp_path / name).write_text(value, encoding="utf-8")
    text = alertmanager.alertmanager_file(alerts).replace(alerts.secrets_directory, str(tmp_path))
    text = text.replace("global:\n", f"global:\n  pagerduty_url: {sink.url}/pagerduty\n")
    text = text.replace("group_wait: 10s", "group_wait: 0s").replace("group_interval: 1m", "group_interval: 1s")
    (tmp_path / "alertmanager.yml").write_text(text, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        PROGRAM,
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log, stdout=log) as process:
        try:
            ready(f"http://{address}/-/ready", tmp_path / "log")
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(timeout=WITHIN_S)


def ready(url: str, log: Path) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"Alertmanager did not start: {log.read_text(encoding='utf-8')[-1000:]}")


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
