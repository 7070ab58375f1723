"""``golive demo``: the answer, the report, and nothing that pretends to be measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from go_live import cli
from go_live.demo import command, reconstruction
from go_live.errors import GoliveError


def test_it_says_why_it_is_a_no_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The headline, the answer with its figures, what a real soak would exit with, the report's path; exit 0."""
    assert cli.main(["demo", "--no-open", "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("A team tagged a soak like this; here is why it is a NO-GO.\n")
    assert (
        "NO-GO  1 of 6 claims is shown not to hold: soak total p95 6929 ms > 6000 ms, with 452 of 2000 requests" in out
    )
    assert "the judged soak would exit 1" in out
    assert f"report: {tmp_path / 'report.html'}" in out


def test_it_is_named_a_reconstruction_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Terminal, JSON, help and report: each says that no row was measured."""
    cli.main(["demo", "--no-open", "--output", str(tmp_path)])
    cli.main(["demo", "--json", "--output", str(tmp_path)])
    with pytest.raises(SystemExit):
        cli.main(["demo", "--help"])
    printed = capsys.readouterr().out
    assert printed.count(reconstruction.NAME) >= 4
    page = (tmp_path / "report.html").read_text()
    assert "seeded reconstruction" in page
    assert "NO-GO" in page


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object: the judgement, that it is a reconstruction, and what a real one would exit with."""
    cli.main(["demo", "--json", "--output", str(tmp_path)])
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (found["outcome"], found["n"], found["judged_exit_code"], found["reconstruction"]) == ("fail", 2000, 1, True)
    assert Path(found["report"]).is_file()


def test_without_output_it_takes_a_temporary_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    cli.main(["demo", "--no-open"])
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]
    assert "golive-demo-" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where the folder should be: one clear line."""
    (tmp_path / "file").write_text("")
    records = reconstruction.records()
    with pytest.raises(GoliveError, match="choose another with --output"):
        command.write_report(command.judge(records), records, tmp_path / "file")


@pytest.mark.parametrize(
    ("environment", "platform", "terminal", "opens"),
    [
        ({"DISPLAY": ":0"}, "linux", True, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True, True),
        ({}, "darwin", True, True),
        ({}, "linux", True, False),
        ({"DISPLAY": ":0"}, "linux", False, False),
        ({"DISPLAY": ":0", "CI": "true"}, "linux", True, False),
    ],
)
def test_a_window_opens_only_where_somebody_watches(
    environment: dict[str, str], platform: str, *, terminal: bool, opens: bool
) -> None:
    """No browser without a display, without a terminal, or in CI; a text browser never takes the terminal."""
    assert command.can_open(environment, platform, terminal=terminal) is opens


@pytest.mark.parametrize(("arguments", "opened"), [([], 1), (["--no-open"], 0)])
def test_the_report_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], opened: int
) -> None:
    """The page is opened by its file URI, unless asked not to."""
    seen: list[str] = []
    monkeypatch.setattr(command, "can_open", lambda *_, **__: True)
    monkeypatch.setattr("webbrowser.open", seen.append)
    cli.main(["demo", "--output", str(tmp_path), *arguments])
    assert seen == [(tmp_path / "report.html").as_uri()] * opened


def test_it_needs_the_core_alone(tmp_path: Path) -> None:
    """A fresh interpreter that runs the demonstration has imported no torch, no vLLM, no RunPod SDK, no scipy.stats."""
    code = (
        "import sys; from go_live import cli; cli.main(['demo', '--no-open', '--output', sys.argv[1]]);"
        "sys.exit(sorted({'torch', 'vllm', 'runpod', 'transformers', 'scipy.stats'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
