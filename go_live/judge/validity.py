"""Is a measurement a measurement? Whatever fails here is ERROR: it says nothing about the service, good or bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from go_live.judge.percentiles import percentile
from go_live.judge.shares import NO_REQUESTS, cannot
from go_live.outcome import Outcome, Verdict
from go_live.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from go_live.config import Client
    from go_live.judge.percentiles import Figures
    from go_live.records import Record

EQUAL_FROM = 5
"""So many total times equal to the last digit are no coincidence: a clock has more digits than that."""


def unusable(records: Iterable[Record], *, allow_timed: bool = False) -> str | None:
    """Why ``records`` are no evidence at all; None when they are.

    Args:
        records: The requests a claim rests on, warm-up already taken out.
        allow_timed: Accept answers of the timed engine; only for the harness's own tests.
    """
    due = Table.of(records)
    if not len(due):
        return NO_REQUESTS
    if not allow_timed and due.timed.any():
        return "answers of the timed engine are never evidence"
    return hollow(due.total_ms)


def hollow(values_ms: Figures, points: Mapping[str, float] | None = None) -> str | None:
    """Why ``values_ms`` (and ``points`` said to summarise them) cannot come from a real measurement; None if they can.

    Infinite values are honest: they are requests without an answer.
    """
    values = np.asarray(values_ms, dtype=np.float64)
    said = np.fromiter((points or {}).values(), dtype=np.float64)
    finite = values[np.isfinite(values)]
    if np.isnan(values).any() or np.isnan(said).any():
        return "a NaN among the figures"
    if (finite <= 0).any():
        return f"{(finite <= 0).sum()} of {finite.size} times are zero or below: no request takes none"
    if finite.size >= EQUAL_FROM and finite.min() == finite.max():
        return f"all {finite.size} times are equal to the last digit"
    if finite.size and (said > finite.max()).any():
        return "a percentile lies above the maximum"
    return None


def real_times(records: Iterable[Record], *, scope: str) -> Verdict:
    """The total times of ``records`` look like measured ones."""
    claim = f"{scope}: the measured times are real"
    due = Table.of(records)
    reason = unusable(due, allow_timed=True)
    if reason:
        return cannot(claim, reason, scope=scope, n=len(due))
    return _valid(claim, f"{len(due)} times, none of them hollow", scope, len(due))


def client_lag(client: Client, records: Iterable[Record], *, scope: str) -> Verdict:
    """The load client sent its requests when they were due: p99 of sent - due is small."""
    limit = client.lag_ms_p99_max
    claim = f"{scope}: client lag p99 is at most {limit:g} ms"
    due = Table.of(records)
    lags = due.lag_ms[~np.isnan(due.sent)]
    if not lags.size:
        return cannot(claim, "no request was sent", scope=scope, limit=limit, unit="ms", n=0)
    p99 = percentile(lags, 99)
    reason = f"p99 of {len(lags)} requests' lag is {p99:.1f} ms"
    outcome = Outcome.PASS
    if p99 > limit:
        outcome, reason = Outcome.ERROR, f"{reason}: the load client itself was measured, not the service"
    return Verdict(
        claim=claim, outcome=outcome, reason=reason, scope=scope, measured=p99, limit=limit, unit="ms", n=len(lags)
    )


def accounted(records: Iterable[Record], *, scope: str) -> Verdict:
    """Every due request is there exactly once, and is either ok or of a named error class."""
    claim = f"{scope}: every due request is accounted for"
    due = Table.of(records)
    if not len(due):
        return cannot(claim, NO_REQUESTS, scope=scope, n=0)
    fault = _miscounted(due) or _unclassified(due)
    if fault:
        return cannot(claim, fault, scope=scope, n=len(due))
    return _valid(claim, _classes(due), scope, len(due))


def _miscounted(due: Table) -> str | None:
    """Sequence numbers of each phase and level must run from 0 without a gap or a double."""
    for phase, level in due.groups():
        seqs = np.sort(due.where(phase=phase, level=level).seq)
        if (seqs != np.arange(seqs.size)).any():
            return f"{phase} {level}: records are missing or doubled ({seqs.size} records, last number {seqs[-1]})"
    return None


def _unclassified(due: Table) -> str | None:
    """A record without an end and without an error class belongs to no class."""
    lost = due.errors().get("unfinished", 0)
    return f"{lost} of {len(due)} requests have neither an answer nor an error class" if lost else None


def _classes(due: Table) -> str:
    """``124 due = 122 ok + 2 deadline``."""
    return f"{len(due)} due = " + " + ".join(f"{count} {name}" for name, count in due.errors().items())


def _valid(claim: str, reason: str, scope: str, n: int) -> Verdict:
    return Verdict(claim=claim, outcome=Outcome.PASS, reason=reason, scope=scope, n=n)
