"""What is asked of requests under load, one by one: each share that a level, a soak, or both have to show.

The verdicts are made from whole runs (:mod:`go_live.judge.claims`, :mod:`go_live.judge.soak`). Whoever has to know
before the end, while requests come (:mod:`go_live.judge.stopping`) or before the first one (:mod:`go_live.planning`),
asks the same here; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from go_live.judge.claims import level_rule
from go_live.judge.soak import SCOPE, rule
from go_live.judge.tally import Rule
from go_live.records import ErrorClass, Record

if TYPE_CHECKING:
    from go_live.config import Config, Slo, Soak


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """At least a share ``p0`` of the requests is ok, shown by ``rule``."""

    key: str
    """``total_p95``, ``success``: the same wherever it is asked."""
    claim: str
    """As the verdict says it, without its scope."""
    p0: float
    rule: Rule
    holds: Callable[[Record], bool]
    """Whether a request is ok here. One of which the platform did not report the figure speaks for nothing and is."""
    missed: str
    """What a miss is: ``over it``."""


def of_level(slo: Slo) -> list[Asked]:
    """The shares that a load level has to show, in the order of :data:`go_live.judge.claims.LEVEL`."""
    need, limit = level_rule(slo), slo.tokens_per_s_p50
    return [
        _within("exec", 50, slo.exec_ms_p50, need),
        _within("exec", 95, slo.exec_ms_p95, need),
        _within("total", 50, slo.total_ms_p50, need),
        _within("total", 95, slo.total_ms_p95, need),
        _within("queue", 50, slo.queue_ms_p50, need),
        Asked(
            key="throughput",
            claim=f"throughput of 50 % is at least {limit:g} tokens/s",
            p0=0.5,
            rule=need,
            holds=partial(_fast, limit),
            missed="below it",
        ),
    ]


def of_soak(soak: Soak, slo: Slo) -> list[Asked]:
    """The shares that only a soak has to show."""
    need = rule(slo)
    return [_within("total", 50, soak.total_ms_p50, need), _within("total", 95, soak.total_ms_p95, need)]


def of_answers(success_rate: float, correct_rate: float, need: Rule) -> list[Asked]:
    """That requests are answered, and rightly."""
    return [
        Asked(
            key="success",
            claim=f"success rate is at least {success_rate * 100:g} %",
            p0=success_rate,
            rule=need,
            holds=_answered,
            missed="not answered",
        ),
        Asked(
            key="correct",
            claim=f"share of right answers is at least {correct_rate * 100:g} %",
            p0=correct_rate,
            rule=need,
            holds=_right,
            missed="without a right answer",
        ),
    ]


def of_soak_alone(config: Config) -> list[Asked]:
    """The shares of a soak that is run by hand."""
    soak, slo = config.soak, config.slo
    found = [*of_soak(soak, slo), *of_answers(soak.success_rate, config.golden.correct_rate, rule(slo))]
    return [msgspec.structs.replace(one, claim=f"{SCOPE}: {one.claim}") for one in found]


def _within(figure: str, q: int, limit: float, need: Rule) -> Asked:
    return Asked(
        key=f"{figure}_p{q}",
        claim=f"{figure} p{q} is at most {limit:g} ms",
        p0=q / 100,
        rule=need,
        holds=partial(_quick, figure, limit),
        missed="over it",
    )


def _quick(figure: str, limit: float, record: Record) -> bool:
    reported = {"exec": record.execution_ms, "queue": record.delay_ms}
    if record.ok and figure in reported and reported[figure] is None:
        return True
    measured: float = getattr(record, f"{figure}_ms")
    return measured <= limit


def _fast(limit: float, record: Record) -> bool:
    if record.ok and record.output_tokens is None:
        return True
    # As a product: a clock that stands still makes the time zero.
    return (record.output_tokens or 0) >= limit * record.total_ms / 1000


def _answered(record: Record) -> bool:
    return record.ok or record.error is ErrorClass.WRONG


def _right(record: Record) -> bool:
    return record.ok
