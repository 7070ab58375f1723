"""Does a soak stay as it began? One family of figures, tested together.

Each figure is tested for a trend from beginning to end (:mod:`go_live.judge.drift`) and for one change of level
(:mod:`go_live.judge.shift`). More tests make more false alarms, so their p-values are adjusted together, over the tests
that the data can answer (Holm 1979): the chance of one false alarm or more in the whole family stays at
``drift.alpha``.

FAIL: a trend or a shift, for the worse, above the figure's floor, significant in the family. INCONCLUSIVE: the like,
but only suspicious (significant at ten times alpha); or so noisy that a worsening of twice the floor could hide; or too
few figures. PASS: everything else.

What is below its floor passes, however surely it is there. In less than ten minutes floors are twice as high, only a
FAIL counts, and no shift is looked for: what a minute shows is the machine's. A change for the better and slow
stretches are named and decide nothing. So of the healthy soaks at most a share of alpha FAIL, and ten times that do not
PASS.

What does not answer must not vanish: the share of right answers and the tokens per second carry every failure (as no
answer, and as no tokens); execution, total and queue time are those of answered requests only, because a failed request
has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from go_live.judge import drift, episodes, shift
from go_live.judge.shares import cannot
from go_live.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from go_live.config import Drift
    from go_live.judge.shift import Shift
    from go_live.table import Bools, Codes, Floats

SCOPE = "soak"

MIN_SPAN_S = 600.0
"""Seconds below which no shift is looked for and noise decides nothing: a busy minute is no new level.
mlcommons/endpoints takes as long a window for the least that can be steady."""

SHORT = 2
"""Times the floor: what passes in a soak shorter than that."""

SUSPICIOUS = 10
"""Times alpha: up to here a p-value takes the PASS away, and above it a slope is taken for chance."""

HIDES = 2
"""Standard errors by which the true change may be worse than the one that was seen."""

MIN_STRETCH = 0.02
"""A slow stretch is named from this share of the figures on."""


PARTS = 200
"""A long series is looked at in so many parts before stretches are searched for: a quarter of :data:`MIN_STRETCH`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """One figure over the soak, in due order."""

    values: Floats
    """One a request (or a sample); finite."""
    worse: Literal["up", "down"]
    floor: float
    """The largest worsening that passes, as a share of ``base``, in a soak of :data:`MIN_SPAN_S` and more."""
    base: float | None = None
    """What changes are relative to; None: the median of the figure itself."""
    base_name: str = ""
    """What ``base`` is, for the claim: `` of the median total time``."""
    numbers: NDArray[np.integer[Any]] | None = None
    """Number of each figure's request in the soak, from 1; None: 1, 2, 3, ..."""
    at_s: Floats | None = None
    """Seconds from the soak's start; None where times were not recorded."""
    each: str = "requests"
    """What is counted: requests, samples."""

    def number(self, index: int) -> int:
        """The number of the figure at ``index``."""
        return index + 1 if self.numbers is None else int(self.numbers[index])

    @property
    def allowed(self) -> float:
        """The floor for the time that was served: a machine's own speed moves by a fifth within a minute."""
        return self.floor if self.lasts else SHORT * self.floor

    @property
    def lasts(self) -> bool:
        """Whether it spans the least time in which noise and steps are the service's; true where times are unknown."""
        return self.at_s is None or not self.at_s.size or self.at_s[-1] - self.at_s[0] >= MIN_SPAN_S


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What the tests of one series say, before the family is looked at."""

    means: Floats
    base: float
    change: float
    """Theil-Sen's, from beginning to end, as a share of ``base``."""
    error: float
    """Its standard error."""
    p_trend: float
    shift: Shift | None
    """None: too few figures, or too short a time, to look for one."""

    @property
    def p_values(self) -> list[float]:
        """One for each test that was done."""
        return [self.p_trend] if self.shift is None else [self.p_trend, self.shift.p_value]

    @property
    def sizes(self) -> list[float]:
        """The change that each test speaks of, as a share of ``base``."""
        if self.shift is None:
            return [self.change]
        return [self.change, (self.shift.after - self.shift.before) / self.base]


