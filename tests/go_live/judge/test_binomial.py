"""The exact tests against scipy.stats, their known sizes, and their operating characteristics by enumeration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from go_live.judge import binomial
from go_live.outcome import Outcome

N = st.integers(1, 600)
P0 = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999])
ALPHA = st.sampled_from([0.001, 0.01, 0.05, 0.1, 0.2])


@pytest.mark.parametrize(
    ("p0", "sizes"),
    [
        (0.95, {0: 59, 1: 93, 2: 124, 5: 208, 10: 336}),
        (0.99, {0: 299, 1: 473, 2: 628, 3: 773, 4: 913, 5: 1049}),
        (0.5, {0: 5, 1: 8}),
    ],
)
def test_known_sizes(p0: float, sizes: dict[int, int]) -> None:
    """The smallest runs that pass with k misses at 95 % are the published ones, and one request less does not do."""
    for misses, n in sizes.items():
        assert binomial.requests_for(misses, p0, 0.05) == n
        assert binomial.allowed_misses(n, p0, 0.05) == misses
        assert binomial.allowed_misses(n - 1, p0, 0.05) == (misses - 1 if misses else None)


@given(N, P0, ALPHA)
def test_a_bad_service_rarely_passes(n: int, p0: float, alpha: float) -> None:
    """Enumerated: at a share of exactly p0, the best of the bad, P(PASS) <= alpha; one miss more breaks it."""
    allowed = binomial.allowed_misses(n, p0, alpha)
    misses = stats.binom(n, 1 - p0)
    if allowed is not None:
        assert misses.cdf(allowed) <= alpha + 1e-12
    assert misses.cdf(-1 if allowed is None else allowed + 1) > alpha or allowed is None
    assert misses.cdf(0) > alpha or allowed is not None


@given(N, P0, ALPHA)
def test_a_good_service_rarely_fails(n: int, p0: float, alpha: float) -> None:
    """Enumerated: at a share of exactly p0, the worst of the good, P(FAIL) <= alpha; one miss less breaks it."""
    fewest = binomial.failing_misses(n, p0, alpha)
    misses = stats.binom(n, 1 - p0)
    if fewest is None:
        assert misses.sf(n - 1) > alpha
    else:
        assert misses.sf(fewest - 1) <= alpha + 1e-12
        assert misses.sf(fewest - 2) > alpha


@given(st.data(), N, P0, ALPHA, ALPHA)
def test_decisions_agree_with_the_bounds(
    data: st.DataObject, n: int, p0: float, alpha: float, alpha_fail: float
) -> None:
    """PASS up to the allowed misses, FAIL from the failing ones on, INCONCLUSIVE between; scipy's binomtest agrees."""
    misses = data.draw(st.integers(0, n))
    outcome = binomial.decide(misses, n, p0, alpha, alpha_fail)
    allowed, fewest = binomial.allowed_misses(n, p0, alpha), binomial.failing_misses(n, p0, alpha_fail)
    assert (outcome is Outcome.PASS) == (allowed is not None and misses <= allowed)
    if outcome is not Outcome.PASS:
        assert (outcome is Outcome.FAIL) == (fewest is not None and misses >= fewest)
    greater = stats.binomtest(n - misses, n, p0, alternative="greater").pvalue
    if abs(greater - alpha) > 1e-9:
        assert (greater <= alpha) == (outcome is Outcome.PASS)


@given(st.data(), N, ALPHA)
def test_clopper_pearson(data: st.DataObject, n: int, alpha: float) -> None:
    """The one-sided bounds are the ends of scipy's exact two-sided interval at twice alpha."""
    misses = data.draw(st.integers(0, n))
    lower, upper = binomial.bounds(misses, n, 1 - alpha)
    interval = stats.binomtest(n - misses, n).proportion_ci(1 - 2 * alpha, method="exact")
    assert (lower, upper) == pytest.approx((interval.low, interval.high), abs=1e-9)


@given(st.data(), st.integers(1, 200), P0, ALPHA)
def test_passing_and_bounds_are_one_test(data: st.DataObject, n: int, p0: float, alpha: float) -> None:
    """A run passes exactly when the lower Clopper-Pearson bound reaches p0."""
    misses = data.draw(st.integers(0, n))
    lower, _ = binomial.bounds(misses, n, 1 - alpha)
    if abs(lower - p0) > 1e-9:
        assert (lower > p0) == (binomial.decide(misses, n, p0, alpha, alpha) is Outcome.PASS)


@pytest.mark.parametrize(("p0", "n"), [(0.95, 59), (0.99, 299)])
def test_needed_without_a_miss(p0: float, n: int) -> None:
    """Without a miss seen, the zero-failure size decides."""
    assert binomial.needed(0.0, p0, 0.05, 0.05) == n


@given(st.floats(0, 1), P0, ALPHA, ALPHA)
def test_a_run_of_the_needed_size_decides(rate: float, p0: float, alpha: float, alpha_fail: float) -> None:
    """Enumerated: at the assumed miss rate, a run of that size decides as foreseen with at least the stated power."""
    n = binomial.needed(rate, p0, alpha, alpha_fail)
    if n is None:
        assert abs(rate - (1 - p0)) < 0.001
        return
    if rate < 1 - p0:
        allowed = binomial.allowed_misses(n, p0, alpha)
        assert allowed is not None
        power = stats.binom.cdf(allowed, n, rate)
    else:
        fewest = binomial.failing_misses(n, p0, alpha_fail)
        assert fewest is not None
        power = stats.binom.sf(fewest - 1, n, rate)
    assert power >= binomial.POWER - 1e-9


@pytest.mark.parametrize("rate", [0.05, 0.0499999, 0.0500001])
def test_at_the_limit_no_size_decides(rate: float) -> None:
    """A miss rate at the limit, or all but at it, has no practical size; nothing is invented."""
    assert binomial.needed(rate, 1 - 0.05, 0.05, 0.05) is None


@pytest.mark.parametrize(
    ("misses", "n", "p0", "alpha"),
    [(0, 0, 0.9, 0.05), (3, 2, 0.9, 0.05), (-1, 2, 0.9, 0.05), (0, 9, 1, 0.05), (0, 9, 0.9, 0)],
)
def test_what_is_no_count_is_refused(misses: int, n: int, p0: float, alpha: float) -> None:
    """No requests, more misses than requests, certainty as a limit: each is an error, never a PASS."""
    with pytest.raises(ValueError, match=r"no count|between 0 and 1"):
        binomial.decide(misses, n, p0, alpha, 0.05)
