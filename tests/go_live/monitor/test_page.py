"""ALERTING_RULES.md is what on-call reads at three in the morning: complete, and every line of it works."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from go_live.config import Config
from go_live.monitor import tools
from go_live.monitor.alerts import alert_rules
from go_live.monitor.page import page
from tests.go_live.monitor.conftest import Edit

LOG = [
    "a line that is no JSON",
    json.dumps({"event": "start", "request_id": "a"}),
    json.dumps({"event": "end", "request_id": "a", "ok": True, "exec_ms": 10.0}),
    json.dumps({"event": "end", "request_id": "b", "ok": True, "exec_ms": 900.0}),
    json.dumps({"event": "end", "request_id": "c", "ok": False, "exec_ms": 5.0, "error": "out of memory"}),
]


@pytest.fixture
def text(config: Config) -> str:
    """The page of the shipped golive.toml."""
    return page(alert_rules(config), config.alerts)


def sections(text: str) -> dict[str, str]:
    """Each alert's section by its heading."""
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_each_alert_has_everything(config: Config, text: str) -> None:
    """Threshold, meaning, three actions, and its own expression first among the queries."""
    found = sections(text)
    for alert in alert_rules(config):
        section = found[alert.name]
        assert alert.limit in section
        assert len(re.findall(r"^\d\. ", section, flags=re.MULTILINE)) == 3
        assert "**Meaning:** " in section
        assert alert.expr in section


def test_queries_look_at_the_window_of_golive_toml(edited: Edit) -> None:
    """No query keeps another window than the alerts."""
    config = edited("window_minutes = 5", "window_minutes = 8")
    windows = set(re.findall(r"\[(\w+)\]", "".join(re.findall(r"```promql\n(.*?)```", shown(config), flags=re.DOTALL))))
    assert windows == {"8m", "1h"}


def shown(config: Config) -> str:
    """The page of ``config``."""
    return page(alert_rules(config), config.alerts)


@pytest.mark.usefixtures("programs")
def test_every_query_is_promql(tmp_path: Path, text: str) -> None:
    """Promtool parses each of them; a query that does not parse helps nobody."""
    blocks = re.findall(r"```promql\n.*?\n\n(.*?)```", text, flags=re.DOTALL)
    queries = [line for block in blocks for line in block.splitlines() if line]
    assert len(queries) > len(blocks)
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    proof = tools.ask("queries", ["promtool", "check", "rules", str(path)])
    assert proof.passed, proof.said


def test_the_log_lines_work_on_a_worker_s_log(tmp_path: Path, text: str) -> None:
    """They read past what is no JSON; the slowest request comes first, and errors are counted."""
    if shutil.which("jq") is None:
        pytest.skip("jq not found on PATH: apt-get install jq")
    (tmp_path / "worker.log").write_text("\n".join(LOG) + "\n", encoding="utf-8")
    lines = dict.fromkeys(re.findall(r"```sh\n(.*?)\n```", text))
    said = [
        subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True).stdout  # noqa: S607 - the machine's shell
        for line in lines
    ]
    assert [json.loads(line)["request_id"] for line in said[0].splitlines()] == ["b", "a", "c"]
    assert said[1].split() == ["1", "out", "of", "memory"]
    assert said[2].strip() == "1"