def soak_trends(series: Mapping[str, Series], limits: Drift, *, scope: str = SCOPE) -> list[Verdict]:
    """One verdict for each of ``series`` (by name), in their order; the family is those that can be tested.

    Args:
        series: What was measured. One that was not is left out by the caller.
        limits: Batches and alpha.
        scope: Part of the run.

    Returns:
        Verdicts whose measured is the signed change over the soak as a share of the series' base; ERROR for figures
        that are not finite or whose base is not positive.
    """
    # By name: an item's series would live on until the next one is made.
    found = {name: _examine(name, series[name], limits, scope) for name in series}
    tested = {name: one for name, one in found.items() if isinstance(one, _Found)}
    raw = [p_value for one in tested.values() for p_value in one.p_values]
    adjusted = iter(holm(np.array(raw)).tolist())
    family = {name: [next(adjusted) for _ in one.p_values] for name, one in tested.items()}
    return [
        one if isinstance(one, Verdict) else _verdict(name, series[name], one, family[name], limits, scope)
        for name, one in found.items()
    ]


def claim(name: str, series: Series, scope: str) -> str:
    """``soak: exec_ms does not worsen by more than 20 % from beginning to end``."""
    return f"{scope}: {name} does not worsen by more than {series.allowed * 100:g} %{series.base_name} during the soak"


