"""The claims on a soak: the readiness summary's pass criteria, each answerable alone.

Every function takes the records of the run and judges those of phase ``soak``. ``allow_timed`` accepts answers of
the timed engine and is only for the harness's own tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge import drift
from go_live.judge.claims import judged, latency, success_claim, uncounted, unreported
from go_live.judge.episodes import where
from go_live.judge.shares import cannot
from go_live.judge.tally import Rule
from go_live.judge.validity import unusable
from go_live.outcome import Outcome, Verdict
from go_live.records import ErrorClass, Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from go_live.config import Slo, Soak
    from go_live.judge.percentiles import Figures
    from go_live.table import Table

SCOPE = "soak"

FAMILY = 3
"""Claims on shares that a soak answers: total p50, total p95, fail rate."""

TRENDS = 2
"""Trends that are tested, and share alpha: execution time and throughput."""

TIMEOUTS = (ErrorClass.DEADLINE, ErrorClass.TIMED_OUT)

TIMEOUT_STATUSES = (408, 504, 524)
"""Request Timeout, Gateway Timeout, and Cloudflare's "a timeout occurred"."""

MAX_GAP_S = 5.0
"""A pause of the load up to this length is no interruption of the soak."""

SERVED = 0.99
"""Share of the planned time that must have been under load: the rest is rounding at the ends."""


def total_p50(soak: Soak, slo: Slo, records: Iterable[Record], *, allow_timed: bool = False) -> Verdict:
    """Half of the users have their answer within ``soak.total_ms_p50``."""
    return _total(records, 50, soak.total_ms_p50, slo, allow_timed=allow_timed)


def total_p95(soak: Soak, slo: Slo, records: Iterable[Record], *, allow_timed: bool = False) -> Verdict:
    """95 % of the users have their answer within ``soak.total_ms_p95``."""
    return _total(records, 95, soak.total_ms_p95, slo, allow_timed=allow_timed)


def success(soak: Soak, slo: Slo, records: Iterable[Record], *, allow_timed: bool = False) -> Verdict:
    """The fail rate of the soak alone is below 1 - ``soak.success_rate``: 299 requests at the least for 99 %."""
    due = judged(records, phase="soak")
    return success_claim(due, soak.success_rate, rule(slo), scope=SCOPE, allow_timed=allow_timed)


def stable_exec(soak: Soak, records: Iterable[Record], *, allow_timed: bool = False) -> Verdict:
    """The execution time does not grow over the soak; over answered requests, since failures are judged apart."""
    due = judged(records, phase="soak")
    claim = drift.claim("exec_ms", soak.drift, scope=SCOPE)
    fault = unusable(due, allow_timed=allow_timed) or unreported(due, "exec")
    if fault:
        return cannot(claim, fault, scope=SCOPE, n=len(due))
    values = due.exec_ms[due.ok]
    return drift.trend(values, soak.drift, what="exec_ms", worse="up", scope=SCOPE, family=TRENDS)


def throughput(soak: Soak, records: Iterable[Record], *, allow_timed: bool = False) -> Verdict:
    """Tokens per second of a request do not fall over the soak; a request without an answer delivers none."""
    due = judged(records, phase="soak")
    claim = drift.claim("tokens/s", soak.drift, scope=SCOPE)
    fault = unusable(due, allow_timed=allow_timed) or uncounted(due)
    if fault:
        return cannot(claim, fault, scope=SCOPE, n=len(due))
    return drift.trend(due.tokens_per_s, soak.drift, what="tokens/s", worse="down", scope=SCOPE, family=TRENDS)


def no_timeouts(records: Iterable[Record], *, allow_timed: bool = False) -> Verdict:
    """Not one request of the soak ended in a timeout: the client's, the platform's or a proxy's."""
    due = judged(records, phase="soak")
    claim = "soak: no timeout errors"
    fault = unusable(due, allow_timed=allow_timed)
    if fault:
        return cannot(claim, fault, scope=SCOPE, n=len(due))
    timeouts = int((due.is_error(*TIMEOUTS) | np.isin(due.http_status, TIMEOUT_STATUSES)).sum())
    return Verdict(
        claim=claim,
        outcome=Outcome.FAIL if timeouts else Outcome.PASS,
        reason=f"{timeouts} of {len(due)} requests ended in a timeout",
        scope=SCOPE,
        measured=timeouts,
        limit=0,
        unit="requests",
        n=len(due),
        misses=timeouts,
    )


