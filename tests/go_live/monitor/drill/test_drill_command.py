"""``golive monitor drill`` and ``receipt`` as they are typed."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from go_live.cli import main
from go_live.config import Config
from go_live.errors import ExitCode
from go_live.monitor import generated
from go_live.monitor.stack import programs
from selftest.project import golive
from tests.go_live.monitor.conftest import ROOT

CONFIG = str(ROOT / "golive.toml")
Typed = Callable[..., int]


@pytest.fixture
def typed(tmp_path: Path, config: Config) -> Typed:
    """Type a command in a project that has the generated files."""
    generated.write(tmp_path, config)

    def command(action: str, *arguments: str) -> int:
        where = ["--root", str(tmp_path)] + (["--config", CONFIG] if action == "drill" else [])
        return main(["monitor", action, *where, *arguments])

    return command


@contextmanager
def answering(status: int, **headers: str) -> Iterator[tuple[str, list[tuple[str, Any, str | None]]]]:
    """A server that answers every POST so; its address, and what it was sent: path, body, Authorization."""
    sent: list[tuple[str, Any, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sent.append((self.path, body, self.headers["Authorization"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", sent
        finally:
            server.shutdown()
            thread.join()


def codes(sent: list[tuple[str, Any, str | None]]) -> list[str]:
    """What PagerDuty, then Slack, would show."""
    page, slack = sent[0][1]
    return [page["annotations"]["receipt"].split()[-1], slack["annotations"]["summary"].split()[-1]]


def test_without_the_programs_it_says_how_to_get_them(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit 4, and nothing is started."""
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    assert typed("drill") == ExitCode.NOT_MEASURED
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "apt-get install prometheus prometheus-alertmanager" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "fire"), "--only fire: there is no such incident; there are slow-execution"),
        (("--factor", "100"), "--factor 100: choose from 5 to 20"),
        (("--alertmanager", "alertmanager"), "--alertmanager takes its address"),
        (("--alertmanager", "https://ada:secret@am.example"), "no credentials in the address"),
    ],
)
def test_arguments_that_make_no_drill(
    typed: Typed, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is refused by name, before anything is started or sent."""
    assert typed("drill", *arguments) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert said in told
    assert "secret" not in told


def test_rules_that_are_not_golive_toml_s_are_not_drilled(
    typed: Typed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is drilled is what lies in the project, byte for byte."""
    rules = tmp_path / generated.RULES
    rules.write_text(rules.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    assert typed("drill") == ExitCode.USAGE
    assert "monitoring/rules.yml is not what golive.toml gives" in capsys.readouterr().err


def test_nobody_is_paged_unasked(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal and without --yes nothing is sent."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with answering(200) as (url, sent):
        assert typed("drill", "--alertmanager", url) == ExitCode.USAGE
    assert sent == []


def test_test_alerts_are_sent_and_confirmed(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One for each severity, labelled, ending by itself, with the token; each code confirms its channel."""
    monkeypatch.setenv("ALERTMANAGER_TOKEN", "a-made-up-token")
    with answering(200) as (url, sent):
        assert typed("drill", "--alertmanager", url, "--yes", "--json") == ExitCode.GO
    path, alerts, authorization = sent[0]
    assert (path, authorization, len(sent)) == ("/api/v2/alerts", "Bearer a-made-up-token", 1)
    assert [alert["labels"]["severity"] for alert in alerts] == ["page", "slack"]
    assert all(alert["labels"]["drill"] == "true" and alert["endsAt"] > alert["startsAt"] for alert in alerts)
    told = json.loads(capsys.readouterr().out)
    assert (told["outcome"], told["waiting"]) == ("not_run", ["PagerDuty", "Slack"])
    page, slack = codes(sent)
    kept = Path(told["record"]).read_text(encoding="utf-8")
    assert not any(secret in kept + str(told) for secret in (page, slack, "a-made-up-token"))
    assert typed("receipt", page, "--json") == ExitCode.NO_GO
    assert json.loads(capsys.readouterr().out)["waiting"] == ["Slack"]
    assert typed("receipt", "2345-6789") == ExitCode.USAGE
    assert typed("receipt", slack) == ExitCode.GO


def test_codes_go_nowhere_else(typed: Typed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A redirect is not followed, and what was not taken leaves no record."""
    with answering(200) as (other, elsewhere), answering(307, Location=f"{other}/api/v2/alerts") as (url, _):
        assert typed("drill", "--alertmanager", url, "--yes") == ExitCode.NOT_MEASURED
    assert elsewhere == []
    assert "took no test alert: 307" in capsys.readouterr().err
    assert not (tmp_path / "reports").exists()


def test_a_dead_alertmanager_is_not_measured(typed: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names it."""
    address = programs.free_address()
    assert typed("drill", "--alertmanager", f"http://{address}", "--yes") == ExitCode.NOT_MEASURED
    assert f"http://{address} cannot be reached" in capsys.readouterr().err


def test_a_token_is_not_sent_in_the_clear(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beyond this machine it takes https."""
    monkeypatch.setenv("ALERTMANAGER_TOKEN", "a-made-up-token")
    assert typed("drill", "--alertmanager", "http://am.example", "--yes") == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "not sent in the clear" in told
    assert "a-made-up-token" not in told


def test_a_receipt_of_nothing_is_refused(typed: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    """With the remedy."""
    assert typed("receipt", "7QX4-M2KD") == ExitCode.USAGE
    assert "golive monitor drill --alertmanager URL" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(200)
def test_the_real_drill(tmp_path: Path, config: Config) -> None:
    """Prometheus, Alertmanager, gateway, SDK worker: failures page, silence pages, both resolve; nothing is left."""
    if lack := programs.missing():
        pytest.skip(lack)
    generated.write(tmp_path, config)
    shutil.copy(ROOT / "golive.toml", tmp_path)
    what = ["--factor", "20", "--only", "error-spike", "silence", "--json"]
    done = golive(tmp_path, "monitor", "drill", *what, timeout_s=180)
    assert done.returncode == ExitCode.GO, f"{done.stdout}\n{done.stderr}"
    told = json.loads(done.stdout)
    assert (told["outcome"], told["problems"], told["factor"]) == ("pass", [], 20)
    assert len(told["alerts"]) == 6
    for alert in told["alerts"]:
        assert "slack" in alert["receivers"]
        assert alert["fired_s"] <= alert["due_s"]
        assert alert["resolved_s"] > 0
    assert Path(tmp_path / told["record"]).parent.name.startswith("look-"), "no evidence for MON-4"
