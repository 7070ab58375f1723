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

POINTS = 200
"""Looks at which a band is computed: more than a plot shows."""


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


def band(values: Floats, *, q: int, alpha: float, points: int = POINTS) -> Band:
    """The band of percentile ``q`` over ``values``, at up to ``points`` looks evenly over the run.

    Args:
        values: One figure a due request, none negative, in due order; infinite without a right answer.
        q: Percentile, between 0 and 100.
        alpha: Probability that the true percentile is ever outside.
        points: Looks; at most :data:`POINTS`.

    Raises:
        ValueError: no values, a NaN or a negative one among them, or arguments that are none.
    """
    if not len(values) or not (values >= 0).all():
        raise ValueError("a band needs figures, none of them negative or NaN")
    if not (0 < q < 100 and 0 < alpha < 1 and 1 <= points <= POINTS):  # noqa: PLR2004 - percent
        raise ValueError(f"percentile {q}, alpha {alpha} or {points} looks cannot be")
    looks = np.unique(np.linspace(0, len(values), points + 1).astype(np.int64)[1:])
    looks = looks[looks > 0]
    allowed, failing = eprocess.edges(looks, q / 100, alpha / 2, alpha / 2)
    # Places in ascending order, from 0. With at most ``allowed`` values above it, the value at n - allowed - 1 is shown
    # to be at least the percentile; below the one at n - failing, ``failing`` values or more are above: refuted.
    # A place beyond either end is that of a value which bounds nothing.
    ends = np.array(
        [
            _at(values[:n], n - most - 1 if most >= 0 else n, n - fewest, rank(n, q) - 1)
            for n, most, fewest in zip(looks.tolist(), allowed.tolist(), failing.tolist(), strict=True)
        ]
    )
    return Band(n=looks, lower=ends[:, 1], upper=ends[:, 0], measured=ends[:, 2])


def _at(seen: Floats, upper: int, lower: int, nearest: int) -> tuple[float, float, float]:
    """The values at three places of ``seen`` in order; infinite beyond its last, 0 before its first."""
    inside = {place for place in (upper, lower, nearest) if 0 <= place < len(seen)}
    ordered = np.partition(seen, sorted(inside))
    return (
        float(ordered[upper]) if upper in inside else np.inf,
        float(ordered[lower]) if lower in inside else 0.0,
        float(ordered[nearest]),
    )