def duration(records: Iterable[Record], *, planned_s: float, allow_timed: bool = False) -> Verdict:
    """The soak was under load for as long as it was planned; the time between a kill and a resume does not count."""
    due = judged(records, phase="soak")
    claim = f"soak: {planned_s:g} s under load"
    fault = unusable(due, allow_timed=allow_timed)
    if fault:
        return cannot(claim, fault, scope=SCOPE, limit=planned_s, unit="s", n=len(due))
    served = served_s(due)
    enough = served >= SERVED * planned_s
    return Verdict(
        claim=claim,
        # A soak cut short proves nothing, good or bad.
        outcome=Outcome.PASS if enough else Outcome.ERROR,
        reason=f"{served:.0f} s of {planned_s:g} s were under load" + ("" if enough else ": the soak was cut short"),
        scope=SCOPE,
        measured=served,
        limit=planned_s,
        unit="s",
        n=len(due),
    )


def served_s(due: Table) -> float:
    """Seconds during which requests were in flight, pauses up to :data:`MAX_GAP_S` included.

    On the wall clock, because a resumed soak continues on another monotonic one.
    """
    took = np.nan_to_num(due.done - due.due)
    starts, ends = due.wall, np.maximum.accumulate(due.wall + took)
    # In due order: a pause is where a request begins long after every earlier one has ended.
    pauses = starts[1:] - ends[:-1]
    return float(ends[-1] - starts[0] - pauses[pauses > MAX_GAP_S].sum())


def rule(slo: Slo) -> Rule:
    """How surely a soak's shares are shown: at every look, since a soak has no fixed size and may end early."""
    return Rule(slo.confidence, family=FAMILY, anytime=True)


def soak_claims(
    soak: Soak, slo: Slo, records: Iterable[Record], *, planned_s: float | None, allow_timed: bool = False
) -> list[Verdict]:
    """The claims that only a soak can answer, in the order of the readiness summary.

    Success is not among them: it is judged once, over levels and soak together
    (:func:`go_live.judge.claims.success_claim`), or on a soak alone by :func:`success`.

    Args:
        soak: Limits of the soak.
        slo: Its confidence is used.
        records: The run's records; those of phase ``soak`` are judged.
        planned_s: How long the soak was to last; None leaves that claim out.
        allow_timed: Accept the timed engine; only for the harness's own tests.
    """
    verdicts = [
        total_p50(soak, slo, records, allow_timed=allow_timed),
        total_p95(soak, slo, records, allow_timed=allow_timed),
        stable_exec(soak, records, allow_timed=allow_timed),
        throughput(soak, records, allow_timed=allow_timed),
        no_timeouts(records, allow_timed=allow_timed),
    ]
    if planned_s is not None:
        verdicts.append(duration(records, planned_s=planned_s, allow_timed=allow_timed))
    return verdicts


def located(verdict: Verdict, totals_ms: Figures, *, first: int = 1) -> Verdict:
    """A failed latency verdict also says where in the soak the slow requests lie.

    Args:
        verdict: On ``totals_ms``.
        totals_ms: In due order.
        first: Number of the first request.
    """
    if verdict.outcome is not Outcome.FAIL or verdict.limit is None:
        return verdict
    place = where(totals_ms, verdict.limit, first=first)
    return msgspec.structs.replace(verdict, reason=f"{verdict.reason}; {place}")


def _total(records: Iterable[Record], q: int, limit: float, slo: Slo, *, allow_timed: bool) -> Verdict:
    due = judged(records, phase="soak")
    verdict = latency(due, figure="total", q=q, limit=limit, need=rule(slo), scope=SCOPE, allow_timed=allow_timed)
    return located(verdict, due.total_ms)
