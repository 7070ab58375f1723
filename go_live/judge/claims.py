"""The claims on a load level, and those on levels and soak together.

Every function takes the records of the run and picks what it judges; warm-up is never judged. ``allow_timed``
accepts answers of the timed engine and is only for the harness's own tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge import strata
from go_live.judge.pace import timed
from go_live.judge.shares import at_least, at_most, cannot, share_ok
from go_live.judge.tally import Rule
from go_live.judge.validity import unusable
from go_live.outcome import Verdict
from go_live.records import ErrorClass, Record
from go_live.table import Bools, Table

if TYPE_CHECKING:
    from go_live.config import Cold, Slo

LEVEL_CLAIMS = 6
"""Claims that one level's records answer; each fails at alpha / 6."""

REPORTED = {"exec": ("execution_ms", "executionTime"), "queue": ("delay_ms", "delayTime")}
"""Figures that the platform reports: the record's field and the platform's name for it."""


def exec_p50(slo: Slo, records: Iterable[Record], *, level: str, allow_timed: bool = False) -> Verdict:
    """Half of the requests run within ``slo.exec_ms_p50`` (platform's executionTime)."""
    return _level(slo, records, level, "exec", 50, slo.exec_ms_p50, allow_timed=allow_timed)


def exec_p95(slo: Slo, records: Iterable[Record], *, level: str, allow_timed: bool = False) -> Verdict:
    """95 % of the requests run within ``slo.exec_ms_p95``."""
    return _level(slo, records, level, "exec", 95, slo.exec_ms_p95, allow_timed=allow_timed)


def total_p50(slo: Slo, records: Iterable[Record], *, level: str, allow_timed: bool = False) -> Verdict:
    """Half of the users have their answer within ``slo.total_ms_p50``, counted from the due time."""
    return _level(slo, records, level, "total", 50, slo.total_ms_p50, allow_timed=allow_timed)


def total_p95(slo: Slo, records: Iterable[Record], *, level: str, allow_timed: bool = False) -> Verdict:
    """95 % of the users have their answer within ``slo.total_ms_p95``."""
    return _level(slo, records, level, "total", 95, slo.total_ms_p95, allow_timed=allow_timed)


def queue_p50(slo: Slo, records: Iterable[Record], *, level: str, allow_timed: bool = False) -> Verdict:
    """Half of the requests wait at most ``slo.queue_ms_p50`` for a worker (platform's delayTime)."""
    return _level(slo, records, level, "queue", 50, slo.queue_ms_p50, allow_timed=allow_timed)


def tokens_per_s_p50(slo: Slo, records: Iterable[Record], *, level: str, allow_timed: bool = False) -> Verdict:
    """Half of the requests get ``slo.tokens_per_s_p50`` output tokens for each second of their total time."""
    due = judged(records, phase="load", level=level)
    limit, unit = slo.tokens_per_s_p50, "tokens/s"
    fault = unusable(due, allow_timed=allow_timed) or uncounted(due)
    if fault:
        claim = f"{level}: throughput of 50 % is at least {limit:g} {unit}"
        return cannot(claim, fault, scope=level, limit=limit, unit=unit, n=len(due))
    rule = level_rule(slo)
    verdict = at_least(due.tokens_per_s, share=0.5, limit=limit, need=rule, what="throughput", unit=unit, scope=level)
    return timed(verdict, due)


def cold_and_warm(
    slo: Slo, cold: Cold, records: Iterable[Record], *, level: str, idle_s: float, allow_timed: bool = False
) -> list[Verdict]:
    """95 % of the warm requests of a level are answered in time, and so are 95 % of the cold ones, where there are any.

    The claims on all requests stand beside these; the mix is told in each reason.
    """
    due = judged(records, phase="load", level=level)
    found = strata.of_table(due, cold, idle_s=idle_s)
    told = f"{np.count_nonzero(found.cold)} of {len(due)} requests were cold"

    def one(mask: Bools, name: str) -> Verdict:
        verdict = latency(
            due.take(mask),
            figure="total",
            q=95,
            limit=slo.total_ms_p95,
            need=level_rule(slo),
            scope=f"{level}, {name}" if name else level,
            allow_timed=allow_timed,
        )
        return msgspec.structs.replace(verdict, reason=f"{verdict.reason}; {told}")

    return strata.apart(found, one)


def level_rule(slo: Slo) -> Rule:
    """How surely a level's shares are shown: once, at the end of a plan of fixed size."""
    return Rule(slo.confidence, family=LEVEL_CLAIMS, burst_length=slo.burst_length)


