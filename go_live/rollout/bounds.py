"""Between which values does a share of ok requests lie, at every look; and is one share lower than another? Pure.

The values that the e-processes of :mod:`go_live.judge.eprocess` do not reject form a confidence sequence: the true
share lies in it at all looks at once. With one for each arm at half of alpha, "the candidate's success rate is at most
a margin below the current's" is shown when even the lowest of the candidate's values is, and refuted when even its
highest is not (union bound).
"""

from __future__ import annotations

import math
from functools import lru_cache

from go_live.judge import eprocess
from go_live.outcome import Outcome

STEPS = 40
"""Halvings of the interval: to 1e-12."""


@lru_cache(maxsize=4096)
def lowest(misses: int, n: int, alpha: float) -> float:
    """The lowest share of ok requests that is not rejected; 0 without a request."""
    if misses >= n:
        return 0.0
    threshold = -math.log(alpha)
    rejected, kept = 0.0, (n - misses) / n
    for _ in range(STEPS):
        middle = (rejected + kept) / 2
        if eprocess.log_e(n - misses, misses, middle)[0] >= threshold:
            rejected = middle
        else:
            kept = middle
    return rejected


@lru_cache(maxsize=4096)
def highest(misses: int, n: int, alpha: float) -> float:
    """The highest share that is not rejected; 1 without a miss."""
    return 1 - lowest(n - misses, n, alpha)


def not_lower(
    candidate: tuple[int, int], current: tuple[int, int], margin: float, alpha: float, alpha_fail: float
) -> Outcome:
    """Is the candidate's share of ok requests at most ``margin`` below the current's?

    Args:
        candidate: Its misses, and how many requests it had.
        current: Likewise.
        margin: A difference of shares.
        alpha: Chance of a false PASS.
        alpha_fail: Chance of a false FAIL.
    """
    if not candidate[1]:
        return Outcome.INCONCLUSIVE
    rate, beside = (1 - misses / n if n else 1.0 for misses, n in (candidate, current))
    if rate >= beside - margin:
        shown = lowest(*candidate, alpha / 2) >= highest(*current, alpha / 2) - margin
        return Outcome.PASS if shown else Outcome.INCONCLUSIVE
    refuted = highest(*candidate, alpha_fail / 2) < lowest(*current, alpha_fail / 2) - margin
    return Outcome.FAIL if refuted else Outcome.INCONCLUSIVE
