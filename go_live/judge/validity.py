"""Is a measurement a measurement? Whatever fails here is ERROR: it says nothing about the service, good or bad."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from go_live.judge.percentiles import percentile
from go_live.judge.shares import cannot
from go_live.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.config import Client
    from go_live.records import Record

EQUAL_FROM = 5
"""So many total times equal to the last digit are no coincidence: a clock has more digits than that."""


def unusable(records: Sequence[Record], *, allow_timed: bool = False) -> str | None:
    """Why ``records`` are no evidence at all; None when they are.

    Args:
        records: The requests a claim rests on, warm-up already taken out.
        allow_timed: Accept answers of the timed engine; only for the harness's own tests.
    """
    if not records:
        return "no requests were recorded"
    if not allow_timed and any(record.engine == "timed" for record in records):
        return "answers of the timed engine are never evidence"
    return hollow([record.total_ms for record in records])


def hollow(values_ms: Sequence[float], points: dict[str, float] | None = None) -> str | None:
    """Why ``values_ms`` (and ``points`` said to summarise them) cannot come from a real measurement; None if they can.

    Infinite values are honest: they are requests without an answer.
    """
    finite = [value for value in values_ms if math.isfinite(value)]
    if any(math.isnan(value) for value in (*values_ms, *(points or {}).values())):
        return "a NaN among the figures"
    if any(value <= 0 for value in finite):
        return f"{sum(value <= 0 for value in finite)} of {len(finite)} times are zero or below: no request takes none"
    if len(finite) >= EQUAL_FROM and min(finite) == max(finite):
        return f"all {len(finite)} times are equal to the last digit"
    if finite and any(value > max(finite) for value in (points or {}).values()):
        return "a percentile lies above the maximum"
    return None


def real_times(records: Sequence[Record], *, scope: str) -> Verdict:
    """The total times of ``records`` look like measured ones."""
    claim = f"{scope}: the measured times are real"
    reason = unusable(records, allow_timed=True)
    if reason:
        return cannot(claim, reason, scope=scope, n=len(records))
    return _valid(claim, f"{len(records)} times, none of them hollow", scope, len(records))


def client_lag(client: Client, records: Sequence[Record], *, scope: str) -> Verdict:
    """The load client sent its requests when they were due: p99 of sent - due is small."""
    limit = client.lag_ms_p99_max
    claim = f"{scope}: client lag p99 is at most {limit:g} ms"
    lags = [record.lag_ms for record in records if record.sent is not None]
    if not lags:
        return cannot(claim, "no request was sent", scope=scope, limit=limit, unit="ms", n=0)
    p99 = percentile(lags, 99)
    reason = f"p99 of {len(lags)} requests' lag is {p99:.1f} ms"
    outcome = Outcome.PASS
    if p99 > limit:
        outcome, reason = Outcome.ERROR, f"{reason}: the load client itself was measured, not the service"
    return Verdict(
        claim=claim, outcome=outcome, reason=reason, scope=scope, measured=p99, limit=limit, unit="ms", n=len(lags)
    )


def accounted(records: Sequence[Record], *, scope: str) -> Verdict:
    """Every due request is there exactly once, and is either ok or of a named error class."""
    claim = f"{scope}: every due request is accounted for"
    if not records:
        return cannot(claim, "no requests were recorded", scope=scope, n=0)
    fault = _miscounted(records) or _unclassified(records)
    if fault:
        return cannot(claim, fault, scope=scope, n=len(records))
    return _valid(claim, _classes(records), scope, len(records))


def _miscounted(records: Sequence[Record]) -> str | None:
    """Sequence numbers of each phase and level must run from 0 without a gap or a double."""
    groups: dict[tuple[str, str], list[int]] = {}
    for record in records:
        groups.setdefault((record.phase, record.level), []).append(record.seq)
    for (phase, level), seqs in groups.items():
        if sorted(seqs) != list(range(len(seqs))):
            return f"{phase} {level}: records are missing or doubled ({len(seqs)} records, last number {max(seqs)})"
    return None


def _unclassified(records: Sequence[Record]) -> str | None:
    """A record without an end and without an error class belongs to no class."""
    lost = sum(not record.ok and record.error is None for record in records)
    return f"{lost} of {len(records)} requests have neither an answer nor an error class" if lost else None


def _classes(records: Sequence[Record]) -> str:
    """``124 due = 122 ok + 2 deadline``."""
    counts = Counter("ok" if record.error is None else record.error.value for record in records)
    return f"{len(records)} due = " + " + ".join(f"{count} {name}" for name, count in counts.most_common())


def _valid(claim: str, reason: str, scope: str, n: int) -> Verdict:
    return Verdict(claim=claim, outcome=Outcome.PASS, reason=reason, scope=scope, n=n)
