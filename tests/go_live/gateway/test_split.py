"""The split between two arms: exact over any run of requests, in step with nobody, and the same for a caller."""

from collections import Counter
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.gateway.split import WHOLE, Split, arm_of, pick_for

PERCENT = st.integers(0, 100)
START = st.integers(0, WHOLE - 1)


def moved(split: Split, percent: int, count: int) -> list[bool]:
    """Which of the next ``count`` requests go to the candidate."""
    return [split.pick(percent) == "candidate" for _ in range(count)]


@given(START, PERCENT)
def test_any_thousand_requests_hold_the_share(start: int, percent: int) -> None:
    """Wherever a run of 1,000 requests begins, the candidate has its share within 0.3 %."""
    assert abs(sum(moved(Split(start), percent, 1000)) - 10 * percent) <= 3


@given(START, st.lists(st.tuples(PERCENT, st.integers(1, 400)), min_size=1, max_size=4))
def test_changes_of_the_share_cost_no_exactness(start: int, steps: list[tuple[int, int]]) -> None:
    """Over a run in which the share changes, the candidate has what the shares add up to, within three a step."""
    split = Split(start)
    got = sum(sum(moved(split, percent, count)) for percent, count in steps)
    assert abs(got - sum(percent * count / 100 for percent, count in steps)) <= 3 * len(steps)


@pytest.mark.parametrize(("percent", "longest"), [(10, 12), (50, 2), (90, 12)])
def test_no_long_runs(percent: int, longest: int) -> None:
    """At 10 % nobody is sent to one arm more than 12 times in a row, at 50 % not more than twice."""
    arms = moved(Split(), percent, 20_000)
    assert max(len(list(run)) for _, run in groupby(arms)) <= longest


def test_none_and_all() -> None:
    """At 0 % not one request in 20,000 is moved, at 100 % every one."""
    assert not any(moved(Split(), 0, 20_000))
    assert all(moved(Split(), 100, 20_000))
    assert (arm_of(0, 0), arm_of(WHOLE - 1, 100)) == ("current", "candidate")


@given(START, st.integers(2, 60), st.sampled_from([10, 50, 90]))
@settings(max_examples=30)
def test_a_caller_with_a_rhythm_is_no_exception(start: int, period: int, percent: int) -> None:
    """Whoever sends every k-th request has the share, too: he is neither always moved nor never."""
    arms = moved(Split(start), percent, period * 400)
    for phase in range(period):
        assert abs(sum(arms[phase::period]) / 400 - percent / 100) < 0.05


@given(st.text(max_size=30), st.text(max_size=10), PERCENT, PERCENT)
def test_a_caller_stays_where_he_was_moved(caller: str, salt: str, one: int, other: int) -> None:
    """Who is moved at a share is moved at every larger one; at 0 % nobody is, at 100 % everybody."""
    low, high = sorted((one, other))
    if pick_for(caller, salt, low) == "candidate":
        assert pick_for(caller, salt, high) == "candidate"
    assert pick_for(caller, salt, 0) == "current"
    assert pick_for(caller, salt, 100) == "candidate"


def test_by_caller_the_share_is_one_of_callers() -> None:
    """Of 10,000 callers 10 % are moved, and another rollout moves others."""
    names = [f"caller {number}" for number in range(10_000)]
    first = [pick_for(name, "r1", 10) for name in names]
    second = [pick_for(name, "r2", 10) for name in names]
    assert abs(Counter(first)["candidate"] - 1000) < 120  # four standard deviations of a binomial
    both = sum(a == b == "candidate" for a, b in zip(first, second, strict=True))
    assert both < 150
