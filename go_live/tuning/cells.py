"""One cell judged: a setting of the worker at a level of load. Pure.

The claims are those of the checklist's load levels (:mod:`go_live.judge.claims`); nothing here is easier to pass than
the release itself. Beside them stands whether requests queue: ``delayTime`` p50 and p95 against
``tuning.queue_begins_ms``, by the same exact test.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge import binomial, claims, offered, validity
from go_live.judge.asked import of_level
from go_live.judge.tally import Rule
from go_live.outcome import Outcome, Verdict, worst
from go_live.pacing import FAILURE_PAUSE_S
from go_live.planning.needs import listed
from go_live.tuning.plan import ROUNDS, TuningPlan

if TYPE_CHECKING:
    from go_live.config import Slo
    from go_live.table import Table

OK = "ok"
"""What :meth:`go_live.table.Table.errors` calls a right answer."""
QUEUE_POINTS = (50, 95)
"""Percentiles of the queue time of which it is said where they begin to rise."""


class Count(msgspec.Struct, frozen=True, array_like=True):
    """What one claim rests on."""

    n: int
    misses: int


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One cell, judged."""

    concurrency: int
    planned: int
    """Requests that were to be judged."""
    n: int
    """Requests that were judged; fewer than planned, where it was hopeless or the sweep was cut off."""
    outcome: Outcome
    reason: str
    counts: dict[str, Count]
    """Of each claim, by :attr:`go_live.judge.asked.Asked.key`; a claim that could not be measured is missing."""
    unanswered: int
    """Requests without an answer, right or wrong."""
    wrong: int
    """Requests without a right answer."""
    errors: dict[str, int]
    """Requests without a right answer, by :class:`go_live.records.ErrorClass`."""
    per_round: tuple[float | None, ...]
    """Right answers a second in each round; None: it was not served to its end."""
    verdicts: tuple[Verdict, ...] = ()
    """The claims, and whether the load was what it was meant to be."""
    queue: tuple[Verdict, ...] = ()
    """Whether the queue time stays within ``tuning.queue_begins_ms``, at :data:`QUEUE_POINTS`."""

    @property
    def throughput(self) -> float | None:
        """Right answers a second: the geometric mean of the rounds; None: none was served to its end."""
        known = [rate for rate in self.per_round if rate is not None]
        if not known:
            return None
        return math.exp(sum(map(math.log, known)) / len(known)) if min(known) > 0 else 0.0


def judge_level(plan: TuningPlan, records: Table, level: int) -> Level:
    """Judge the requests that ``records`` of one setting hold at ``level``."""
    config, name = plan.config, f"c={level}"
    whole = claims.judged(records, phase="load", level=name)
    rounds = _rounds(plan, whole, level)
    due = whole.take(np.asarray(whole.seq % plan.sent(level) >= level))
    judged = claims.load_claims(config.slo, due, level=name, allow_timed=plan.timed)
    queue = tuple(_queue(plan, due, name, q) for q in QUEUE_POINTS)
    verdicts = (*judged, *_valid(plan, whole, rounds, name))
    outcome, reason = _outcome(verdicts, n=len(due), planned=plan.requests)
    errors = {name: count for name, count in due.errors().items() if name != OK}
    if errors and outcome is not Outcome.PASS:
        reason += f"; of {len(due)} requests {listed(f'{count} ended as {name}' for name, count in errors.items())}"
    return Level(
        concurrency=level,
        planned=plan.requests,
        n=len(due),
        outcome=outcome,
        reason=reason,
        counts={
            one.key: Count(verdict.n, verdict.misses)
            for one, verdict in zip(of_level(config.slo), judged, strict=True)
            if verdict.n is not None and verdict.misses is not None
        },
        unanswered=int(np.count_nonzero(~claims.answered(due))),
        wrong=int(np.count_nonzero(~due.ok)),
        errors=errors,
        per_round=tuple(_rate(plan, part, level) for part in rounds),
        verdicts=verdicts,
        queue=queue,
    )


def supported(level: Level, slo: Slo) -> bool:
    """Whether the counts of a level that is said to PASS show every one of its claims, by the exact test."""
    if level.outcome is not Outcome.PASS or not level.n == level.planned > 0:
        return False
    for one in of_level(slo):
        count = level.counts.get(one.key)
        if count is None or count.n != level.n or not 0 <= count.misses <= count.n:
            return False
        found = binomial.decide(count.misses, count.n, one.p0, one.rule.alpha, one.rule.alpha_fail)
        if found is not Outcome.PASS:
            return False
    return True


def _rounds(plan: TuningPlan, whole: Table, level: int) -> list[Table]:
    """The requests of each round, those that fill the endpoint included."""
    number = whole.seq // plan.sent(level)
    return [whole.take(np.asarray(number == one)) for one in range(ROUNDS)]


def _queue(plan: TuningPlan, due: Table, name: str, q: int) -> Verdict:
    slo = plan.config.slo
    # Said of every level at two percentiles: one false alarm in all of them is to be rare.
    rule = Rule(slo.confidence, family=len(QUEUE_POINTS) * len(plan.levels), burst_length=slo.burst_length)
    limit = plan.config.tuning.queue_begins_ms
    return claims.latency(due, figure="queue", q=q, limit=limit, need=rule, scope=name, allow_timed=plan.timed)


def _valid(plan: TuningPlan, whole: Table, rounds: list[Table], name: str) -> list[Verdict]:
    """Whether the load itself was as planned; each round's for itself, since others lie between."""
    client = plan.config.client
    found = [validity.client_lag(client, whole, scope=name), validity.accounted(whole, scope=name)]
    for number, part in enumerate(rounds, start=1):
        if len(part) == plan.sent(int(name[2:])):
            found += [_in_round(verdict, number) for verdict in offered.as_planned(client, part)]
    return found


def _in_round(verdict: Verdict, number: int) -> Verdict:
    return msgspec.structs.replace(verdict, claim=f"{verdict.claim} (round {number})")


def _outcome(verdicts: tuple[Verdict, ...], *, n: int, planned: int) -> tuple[Outcome, str]:
    """What is known of the cell; one that was cut off can be bad, and never good."""
    found = worst(verdict.outcome for verdict in verdicts)
    first = next(verdict for verdict in verdicts if verdict.outcome is found)
    if found is Outcome.FAIL:
        return found, first.reason
    if n > planned:
        return Outcome.ERROR, f"{n} requests were recorded and {planned} were planned"
    if n < planned:
        return (Outcome.INCONCLUSIVE if n else Outcome.NOT_RUN), f"{n} of {planned} planned requests were measured"
    return found, first.reason if found is not Outcome.PASS else f"every one of {len(verdicts)} claims holds"


def _rate(plan: TuningPlan, part: Table, level: int) -> float | None:
    """Right answers a second while the round's slots were all busy: c / mean time in flight (Little 1961).

    Without the requests that fill the endpoint, and without the time after the last one became due.
    """
    if len(part) < plan.sent(level):
        return None
    busy = part.take(np.asarray(part.seq % plan.sent(level) >= level))
    held = np.where(busy.ok, busy.done, np.maximum(busy.done, busy.due + FAILURE_PAUSE_S)) - busy.due
    total = float(held.sum())
    return float(np.count_nonzero(busy.ok)) * level / total if math.isfinite(total) and total > 0 else 0.0
