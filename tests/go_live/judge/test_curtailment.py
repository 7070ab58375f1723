"""A plan that ends early says what its end would have said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.judge import binomial
from go_live.judge.curtailment import standing
from go_live.outcome import Outcome

SHARES = st.sampled_from([0.5, 0.9, 0.95, 0.99])
ALPHA, ALPHA_FAIL = 0.05, 0.05 / 6


@given(st.integers(1, 500), SHARES, st.data())
@settings(max_examples=200, deadline=None)
def test_certain_means_that_nothing_to_come_changes_it(planned: int, p0: float, data: st.DataObject) -> None:
    """Certain exactly where the best and the worst that can still come end alike, and then it is that end."""
    seen = data.draw(st.integers(0, planned))
    misses = data.draw(st.integers(0, seen))
    now = standing(misses, seen, planned, p0, ALPHA, ALPHA_FAIL)
    best = binomial.decide(misses, planned, p0, ALPHA, ALPHA_FAIL)
    worst = binomial.decide(misses + planned - seen, planned, p0, ALPHA, ALPHA_FAIL)
    assert now.certain is (best if best is worst else None)


@given(st.integers(1, 500), SHARES, st.data())
@settings(max_examples=100, deadline=None)
def test_the_full_plan_is_always_certain(planned: int, p0: float, data: st.DataObject) -> None:
    """With nothing left to come, the standing is the fixed test's answer."""
    misses = data.draw(st.integers(0, planned))
    found = standing(misses, planned, planned, p0, ALPHA, ALPHA_FAIL)
    assert found.certain is binomial.decide(misses, planned, p0, ALPHA, ALPHA_FAIL)
    assert found.left == 0


def test_out_of_reach_is_not_yet_bad() -> None:
    """The third miss of 124 takes the p95 PASS away; only the 14th shows a p95 that is too high."""
    third, fourteenth = (standing(misses, 60, 124, 0.95, ALPHA, ALPHA_FAIL) for misses in (3, 14))
    assert (third.pass_out_of_reach, third.certain) == (True, None)
    assert (fourteenth.fail_certain, fourteenth.certain) == (True, Outcome.FAIL)


def test_a_plan_that_is_too_short_for_anything() -> None:
    """Thirty requests cannot pass p95: out of reach from the first request on, and INCONCLUSIVE once FAIL is too."""
    early, late = standing(0, 0, 30, 0.95, ALPHA, ALPHA_FAIL), standing(0, 29, 30, 0.95, ALPHA, ALPHA_FAIL)
    assert (early.allowed, early.pass_out_of_reach, early.certain) == (None, True, None)
    assert late.certain is Outcome.INCONCLUSIVE
    assert standing(0, 0, 1, 0.5, ALPHA, ALPHA_FAIL).certain is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    "arguments",
    [
        (1, 0, 9, 0.9, 0.05, 0.05),
        (-1, 0, 9, 0.9, 0.05, 0.05),
        (0, 10, 9, 0.9, 0.05, 0.05),
        (0, 0, 0, 0.9, 0.05, 0.05),
        (0, 0, 9, 1.0, 0.05, 0.05),
        (0, 0, 9, 0.9, 0.0, 0.05),
        (0, 0, 9, 0.9, 0.05, 1.0),
    ],
)
def test_no_such_plan(arguments: tuple[int, int, int, float, float, float]) -> None:
    """Counts and shares that cannot be are refused."""
    with pytest.raises(ValueError, match=r"no count|must lie"):
        standing(*arguments)
