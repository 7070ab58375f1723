"""MON-1's judgement: found in time, late, missing, and a destination that does not answer. Time is given."""

import json
from collections.abc import Sequence

import pytest

from go_live.outcome import Outcome
from go_live.shipping.arrival import events_of, judged, looked_for
from go_live.shipping.destination import DestinationError, PassingError
from tests.go_live.management.conftest import Waits

JOB = "sync-000001-u1"


class Told:
    """A destination that has lines from some time on, or fails."""

    def __init__(self, waits: Waits, *at: tuple[float, str], fails: type[Exception] | None = None) -> None:
        """``at``: (seconds, event)."""
        self._waits, self._at, self._fails = waits, at, fails
        self.asked: list[tuple[float, float]] = []

    async def find(self, job: str, since_s: float, until_s: float) -> Sequence[str]:
        """What is there by now."""
        self.asked.append((since_s, until_s))
        if self._fails is not None:
            raise self._fails("the destination is gone")
        return [json.dumps({"event": kind, "request_id": job}) for at, kind in self._at if at <= self._waits.at]


@pytest.mark.parametrize(
    ("at", "outcome", "reason"),
    [
        (((0, "start"), (0, "end")), Outcome.PASS, "found after 0.0 s"),
        (((3, "start"), (7, "end")), Outcome.PASS, "found after 7.0 s"),
        (((3, "start"), (60, "end")), Outcome.PASS, "found after 60.0 s"),
        (((0, "end"),), Outcome.FAIL, "no start line of job sync-000001-u1 after 60 s"),
        (((0, "start"),), Outcome.FAIL, "no end line"),
        ((), Outcome.FAIL, "no start and end line"),
        (((0, "start"), (61, "end")), Outcome.FAIL, "no end line"),
    ],
)
async def test_both_lines_in_time_and_nothing_less(
    at: tuple[tuple[float, str], ...], outcome: Outcome, reason: str
) -> None:
    """The last look is when the time is up, not before."""
    waits = Waits()
    arrival = await looked_for(Told(waits, *at).find, JOB, within_s=60, world=waits.world())
    verdict = judged(arrival, job=JOB, destination="Loki", within_s=60)
    assert verdict.outcome is outcome
    assert reason in verdict.reason
    assert (verdict.n, verdict.limit) == (1, 60)


@pytest.mark.parametrize("error", [PassingError, DestinationError])
async def test_a_destination_that_does_not_answer_is_no_failure_of_the_lines(error: type[Exception]) -> None:
    """ERROR, with the reason; what has to be changed first is not waited for."""
    waits = Waits()
    told = Told(waits, fails=error)
    arrival = await looked_for(told.find, JOB, within_s=60, world=waits.world())
    verdict = judged(arrival, job=JOB, destination="Loki", within_s=60)
    assert verdict.outcome is Outcome.ERROR
    assert "the destination is gone" in verdict.reason
    assert len(told.asked) == (1 if error is DestinationError else 61)


async def test_a_look_that_takes_too_long_is_late() -> None:
    """Found, but after the stated time."""
    waits = Waits()

    async def slow(job: str, _since: float, _until: float) -> list[str]:
        waits.at += 70
        return [json.dumps({"event": kind, "request_id": job}) for kind in ("start", "end")]

    arrival = await looked_for(slow, JOB, within_s=60, world=waits.world())
    verdict = judged(arrival, job=JOB, destination="Loki", within_s=60)
    assert verdict.outcome is Outcome.FAIL
    assert "only after 70.0 s" in verdict.reason


def test_only_lines_of_that_job_count() -> None:
    """Another job's, another event's, and what is no JSON do not."""
    lines = ['{"event":"end","request_id":"another"}', '{"event":"probe","request_id":"sync-000001-u1"}', JOB, "[]"]
    assert events_of(lines, JOB) == frozenset()
