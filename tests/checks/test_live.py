"""Where a check reads the workers' logs, and how long it waits for what comes late."""

import itertools
import json
from pathlib import Path

import pytest

from checks import live
from checks.live import LogSource, folder_in
from go_live.evidence.run_directory import DECISION

END = json.dumps({"event": "end", "request_id": "j1", "ok": True, "exec_ms": 20.0})


def source(*, late: bool, comes_at: int) -> LogSource:
    """A source whose line is there from the so-manieth look on."""
    looks = itertools.count()
    return LogSource(lines=lambda: [END] if next(looks) >= comes_at else [], why_empty=lambda: "HTTP 403", late=late)


@pytest.fixture(autouse=True)
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look takes half a second of a clock that nobody waits for."""
    clock = itertools.count()
    monkeypatch.setattr(live.time, "monotonic", lambda: next(clock) * live.LOOK_S)
    monkeypatch.setattr(live.time, "sleep", lambda _seconds: None)


def test_a_late_line_is_waited_for() -> None:
    """Until the request has found it."""
    read, join = source(late=True, comes_at=5).joined(["j1"])
    assert (join.share, read.lines, read.why_empty) == (1.0, 1, "HTTP 403")


def test_what_never_comes_is_missing() -> None:
    """After the stated time, with the reason why nothing could be read."""
    read, join = source(late=True, comes_at=10_000).joined(["j1"])
    assert (join.share, read.lines, read.why_empty) == (0.0, 0, "HTTP 403")


def test_a_local_log_is_there_or_it_is_not() -> None:
    """Nobody waits for a file that was written before it is read."""
    assert source(late=False, comes_at=1).joined(["j1"])[1].share == 0.0
    assert source(late=False, comes_at=0).joined(["j1"])[1].share == 1.0


def test_evidence_is_not_written_to_after_the_decision(tmp_path: Path) -> None:
    """What is asked after the tag's push has a folder of its own."""
    assert folder_in(tmp_path).name == "worker-logs"
    (tmp_path / DECISION).write_text("{}", encoding="utf-8")
    assert folder_in(tmp_path).name == "worker-logs-after-tag"
