"""From a GO to its release: what held when the run ended must still hold when it is released."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from go_live.config import Config
from go_live.decide import Answer
from go_live.errors import ReleaseIncompleteError
from go_live.evidence.run_directory import RunData, RunLog, decide_run
from go_live.outcome import Outcome
from go_live.release.run import expired, release_run
from go_live.waivers import DAY_S
from tests.go_live.release.conftest import ENDED, PASSED, WAIVER, git, make_plan, snapshot

NO_LOG: Any = None
"""What is asked here does not come from the log."""
FAILED = (PASSED[0], msgspec.structs.replace(PASSED[1], outcome=Outcome.FAIL, reason="no answer"))


def run(config: Config, *, results: Any = PASSED, **changes: Any) -> RunData:
    """A run that ended at ENDED; its evidence is valid for seven days."""
    plan = make_plan(config, "a" * 40, **changes)
    log: RunLog = NO_LOG
    return RunData(plan=plan, log=log, results=results, decision=decide_run(plan, results, now=ENDED))


@pytest.mark.parametrize(("days", "holds"), [(0, True), (6.9, True), (7, False), (400, False), (-1, False)])
def test_a_go_holds_for_as_long_as_its_evidence(config: Config, days: float, *, holds: bool) -> None:
    """The clock of the release decides, and a clock before the run's end shows nothing either."""
    trouble = expired(run(config), ENDED + days * DAY_S)
    assert (trouble == "") is holds
    assert holds or "expired: " in trouble


def test_a_waiver_that_ran_out_takes_the_release_away(config: Config) -> None:
    """A GO-WITH-WAIVERS of yesterday is none today when the waiver ended at midnight."""
    data = run(config, results=FAILED, waivers=(WAIVER,))
    assert data.decision.answer is Answer.GO_WITH_WAIVERS
    assert expired(data, WAIVER.expires_at - 1) == ""
    assert "SMK-1 is FAIL" in expired(data, WAIVER.expires_at)


def test_what_is_no_go_has_nothing_that_could_end(config: Config) -> None:
    """A NO-GO stays one; a run that was killed has no time to count from."""
    assert expired(run(config, results=FAILED), ENDED + 400 * DAY_S) == ""
    killed = msgspec.structs.replace(run(config), decision=decide_run(run(config).plan, PASSED, now=None))
    assert expired(killed, ENDED) == ""


def test_an_old_run_is_not_released(config: Config, root: Path, remote: Path) -> None:
    """A release from a run whose evidence has expired is refused, exit 5, before anything is written or pushed."""
    (root / "log.jsonl").touch()
    before, there = snapshot(root), git(remote, "for-each-ref")
    with pytest.raises(ReleaseIncompleteError, match=r"v1.0-production was not released: .*expired: .*run again"):
        release_run(run(config), root, root, now=lambda: ENDED + 8 * DAY_S)
    assert snapshot(root) == before
    assert git(remote, "for-each-ref") == there
