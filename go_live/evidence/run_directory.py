"""reports/<run-id>/: everything a run saw and concluded."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from go_live.checklist import Plan
from go_live.decide import Decision, ItemResult, combine, decide
from go_live.errors import UsageError
from go_live.evidence.binding import count_only_ours
from go_live.evidence.log import Entry, LogWriter, open_log, read_log
from go_live.outcome import Outcome, Verdict
from go_live.records import Record
from go_live.table import Columns, Table

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

    records: Table
    checks: tuple[CheckReport, ...]
    facts: dict[str, Any]
    notes: tuple[str, ...]
    started: float
    finished: float | None
    """None: the run was killed; it can never count as passed."""
    plan_sha256: str
    resumed: int = 0
    """How often the run was killed and resumed."""
    concluded: dict[str, float] = {}
    """Item -> Unix time of the oldest of its conclusions."""
    told: tuple[dict[str, Any], ...] = ()
    """The facts, entry by entry: a run that was resumed spoke to its target more than once."""


class Conclusions(msgspec.Struct, frozen=True, kw_only=True):
    """What the run concluded (verdicts.json)."""

    evidence: dict[str, str]
    """sha256 of the files it was computed from: ``plan.json``, ``log.jsonl``."""
    items: tuple[ItemResult, ...]


class _Bound(msgspec.Struct, frozen=True):
    """What verdicts.json and decision.json have in common."""

    evidence: dict[str, str] = {}


_Told = TypeVar("_Told", Conclusions, _Bound)


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
    records = Columns()
    others: dict[str, list[Entry]] = {kind: [] for kind in ("start", "check", "facts", "note", "resume", "finish")}
    record = msgspec.json.Decoder(Record)
    for entry in entries:
        if entry.kind == "request":
            records.add(_record(record, entry))
        elif entry.kind in others:
            others[entry.kind].append(entry)
    start = others["start"][0] if others["start"] else None
    if start is None or start.n != 0:
        raise UsageError("the log does not begin with its start entry; it cannot be judged")
    told: list[dict[str, Any]] = [msgspec.json.decode(entry.body) for entry in others["facts"]]
    facts: dict[str, Any] = {}
    for found in told:
        facts |= found
    checks = [msgspec.json.decode(entry.body, type=CheckReport) for entry in others["check"]]
    concluded: dict[str, float] = {}
    for entry, check in zip(others["check"], checks, strict=True):
        concluded = dict.fromkeys(answered(check), entry.at) | concluded
    return RunLog(
        records=records.table(),
        checks=tuple(checks),
        facts=facts,
        notes=tuple(msgspec.json.decode(entry.body, type=str) for entry in others["note"]),
        started=start.at,
        finished=others["finish"][-1].at if others["finish"] else None,
        plan_sha256=msgspec.json.decode(start.body)["plan_sha256"],
        resumed=len(others["resume"]),
        concluded=concluded,
        told=tuple(told),
    )


def _record(decoder: msgspec.json.Decoder[Record], entry: Entry) -> Record:
    """The body of a ``request`` entry.

    Raises:
        UsageError: it is none; a chain that holds proves order, not sense.
    """
    try:
        return decoder.decode(entry.body)
    except msgspec.DecodeError as error:
        raise UsageError(f"entry {entry.n} of the log is no request: {error}") from error


def answered(check: CheckReport, *verdicts: Verdict) -> tuple[str, ...]:
    """The items that ``verdicts`` of ``check`` (default: all) answer: each names its own, or it answers the check's."""
    spoken = verdicts or check.verdicts
    return tuple(item for verdict in spoken for item in ((verdict.item,) if verdict.item else check.items))


def conclude(plan: Plan, checks: Sequence[CheckReport]) -> tuple[ItemResult, ...]:
    """The result of each item of the plan, from all that the checks reported. Pure."""
    by_item: dict[str, list[Verdict]] = {item.id: [] for item in plan.items}
    for check in checks:
        for verdict in check.verdicts:
            for item in answered(check, verdict):
                by_item[item].append(verdict)
    return tuple(_result(item, verdicts, plan) for item, verdicts in by_item.items())