def holm(p_values: Floats) -> Floats:
    """Holm's adjusted p-values, in the same order: those at most alpha are significant in a family tested at alpha."""
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(steps)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def worker_restarts(
    worker: Codes,
    limits: Drift,
    *,
    numbers: NDArray[np.intp] | None = None,
    at_s: Floats | None = None,
    scope: str = SCOPE,
) -> Verdict:
    """Workers replaced during the soak are at most ``limits.worker_restarts_max``, and every one is told.

    A replacement is a worker that answers for the last time before the soak's last batch, followed by one that answers
    for the first time after its first batch. A worker that only joins or only leaves is scaling. A worker that restarts
    under its old id shows as a cold request (:mod:`go_live.judge.strata`), not here.

    Args:
        worker: A code for each answered request's worker, in due order; negative where it was not told.
        limits: Batches and the limit.
        numbers: Number of each of these requests in the soak, from 1; None: 1, 2, 3, ...
        at_s: Seconds from the soak's start of each.
        scope: Part of the run.

    Returns:
        PASS or FAIL; ERROR when no answered request tells its worker or any leaves it out.
    """
    sentence = f"{scope}: at most {limits.worker_restarts_max} workers were replaced"
    n = len(worker)
    lacking = int(np.count_nonzero(worker < 0))
    if lacking or not n:
        reason = f"workerId is missing from {lacking} of {n} answers" if n else "no request was answered"
        return cannot(sentence, reason, scope=scope, limit=limits.worker_restarts_max, unit="workers", n=n)
    replaced = replacements(worker, margin=-(-n // limits.batches))
    workers = len(np.unique(worker))
    told_of = np.arange(1, n + 1) if numbers is None else numbers
    where = ", ".join(_place(index, int(told_of[index]), at_s) for index in replaced)
    told = f"{len(replaced)} of {workers} workers were replaced" + (f", first answers at {where}" if replaced else "")
    return Verdict(
        claim=sentence,
        outcome=Outcome.FAIL if len(replaced) > limits.worker_restarts_max else Outcome.PASS,
        reason=f"{told} ({n} answers)",
        scope=scope,
        measured=float(len(replaced)),
        limit=limits.worker_restarts_max,
        unit="workers",
        n=n,
        points={"workers": float(workers)},
    )


def replacements(worker: Codes, *, margin: int) -> list[int]:
    """Index of the first answer of each worker that took the place of one that had gone for good.

    Args:
        worker: A code for each request's worker, in due order.
        margin: A worker first seen among the first so many was there from the beginning; one last seen among the last
            so many is still there.
    """
    n = len(worker)
    _, first = np.unique(worker, return_index=True)
    _, back = np.unique(worker[::-1], return_index=True)
    came = np.sort(first[first >= margin]).tolist()
    gone = sorted(index for index in (n - 1 - back).tolist() if index < n - margin)
    found, left = [], 0
    for index in came:
        if left < len(gone) and gone[left] < index:
            found.append(index)
            left += 1
    return found


def _examine(name: str, series: Series, limits: Drift, scope: str) -> _Found | Verdict:
    """The tests of one series; or the verdict, when they cannot be done."""
    sentence, n = claim(name, series, scope), len(series.values)
    if not np.isfinite(series.values).all():
        return cannot(sentence, f"{name} has figures that are not finite", scope=scope, n=n)
    least = drift.MIN_PER_BATCH * limits.batches
    if n < least:
        return Verdict(
            claim=sentence,
            outcome=Outcome.INCONCLUSIVE,
            reason=f"{n} {series.each} do not fill {limits.batches} batches; a trend needs at least {least}",
            scope=scope,
            limit=series.allowed,
            unit="share",
            n=n,
            needed=least,
        )
    means = drift.batch_means(series.values, limits.batches)
    base = float(np.median(means)) if series.base is None else series.base
    if base <= 0:
        what = f"the median of {name}" if series.base is None else f"the base of {name}"
        return cannot(sentence, f"{what} is not positive", scope=scope, n=n)
    finer = shift.batches_for(n, limits.batches) if series.lasts else None
    return _Found(
        means=means,
        base=base,
        change=drift.change(means) / base,
        error=drift.change_error(means) / base,
        p_trend=drift.mann_kendall(means),
        shift=None if finer is None else shift.find(series.values, finer),
    )


def _verdict(name: str, series: Series, found: _Found, adjusted: Sequence[float], limits: Drift, scope: str) -> Verdict:
    """One series' verdict; ``adjusted`` are its p-values in the family, the trend's first."""
    sign, n = 1 if series.worse == "up" else -1, len(series.values)
    # The most significant of what is for the worse and above the floor.
    worse = [p for p, size in zip(adjusted, found.sizes, strict=True) if sign * size > series.allowed]
    p_worse = min(worse, default=1.0)
    noisy = found.error > series.allowed and sign * found.change + HIDES * found.error > series.allowed
    how = f"{limits.batches} batch means of {n} {series.each}, p = {found.p_trend:.2g}, {adjusted[0]:.2g} in the family"
    reason = f"{name} changed by {found.change * 100:+.1f} %{series.base_name} over the soak ({how})"
    if p_worse <= limits.alpha:
        outcome = Outcome.FAIL
    elif series.lasts and (p_worse <= SUSPICIOUS * limits.alpha or noisy):
        outcome = Outcome.INCONCLUSIVE
    else:
        outcome = Outcome.PASS
    points = {
        "p_value": found.p_trend,
        "p_family": adjusted[0],
        "first_batch": float(found.means[0]),
        "last_batch": float(found.means[-1]),
    }
    if found.shift is not None and adjusted[-1] <= limits.alpha and abs(found.sizes[-1]) > series.allowed:
        first, size = found.shift.first, found.sizes[-1]
        place = _place(first, series.number(first), series.at_s)
        reason += f"; its level shifted by {size * 100:+.0f} % from {place} on"
        points |= {"shift": size, "shift_from": float(series.number(first)), "shift_p_family": adjusted[-1]}
    reason += _stretches(series, found.base, sign)
    if outcome is Outcome.INCONCLUSIVE:
        reason += ": too noisy to tell a change from chance; a longer soak would"
    return Verdict(
        claim=claim(name, series, scope),
        outcome=outcome,
        reason=reason,
        scope=scope,
        measured=found.change,
        limit=series.allowed,
        unit="share",
        n=n,
        points=points,
    )


def spread_evenly(marks: Bools) -> bool:
    """Whether no part of a long series holds notably more marks than the whole: there is no stretch to look for.

    A stretch that is named is at least four of these parts long, and more than half-way between the whole's share and
    all of its figures are marked; a part that is a quarter of the way there is enough to look closer. Short series are
    always looked at.
    """
    if len(marks) < PARTS * PARTS:
        return False
    share = float(np.count_nonzero(marks)) / len(marks)
    return bool(drift.batch_means(marks.astype(np.float64), PARTS).max(initial=0.0) < share + (1 - share) / 4)


def _stretches(series: Series, base: float, sign: int) -> str:
    """Where the figure was worse than its median by more than the floor for a while, as half a sentence, or nothing."""
    middle = float(np.median(series.values))
    limit = middle + sign * series.allowed * base
    worse = series.values > limit if sign > 0 else series.values < limit
    if spread_evenly(worse):
        return ""
    long = [one for one in episodes.find(worse) if one.last - one.first >= MIN_STRETCH * len(worse)]
    if not long:
        return ""
    where = " and ".join(f"{series.number(one.first - 1)}-{series.number(one.last - 1)}" for one in long)
    held = sum(one.slow for one in long)
    beyond = f"worse than the median by more than {series.allowed * 100:g} %"
    return f"; {series.each} {where} hold {held} of the {np.count_nonzero(worse)} that were {beyond}"


def _place(index: int, number: int, at_s: Floats | None) -> str:
    """``request 812 (minute 24.1)``."""
    return f"request {number}" if at_s is None else f"request {number} (minute {at_s[index] / 60:.1f})"
