"""The claim on a burst: it brings the endpoint up to workersMax workers within the stated time.

Two witnesses are asked. ``/health`` counts the workers that are up, and a container counts as up while its model still
loads; the ids of the workers that answered prove that these serve, but not that they served at the same time: one may
have replaced another. So a PASS needs both. ``/health`` alone can show that the workers never came up; ids that are too
few beside enough workers show neither, for nothing forces the queue to give each of them a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge.shares import NO_REQUESTS, cannot
from go_live.outcome import Outcome, Verdict
from go_live.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from go_live.config import Burst
    from go_live.records import Record

PHASE = "burst"


class Look(msgspec.Struct, frozen=True, array_like=True):
    """One look at ``/health``."""

    at_s: float
    """Seconds since the burst began."""
    up: int | None
    """Workers that were up; None: it did not tell."""
    throttled: int = 0
    """Workers that were wanted, and that the platform had no machine for."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of the workers during a burst."""

    began: float
    """Unix time."""
    looks: tuple[Look, ...]


def brought_up(
    seen: Seen, records: Iterable[Record], limits: Burst, *, workers_max: int, allow_timed: bool = False
) -> Verdict:
    """``workers_max`` workers are up and answer within ``limits.within_s``.

    Args:
        seen: Looks at ``/health``.
        records: The run's requests; those of the phase :data:`PHASE` since the burst began are judged.
        limits: Size and time.
        workers_max: So many workers are declared.
        allow_timed: Accept the timed engine; only for the harness's own tests.
    """
    due = Table.of(records).where(phase=PHASE)
    due = due.take(due.wall >= seen.began)
    claim = f"a burst of {limits.in_flight} requests brings up {workers_max} workers within {limits.within_s:g} s"
    fault = _fault(seen, due, allow_timed=allow_timed)
    if fault:
        return cannot(claim, fault, scope=PHASE, limit=limits.within_s, unit="s", n=len(due))
    counted = [(look.at_s, look.up) for look in seen.looks if look.up is not None and look.at_s <= limits.within_s]
    most = max(up for _, up in counted)
    up_s = next((at_s for at_s, up in counted if up >= workers_max), None)
    served = answered_by(due, seen.began + limits.within_s)
    outcome = Outcome.FAIL if up_s is None else Outcome.PASS if served >= workers_max else Outcome.INCONCLUSIVE
    return Verdict(
        claim=claim,
        outcome=outcome,
        reason=_told(up_s, first=counted[0][1], most=most, served=served, limits=limits, workers_max=workers_max)
        + _throttled(seen, up_s),
        scope=PHASE,
        measured=up_s,
        limit=limits.within_s,
        unit="s",
        n=len(due),
        misses=int((~due.ok).sum()),
        points={"workers_up": float(most), "workers_answered": float(served)},
    )


def answered_by(due: Table, until: float) -> int:
    """How many different workers had given a right answer by ``until`` (Unix time)."""
    ended = due.wall + due.done - due.due
    workers = due.worker[due.ok & (ended <= until)]
    return int(np.unique(workers[workers >= 0]).size)


def _fault(seen: Seen, due: Table, *, allow_timed: bool) -> str | None:
    """Why nothing can be said."""
    if not len(due):
        return NO_REQUESTS
    if not allow_timed and due.timed.any():
        return "answers of the timed engine are never evidence"
    if not due.ok.any():
        first = next(iter(due.errors()))
        return f"not one of {len(due)} requests was answered ({first}): nothing asked for more workers"
    if all(look.up is None for look in seen.looks):
        return f"/health told of no workers in {_times(len(seen.looks))}: how many are up is not known"
    return None


def _told(up_s: float | None, *, first: int, most: int, served: int, limits: Burst, workers_max: int) -> str:
    """The reason."""
    if up_s is None:
        return f"at most {most} of {workers_max} workers were up within {limits.within_s:g} s, and {served} answered"
    came = f"from {first} to {most} workers, {workers_max} of them after {up_s:.1f} s"
    if served >= workers_max:
        return f"{came}; {served} different workers answered"
    return (
        f"{came}, but only {served} different workers answered: the others may still load their model, or the queue "
        f"gave them nothing; a larger burst.in_flight or a longer burst.within_s would tell"
    )


def _throttled(seen: Seen, up_s: float | None) -> str:
    """Why workers did not come, where the platform says it."""
    most = max(look.throttled for look in seen.looks)
    said = f"{most} worker{'s were' if most > 1 else ' was'} throttled"
    return f" ({said}: the platform had no machine for them)" if most and up_s is None else ""


def _times(number: int) -> str:
    return f"{number} look{'s' * (number != 1)}"
