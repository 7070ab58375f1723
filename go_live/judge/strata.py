"""Cold and warm requests are two populations: told apart, judged apart, and their mix is told.

A request is cold when it waited for a worker to start. Records do not say so; they say which worker answered
(``workerId``), how long the request waited (``delayTime``) and how long it ran (``executionTime``). A worker took a job
when it ended it less its execution; a *spell* of a worker begins with its first job of the run, or with the first after
it was idle for so long that it has been stopped (``idle_s``, the endpoint's idleTimeout). A spell that began with a
wait of at least ``delay_ms`` began with a start, and cold are the requests of that spell that waited as long and were
due before its first job was taken.

What this cannot see: a start shorter than ``delay_ms`` (it costs no more than that); a worker that crashed and came
back under its old id within ``idle_s``. What it may take for cold: the first job of a worker that was up and still left
it waiting for ``delay_ms``. Where an answer lacks one of the three figures, whether it was cold is unknown, unless its
wait alone says that it was not.

Failures are in neither population by nature; they are counted among the warm requests, where they are misses, so that
no split can make them vanish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from go_live.judge.shares import NO_REQUESTS, cannot
from go_live.judge.validity import unusable
from go_live.outcome import Outcome, Verdict
from go_live.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from go_live.config import Cold
    from go_live.records import Record
    from go_live.table import Bools, Codes, Floats

Judge = Callable[["Bools", str], Verdict]
"""Judges the requests of a mask, under a name that is put beside the scope."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Strata:
    """Which requests are of which population; every request is of exactly one, or unknown."""

    cold: Bools
    warm: Bools
    """Answered by a worker that was up; or not answered."""
    unknown: Bools
    """Answered, and what would tell is missing."""


def strata(
    *,
    done: Floats,
    delay_ms: Floats,
    execution_ms: Floats,
    worker: Codes,
    ok: Bools,
    due: Floats,
    limits: Cold,
    idle_s: float,
) -> Strata:
    """Tell cold from warm (module docstring), over all requests of a run, its warm-up included.

    Args:
        done: Seconds, on one clock with ``due``; NaN where there is none.
        delay_ms: ``delayTime``; NaN where it was not told.
        execution_ms: ``executionTime``; NaN where it was not told.
        worker: A code for each worker id; negative where it was not told.
        ok: Whether a right answer came.
        due: Seconds.
        limits: The least wait of a cold request.
        idle_s: A worker idle for so long has been stopped, seconds.
    """
    waited = delay_ms >= limits.delay_ms
    told = ok & ~np.isnan(done) & ~np.isnan(delay_ms) & ~np.isnan(execution_ms) & (worker >= 0)
    rows = np.flatnonzero(told)
    cold = np.zeros(len(ok), dtype=np.bool_)
    if rows.size:
        cold[rows] = _cold(
            due[rows], done[rows] - execution_ms[rows] / 1000, done[rows], worker[rows], waited[rows], idle_s
        )
    # A short wait is no start, whatever else is missing.
    unknown = ok & ~told & ~(delay_ms < limits.delay_ms)
    return Strata(cold=cold, warm=~cold & ~unknown, unknown=unknown)


def of_table(due: Table, limits: Cold, *, idle_s: float) -> Strata:
    """:func:`strata` of the requests of ``due``."""
    return strata(
        due=due.due,
        done=due.done,
        delay_ms=due.delay_ms,
        execution_ms=due.execution_ms,
        worker=due.worker,
        ok=due.ok,
        limits=limits,
        idle_s=idle_s,
    )


def warmed(records: Iterable[Record], limits: Cold, *, idle_s: float, scope: str, allow_timed: bool = False) -> Verdict:
    """Not one of ``records`` met a cold start; ``allow_timed`` is only for the harness's own tests."""
    due = Table.of(records)
    fault = unusable(due, allow_timed=allow_timed)
    if fault:
        return cannot(f"{scope}: no request met a cold start", fault, scope=scope, n=len(due))
    return mix(of_table(due, limits, idle_s=idle_s), scope=scope)


def mix(found: Strata, *, scope: str) -> Verdict:
    """Not one request met a cold start; the mix is told."""
    claim = f"{scope}: no request met a cold start"
    if not len(found.cold):
        return cannot(claim, NO_REQUESTS, scope=scope, n=0)
    n, cold, unknown = len(found.cold), int(found.cold.sum()), int(found.unknown.sum())
    told = f"{cold} of {n} requests were cold"
    if unknown:
        told += f", of {unknown} it is not known"
    if cold:
        outcome = Outcome.FAIL
    elif unknown:
        outcome = Outcome.ERROR
    else:
        outcome = Outcome.PASS
    return Verdict(
        claim=claim,
        outcome=outcome,
        reason=told,
        scope=scope,
        measured=float(cold),
        limit=0.0,
        unit="requests",
        n=n,
        misses=cold,
    )


def apart(found: Strata, judge: Judge) -> list[Verdict]:
    """The verdicts of ``judge`` on each population.

    Without a cold request there is one, on all requests, under no name of its own. Otherwise there is one for the warm
    (with those of which it is not known) and one for the cold; each has to hold.
    """
    if not found.cold.any():
        return [judge(np.ones(len(found.cold), dtype=np.bool_), "")]
    return [judge(~found.cold, "warm"), judge(found.cold, "cold")]


def _cold(due: Floats, taken: Floats, done: Floats, worker: Codes, waited: Bools, idle_s: float) -> Bools:
    """Which of these answered requests waited for their worker's start."""
    order = np.lexsort((taken, worker))
    worker, taken = worker[order], taken[order]
    other = worker[1:] != worker[:-1]
    # Jobs of one worker may overlap: it is idle from the latest end so far.
    ends = _running_ends(done[order], other)
    begins = np.concatenate(([True], other | (taken[1:] - ends[:-1] >= idle_s)))
    first = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    late = waited[order]
    found = np.empty(len(order), dtype=np.bool_)
    found[order] = late & late[first] & (due[order] <= taken[first])
    return found


def _running_ends(done: Floats, other: Bools) -> Floats:
    """The latest end so far of each worker's jobs; ``other`` says where the next worker's rows begin."""
    group = np.concatenate(([0], np.cumsum(other)))
    # One running maximum serves all workers when each is lifted above those before it.
    lift = group * (float(done.max() - done.min()) + 1.0)
    return np.maximum.accumulate(done + lift) - lift
