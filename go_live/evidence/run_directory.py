"""reports/<run-id>/: everything a run saw and concluded."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from go_live.checklist import Plan
from go_live.decide import Decision, ItemResult, combine, decide
from go_live.errors import UsageError
from go_live.evidence.log import Entry, LogWriter, read_log
from go_live.outcome import Outcome, Verdict
from go_live.records import Record

PLAN, LOG, VERDICTS, DECISION = "plan.json", "log.jsonl", "verdicts.json", "decision.json"


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one check concluded (body of a ``check`` entry)."""

    test: str
    """Node id of the check."""
    items: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float = 0.0


class RunLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log, read and sorted by what it holds."""

    records: tuple[Record, ...]
    checks: tuple[CheckReport, ...]
    facts: dict[str, Any]
    notes: tuple[str, ...]
    started: float
    finished: float | None
    """None: the run was killed; it can never count as passed."""
    plan_sha256: str


class RunData(msgspec.Struct, frozen=True, kw_only=True):
    """A run, read back from its directory: what a report is made of."""

    plan: Plan
    log: RunLog
    results: tuple[ItemResult, ...]
    decision: Decision


def create(root: Path, plan: Plan, now: Callable[[], float]) -> tuple[Path, LogWriter]:
    """Make the directory of a new run below ``root``/reports, write its plan, open its log."""
    directory = root / "reports" / plan.run_id
    directory.mkdir(parents=True)
    text = encode(plan)
    write_atomically(directory / PLAN, text)
    log = LogWriter(directory / LOG, now)
    log.append("start", {"run_id": plan.run_id, "plan_sha256": hashlib.sha256(text).hexdigest()})
    return directory, log


def encode(value: Any) -> bytes:
    """``value`` as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` so that a reader sees the old file or the whole new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sort_entries(entries: Iterable[Entry]) -> RunLog:
    """Entries -> RunLog.

    Raises:
        UsageError: the log does not begin with a ``start`` entry.
    """
    records: list[Record] = []
    checks: list[CheckReport] = []
    facts: dict[str, Any] = {}
    notes: list[str] = []
    start: Entry | None = None
    finished: float | None = None
    record = msgspec.json.Decoder(Record)
    for entry in entries:
        match entry.kind:
            case "request":
                records.append(record.decode(entry.body))
            case "check":
                checks.append(msgspec.json.decode(entry.body, type=CheckReport))
            case "facts":
                facts |= msgspec.json.decode(entry.body)
            case "note":
                notes.append(msgspec.json.decode(entry.body, type=str))
            case "start":
                start = entry
            case "finish":
                finished = entry.at
            case "collected":
                pass
    if start is None or start.n != 0:
        raise UsageError("the log does not begin with its start entry; it cannot be judged")
    return RunLog(
        records=tuple(records),
        checks=tuple(checks),
        facts=facts,
        notes=tuple(notes),
        started=start.at,
        finished=finished,
        plan_sha256=msgspec.json.decode(start.body)["plan_sha256"],
    )


def conclude(plan: Plan, checks: Sequence[CheckReport]) -> tuple[ItemResult, ...]:
    """The result of each item of the plan, from all that the checks reported. Pure."""
    by_item: dict[str, list[Verdict]] = {item.id: [] for item in plan.items}
    for check in checks:
        for verdict in check.verdicts:
            for item in [verdict.item] if verdict.item else check.items:
                by_item[item].append(verdict)
    return tuple(_result(item, verdicts, plan) for item, verdicts in by_item.items())


def _result(item: str, verdicts: Sequence[Verdict], plan: Plan) -> ItemResult:
    """Combine, or say why there is nothing to combine."""
    if not verdicts and item not in plan.selected:
        return ItemResult(item=item, outcome=Outcome.NOT_RUN, reason="not selected in this run")
    return combine(item, verdicts)


def decide_run(plan: Plan, results: Sequence[ItemResult], *, finished: bool) -> Decision:
    """The decision of a run; an unfinished run satisfies nothing."""
    if not finished:
        reason = "the run was not finished: its log has no finish entry"
        results = [ItemResult(item=item, outcome=Outcome.NOT_RUN, reason=reason) for item in plan.required]
    return decide(
        run_id=plan.run_id,
        profile=plan.profile,
        required=plan.required,
        selected=plan.selected,
        results=results,
    )


def read_plan(directory: Path) -> tuple[Plan, str]:
    """The plan of a run directory, and the sha256 of its file.

    Raises:
        UsageError: there is none, or it is not a plan.
    """
    try:
        text = (directory / PLAN).read_bytes()
        return msgspec.json.decode(text, type=Plan), hashlib.sha256(text).hexdigest()
    except OSError as error:
        raise UsageError(f"{directory} is not a run directory: {error}") from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{directory / PLAN} is not a plan: {error}") from error


def read_run(directory: Path) -> RunData:
    """Read a run back: plan and log as they were written, results and decision computed again from them.

    Raises:
        UsageError: not a run directory, a broken log, or a plan that is not the one the log began with.
    """
    plan, digest = read_plan(directory)
    log = sort_entries(read_log(directory / LOG))
    if log.plan_sha256 != digest:
        raise UsageError(f"{directory / PLAN} is not the plan this run was started with: it was changed afterwards")
    results = conclude(plan, log.checks)
    decision = decide_run(plan, results, finished=log.finished is not None)
    return RunData(plan=plan, log=log, results=results, decision=decision)


def digests(directory: Path, names: Iterable[str]) -> Mapping[str, str]:
    """sha256 (hex) of the named files in ``directory``."""
    return {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in names}
