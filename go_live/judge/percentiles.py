"""Nearest-rank percentiles over every request that was due, failures included as infinity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Figures = Sequence[float] | NDArray[np.float64]
"""Samples of one figure, in any unit."""

POINTS = (50, 95, 99)
"""The percentiles that are shown beside every latency claim."""


def percentile(values: Figures, q: float) -> float:
    """The smallest value that at least ``q`` percent of ``values`` do not exceed (nearest rank).

    An infinite value (a request without a right answer) counts like any other, so the result can be infinite.

    Args:
        values: Any unit; order does not matter.
        q: Above 0, at most 100.

    Raises:
        ValueError: no values, a NaN among them, or ``q`` out of range.
    """
    return percentiles(values, (q,))[0]


def percentiles(values: Figures, qs: Sequence[float]) -> tuple[float, ...]:
    """Several nearest-rank percentiles from one sort; see :func:`percentile`.

    Raises:
        ValueError: no values, a NaN among them, or a q out of range.
    """
    ranked = np.sort(np.asarray(values, dtype=np.float64))
    if not ranked.size:
        raise ValueError("a percentile of no values does not exist")
    if np.isnan(ranked[-1]):
        raise ValueError("a NaN among the values: nothing can be said about their percentiles")
    return tuple(float(ranked[rank(ranked.size, q) - 1]) for q in qs)


def rank(n: int, q: float) -> int:
    """The nearest rank, from 1: ceil(n q / 100), exact.

    Floating point would put p95 of 20 at rank 20 for some spellings of 0.95.

    Raises:
        ValueError: ``q`` out of range.
    """
    if not 0 < q <= 100:  # noqa: PLR2004 - percent
        raise ValueError(f"a percentile lies above 0 and at most at 100, not at {q}")
    return math.ceil(n * Fraction(str(q)) / 100)


def latency_points(values_ms: Figures) -> dict[str, float]:
    """The plain figures ``p50_ms``, ``p95_ms``, ``p99_ms``; infinite ones are left out (JSON has no word for them).

    Raises:
        ValueError: no values, or a NaN among them.
    """
    found = zip(POINTS, percentiles(values_ms, POINTS), strict=True)
    return {f"p{q}_ms": value for q, value in found if math.isfinite(value)}
