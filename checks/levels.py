"""Requests that were measured, as the checks judge them."""

from collections.abc import Sequence

import msgspec

from checks.target import Target
from go_live.gate import Gate
from go_live.load.runner import LoadPlan, run_load
from go_live.records import Record


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Due requests, warm-up left out."""

    records: Sequence[Record]
    allow_timed: bool
    """Whether answers of the timed engine count (the harness's own tests)."""


class Level(Measured, frozen=True, kw_only=True):
    """The due requests of one load level."""

    name: str
    """``c=2``."""


def collect(target: Target, gate: Gate, plan: LoadPlan) -> list[Record]:
    """Run ``plan``; every record goes into the log as it ends, and those that count are returned in due order."""
    records: list[Record] = []

    def keep(record: Record) -> None:
        gate.record(record)
        records.append(record)
        gate.progress.update(record)

    gate.progress.start(f"{plan.phase} {plan.level}", total=plan.requests, duration_s=plan.duration_s)
    try:
        target.call(lambda: run_load(target.endpoint, plan, on_record=keep))
    finally:
        gate.progress.finish()
    return sorted((record for record in records if record.phase != "warmup"), key=lambda record: record.due)


def measured_up_to_cap(records: Sequence[Record], cap: int) -> list[Record]:
    """The records of levels whose concurrency is at most ``cap``."""
    allowed = {f"c={concurrency}" for concurrency in range(1, cap + 1)}
    return [record for record in records if record.level in allowed]
