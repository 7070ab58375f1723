"""The anytime-valid test agrees with its definition, is monotone, and has the sizes that the planner promises."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from go_live.judge import binomial, eprocess
from go_live.outcome import Outcome

SHARES = st.sampled_from([0.5, 0.8, 0.95, 0.99])


def averaged(ok: int, misses: int, p0: float, low: float, high: float) -> float:
    """The average likelihood ratio by numerical integration over a uniform prior on (low, high)."""

    def ratio(p: float) -> float:
        return float((p / p0) ** ok * ((1 - p) / (1 - p0)) ** misses)

    value, _ = integrate.quad(ratio, low, high, limit=200)
    return float(value) / (high - low)


@given(st.integers(0, 60), st.integers(0, 20), SHARES)
@settings(max_examples=50, deadline=None)
def test_it_is_the_average_likelihood_ratio(ok: int, misses: int, p0: float) -> None:
    """Closed form and integral agree, in both directions."""
    for_, against = eprocess.log_e(ok, misses, p0)
    assert float(for_) == pytest.approx(math.log(averaged(ok, misses, p0, p0, 1.0)), abs=1e-6)
    assert float(against) == pytest.approx(math.log(averaged(ok, misses, p0, 0.0, p0)), abs=1e-6)


@given(st.integers(1, 10**7), st.data(), SHARES)
@settings(deadline=None)
def test_it_is_sound_up_to_ten_million(n: int, data: st.DataObject, p0: float) -> None:
    """No NaN, no overflow; a miss never speaks for the claim and an ok request never against it."""
    misses = data.draw(st.integers(0, n))
    for_, against = eprocess.log_e(n - misses, misses, p0)
    assert not math.isnan(for_)
    assert not math.isnan(against)
    better_for, better_against = eprocess.log_e(n - misses + 1, misses, p0)
    worse_for, worse_against = eprocess.log_e(n - misses, misses + 1, p0)
    slack = 1e-6 * max(1.0, abs(float(for_) if math.isfinite(for_) else 0.0))
    assert worse_for <= for_ + slack
    assert for_ <= better_for + slack
    slack = 1e-6 * max(1.0, abs(float(against) if math.isfinite(against) else 0.0))
    assert better_against <= against + slack
    assert against <= worse_against + slack


@given(st.lists(st.booleans(), min_size=1, max_size=50), SHARES)
def test_the_path_is_every_look(oks: list[bool], p0: float) -> None:
    """The vectorised path holds the evidence after each request."""
    path_for, path_against = eprocess.path(np.asarray(oks), p0)
    for n in range(1, len(oks) + 1):
        for_, against = eprocess.log_e(sum(oks[:n]), n - sum(oks[:n]), p0)
        assert (path_for[n - 1], path_against[n - 1]) == (for_, against)


@pytest.mark.parametrize(("misses", "p0", "n"), [(0, 0.95, 88), (0, 0.99, 449), (0, 0.5, 7)])
def test_sizes_without_a_miss(misses: int, p0: float, n: int) -> None:
    """The floors that the documentation names."""
    assert eprocess.requests_for(misses, p0, 0.05) == n
    assert eprocess.decide(misses, n, p0, 0.05, 0.05) is Outcome.PASS
    assert eprocess.decide(misses, n - 1, p0, 0.05, 0.05) is Outcome.INCONCLUSIVE


@given(st.integers(1, 3000), SHARES)
@settings(deadline=None, max_examples=60)
def test_allowed_and_failing_misses_are_the_edges(n: int, p0: float) -> None:
    """Up to ``allowed`` passes, from ``failing`` on fails, between them nothing is shown."""
    allowed, failing = eprocess.allowed_misses(n, p0, 0.05), eprocess.failing_misses(n, p0, 0.01)
    outcomes = {
        misses: eprocess.decide(misses, n, p0, 0.05, 0.01)
        for misses in {
            0,
            n,
            *(m for edge in (allowed, failing) if edge is not None for m in (edge - 1, edge, edge + 1)),
        }
        if 0 <= misses <= n
    }
    for misses, outcome in outcomes.items():
        assert (outcome is Outcome.PASS) == (allowed is not None and misses <= allowed)
        assert (outcome is Outcome.FAIL) == (failing is not None and misses >= failing)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=20), SHARES)
@settings(deadline=None, max_examples=60)
def test_edges_of_many_sizes(sizes: list[int], p0: float) -> None:
    """The vectorised edges are the single ones; -1 and n + 1 stand for "no such count"."""
    allowed, failing = eprocess.edges(np.array(sizes, dtype=np.int64), p0, 0.05, 0.01)
    for n, most, fewest in zip(sizes, allowed.tolist(), failing.tolist(), strict=True):
        one, other = eprocess.allowed_misses(n, p0, 0.05), eprocess.failing_misses(n, p0, 0.01)
        assert (most, fewest) == (-1 if one is None else one, n + 1 if other is None else other)


@pytest.mark.parametrize(("rate", "p0"), [(0.0, 0.95), (0.01, 0.95), (0.2, 0.95), (0.0, 0.99), (0.05, 0.99)])
def test_the_size_that_is_needed_decides(rate: float, p0: float) -> None:
    """A run of that size decides with the promised probability, by simulation; one of half its size does not."""
    n = eprocess.needed(rate, p0, 0.05, 0.05 / 3)
    assert n is not None
    rng = np.random.default_rng(7)
    for size, enough in ((n, True), (n // 2, False)):
        misses = rng.binomial(size, rate, 400)
        decided = np.mean(
            [eprocess.decide(int(m), size, p0, 0.05, 0.05 / 3) is not Outcome.INCONCLUSIVE for m in misses]
        )
        assert (decided >= binomial.POWER - 0.05) == enough


def test_at_the_limit_no_size_is_enough() -> None:
    """At 1 - p0, and too near to it, there is no such run."""
    assert eprocess.needed(1 - 0.95, 0.95, 0.05, 0.05) is None
    assert eprocess.needed(0.0499999, 0.95, 0.05, 0.05) is None


@pytest.mark.parametrize(
    "arguments", [(-1, 5, 0.9, 0.05, 0.05), (6, 5, 0.9, 0.05, 0.05), (0, 0, 0.9, 0.05, 0.05), (0, 5, 0.9, 0.0, 0.05)]
)
def test_no_such_count(arguments: tuple[int, int, float, float, float]) -> None:
    """Counts and levels that cannot be are refused."""
    with pytest.raises(ValueError, match=r"no count|must lie"):
        eprocess.decide(*arguments)


@pytest.mark.parametrize("p0", [0.0, 1.0, -1.0, math.nan])
def test_no_such_share(p0: float) -> None:
    """A share that is none is refused."""
    with pytest.raises(ValueError, match="must lie"):
        eprocess.log_e(1, 1, p0)
