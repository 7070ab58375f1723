"""docs/runbooks/: a page for each alert, to which its notification leads, and whose commands are there."""

import argparse
import importlib
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from go_live.cli import COMMANDS
from go_live.config import Config
from go_live.monitor.alerts import alert_rules
from go_live.monitor.rules import annotations
from go_live.monitor.runbook import RUNBOOK
from go_live.monitor.runbook_pages import runbook_pages
from tests.go_live.monitor.conftest import Edit

COMMAND_LINES = [line for entry in RUNBOOK.values() for action in entry.actions for line in action.commands]
SERVED = [
    {"outcome": "ok", "caller": "web", "total_ms": 3000.0, "delay_ms": 9.0, "exec_ms": 2800.0, "tokens": 150},
    {"outcome": "failed", "caller": "web", "total_ms": 9000.0, "error": "job_failed", "worker": "w1"},
    {"outcome": "ok", "caller": "app", "total_ms": 3500.0, "exec_ms": 3200.0, "tokens": 90, "worker": "w1"},
]


def test_a_notification_leads_to_its_page(config: Config) -> None:
    """Every alert's runbook_url is a page that is written, and every page says what the alert's rule says."""
    pages = runbook_pages(alert_rules(config), config)
    for alert in alert_rules(config):
        text = pages[annotations(alert)["runbook_url"].removeprefix(f"{config.alerts.docs_url}/")]
        assert alert.expr in text
        assert alert.limit in text


def test_the_base_is_the_team_s_own(edited: Edit) -> None:
    """Where the pages are read stands in golive.toml; their files stay where they are."""
    config = edited('docs_url = "https://docs.example/golive"', 'docs_url = "https://wiki.example/here"')
    urls = {annotations(alert)["runbook_url"] for alert in alert_rules(config)}
    assert "https://wiki.example/here/docs/runbooks/Watchdog.md" in urls
    assert set(runbook_pages(alert_rules(config), config)) == {f"docs/runbooks/{name}.md" for name in RUNBOOK}


def test_each_page_has_three_actions_and_its_end(config: Config) -> None:
    """What to do stands first; when to ask for help, how it ends and how it is drilled are there."""
    for text in runbook_pages(alert_rules(config), config).values():
        assert re.findall(r"^(\d)\. ", text, flags=re.MULTILINE) == ["1", "2", "3"]
        headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
        assert headings == ["First actions", "See it", "Ask for help", "How it ends", "Seen"]


@pytest.mark.parametrize("line", [line for line in dict.fromkeys(COMMAND_LINES) if line.startswith("golive ")])
def test_every_golive_command_is_one(line: str) -> None:
    """What a page tells on-call to type is understood by the command that it names."""
    _, name, *arguments = shlex.split(line)
    command = COMMANDS[name]
    room, parser = importlib.import_module(command.module), argparse.ArgumentParser(exit_on_error=False)
    getattr(room, command.configure)(parser)
    parser.parse_args(arguments)


def test_the_lines_on_the_gateway_s_record_work(tmp_path: Path) -> None:
    """Each jq line reads a record with good, failed and sparse requests."""
    if shutil.which("jq") is None:
        pytest.skip("jq not found on PATH: apt-get install jq")
    (tmp_path / "reports").mkdir()
    record = "".join(json.dumps(served) + "\n" for served in SERVED)
    (tmp_path / "reports/gateway.jsonl").write_text(record, encoding="utf-8")
    lines = [line for line in dict.fromkeys(COMMAND_LINES) if "gateway.jsonl" in line]
    said = {
        line: subprocess.run(["bash", "-ec", line], cwd=tmp_path, capture_output=True, text=True, check=True).stdout  # noqa: S607 - the machine's shell
        for line in lines
    }
    assert len(said) == 5
    assert any(text.startswith('{"total_ms":9000') for text in said.values())
    assert any(text.split()[:2] == ["2", "web"] for text in said.values())
    assert any('"worker":"w1","n":1,"exec_ms":3200' in text for text in said.values())
