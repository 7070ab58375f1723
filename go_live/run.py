"""The whole flow: plan, collect, judge, decide, release, report. Each stage reads files and writes files."""

import datetime as dt
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from go_live import seen_red
from go_live.after_tag import ask_after
from go_live.asking import run_checks
from go_live.begin import Before, checks_folder, go_on, start
from go_live.checklist import Plan
from go_live.display import Display
from go_live.errors import BudgetSpentError, ExitCode
from go_live.evidence import attestations, resume
from go_live.evidence.log import LogWriter
from go_live.evidence.run_directory import (
    CheckReport,
    RunData,
    encode,
    read_run,
    write_atomically,
    write_conclusions,
)
from go_live.gate import Gate
from go_live.load.progress import Progress
from go_live.plan import Options
from go_live.pytest_plugin import GatePlugin
from go_live.records import Record
from go_live.release.completing import complete
from go_live.report import render
from go_live.report.command import view_of
from go_live.spending import FACT as SPENT
from go_live.spending import Meter, Spent


def run_gate(options: Options, *, root: Path | None = None, display: Display | None = None) -> int:
    """Run the gate in ``root`` (default: the working folder) and return its exit code.

    Raises:
        GoliveError: the run could not be planned or started; nothing was measured.
    """
    root = root or Path.cwd()
    display = display or Display()
    # First: a record that cannot be read is refused before anything is measured.
    sightings = seen_red.last_seen(seen_red.load(root / seen_red.RECORD))
    begin = start if options.resume is None else go_on
    plan, directory, log, before, notes = begin(options, root)
    try:
        display.plan(plan)
        for note in notes:
            display.line(f"note: {note}", style="yellow")
            log.append("note", note)
        log.append("facts", {seen_red.FACT: sightings})
        try:
            collect(plan, root, directory, log, display, before)
        except BudgetSpentError as error:
            log.append("note", str(error))
            raise
        log.append("finish", {"run_id": plan.run_id})
    finally:
        log.close()
    data = write_conclusions(directory, read_run(directory))
    return finish(data, root, directory, display, options)


def collect(plan: Plan, root: Path, directory: Path, log: LogWriter, display: Display, before: Before) -> None:
    """Let the checks measure what was not measured ``before``; every request and every conclusion goes into the log.

    Raises:
        KeyboardInterrupt: the user stopped it; the log has no finish entry, so it can never count as passed.
        MeasurementError: pytest itself failed.
    """
    meter = meter_of(plan, before)
    progress = Progress(console=display.console, aside=meter.told if meter is not None else None)

    def report(entry: CheckReport) -> None:
        log.append("check", entry)
        display.check_ended(entry)

    statements = attestations.load_planned(plan, root)
    for entry in attestations.attest(plan, statements, dt.datetime.now(dt.UTC).date()):
        if set(entry.items) & set(plan.selected) and entry.test not in before.tests:
            report(entry)

    columns = before.columns

    def record(ended: Record) -> None:
        log.append("request", ended)
        columns.add(ended)

    def due(asked: Record) -> None:
        if meter is not None:
            meter.refuse_over()
        log.append("due", asked)

    def fact(found: Mapping[str, Any]) -> None:
        resume.refuse_other_target(before.facts, found, live=plan.target.kind == "runpod")
        log.append("facts", found)

    gate = Gate(
        plan=plan,
        root=root,
        directory=directory,
        record=record,
        due=due,
        fact=fact,
        progress=progress,
        columns=columns,
        meter=meter,
        again=before.again,
    )
    plugin = GatePlugin(
        gate,
        selected=plan.selected,
        on_report=report,
        on_collected=lambda found: log.append("collected", found),
        on_start=display.check_started,
        done=before.tests,
    )
    run_checks(plugin, checks_folder(root))


def meter_of(plan: Plan, before: Before) -> Meter | None:
    """Counts on from what the run had cost ``before`` it was killed; None where the target costs nothing."""
    if plan.max_dollars is None:
        return None
    declared = plan.config.endpoint.expected
    spent = msgspec.convert(before.facts[SPENT], Spent) if SPENT in before.facts else None
    meter = Meter(
        dollars_per_hour=plan.config.price.dollars_per_worker_hour,
        workers_max=declared.workers_max,
        limit=plan.max_dollars,
        run_id=plan.run_id,
        before=spent,
    )
    if spent is not None:
        meter.charge_kill(declared.idle_timeout_s)
    return meter


def finish(data: RunData, root: Path, directory: Path, display: Display, options: Options) -> int:
    """Release on a GO, report, and give the exit code."""
    progress = Progress(console=display.console)
    done = complete(data, root, directory, after=lambda: ask_after(data, root, directory, progress))
    code = data.decision.exit_code if done.problem is None else ExitCode.NOT_RELEASED
    view = view_of(data, done.lines)
    files = render.write_all(view, directory)
    write_atomically(root / "PERFORMANCE_VALIDATION.md", files["PERFORMANCE_VALIDATION.md"].read_bytes())
    render.step_summary(view, os.environ)
    render.terminal(view, display.console, report=files["report.html"])
    if done.problem is not None:
        display.line(f"golive: {done.problem}", style="bold red")
    if options.json:
        sys.stdout.buffer.write(encode(data.decision))
    return code
