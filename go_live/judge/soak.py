"""The claims on a soak: the readiness summary's pass criteria, each answerable alone.

Every function takes the records of the run and judges those of phase ``soak``. ``allow_timed`` accepts answers of
the timed engine and is only for the harness's own tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from go_live.judge.claims import judged, latency, success_claim, uncounted, unreported
from go_live.judge.episodes import where
from go_live.judge.pace import served_s
from go_live.judge.shares import cannot
from go_live.judge.stability import Series, soak_trends, worker_restarts
from go_live.judge.stability import claim as trend_claim
from go_live.judge.tally import Rule
from go_live.judge.validity import unusable
from go_live.outcome import Outcome, Verdict
from go_live.records import ErrorClass, Record

if TYPE_CHECKING:
    from go_live.config import Slo, Soak
    from go_live.judge.percentiles import Figures as Samples
    from go_live.table import Floats, Table


Memory = Mapping[str, "tuple[Floats, Floats]"]
"""Resident memory of each worker by its id: Unix time and bytes of each sample."""

SCOPE = "soak"

FAMILY = 3
"""Claims on shares that a soak answers: total p50, total p95, fail rate."""

EXEC, TOTAL, QUEUE, TOKENS, RIGHT, WORKERS = "exec_ms", "total_ms", "queue_ms", "tokens/s", "right answers", "workers"
"""What is watched over a soak."""

TIMEOUTS = (ErrorClass.DEADLINE, ErrorClass.TIMED_OUT)

TIMEOUT_STATUSES = (408, 504, 524)
"""Request Timeout, Gateway Timeout, and Cloudflare's "a timeout occurred"."""

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


def stable_exec(
    soak: Soak, records: Iterable[Record], *, memory: Memory | None = None, allow_timed: bool = False
) -> Verdict:
    """The execution time does not grow over the soak; over answered requests, since failures are judged apart."""
    return trends(soak, records, memory=memory, allow_timed=allow_timed)[EXEC]


def throughput(
    soak: Soak, records: Iterable[Record], *, memory: Memory | None = None, allow_timed: bool = False
) -> Verdict:
    """Tokens per second of a request do not fall over the soak; a request without an answer delivers none."""
    return trends(soak, records, memory=memory, allow_timed=allow_timed)[TOKENS]


def stable(
    soak: Soak, records: Iterable[Record], *, memory: Memory | None = None, allow_timed: bool = False
) -> list[Verdict]:
    """Everything else that a soak may wear out: total and queue time, right answers, workers, and their memory."""
    found = trends(soak, records, memory=memory, allow_timed=allow_timed)
    return [verdict for name, verdict in found.items() if name not in (EXEC, TOKENS)]


def trends(
    soak: Soak, records: Iterable[Record], *, memory: Memory | None = None, allow_timed: bool = False
) -> dict[str, Verdict]:
    """Every figure of the soak by its name, judged as one family (:mod:`go_live.judge.stability`).

    Args:
        soak: Limits.
        records: The run's; those of phase ``soak`` are judged.
        memory: Of the workers that could be looked at; None where nobody could.
        allow_timed: Accept the timed engine; only for the harness's own tests.
    """
    due = judged(records, phase="soak")
    bad = unusable(due, allow_timed=allow_timed)
    series = figures(soak, due, memory or {})
    faults = {EXEC: unreported(due, "exec"), QUEUE: unreported(due, "queue"), TOKENS: uncounted(due)}
    sound = Figures({name: make for name, make in series.items() if not (bad or faults.get(name))})
    found = dict(zip(sound, soak_trends(sound, soak.drift, scope=SCOPE), strict=True))
    found |= {
        name: _untested(name, make(), bad or faults.get(name) or "", len(due))
        for name, make in series.items()
        if name not in found
    }
    return {name: found[name] for name in series} | {WORKERS: workers(soak, due, bad)}


def _untested(name: str, series: Series, reason: str, n: int) -> Verdict:
    return cannot(trend_claim(name, series, SCOPE), reason, scope=SCOPE, limit=series.allowed, n=n)


def workers(soak: Soak, due: Table, bad: str | None = None) -> Verdict:
    """Hardly a worker was replaced; ``bad`` says why ``due`` are no evidence."""
    if bad:
        return cannot(f"{SCOPE}: hardly a worker is replaced", bad, scope=SCOPE, n=len(due))
    ok = due.ok
    at_s = due.wall[ok] - _begin(due)
    return worker_restarts(due.worker[ok], soak.drift, numbers=np.flatnonzero(ok) + 1, at_s=at_s, scope=SCOPE)


class Figures(Mapping[str, Series]):
    """Series by name, each made when it is looked at: a long soak holds one of them in memory at a time."""

    def __init__(self, makers: Mapping[str, Callable[[], Series]]) -> None:
        """``makers`` by name."""
        self._makers = makers

    def __getitem__(self, name: str) -> Series:
        """The series."""
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        """Their names."""
        return iter(self._makers)

    def __len__(self) -> int:
        """How many."""
        return len(self._makers)


