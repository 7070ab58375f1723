"""A killed run goes on without losing a request, counting one twice, or forgetting what it already knew."""

from pathlib import Path
from typing import Any

import pytest

from go_live import config
from go_live.checklist import Repository
from go_live.errors import ResumeRefusedError, UsageError
from go_live.evidence import resume
from go_live.evidence.log import LogWriter, read_log
from go_live.records import ErrorClass, Record
from selftest.project import ROOT
from tests.go_live.release.conftest import make_plan

PLAN = make_plan(
    config.load(ROOT / "golive.toml"), "a" * 40, digests={"golive.toml": "1" * 64}, versions={"runpod": "1.12.0"}
)
LIMITS = {"load": 5000.0, "soak": 4000.0}


def written(path: Path, events: list[tuple[float, str, Record]]) -> resume.Left:
    """What a log of ``events`` (Unix time, kind, record) left open."""
    now = 0.0
    log = LogWriter(path, now=lambda: now)
    for now, kind, record in events:  # noqa: B007 - the clock reads it
        log.append(kind, record)  # type: ignore[arg-type]
    log.close()
    return resume.left_open(read_log(path), LIMITS)


def due(seq: int, at: float, **changes: Any) -> Record:
    """A request that became due at Unix time ``at``."""
    return Record(**{"seq": seq, "phase": "soak", "level": "c=2", "due": at, "wall": at, **changes})


def ended(seq: int, at: float) -> Record:
    """Its end."""
    return due(seq, at, done=at + 1)


def test_open_requests_are_asked_again(tmp_path: Path) -> None:
    """What became due and has no end, and had not been open for its limit, is to be asked again under its number."""
    events = [(10.0, "due", due(0, 10)), (10.1, "due", due(1, 10.1)), (11.0, "request", ended(0, 10))]
    left = written(tmp_path / "log", events)
    assert [record.seq for record in left.again] == [1]
    assert left.missed == ()


def test_what_was_known_against_a_request_stays(tmp_path: Path) -> None:
    """One that had been open for longer than its limit when the log ends is a miss, not a second chance."""
    events = [(10.0, "due", due(0, 10)), (14.5, "due", due(1, 14.5))]
    left = written(tmp_path / "log", events)
    assert [record.seq for record in left.again] == [1]
    (missed,) = left.missed
    assert (missed.seq, missed.error, missed.ok) == (0, ErrorClass.INTERRUPTED, False)
    assert "at least 4500 ms" in (missed.detail or "")


def test_the_warm_up_is_not_kept(tmp_path: Path) -> None:
    """Warm-up requests are never judged: the resumed phase warms up anew."""
    left = written(tmp_path / "log", [(10.0, "due", due(0, 10, phase="warmup"))])
    assert (left.again, left.missed) == ((), ())


def test_numbers_repeat_between_levels(tmp_path: Path) -> None:
    """Request 0 of one level is not request 0 of another."""
    events = [
        (10.0, "due", due(0, 10, level="c=1", phase="load")),
        (11.0, "request", ended(0, 10)),
        (11.5, "due", due(0, 11.5)),
    ]
    assert len(written(tmp_path / "log", events).again) == 2


def test_an_unchanged_project_may_go_on() -> None:
    """Same commit, files and tools: nothing is refused."""
    plan = PLAN
    resume.refuse_changed(plan, repository=plan.repository, digests=plan.digests, versions=plan.versions)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"repository": {"commit": "f" * 40}}, "commit"),
        ({"repository": {"dirty": True}}, "uncommitted changes"),
        ({"digests": {"golive.toml": "0" * 64}}, "golive.toml"),
        ({"versions": {"runpod": "0.0.1"}}, "runpod"),
    ],
)
def test_what_has_changed_is_named(changes: dict[str, Any], named: str) -> None:
    """Another commit, configuration or tool: refused, and the thing is named."""
    plan = PLAN
    facts = {
        "repository": {name: getattr(plan.repository, name) for name in plan.repository.__struct_fields__},
        "digests": plan.digests,
        "versions": plan.versions,
    }
    now = {part: {**value, **changes.get(part, {})} for part, value in facts.items()}
    with pytest.raises(ResumeRefusedError, match=named):
        resume.refuse_changed(
            plan, repository=Repository(**now["repository"]), digests=now["digests"], versions=now["versions"]
        )


PROBE = {"nonce": "a", "commit": "abc", "engine": {"max_num_seqs": 8}}


def test_the_same_target_may_go_on() -> None:
    """Another nonce and another local port are the same target; nothing is known before the first probe."""
    earlier = {"job_api": "http://127.0.0.1:1/v2", "probe": PROBE}
    now = {"job_api": "http://127.0.0.1:2/v2", "probe": {**PROBE, "nonce": "b"}}
    resume.refuse_other_target(earlier, now, live=False)
    resume.refuse_other_target({}, now, live=True)
    resume.refuse_other_target(earlier, {"soak_ended": None}, live=True)


@pytest.mark.parametrize(
    ("now", "named"),
    [
        ({"job_api": "https://one", "probe": {**PROBE, "commit": "def"}}, "commit"),
        ({"job_api": "https://one", "probe": {**PROBE, "engine": {"max_num_seqs": 4}}}, "engine"),
        ({"job_api": "https://two", "probe": PROBE}, "job_api"),
    ],
)
def test_another_target_is_refused(now: dict[str, Any], named: str) -> None:
    """Another build, another engine setting or another address: refused, and the thing is named."""
    with pytest.raises(ResumeRefusedError, match=named):
        resume.refuse_other_target({"job_api": "https://one", "probe": PROBE}, now, live=True)


def test_a_run_is_found_by_path_and_by_id(tmp_path: Path) -> None:
    """Its directory or its id below reports; anything else is one line."""
    directory = tmp_path / "reports" / "20261010T121412Z-rehearsal-1f2e3d"
    directory.mkdir(parents=True)
    (directory / "plan.json").write_text("{}", encoding="utf-8")
    assert resume.find(tmp_path, directory.name) == resume.find(tmp_path, str(directory)) == directory.resolve()
    with pytest.raises(UsageError, match="no such run"):
        resume.find(tmp_path, "another")
