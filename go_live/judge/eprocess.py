"""Anytime-valid tests of "the share of ok requests is at least p0": they may be looked at after every request.

For the null hypothesis p <= p0, the likelihood ratio against every p above p0 is averaged over a uniform prior cut to
(p0, 1); under the null the average is a test martingale E, so that P(E ever reaches 1 / alpha) <= alpha (Ville 1939),
whenever one looks, stops or goes on. With s ok and f misses, and I the regularised incomplete beta function:

    E_pass = B(1 + s, 1 + f) (1 - I_p0(1 + s, 1 + f)) / ((1 - p0) p0^s (1 - p0)^f)

and E_fail, against p >= p0, with I in place of 1 - I and p0 in place of the first 1 - p0. Needs that a request is ok
with probability at most p0 given what came before; bursts break that and are judged by
:mod:`go_live.judge.dependence`. Robbins 1970; Howard, Ramdas, McAuliffe & Sekhon 2021; Waudby-Smith & Ramdas 2023.

The uniform prior needs 88 requests to show a p95 without a miss and 449 to show a success rate of 99 %; a fixed plan,
which may be looked at once, needs 59 and 299.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from go_live.judge.binomial import MAX_REQUESTS, POWER, at_least_probability, at_most_probability
from go_live.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from go_live.table import Bools, Floats

    Counts = NDArray[np.int64]


def log_e(ok: Floats | Counts | float, misses: Floats | Counts | float, p0: float) -> tuple[Floats, Floats]:
    """Logarithms of E_pass and E_fail after ``ok`` and ``misses`` requests; -inf where there is no evidence at all.

    Raises:
        ValueError: ``p0`` is no share between 0 and 1.
    """
    if not 0 < p0 < 1:
        raise ValueError(f"p0 {p0} must lie between 0 and 1")
    a, b = 1 + np.asarray(ok, dtype=np.float64), 1 + np.asarray(misses, dtype=np.float64)
    common = special.betaln(a, b) - (a - 1) * math.log(p0) - (b - 1) * math.log1p(-p0)
    # The smaller tail is computed, the larger one is what it leaves of 1: neither loses digits, and one costs half of
    # both. A tail that underflows belongs to counts far on the other side: no evidence, so -inf is its right logarithm.
    above_is_smaller = a < p0 * (a + b)
    smaller = np.where(above_is_smaller, 1.0, 0.0)
    special.betaincc(a, b, p0, out=smaller, where=above_is_smaller)
    special.betainc(a, b, p0, out=smaller, where=~above_is_smaller)
    with np.errstate(divide="ignore"):
        small, large = np.log(smaller), np.log1p(-smaller)
    above, below = np.where(above_is_smaller, small, large), np.where(above_is_smaller, large, small)
    return common + above - math.log1p(-p0), common + below - math.log(p0)


def path(oks: Bools, p0: float) -> tuple[Floats, Floats]:
    """``log_e`` after each request of ``oks``, in due order."""
    ok = np.cumsum(oks, dtype=np.float64)
    return log_e(ok, np.arange(1, ok.size + 1) - ok, p0)


def decide(misses: int, n: int, p0: float, alpha: float, alpha_fail: float) -> Outcome:
    """PASS, FAIL or INCONCLUSIVE for ``misses`` of ``n``, at this look.

    Raises:
        ValueError: the arguments are no such counts or shares.
    """
    if not 0 <= misses <= n or n < 1:
        raise ValueError(f"{misses} misses of {n} is no count")
    if not (0 < alpha < 1 and 0 < alpha_fail < 1):
        raise ValueError(f"alpha {alpha} and alpha_fail {alpha_fail} must lie between 0 and 1")
    if _passes(misses, n, p0, alpha):
        return Outcome.PASS
    return Outcome.FAIL if _fails(misses, n, p0, alpha_fail) else Outcome.INCONCLUSIVE


def allowed_misses(n: int, p0: float, alpha: float) -> int | None:
    """The most misses among ``n`` with which the claim is shown at this look; None when even none is too many."""
    fails_at = _first(lambda misses: not _passes(misses, n, p0, alpha), 0, n + 1)
    return fails_at - 1 if fails_at > 0 else None


def failing_misses(n: int, p0: float, alpha: float) -> int | None:
    """The fewest misses among ``n`` that refute the claim at this look; None when ``n`` misses would not."""
    fewest = _first(lambda misses: _fails(misses, n, p0, alpha), 0, n + 1)
    return fewest if fewest <= n else None


def edges(n: Counts, p0: float, alpha: float, alpha_fail: float) -> tuple[Counts, Counts]:
    """``allowed_misses`` and ``failing_misses`` of many sizes at once; -1 and n + 1 where there is no such count."""
    allowed = _edges(lambda misses: log_e(n - misses, misses, p0)[0] < -math.log(alpha), n) - 1
    return allowed, _edges(lambda misses: log_e(n - misses, misses, p0)[1] >= -math.log(alpha_fail), n)


def requests_for(misses: int, p0: float, alpha: float) -> int:
    """The smallest run that shows the claim with ``misses`` misses: 88 for p95 at 95 % with none."""
    high = misses + 1
    while not _passes(misses, high, p0, alpha):
        high *= 2
    return _first(lambda n: _passes(misses, n, p0, alpha), misses + 1, high)


def needed(miss_rate: float, p0: float, alpha: float, alpha_fail: float, power: float = POWER) -> int | None:
    """Size at which a new run has decided with probability ``power``, if misses keep coming at ``miss_rate``.

    None at 1 - p0 itself, and so near to it that more than :data:`~go_live.judge.binomial.MAX_REQUESTS` are needed.
    """
    if miss_rate == 1 - p0:
        return None
    decides = (
        _passing(miss_rate, p0, alpha, power) if miss_rate < 1 - p0 else _failing(miss_rate, p0, alpha_fail, power)
    )
    high = 1
    while not decides(high):
        high *= 2
        if high > MAX_REQUESTS:
            return None
    return _first(decides, high // 2, high)


def _edges(holds: Callable[[Counts], Bools], n: Counts) -> Counts:
    """For each n, the first count of [0, n] from which ``holds`` is true; n + 1 where it never is (bisection)."""
    low, high = np.zeros_like(n), n + 1
    while (low < high).any():
        middle = (low + high) // 2
        found = holds(np.minimum(middle, n)) & (low < high)
        low, high = np.where(~found & (low < high), middle + 1, low), np.where(found, middle, high)
    return low


def _passing(rate: float, p0: float, alpha: float, power: float) -> Callable[[int], bool]:
    def decides(n: int) -> bool:
        allowed = allowed_misses(n, p0, alpha) if n else None
        return allowed is not None and at_most_probability(allowed, n, rate) >= power

    return decides


def _failing(rate: float, p0: float, alpha: float, power: float) -> Callable[[int], bool]:
    def decides(n: int) -> bool:
        fewest = failing_misses(n, p0, alpha) if n else None
        return fewest is not None and at_least_probability(fewest, n, rate) >= power

    return decides


def _passes(misses: int, n: int, p0: float, alpha: float) -> bool:
    return bool(log_e(n - misses, misses, p0)[0] >= -math.log(alpha))


def _fails(misses: int, n: int, p0: float, alpha: float) -> bool:
    return bool(log_e(n - misses, misses, p0)[1] >= -math.log(alpha))


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first integer of [low, high) from which ``holds`` is true; ``high`` when it never is (bisection)."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
