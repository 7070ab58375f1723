"""Each request of the candidate beside requests of the current endpoint of the same moment. Pure.

A candidate's request is compared with the median of the k requests of the current endpoint around it, k odd, each used
once. Were both endpoints alike, the k + 1 figures would be exchangeable, and the candidate's would exceed that median
with probability 1/2 (exactly, without ties; ties speak for the candidate). So "the candidate is at most a tenth slower"
is "at least half of its requests take at most 1.1 times the median beside them", a share of requests like every other
claim. What comes and goes with the hour meets both sides of a pair.

Which requests are paired follows from their times alone, and what comes later changes no pair that was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from go_live.table import Bools, Floats

    Places = NDArray[np.int64]

HALF = 0.5
"""The share that is claimed of pairs."""
SLACK = 0.8
"""Of the current's requests so many are used: where arms come unevenly, a block must not lag behind its moment."""


class Pairs(NamedTuple):
    """Places of a candidate's request and of the k current ones beside it, a row each."""

    candidate: Places
    current: Places


def block_size(percent: int) -> int:
    """The k of a candidate that gets ``percent`` of the requests: 7 at 10 %, 1 at 50 %."""
    k = int(SLACK * (100 - percent) / percent)
    return max(1, k - (k + 1) % 2)


def pair(candidate_s: Floats, current_s: Floats, k: int) -> Pairs:
    """Pair requests by the times at which they came, both in order.

    A candidate's request whose block would lie more than k requests behind its moment is left out.
    """
    around = np.searchsorted(current_s, candidate_s) - k // 2
    free, rows, blocks = 0, [], []
    for row, wanted in enumerate(around.tolist()):
        first = max(free, wanted, 0)
        if first + k > len(current_s):
            break
        if first - wanted > k:
            continue
        rows.append(row)
        blocks.append(first)
        free = first + k
    starts = np.array(blocks, dtype=np.int64)
    return Pairs(np.array(rows, dtype=np.int64), starts[:, None] + np.arange(k))


def ratios(candidate: Floats, current: Floats, pairs: Pairs) -> Floats:
    """The candidate's figure divided by the median beside it, a pair; 1 where both are infinite, NaN where untold."""
    mine, beside = candidate[pairs.candidate], np.sort(current[pairs.current], axis=1)[:, pairs.current.shape[1] // 2]
    # A sort puts NaN last: one among the block makes its median too high, so that the pair says nothing.
    untold = np.isnan(mine) | np.isnan(current[pairs.current]).any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(np.isinf(mine) & np.isinf(beside), 1.0, mine / beside)
    equal = (mine == 0) & (beside == 0)
    return np.where(untold, np.nan, np.where(equal, 1.0, found))


def slower(found: Floats, margin: float) -> Bools:
    """For each ratio that is known: whether the candidate's is more than ``margin`` above."""
    return np.asarray(found[~np.isnan(found)] > 1 + margin, dtype=np.bool_)


def shorter(found: Floats, margin: float) -> Bools:
    """For each ratio that is known: whether the candidate's is more than ``margin`` below."""
    return np.asarray(found[~np.isnan(found)] < 1 - margin, dtype=np.bool_)
