"""Going on with a killed run: what its log says was done, what was left open, and whether it may go on at all.

A request that was open when the run was killed has no answer, and the service is not to blame for that: it is asked
again, under its own number, so that it is neither lost nor counted twice. But what is already known against it stays:
one that had been open for longer than the limit of its phase is recorded as a miss and not asked again. Otherwise a
run could be killed whenever it looks bad.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from go_live.checklist import Plan, Repository
from go_live.config import Config
from go_live.errors import ResumeRefusedError, UsageError
from go_live.evidence.log import Entry
from go_live.records import ErrorClass, Record

RESTARTS = ("nonce", "worker_id", "pid", "uptime_s")
"""Parts of a probe's answer that differ between two workers of the same build."""


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What a killed run left open."""

    again: tuple[Record, ...]
    """To be asked again under their numbers."""
    missed: tuple[Record, ...]
    """Open for longer than their limit when the run was killed: known misses."""


def left_open(entries: Iterable[Entry], limits_ms: Mapping[str, float]) -> Left:
    """The requests of a log that became due and have no end.

    Args:
        entries: The log's.
        limits_ms: The smallest limit on the total time, by phase; a phase without one (the warm-up) is not kept.
    """
    decoder = msgspec.json.Decoder(Record)
    due: dict[tuple[str, str, int], Record] = {}
    last = 0.0
    for entry in entries:
        last = max(last, entry.at)
        if entry.kind in {"due", "request"}:
            record = decoder.decode(entry.body)
            key = (record.phase, record.level, record.seq)
            if entry.kind == "due":
                due[key] = record
            else:
                due.pop(key, None)
    again, missed = [], []
    for record in due.values():
        if record.phase not in limits_ms:
            continue
        open_ms = (last - record.wall) * 1000
        if open_ms > limits_ms[record.phase]:
            detail = f"the run was killed when the request had been open for at least {open_ms:.0f} ms"
            missed.append(msgspec.structs.replace(record, error=ErrorClass.INTERRUPTED, detail=detail))
        else:
            again.append(record)
    return Left(again=tuple(again), missed=tuple(missed))


def limits_of(config: Config) -> dict[str, float]:
    """The smallest limit on the total time of each phase that is judged, ms."""
    return {
        "load": min(config.slo.total_ms_p50, config.slo.total_ms_p95),
        "soak": min(config.soak.total_ms_p50, config.soak.total_ms_p95),
    }


def refuse_changed(
    plan: Plan, *, repository: Repository, digests: Mapping[str, str], versions: Mapping[str, str]
) -> None:
    """Refuse to go on with a run whose commit, configuration, checks or tools are no longer those of its plan.

    Raises:
        ResumeRefusedError: naming what has changed.
    """
    changed = [
        *_changed({"commit": plan.repository.commit}, {"commit": repository.commit}),
        *_changed({"uncommitted changes": str(plan.repository.dirty)}, {"uncommitted changes": str(repository.dirty)}),
        *_changed(plan.digests, digests),
        *_changed(plan.versions, versions),
    ]
    if changed:
        raise ResumeRefusedError(
            f"cannot resume {plan.run_id}: {', '.join(changed)} changed since its plan was made; start a new run"
        )


def refuse_other_target(earlier: Mapping[str, Any], now: Mapping[str, Any], *, live: bool) -> None:
    """Refuse to go on against another target than the run began with.

    Args:
        earlier: The facts of the log.
        now: Facts as they are found; only those of the target, with its probe, are compared.
        live: A live endpoint keeps its address; a local one gets a new port at each start.

    Raises:
        ResumeRefusedError: naming what differs.
    """
    if "probe" not in earlier or "probe" not in now:
        return
    before, after = dict(earlier["probe"]), dict(now["probe"])
    for part in RESTARTS:
        before.pop(part, None)
        after.pop(part, None)
    changed = _changed(before, after)
    if live:
        changed += _changed({"job_api": earlier["job_api"]}, {"job_api": now["job_api"]})
    if changed:
        raise ResumeRefusedError(
            f"cannot resume: the target is another one now ({', '.join(changed)}); start a new run"
        )


def find(root: Path, run: str, *, asked: str = "--resume ") -> Path:
    """The run directory that ``run`` names: a path, or the id of a run below ``root``/reports.

    ``asked`` begins the message when there is none.

    Raises:
        UsageError: there is none.
    """
    for directory in (Path(run), root / "reports" / run):
        if (directory / "plan.json").is_file():
            return directory.resolve()
    raise UsageError(f"{asked}{run}: no such run; name its directory, or its id below {root / 'reports'}")


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names whose values differ."""
    return [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