def figures(soak: Soak, due: Table, memory: Memory) -> dict[str, Callable[[], Series]]:
    """What is watched over a soak; failures carry no times, and are in right answers and tokens/s."""
    limits, begin = soak.drift, _begin(due)

    def answered(figure: str, **base: Any) -> Series:
        # A column of a million is 8 MB: none is kept beyond its line, and the small ones come first.
        ok = due.ok
        numbers = np.arange(1, len(ok) + 1, dtype=np.int32)[ok]
        values: Floats = getattr(due, figure)[ok]
        at_s = due.wall[ok]
        at_s -= begin
        return Series(values=values, worse="up", floor=limits.max_change, numbers=numbers, at_s=at_s, **base)

    def every(figure: str, floor: float, **base: Any) -> Series:
        values = np.asarray(getattr(due, figure), dtype=np.float64)
        at_s = due.wall
        at_s -= begin
        return Series(values=values, worse="down", floor=floor, at_s=at_s, **base)

    def queue() -> Series:
        totals = due.total_ms[due.ok]
        base = float(np.median(totals)) if totals.size else 0.0
        return answered("queue_ms", base=base, base_name=" of the median total time")

    def resident(wall: Floats, bytes_: Floats) -> Series:
        floor = limits.rss_max_growth
        return Series(values=bytes_, worse="up", floor=floor, at_s=wall - wall[:1], each="samples")

    return {
        EXEC: lambda: answered("exec_ms"),
        TOTAL: lambda: answered("total_ms"),
        QUEUE: queue,
        TOKENS: lambda: every("tokens_per_s", limits.max_change),
        RIGHT: lambda: every("ok", limits.ok_rate_max_drop, base=1.0),
    } | {f"memory of {worker}": partial(resident, *samples) for worker, samples in memory.items()}


def _begin(due: Table) -> float:
    """Unix time of the first request; 0 without one."""
    return float(due.wall[0]) if len(due) else 0.0


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


def duration(
    records: Iterable[Record], *, planned_s: float, ended: str | None = None, allow_timed: bool = False
) -> Verdict:
    """The soak was under load for as long as it was planned; the time between a kill and a resume does not count.

    Args:
        records: The run's; those of phase ``soak`` are judged.
        planned_s: How long it was to last.
        ended: Why it was ended early by design (:mod:`go_live.judge.stopping`); None: it was not.
        allow_timed: Accept the timed engine; only for the harness's own tests.
    """
    due = judged(records, phase="soak")
    claim = f"soak: {planned_s:g} s under load"
    fault = unusable(due, allow_timed=allow_timed)
    if fault:
        return cannot(claim, fault, scope=SCOPE, limit=planned_s, unit="s", n=len(due))
    served = served_s(due)
    if served >= SERVED * planned_s:
        outcome, why = Outcome.PASS, ""
    elif ended is not None:
        outcome, why = Outcome.INCONCLUSIVE, f"; the soak was ended early: {ended}"
    else:
        # A soak that something cut short proves nothing, good or bad.
        outcome, why = Outcome.ERROR, ": the soak was cut short"
    return Verdict(
        claim=claim,
        outcome=outcome,
        reason=f"{served:.0f} s of {planned_s:g} s were under load{why}",
        scope=SCOPE,
        measured=served,
        limit=planned_s,
        unit="s",
        n=len(due),
    )


def cut_short(verdict: Verdict, ended: str | None) -> Verdict:
    """A claim on the whole soak: its PASS is INCONCLUSIVE when the soak was ``ended`` early; a FAIL stays one."""
    if ended is None or verdict.outcome is not Outcome.PASS:
        return verdict
    reason = f"{verdict.reason}, in the part that was served; the soak was ended early"
    return msgspec.structs.replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=reason)


def rule(slo: Slo) -> Rule:
    """How surely a soak's shares are shown: at every look, since a soak has no fixed size and may end early."""
    return Rule(slo.confidence, family=FAMILY, anytime=True, burst_length=slo.burst_length)


def soak_claims(
    soak: Soak,
    slo: Slo,
    records: Iterable[Record],
    *,
    planned_s: float | None,
    ended: str | None = None,
    allow_timed: bool = False,
) -> list[Verdict]:
    """The claims that only a soak can answer, in the order of the readiness summary.

    Success is not among them: it is judged once, over levels and soak together
    (:func:`go_live.judge.claims.success_claim`), or on a soak alone by :func:`success`.

    Args:
        soak: Limits of the soak.
        slo: Its confidence is used.
        records: The run's records; those of phase ``soak`` are judged.
        planned_s: How long the soak was to last; None leaves that claim out.
        ended: Why it was ended early by design; None: it was not.
        allow_timed: Accept the timed engine; only for the harness's own tests.
    """
    verdicts = [
        total_p50(soak, slo, records, allow_timed=allow_timed),
        total_p95(soak, slo, records, allow_timed=allow_timed),
        *(cut_short(verdict, ended) for verdict in trends(soak, records, allow_timed=allow_timed).values()),
        no_timeouts(records, allow_timed=allow_timed),
    ]
    if planned_s is not None:
        verdicts.append(duration(records, planned_s=planned_s, ended=ended, allow_timed=allow_timed))
    return verdicts


def located(verdict: Verdict, totals_ms: Samples, *, first: int = 1) -> Verdict:
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
