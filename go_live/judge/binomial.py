"""Exact binomial tests of "the share of ok requests is at least p0".

One method for every claim: "p95 is at most T" is "P(latency <= T) >= 0.95"; success, correctness and every other
share are of the same form. With X the misses among n independent requests and q0 = 1 - p0:

- PASS when P(X <= misses | q0) <= alpha: a service at or below p0 would rarely look this good;
- FAIL when P(X >= misses | q0) <= alpha_fail: a service at or above p0 would rarely look this bad;
- INCONCLUSIVE between the two.

Clopper & Pearson 1934; Hahn & Meeker, Statistical Intervals, 1991.
"""

from collections.abc import Callable

from scipy import special

from go_live.outcome import Outcome

POWER = 0.9
"""How surely a newly planned run is to decide, if the miss rate stays what it was."""

MAX_REQUESTS = 10_000_000
"""Plans beyond this size are no plans: ``needed`` answers None."""


def allowed_misses(n: int, p0: float, alpha: float) -> int | None:
    """The most misses among ``n`` with which a run passes; None when even a run without a miss is too short."""
    fails_at = _first(lambda k: at_most_probability(k, n, 1 - p0) > alpha, 0, n)
    return fails_at - 1 if fails_at > 0 else None


def failing_misses(n: int, p0: float, alpha: float) -> int | None:
    """The fewest misses among ``n`` that show the share to be below ``p0``; None when ``n`` misses would not."""
    fewest = _first(lambda k: at_least_probability(k, n, 1 - p0) <= alpha, 0, n + 1)
    return fewest if fewest <= n else None


def decide(misses: int, n: int, p0: float, alpha: float, alpha_fail: float) -> Outcome:
    """PASS, FAIL or INCONCLUSIVE for ``misses`` of ``n`` against a share of at least ``p0`` (module docstring).

    Raises:
        ValueError: the arguments are no such counts or shares.
    """
    if not 0 <= misses <= n or n < 1:
        raise ValueError(f"{misses} misses of {n} is no count")
    if not (0 < p0 < 1 and 0 < alpha < 1 and 0 < alpha_fail < 1):
        raise ValueError(f"p0 {p0}, alpha {alpha} and alpha_fail {alpha_fail} must lie between 0 and 1")
    if at_most_probability(misses, n, 1 - p0) <= alpha:
        return Outcome.PASS
    if at_least_probability(misses, n, 1 - p0) <= alpha_fail:
        return Outcome.FAIL
    return Outcome.INCONCLUSIVE


def requests_for(misses: int, p0: float, alpha: float) -> int:
    """The smallest run that passes with ``misses`` misses: 59, 93, 124 for p95 at 95 % and 0, 1, 2 misses."""
    high = misses + 1
    while at_most_probability(misses, high, 1 - p0) > alpha:
        high *= 2
    return _first(lambda n: at_most_probability(misses, n, 1 - p0) <= alpha, misses + 1, high)


def needed(miss_rate: float, p0: float, alpha: float, alpha_fail: float, power: float = POWER) -> int | None:
    """Size of a newly planned run that decides with probability ``power``, if misses keep coming at ``miss_rate``.

    Below 1 - p0 the run decides by passing, above it by failing. None at 1 - p0 itself, and so near to it that
    more than :data:`MAX_REQUESTS` would be needed.
    """
    if miss_rate < 1 - p0:
        return _size(lambda k: _passing_size(k, miss_rate, p0, alpha, power))
    if miss_rate > 1 - p0:
        return _size(lambda k: _failing_size(k, miss_rate, p0, alpha_fail, power))
    return None


def bounds(misses: int, n: int, confidence: float) -> tuple[float, float]:
    """One-sided Clopper-Pearson bounds (lower, upper) of the ok share, each at ``confidence``."""
    ok, alpha = n - misses, 1 - confidence
    lower = float(special.betaincinv(ok, misses + 1, alpha)) if ok else 0.0
    upper = float(special.betaincinv(ok + 1, misses, 1 - alpha)) if misses else 1.0
    return lower, upper


def at_most_probability(k: int, n: int, rate: float) -> float:
    """P(X <= k) of a binomial X among ``n`` at ``rate``."""
    return float(special.bdtr(k, n, rate)) if k < n else 1.0


def at_least_probability(k: int, n: int, rate: float) -> float:
    """P(X >= k) of a binomial X among ``n`` at ``rate``."""
    return float(special.bdtrc(k - 1, n, rate)) if k > 0 else 1.0


def _passing_size(misses: int, rate: float, p0: float, alpha: float, power: float) -> int | None:
    """The smallest run that passes with ``misses`` misses, if it passes often enough at ``rate``."""
    n = requests_for(misses, p0, alpha)
    return n if at_most_probability(misses, n, rate) >= power else None


def _failing_size(misses: int, rate: float, p0: float, alpha: float, power: float) -> int | None:
    """The smallest run that fails from ``misses`` + 1 misses on and fails often enough at ``rate``."""
    fewest = misses + 1
    largest = _first(lambda n: at_least_probability(fewest, n, 1 - p0) > alpha, fewest, MAX_REQUESTS) - 1
    n = _first(lambda n: at_least_probability(fewest, n, rate) >= power, fewest, largest + 1)
    return n if fewest <= n <= largest else None


def _size(size_for: Callable[[int], int | None]) -> int | None:
    """The size at the fewest misses for which ``size_for`` finds one; None beyond :data:`MAX_REQUESTS`."""
    high = 1
    while size_for(high - 1) is None:
        high *= 2
        if high > MAX_REQUESTS:
            return None
    found = size_for(_first(lambda k: size_for(k) is not None, high // 2, high - 1))
    return found if found is not None and found <= MAX_REQUESTS else None


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first integer of [low, high) from which ``holds`` is true; ``high`` when it never is (bisection)."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
