"""Does a figure drift? A trend test on batch means, and how large the change is.

The figures, in due order, are cut into equal batches (12) and averaged; Mann-Kendall tests the means for a trend,
two-sided, by its exact null distribution; Theil-Sen's slope says how large the change is over the whole soak.
:mod:`go_live.judge.stability` makes verdicts of both.

Batch means because neighbours resemble each other: on an AR(1) series of 120 points with rho = 0.5, raw Mann-Kendall
alarms in 27 % of healthy soaks, on 12 batch means in 5 % (at alpha 0.05). A step or an episode is no trend:
:mod:`go_live.judge.shift` and :mod:`go_live.judge.episodes` name those. Mann 1945; Kendall 1975; Sen 1968; Law & Kelton
(batch means).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from go_live.judge.percentiles import Figures
    from go_live.table import Floats

MIN_PER_BATCH = 2
"""Fewer figures than this in a batch, and its mean is no mean."""


NORMAL_MAD = 1.4826
"""Standard deviation of a normal figure by its median absolute deviation."""


def batch_means(values: Figures, batches: int) -> Floats:
    """Means of ``batches`` consecutive groups whose sizes differ by at most one.

    Raises:
        ValueError: fewer values than batches.
    """
    if len(values) < batches:
        raise ValueError(f"{len(values)} values do not fill {batches} batches")
    edges = batch_edges(len(values), batches)
    sums: Floats = np.add.reduceat(np.asarray(values, dtype=np.float64), edges[:-1])
    return sums / np.diff(edges)


def batch_edges(n: int, batches: int) -> NDArray[np.int64]:
    """Where each batch of ``n`` values begins, and where the last one ends."""
    return np.arange(batches + 1, dtype=np.int64) * n // batches


def mann_kendall(values: Figures) -> float:
    """Two-sided p-value of Kendall's S against "no trend", exact for values without ties.

    With ties S is smaller in size than its distribution assumes, so the p-value errs on the careful side.

    Raises:
        ValueError: fewer than two values.
    """
    n = len(values)
    if n < 2:  # noqa: PLR2004 - a trend needs two
        raise ValueError("a trend needs at least two values")
    s = abs(kendall_s(values))
    counts = _inversions(n)
    pairs = n * (n - 1) // 2
    # S = pairs - 2 inversions, so S >= s means inversions <= (pairs - s) / 2.
    tail = sum(counts[: (pairs - s) // 2 + 1]) / math.factorial(n)
    return min(1.0, 2 * tail)


def kendall_s(values: Figures) -> int:
    """S: pairs in rising order minus pairs in falling order."""
    ordered = np.asarray(values, dtype=np.float64)
    early, late = np.triu_indices(len(ordered), k=1)
    return int(np.sign(ordered[late] - ordered[early]).sum())


def change(means: Figures) -> float:
    """What Theil-Sen's slope makes of the way from the first to the last of ``means``, in their unit."""
    values = np.asarray(means, dtype=np.float64)
    early, late = np.triu_indices(len(values), k=1)
    return float(np.median((values[late] - values[early]) / (late - early))) * (len(values) - 1)


def change_error(means: Figures) -> float:
    """Standard error of :func:`change`, from how far most of the means lie off its line.

    The deviation is 1.4826 times the residuals' median absolute one (Hampel 1974), so that a few bad batches, which do
    not move Theil-Sen's slope, do not count as noise either.

    Raises:
        ValueError: fewer than three means.
    """
    values = np.asarray(means, dtype=np.float64)
    n = len(values)
    if n < 3:  # noqa: PLR2004 - two points lie on a line
        raise ValueError("the error of a slope needs at least three values")
    left = values - change(values) / (n - 1) * np.arange(n)
    deviation = NORMAL_MAD * float(np.median(np.abs(left - np.median(left))))
    return deviation / math.sqrt(n * (n**2 - 1) / 12) * (n - 1)


@cache
def _inversions(n: int) -> tuple[int, ...]:
    """How many of the n! orders have 0, 1, 2, ... inversions (Mahonian numbers, by adding one element at a time)."""
    counts = [1]
    for size in range(2, n + 1):
        longer = [0] * (len(counts) + size - 1)
        for inversions, count in enumerate(counts):
            for added in range(size):
                longer[inversions + added] += count
        counts = longer
    return tuple(counts)
