"""The always-valid band of a percentile over a run: where it lay, at every look at once.

For each threshold x, "a share q of all requests takes at most x" is a claim on a share, and the e-process
(:mod:`go_live.judge.eprocess`) shows or refutes it at any moment. The band after n requests holds the thresholds about
which nothing is shown: its upper end is the smallest value that so many of the n do not exceed that the claim is shown,
its lower end the largest that so many exceed that it is refuted. Only ranks matter, so that the band holds for every
distribution; the true percentile leaves it at any time with probability at most alpha, half of it at each end.

Howard & Ramdas 2022 invert such tests alike. The ends are not carried forward: a service that changes moves its band.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge import eprocess

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    ends = np.array([_ends(values[:n], int(n), q / 100, alpha / 2) for n in looks])
    return Band(n=looks, lower=ends[:, 0], upper=ends[:, 1], measured=ends[:, 2])


def _ends(seen: Floats, n: int, p0: float, alpha: float) -> tuple[float, float, float]:
    """Lower end, upper end and nearest-rank percentile of ``seen``."""
    allowed, failing = eprocess.allowed_misses(n, p0, alpha), eprocess.failing_misses(n, p0, alpha)
    # Places in ascending order, from 0. With at most ``allowed`` values above it, the value at n - allowed - 1 is shown
    # to be at least the percentile; below the one at n - failing, ``failing`` values or more are above: refuted.
    upper, lower = (None if allowed is None else n - allowed - 1), (None if failing is None else n - failing)
    nearest = max(int(np.ceil(p0 * n - 1e-9)) - 1, 0)
    places = sorted({place for place in (lower, upper, nearest) if place is not None})
    ordered = np.partition(seen, places)
    return (
        0.0 if lower is None else float(ordered[lower]),
        np.inf if upper is None else float(ordered[upper]),
        float(ordered[nearest]),
    )
