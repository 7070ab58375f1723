"""Requests that were measured, as the checks judge them."""

from collections.abc import Callable

import msgspec

from checks.target import Target
from go_live.gate import Gate
from go_live.judge.pace import served_s
from go_live.judge.soak import Memory
from go_live.load.runner import Before, LoadPlan, never, run_load
from go_live.records import Record
from go_live.table import Table


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Due requests, warm-up left out, in due order."""

    records: Table
    allow_timed: bool
    """Whether answers of the timed engine count (the harness's own tests)."""
    memory: Memory = msgspec.field(default_factory=dict)
    """Resident memory of the workers meanwhile, where it was looked at."""
    ended: str | None = None
    """Of a soak: why it was ended early, by design; None: it was not."""


class Level(Measured, frozen=True, kw_only=True):
    """The due requests of one load level."""

    name: str
    """``c=2``."""


def collect(
    target: Target,
    gate: Gate,
    plan: LoadPlan,
    *,
    watch: Callable[[Record], None] | None = None,
    stop: Callable[[], bool] = never,
) -> Table:
    """Run ``plan``, or what a killed run left of it; its due requests, warm-up left out, in due order.

    Each request goes into the log before it is sent and as it ends. ``watch`` is then told of those of the phase, and
    once ``stop`` says so no further one becomes due.
    """

    def keep(record: Record) -> None:
        gate.record(record)
        gate.progress.update(record)
        if watch is not None and record.phase == plan.phase:
            watch(record)

    before = done_before(gate, plan)
    if not over(plan, before):
        gate.progress.start(f"{plan.phase} {plan.level}", total=plan.requests, duration_s=plan.duration_s)
        try:
            target.call(
                lambda: run_load(target.endpoint, plan, on_record=keep, on_due=gate.due, before=before, stop=stop)
            )
        finally:
            gate.progress.finish()
    return gate.requests.where(phase=plan.phase, level=plan.level)


def done_before(gate: Gate, plan: LoadPlan) -> Before:
    """What the killed run, of which this one is the continuation, has done of ``plan``."""
    ended = gate.requests.where(phase=plan.phase, level=plan.level)
    again = tuple(due.seq for due in gate.again if (due.phase, due.level) == (plan.phase, plan.level))
    return Before(hits=len(ended) + len(again), served_s=served_s(ended) if len(ended) else 0.0, again=again)


def over(plan: LoadPlan, before: Before) -> bool:
    """Whether nothing is left to do."""
    return not before.again and not plan.limits.allow(before.served_s, before.hits)


def levels_up_to(cap: int) -> list[str]:
    """``c=1`` to the cap."""
    return [f"c={concurrency}" for concurrency in range(1, cap + 1)]
