"""The watch after 100 %: a day passes in seconds, budget, drift and gaps are told, and a bad hour ends it."""

import msgspec
import pytest

from go_live.outcome import Outcome
from go_live.rollout.judging import Judged
from go_live.rollout.seen import Request
from go_live.rollout.watch import judge_watch
from rehearsal.traffic import Quality, requests
from selftest.rollout_world import settings

CONFIG = settings()
BUDGET = "in no 60 min is the error budget spent more than 14.4 times as fast as would last"
BEGAN, DAY_S = 1.8e9, 86400.0


def day(quality: Quality, *, seconds: float = DAY_S, per_second: float = 0.1) -> list[Request]:
    """The requests of a day."""
    both = {"candidate": quality, "current": quality}
    lines = requests(both, lambda: "candidate", begin=BEGAN, seconds=seconds, per_second=per_second, seed=5)
    return [msgspec.convert(line, Request) for line in lines]


def watched(found: list[Request], *, elapsed_s: float = DAY_S) -> Judged:
    """What the watch says after so many seconds."""
    return judge_watch(found, elapsed_s=elapsed_s, began_at=BEGAN, config=CONFIG)


def test_a_good_day_passes() -> None:
    """After 24 hours: PASS, with what was spent of the error budget."""
    found = watched(day(Quality(fails=0.002)))
    assert found.outcome is Outcome.PASS
    assert "of the error budget is spent" in found.reason


def test_nothing_is_passed_before_its_hours_are_over() -> None:
    """A minute before the end it is undecided, and says how long it still lasts."""
    found = watched(day(Quality()), elapsed_s=DAY_S - 60)
    assert (found.outcome, found.missing[0].seconds) == (Outcome.INCONCLUSIVE, 60)


@pytest.mark.parametrize(
    ("quality", "claim"),
    [
        (Quality(fails=0.05), "success rate is at least 99 %"),
        (Quality(exec_ms=3500), "exec p50 is at most 3000 ms"),
        (Quality(dies_after=70_000), "the candidate answers"),
        (Quality(worsens_per_hour=0.02), "exec_ms does not worsen"),
    ],
)
def test_a_bad_day_fails(quality: Quality, claim: str) -> None:
    """An SLO that is refuted, an endpoint that dies, a figure that drifts below every limit."""
    found = watched(day(quality))
    assert found.outcome is Outcome.FAIL
    assert claim in found.reason


def test_a_bad_hour_ends_it_at_once() -> None:
    """An hour that spends the budget 20 times too fast fails the watch, though the day so far is within its rate."""
    good = day(Quality(), seconds=80_000)
    bad = [
        msgspec.structs.replace(one, wall=one.wall + 80_000)
        for one in day(Quality(fails=0.2), seconds=3600, per_second=0.1)
    ]
    found = watched([*good, *bad], elapsed_s=84_000)
    assert found.outcome is Outcome.FAIL
    assert [one.claim for one in found.verdicts if one.outcome is Outcome.FAIL] == [BUDGET]


def test_a_few_failures_in_a_thin_hour_are_no_rate() -> None:
    """Two failures of three requests at night do not page anybody."""
    found = day(Quality(), seconds=DAY_S, per_second=0.02)
    thin = [msgspec.structs.replace(one, outcome="failed") if at in {3, 5} else one for at, one in enumerate(found)]
    burning = next(one for one in watched(thin).verdicts if one.claim == BUDGET)
    assert burning.outcome is Outcome.PASS


def test_hours_that_nobody_saw_are_no_watch() -> None:
    """A gap of two hours leaves the day undecided."""
    found = [one for one in day(Quality()) if not 40_000 < one.wall - BEGAN < 47_200]
    assert watched(found).outcome is Outcome.INCONCLUSIVE


def test_a_day_without_requests_is_no_pass() -> None:
    """Nothing was seen: undecided, never a pass."""
    assert watched([]).outcome is Outcome.INCONCLUSIVE
