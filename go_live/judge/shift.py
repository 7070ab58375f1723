"""Did the level shift once? The largest rank statistic over all places where it could have, on batch means.

U(t) compares the means up to t with those after it, by ranks (Pettitt 1979). Pettitt takes the largest |U(t)|, which
hardly sees a change near the beginning or the end; here each U(t) is divided by its standard deviation first (maximally
selected rank statistics: Lausen & Schumacher 1992), over the t that leave at least a tenth on either side. The p-value
of the largest, b, is 4 f(b) / b + f(b) (b - 1 / b) ln(e2 (1 - e1) / ((1 - e2) e1)), with f the normal density, e1 = 0.1
and e2 = 0.9 (Miller & Siegmund 1982).

A shift is looked for on finer batches than a trend: twelve could never show one. They are still means of ten figures or
more, so that neighbours' likeness has worn off. What goes up and comes back is no shift: :mod:`go_live.judge.episodes`
names that.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge.drift import batch_edges, batch_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from go_live.judge.percentiles import Figures
    from go_live.table import Floats

FINER = 4
"""A shift is looked for on so many times the batches of a trend: 48 for 12."""

FEWEST = 30
"""Below so many batches hardly any shift is significant once several tests share alpha."""

EDGE = 0.1
"""No shift is looked for in this part of the batches at the beginning and at the end."""

SMALL = 1.1
"""The formula is for tails: it falls from its largest, 0.975 at 1.08, on, and would rise below it."""

PER_BATCH = 10
"""Figures in a batch, at least: at lag-1 autocorrelation 0.5, the means' own is then 0.08."""


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """The likeliest place of one change of level."""

    first: int
    """Index of the first figure after the change: the edge of a batch."""
    before: float
    """Median of the batch means before it."""
    after: float
    p_value: float


def batches_for(n: int, trend_batches: int) -> int | None:
    """How many batches ``n`` figures are cut into; None when they are too few to show a shift."""
    count = min(FINER * trend_batches, n // PER_BATCH)
    return count if count >= FEWEST else None


def find(values: Figures, batches: int) -> Shift:
    """The likeliest change of level in ``values``, in due order.

    Raises:
        ValueError: fewer than two batches, or fewer values than batches.
    """
    if batches < 2:  # noqa: PLR2004 - something before, something after
        raise ValueError("a shift needs at least two batches")
    means = batch_means(values, batches)
    split = place(means)
    return Shift(
        first=int(batch_edges(len(values), batches)[split]),
        before=float(np.median(means[:split])),
        after=float(np.median(means[split:])),
        p_value=p_value(largest_rank_statistic(means)),
    )


def largest_rank_statistic(values: Floats) -> float:
    """The size of the largest standardised statistic.

    U(t) = 2 (sum of the first t ranks) - t (n + 1), with middle ranks for ties; its variance is t (n - t) (n + 1) / 3.
    """
    n = len(values)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    before = splits(n)
    u = 2 * np.cumsum(ranks)[before - 1] - before * (n + 1)
    sizes = np.abs(u) / np.sqrt(before * (n - before) * (n + 1) / 3)
    return float(sizes.max())


def place(values: Floats) -> int:
    """How many of ``values`` lie before the change: where two levels explain them best, by least squares.

    Ranks say whether there is a change; how far it goes says where.
    """
    before = splits(len(values))
    sums = np.cumsum(values - values.mean())[before - 1]
    return int(before[np.argmax(sums**2 / (before * (len(values) - before)))])


def splits(n: int) -> NDArray[np.intp]:
    """How many of ``n`` values can lie before a change: a tenth at least, and one, on either side."""
    edge = max(1, math.ceil(EDGE * n))
    return np.arange(edge, n - edge + 1)


def p_value(size: float) -> float:
    """Probability that chance makes the largest statistic at least ``size`` (module docstring); 1 where it is small."""
    if size < SMALL:
        return 1.0
    density = math.exp(-(size**2) / 2) / math.sqrt(2 * math.pi)
    places = 2 * math.log((1 - EDGE) / EDGE)
    return min(1.0, 4 * density / size + density * (size - 1 / size) * places)
