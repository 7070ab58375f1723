"""What is refused before a killed run goes on."""

from pathlib import Path

import pytest

from go_live.begin import MAX_RESUMES, unfinished
from go_live.errors import UsageError
from go_live.evidence.log import LogWriter


def killed(directory: Path, *, resumes: int = 0, finished: bool = False) -> Path:
    """A run directory's log, after so many resumes."""
    log = LogWriter(directory / "log.jsonl", now=lambda: 1.0)
    log.append("start", {"run_id": "r", "plan_sha256": "a" * 64})
    for _ in range(resumes):
        log.append("resume", {})
    if finished:
        log.append("finish", {})
    log.close()
    return directory


def test_a_killed_run_may_go_on(tmp_path: Path) -> None:
    """Its log is read back with the number of resumes."""
    found = unfinished(killed(tmp_path, resumes=MAX_RESUMES - 1), "a" * 64)
    assert found.resumed == MAX_RESUMES - 1


@pytest.mark.parametrize(
    ("log", "plan", "told"),
    [
        ({"finished": True}, "a" * 64, "is finished"),
        ({"resumes": MAX_RESUMES}, "a" * 64, "resumed 5 times already"),
        ({}, "b" * 64, "changed afterwards"),
    ],
)
def test_what_may_not(tmp_path: Path, log: dict[str, int], plan: str, told: str) -> None:
    """A finished run, one that was resumed too often, and another plan than the log's: one line each."""
    with pytest.raises(UsageError, match=told):
        unfinished(killed(tmp_path, **log), plan)  # type: ignore[arg-type]
