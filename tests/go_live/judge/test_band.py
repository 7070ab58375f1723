"""The band holds what the tests do not refute, at any look."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.judge import eprocess
from go_live.judge.band import POINTS, band
from go_live.judge.percentiles import percentile
from go_live.outcome import Outcome

ALPHA = 0.05


@given(st.lists(st.integers(0, 30), min_size=1, max_size=400), st.sampled_from([50, 95]), st.integers(-1, 31))
@settings(max_examples=100, deadline=None)
def test_a_threshold_outside_is_one_that_was_tested(values: list[int], q: int, limit: int) -> None:
    """The upper end is at most a threshold exactly when the claim is shown there; the lower end likewise."""
    figures = np.array(values, dtype=np.float64)
    found = band(figures, q=q, alpha=ALPHA, points=5)
    for n, lower, upper in zip(found.n, found.lower, found.upper, strict=True):
        misses = int((figures[:n] > limit).sum())
        outcome = eprocess.decide(misses, int(n), q / 100, ALPHA / 2, ALPHA / 2)
        assert (upper <= limit) == (outcome is Outcome.PASS)
        if limit >= 0:
            assert (lower > limit) == (outcome is Outcome.FAIL)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.sampled_from([50, 95, 99]))
@settings(max_examples=50, deadline=None)
def test_the_measured_percentile_lies_in_it(values: list[float], q: int) -> None:
    """Lower <= nearest rank <= upper at each look, and the last look is the whole run."""
    figures = np.array(values)
    found = band(figures, q=q, alpha=ALPHA)
    assert (found.lower <= found.measured).all()
    assert (found.measured <= found.upper).all()
    assert found.n[-1] == len(values)
    assert found.measured[-1] == percentile(figures, q)


def test_it_holds_at_all_looks_together() -> None:
    """Seeded: the true p95 is ever outside, at 40 looks, in at most 5 % of 150 runs, within 3 sigma."""
    rng = np.random.default_rng(11)
    truth = float(-np.log(0.05))
    outside = 0
    for _ in range(150):
        found = band(rng.exponential(size=400), q=95, alpha=ALPHA, points=40)
        outside += bool(((found.lower > truth) | (found.upper < truth)).any())
    assert outside / 150 <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / 150)
    assert band(rng.exponential(size=4000), q=95, alpha=ALPHA).upper[-1] < 1.2 * truth


def test_requests_without_an_answer_are_the_slowest() -> None:
    """With 20 % infinite there is a lower end and no upper one; with none there is a finite upper one."""
    healthy = np.ones(400)
    broken = healthy.copy()
    broken[::5] = np.inf
    assert band(broken, q=95, alpha=ALPHA).upper[-1] == np.inf
    assert band(broken, q=95, alpha=ALPHA).lower[-1] == np.inf
    assert (band(healthy, q=95, alpha=ALPHA).lower[-1], band(healthy, q=95, alpha=ALPHA).upper[-1]) == (1, 1)


def test_a_short_run_has_no_ends() -> None:
    """Thirty requests bound no p95 from above; one bounds nothing from below either, a few are bounded by the least."""
    found = band(np.arange(1, 31, dtype=np.float64), q=95, alpha=ALPHA)
    assert np.isinf(found.upper).all()
    assert found.lower[0] == 0
    assert found.lower[1] == 1
    assert len(found.n) == 30


@pytest.mark.parametrize(
    ("values", "q", "alpha", "points"),
    [
        ([], 95, ALPHA, 9),
        ([float("nan")], 95, ALPHA, 9),
        ([-1.0], 95, ALPHA, 9),
        ([1.0], 100, ALPHA, 9),
        ([1.0], 95, 1.0, 9),
        ([1.0], 95, ALPHA, POINTS + 1),
    ],
)
def test_no_such_band(values: list[float], q: int, alpha: float, points: int) -> None:
    """No values, no numbers, no percentile: refused."""
    with pytest.raises(ValueError, match=r"a band needs|cannot be"):
        band(np.array(values), q=q, alpha=alpha, points=points)
