"""The always-valid band of a percentile over a run: where it lay, at every look at once.

For each threshold x, "a share q of all requests takes at most x" is a claim on a share, and the e-process
(:mod:`go_live.judge.eprocess`) shows or refutes it at any moment. The band after n requests holds the thresholds about
which nothing is shown: its upper end is the smallest value that so many of the n do not exceed that the claim is shown,
its lower end the largest that so many exceed that it is refuted. Only ranks matter, so that the band holds for every
distribution; the true percentile leaves it at any time with probability at most alpha, half of it at each end.

Howard & Ramdas 2022 invert such tests alike. The ends are not carried forward: a service that changes moves its band.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from go_live.judge import eprocess
from go_live.judge.percentiles import rank
from go_live.table import Floats

LOOKS = 200
"""Looks at which a band is computed: more than a chart shows."""


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """The band of one percentile; four arrays of one length."""

    n: NDArray[np.int64]
    """Requests so far, ascending; the last is the whole run."""
    lower: Floats
    """Lower end, in the values' unit; 0 where there is none yet."""
    upper: Floats
    """Upper end; infinite where there is none yet, or where it rests on requests without an answer."""
    measured: Floats
    """Nearest-rank percentile of the first n."""


def band(values: Floats, *, q: float, confidence: float, looks: int = LOOKS) -> Band:
    """The band of percentile ``q`` over ``values``, at up to ``looks`` looks.

    Args:
        values: One figure a due request, in due order; infinite without a right answer.
        q: Percentile, between 0 and 100.
        confidence: Probability that the true percentile is inside at every look.
        looks: At least 2.

    Raises:
        ValueError: no values, one that is negative or no number, or a percentile or confidence that is none.
    """
    if not len(values):
        raise ValueError("no values: nothing has a band")
    if not (values >= 0).all():
        raise ValueError("a band needs numbers, and not negative ones")
    if not (0 < q < 100 and 0 < confidence < 1):  # noqa: PLR2004 - percent
        raise ValueError(f"percentile {q:g} and confidence {confidence:g} must lie between 0 and 100, and 0 and 1")
    alpha, n = (1 - confidence) / 2, grid(len(values), looks)
    allowed, failing = eprocess.edges(n, q / 100, alpha, alpha)
    # Places in ascending order, from 0. Above the value at n - allowed - 1, at most ``allowed`` are left: every larger
    # threshold is shown. Below the one at n - failing, ``failing`` or more lie above: every smaller one is refuted. A
    # place beyond the last or before the first value bounds nothing.
    ends = np.array(
        [
            _at(values[:size], size - most - 1 if most >= 0 else size, size - fewest, rank(size, q) - 1)
            for size, most, fewest in zip(n.tolist(), allowed.tolist(), failing.tolist(), strict=True)
        ]
    )
    return Band(n=n, lower=ends[:, 1], upper=ends[:, 0], measured=ends[:, 2])


def grid(n: int, looks: int) -> NDArray[np.int64]:
    """After how many of ``n`` requests to look: half of the looks evenly, half at growing distances from the first.

    The band narrows fast at first, and a chart over time needs the rest.
    """
    half = looks // 2
    evenly = np.arange(1, half + 1) * n // half
    growing = np.geomspace(1, n, looks - half).astype(np.int64)
    both = np.unique(np.concatenate([evenly, growing]))
    return both[both > 0]


def _at(seen: Floats, upper: int, lower: int, nearest: int) -> tuple[float, float, float]:
    """The values at three places of ``seen`` in order; infinite beyond its last, 0 before its first."""
    inside = {place for place in (upper, lower, nearest) if 0 <= place < len(seen)}
    ordered = np.partition(seen, sorted(inside))
    return (
        float(ordered[upper]) if upper in inside else np.inf,
        float(ordered[lower]) if lower in inside else 0.0,
        float(ordered[nearest]),
    )
