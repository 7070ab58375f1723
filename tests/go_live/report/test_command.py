"""``golive report RUN`` on run directories as the gate writes them."""

import argparse
import json
import re
from pathlib import Path

import msgspec
import pytest

from go_live.errors import UsageError
from go_live.evidence import run_directory
from go_live.evidence.run_directory import CheckReport
from go_live.outcome import Outcome
from go_live.report import command
from tests.go_live.report import samples


def made_run(root: Path, *, finished: bool = True) -> Path:
    """A run directory with a passed item, requests, facts and a note."""
    planned = samples.plan("rehearsal")
    directory, log = run_directory.create(root, planned, now=iter(range(1_795_430_000, 1_795_431_000)).__next__)
    for record in samples.level("c=1", 124):
        log.append("request", record)
    for name, verdicts in samples.GOOD.items():
        log.append("check", CheckReport(test=name, items=(name,), verdicts=tuple(verdicts)))
    log.append("facts", {"image": "sha256:ab12"})
    log.append("note", "the tree has uncommitted changes")
    if finished:
        log.append("finish", {})
    log.close()
    return directory


def render(*argv: str) -> int:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="golive report")
    command.configure(parser)
    return command.run(parser.parse_args(argv))


@pytest.fixture(autouse=True)
def _no_step_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests write into no CI's summary."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_a_finished_run_is_rendered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files lie beside the run, the screen says GO, and the exit code is the run's."""
    directory = made_run(tmp_path)
    assert render(str(directory)) == 0
    assert "GO" in capsys.readouterr().out
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert "sha256:ab12" in page
    assert "the tree has uncommitted changes" in page


def test_a_killed_run_is_no_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its finish entry a run satisfies nothing, and its report says that it was not finished."""
    directory = made_run(tmp_path, finished=False)
    assert render(str(directory), "--out", str(tmp_path / "out")) == 4
    assert "not finished" in " ".join(capsys.readouterr().out.split())
    assert "- [x]" not in (tmp_path / "out" / "GO_LIVE_CHECKLIST.md").read_text(encoding="utf-8")


def test_rendering_again_gives_the_same_files(tmp_path: Path) -> None:
    """The same run gives the same bytes, each time and elsewhere."""
    directory = made_run(tmp_path)
    for name in ("one", "two"):
        render(str(directory), "--out", str(tmp_path / name))
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 5
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files)


def test_json_names_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--json`` prints one object: answer, reason, files."""
    directory = made_run(tmp_path)
    render(str(directory), "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["answer"] == "GO"
    assert Path(found["files"]["report.html"]).is_file()


def test_what_was_released_is_shown_again(tmp_path: Path) -> None:
    """The lines that the release left in the run's directory stand in the report."""
    directory = made_run(tmp_path)
    (directory / command.RELEASED).write_bytes(msgspec.json.encode(["tag v1 is on origin"]))
    render(str(directory))
    assert "tag v1 is on origin" in (directory / "report.md").read_text(encoding="utf-8")
    (directory / command.RELEASED).write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(command.RELEASED)):
        render(str(directory))


def test_a_foreign_directory_is_refused(tmp_path: Path) -> None:
    """A directory without a run is named in one line."""
    with pytest.raises(UsageError, match="is not a run directory"):
        render(str(tmp_path))


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` shows a command that can be copied."""
    with pytest.raises(SystemExit):
        render("--help")
    assert "golive report reports/" in capsys.readouterr().out


def test_the_verdicts_decide_and_not_the_files(tmp_path: Path) -> None:
    """A report is made of plan and log; what verdicts.json and decision.json say of outcomes changes nothing."""
    directory = made_run(tmp_path)
    run_directory.write_conclusions(directory, run_directory.read_run(directory))
    for name in ("decision.json", "verdicts.json"):
        text = (directory / name).read_text(encoding="utf-8")
        (directory / name).write_text(
            text.replace('"GO"', '"NO-GO"').replace(f'"{Outcome.PASS}"', f'"{Outcome.FAIL}"'), encoding="utf-8"
        )
    assert render(str(directory)) == 0
