"""Does a soak drift? A stated test on batch means.

The figures, in due order, are cut into equal batches (12) and averaged; Mann-Kendall tests the means for a trend,
two-sided, by its exact null distribution; Theil-Sen's slope says how large the change is over the whole soak,
relative to the median. FAIL needs all three: significant, in the bad direction, above the floor. A worsening above
the floor that is not significant is INCONCLUSIVE: the noise is too large to tell. Everything else is PASS, which
proves: no monotone worsening above the floor was seen, where one could have been seen.

Batch means because neighbours resemble each other: on an AR(1) series of 120 points with rho = 0.5, raw Mann-Kendall
alarms in 27 % of healthy soaks, on 12 batch means in 5 % (at alpha 0.05). A step or an episode is no trend:
:mod:`go_live.judge.episodes` names those. Mann 1945; Kendall 1975; Sen 1968; Law & Kelton (batch means).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from go_live.judge.shares import cannot
from go_live.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from go_live.config import Drift
    from go_live.judge.percentiles import Figures
    from go_live.table import Floats

MIN_PER_BATCH = 2
"""Fewer figures than this in a batch, and its mean is no mean."""


NORMAL_MAD = 1.4826
"""Standard deviation of a normal figure by its median absolute deviation."""


def claim(what: str, drift: Drift, *, scope: str) -> str:
    """``soak: exec_ms does not worsen by more than 20 % from beginning to end``."""
    return f"{scope}: {what} does not worsen by more than {drift.max_change * 100:g} % from beginning to end"


def trend(
    values: Figures,
    drift: Drift,
    *,
    what: str,
    worse: Literal["up", "down"],
    scope: str,
    family: int = 1,
) -> Verdict:
    """Judge whether ``values``, in due order, drift for the worse (module docstring).

    Args:
        values: Finite figures, one a request.
        drift: Number of batches, alpha and the floor.
        what: The figure's name.
        worse: The bad direction.
        scope: ``soak``.
        family: Number of trends that share alpha (Bonferroni).

    Returns:
        The verdict; its measured is the signed relative change over the whole soak. ERROR for figures that are not
        finite or whose median is not positive, INCONCLUSIVE for too few.
    """
    sentence, n = claim(what, drift, scope=scope), len(values)
    if not np.isfinite(values).all():
        return cannot(sentence, f"{what} has figures that are not finite", scope=scope, n=n)
    if n < MIN_PER_BATCH * drift.batches:
        return _too_few(sentence, drift, scope, n)
    means = batch_means(values, drift.batches)
    if np.median(means) <= 0:
        return cannot(sentence, f"the median of {what} is not positive", scope=scope, n=n)
    p, changed = mann_kendall(means), relative_change(means)
    worsening = changed if worse == "up" else -changed
    outcome = _outcome(worsening, drift.max_change, significant=p <= drift.alpha / family)
    return Verdict(
        claim=sentence,
        outcome=outcome,
        reason=_reason(what, changed, p, n, drift.batches, outcome),
        scope=scope,
        measured=changed,
        limit=drift.max_change,
        unit="share",
        n=n,
        points={"p_value": p, "first_batch": float(means[0]), "last_batch": float(means[-1])},
    )


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


def relative_change(means: Figures) -> float:
    """:func:`change`, relative to the median of ``means``."""
    return change(means) / float(np.median(means))


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


def _outcome(worsening: float, floor: float, *, significant: bool) -> Outcome:
    if worsening <= floor:
        return Outcome.PASS
    return Outcome.FAIL if significant else Outcome.INCONCLUSIVE


def _reason(what: str, changed: float, p: float, n: int, batches: int, outcome: Outcome) -> str:
    seen = (
        f"{what} changed by {changed * 100:+.1f} % over the soak ({batches} batch means of {n} requests, p = {p:.2g})"
    )
    if outcome is Outcome.INCONCLUSIVE:
        return f"{seen}: too noisy to tell a trend from chance; a longer soak would"
    return seen


def _too_few(sentence: str, drift: Drift, scope: str, n: int) -> Verdict:
    least = MIN_PER_BATCH * drift.batches
    return Verdict(
        claim=sentence,
        outcome=Outcome.INCONCLUSIVE,
        reason=f"{n} requests do not fill {drift.batches} batches; a trend needs at least {least}",
        scope=scope,
        limit=drift.max_change,
        unit="share",
        n=n,
        needed=least,
    )