def pooled_rule(slo: Slo, *, anytime: bool) -> Rule:
    """How surely a share of all requests is shown; ``anytime`` where a soak is among them."""
    return Rule(slo.confidence, anytime=anytime, burst_length=slo.burst_length)


class Words(msgspec.Struct, frozen=True):
    """A share's name, what its misses are called, and what a request must have done not to be one."""

    what: str
    missed: str
    holds: Callable[[Table], Bools]


LevelClaim = Callable[..., Verdict]

LEVEL: tuple[LevelClaim, ...] = (exec_p50, exec_p95, total_p50, total_p95, queue_p50, tokens_per_s_p50)
"""Every claim of one level, in the order of the readiness summary's table."""


def load_claims(slo: Slo, records: Iterable[Record], *, level: str, allow_timed: bool = False) -> list[Verdict]:
    """The claims on one load level (``c=2``). Success is judged once over all: :func:`success_claim`."""
    return [claim(slo, records, level=level, allow_timed=allow_timed) for claim in LEVEL]


def success_claim(
    records: Iterable[Record],
    rate: float,
    need: Rule | float,
    *,
    scope: str | None = None,
    allow_timed: bool = False,
) -> Verdict:
    """At least ``rate`` of all due requests were answered, over levels and soak together.

    A wrong answer is an answer here; :func:`correct_claim` judges it.
    """
    words = Words("success rate", "not answered", answered)
    return _share(judged(records), words, rate, Rule.of(need), scope, allow_timed=allow_timed)


def correct_claim(
    records: Iterable[Record],
    rate: float,
    need: Rule | float,
    *,
    scope: str | None = None,
    allow_timed: bool = False,
) -> Verdict:
    """At least ``rate`` of all due requests got a right answer, over levels and soak together."""
    words = Words("share of right answers", "without a right answer", lambda due: due.ok)
    return _share(judged(records), words, rate, Rule.of(need), scope, allow_timed=allow_timed)


def answered(due: Table) -> Bools:
    """Which of the ``due`` requests were answered, rightly or wrongly."""
    return due.ok | due.is_error(ErrorClass.WRONG)


def judged(records: Iterable[Record], *, phase: str | None = None, level: str | None = None) -> Table:
    """The records of ``phase`` and ``level`` (None: any) without the warm-up, in due order."""
    return Table.of(records).without_warmup().where(phase=phase, level=level)


def uncounted(due: Table) -> str | None:
    """An answer without a token count has an unknown throughput, not one of zero."""
    lacking = int((due.ok & np.isnan(due.output_tokens)).sum())
    return f"the token count is missing from {lacking} of {len(due)} answers" if lacking else None


def unreported(due: Table, figure: str) -> str | None:
    """A figure that the platform left out of an answer was not measured; it is neither zero nor infinite."""
    if figure not in REPORTED:
        return None
    field, name = REPORTED[figure]
    lacking = int((due.ok & np.isnan(getattr(due, field))).sum())
    return f"{name} is missing from {lacking} of {len(due)} answers" if lacking else None


def latency(
    due: Table, *, figure: str, q: int, limit: float, need: Rule, scope: str, allow_timed: bool = False
) -> Verdict:
    """Percentile ``q`` of ``figure`` (exec, total or queue) over exactly ``due`` is at most ``limit`` ms."""
    fault = unusable(due, allow_timed=allow_timed) or unreported(due, figure)
    if fault:
        claim = f"{scope}: {figure} p{q} is at most {limit:g} ms"
        return cannot(claim, fault, scope=scope, limit=limit, unit="ms", n=len(due))
    return timed(at_most(getattr(due, f"{figure}_ms"), q=q, limit=limit, need=need, what=figure, scope=scope), due)


def _level(
    slo: Slo, records: Iterable[Record], level: str, figure: str, q: int, limit: float, *, allow_timed: bool
) -> Verdict:
    return latency(
        judged(records, phase="load", level=level),
        figure=figure,
        q=q,
        limit=limit,
        need=level_rule(slo),
        scope=level,
        allow_timed=allow_timed,
    )


def _share(due: Table, words: Words, rate: float, need: Rule, scope: str | None, *, allow_timed: bool) -> Verdict:
    fault = unusable(due, allow_timed=allow_timed)
    oks = words.holds(due) if not fault else np.zeros(0, dtype=np.bool_)
    verdict = share_ok(oks, rate=rate, need=need, what=words.what, missed=words.missed, scope=scope)
    return msgspec.structs.replace(verdict, reason=fault, n=len(due)) if fault else timed(verdict, due)