def _result(item: str, verdicts: Sequence[Verdict], plan: Plan) -> ItemResult:
    """Combine, or say why there is nothing to combine."""
    if not verdicts and item not in plan.selected:
        return ItemResult(item=item, outcome=Outcome.NOT_RUN, reason="not selected in this run")
    return combine(item, verdicts)


def settle(plan: Plan, log: RunLog, checks: Sequence[CheckReport]) -> tuple[tuple[ItemResult, ...], Decision]:
    """Results and decision of a run whose checks concluded ``checks``, as of the end of its log. Pure.

    What has no conclusion in the log is as old as the log; what is about another commit, endpoint or image than the
    plan's satisfies nothing.
    """
    dated = [
        msgspec.structs.replace(result, concluded_at=log.concluded.get(result.item, log.started))
        if result.verdicts
        else result
        for result in conclude(plan, checks)
    ]
    results = count_only_ours(plan, log.told, dated)
    return results, decide_run(plan, results, now=log.finished)


def decide_run(plan: Plan, results: Sequence[ItemResult], *, now: float | None) -> Decision:
    """The decision of a run at ``now`` (Unix time); None: the run was not finished, and satisfies nothing."""
    if now is None:
        reason = "the run was not finished: its log has no finish entry"
        results = [ItemResult(item=item, outcome=Outcome.NOT_RUN, reason=reason) for item in plan.required]
    return decide(
        run_id=plan.run_id,
        profile=plan.profile,
        required=plan.required,
        selected=plan.selected,
        results=results,
        terms=None if now is None else plan.terms(now),
    )


def requests(directory: Path) -> Iterator[Record]:
    """Every due request of the run so far, whole, in the order in which they ended.

    Raises:
        UsageError: the log cannot be read or is not whole.
    """
    decoder = msgspec.json.Decoder(Record)
    return (decoder.decode(entry.body) for entry in read_log(directory / LOG) if entry.kind == "request")


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
        UsageError: not a run directory, a broken log, a plan that is not the one the log began with, or conclusions
            that were drawn from another plan or log.
    """
    plan, digest = read_plan(directory)
    log = sort_entries(read_log(directory / LOG))
    if log.plan_sha256 != digest:
        raise UsageError(f"{directory / PLAN} is not the plan this run was started with: it was changed afterwards")
    _refuse_other_evidence(directory)
    results, decision = settle(plan, log, log.checks)
    return RunData(plan=plan, log=log, results=results, decision=decision)


def write_conclusions(directory: Path, data: RunData) -> RunData:
    """Write verdicts.json and decision.json, bound to plan and log; returns ``data`` with the decision as written."""
    evidence = dict(digests(directory, (PLAN, LOG)))
    decision = msgspec.structs.replace(data.decision, evidence=evidence)
    write_atomically(directory / VERDICTS, encode(Conclusions(evidence=evidence, items=data.results)))
    write_atomically(directory / DECISION, encode(decision))
    return msgspec.structs.replace(data, decision=decision)


def read_conclusions(directory: Path) -> Conclusions:
    """What verdicts.json says.

    Raises:
        UsageError: there is no readable verdicts.json.
    """
    return _read(directory / VERDICTS, Conclusions)


def digests(directory: Path, names: Iterable[str]) -> Mapping[str, str]:
    """sha256 (hex) of the named files in ``directory``; of a log that is kept compressed, that of the log itself."""
    return {name: _digest(directory / name) for name in names}


def _digest(path: Path) -> str:
    """sha256 of a file of any size."""
    with open_log(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_other_evidence(directory: Path) -> None:
    """Refuse conclusions that do not belong to the plan and the log beside them; a run that was killed has none."""
    told = {path: _read(path, _Bound).evidence for name in (VERDICTS, DECISION) if (path := directory / name).exists()}
    found = digests(directory, (PLAN, LOG)) if told else {}
    for path, evidence in told.items():
        if wrong := [file for file, digest in found.items() if evidence.get(file) != digest]:
            raise UsageError(
                f"{path} was computed from another {' and '.join(wrong)} than the one beside it: "
                "one of them was changed or exchanged, and the run cannot be judged"
            )


def _read(path: Path, kind: type[_Told]) -> _Told:
    """A file of conclusions."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
