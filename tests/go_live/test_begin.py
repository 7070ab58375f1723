"""What is refused before a killed run goes on."""

from pathlib import Path

import pytest

from go_live.begin import MAX_RESUMES, prepare, unfinished
from go_live.errors import UsageError
from go_live.evidence.log import LogWriter
from go_live.plan import Options
from selftest.project import make, shipped_config
from selftest.scenes import LIVE


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


def test_a_live_run_without_a_key_does_not_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before its directory is made; with a key, or a file that holds one, it may begin."""
    project = make(tmp_path, config=shipped_config(dict(LIVE.values)))
    options = Options(profile="test")
    for name in ("RUNPOD_API_KEY", "RUNPOD_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="RUNPOD_API_KEY is not set"):
        prepare(options, project)
    assert not (project / "reports").exists()
    (tmp_path / "key").write_text("rpa_ABCDEFGHIJKLMNOP")
    monkeypatch.setenv("RUNPOD_API_KEY_FILE", str(tmp_path / "key"))
    assert prepare(options, project)[0].target.kind == "runpod"


def test_a_production_run_refuses_another_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan is not made: exit 2, and nothing is sent anywhere."""
    monkeypatch.setenv("RUNPOD_API_KEY", "rpa_ABCDEFGHIJKLMNOP")
    project = make(tmp_path, config=shipped_config({"endpoint.job_api": '"http://127.0.0.1:9/v2"'}))
    with pytest.raises(UsageError, match=r"the profile production accepts https://api.runpod.ai/v2 alone"):
        prepare(Options(profile="production"), project)
