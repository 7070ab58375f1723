"""The whole flow: plan, collect, judge, decide, release, report. Each stage reads files and writes files."""

import datetime as dt
import importlib.util
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from go_live import checklist, config, preflight
from go_live.checklist import Plan
from go_live.decide import RELEASED as RELEASED_ANSWERS
from go_live.display import Display
from go_live.errors import ExitCode, GoliveError, MeasurementError, UsageError
from go_live.evidence import attestations
from go_live.evidence.log import LogWriter
from go_live.evidence.run_directory import (
    CheckReport,
    RunData,
    create,
    encode,
    read_run,
    write_atomically,
    write_conclusions,
)
from go_live.gate import Gate
from go_live.load.progress import Progress
from go_live.plan import Options, digest_files, make_plan
from go_live.pytest_plugin import GatePlugin
from go_live.release import waivers
from go_live.release.run import release_run
from go_live.report import render
from go_live.report.command import RELEASED, view_of

PYTEST_INI = "pytest.ini"


def run_gate(options: Options, *, root: Path | None = None, display: Display | None = None) -> int:
    """Run the gate in ``root`` (default: the working folder) and return its exit code.

    Raises:
        GoliveError: the run could not be planned or started; nothing was measured.
    """
    root = root or Path.cwd()
    display = display or Display()
    plan, notes = prepare(options, root)
    display.plan(plan)
    for note in notes:
        display.line(f"note: {note}", style="yellow")
    directory, log = create(root, plan, time.time)
    try:
        for note in notes:
            log.append("note", note)
        collect(plan, root, directory, log, display)
        log.append("finish", {"run_id": plan.run_id})
    finally:
        log.close()
    data = write_conclusions(directory, read_run(directory))
    return finish(data, root, directory, display, options)


def prepare(options: Options, root: Path) -> tuple[Plan, list[str]]:
    """Everything that can be refused before the first request.

    Raises:
        UsageError: configuration, checklist, repository or machine are not fit for the run.
    """
    settings = config.load(root / options.config)
    items = checklist.load(root / "GO_LIVE_CHECKLIST.md")
    facts = preflight.gather(root)
    statements = root / settings.attestations.file
    sources = [root / options.config, root / "GO_LIVE_CHECKLIST.md", *checks_folder(root).glob("*.py")]
    now = dt.datetime.now(dt.UTC)
    waived = waivers.load(
        root / options.config,
        settings,
        root=root,
        items=[item.id for item in items],
        now=now,
        environment=os.environ,
    )
    plan = make_plan(
        config=settings,
        items=items,
        options=options,
        repository=facts.repository,
        digests=digest_files(root, [*sources, *([statements] if statements.exists() else [])]),
        now=now,
        waivers=waived,
    )
    notes = preflight.check_production(facts) if plan.config.profile[plan.profile].clean_tree else []
    if plan.target.kind == "local":
        notes = preflight.check_rehearsal(facts, engine=plan.target.device in {"cpu", "cuda"})
    attestations.load(statements)
    return plan, notes


def collect(plan: Plan, root: Path, directory: Path, log: LogWriter, display: Display) -> None:
    """Let the checks measure; every request and every conclusion goes into the log.

    Raises:
        KeyboardInterrupt: the user stopped it; the log has no finish entry, so it can never count as passed.
        MeasurementError: pytest itself failed.
    """
    progress = Progress(console=display.console)

    def report(entry: CheckReport) -> None:
        log.append("check", entry)
        display.check_ended(entry)

    statements = attestations.load_planned(plan, root)
    for entry in attestations.attest(plan, statements, dt.datetime.now(dt.UTC).date()):
        if set(entry.items) & set(plan.selected):
            report(entry)
    gate = Gate(
        plan=plan,
        root=root,
        directory=directory,
        record=lambda record: log.append("request", record),
        fact=lambda facts: log.append("facts", facts),
        progress=progress,
    )
    plugin = GatePlugin(
        gate,
        selected=plan.selected,
        on_report=report,
        on_collected=lambda found: log.append("collected", found),
        on_start=display.check_started,
    )
    run_checks(plugin, checks_folder(root))


def checks_folder(root: Path) -> Path:
    """Where the checks are: the project's own, else those that are installed with golive.

    Raises:
        UsageError: neither is there.
    """
    if (root / "checks" / PYTEST_INI).is_file():
        return root / "checks"
    spec = importlib.util.find_spec("checks")
    if spec is None or spec.origin is None:
        raise UsageError("there are no checks: run golive in the project's root, or install it again")
    return Path(spec.origin).parent


def run_checks(plugin: GatePlugin, folder: Path) -> None:
    """Run pytest on the checks in ``folder``, in this process.

    Raises:
        KeyboardInterrupt: the user stopped it.
        GoliveError: the checks do not fit the checklist.
        MeasurementError: pytest itself failed.
    """
    with _environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"):
        code = pytest.main(["-c", str(folder / PYTEST_INI), str(folder)], plugins=[plugin])
    if plugin.error is not None:
        raise plugin.error
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise MeasurementError(f"the checks could not be run (pytest ended with {code!r}); see the lines above")


def finish(data: RunData, root: Path, directory: Path, display: Display, options: Options) -> int:
    """Release on a GO, report, and give the exit code."""
    render.write_all(view_of(data), directory)
    released: list[str] = []
    code = data.decision.exit_code
    problem: GoliveError | None = None
    if data.decision.answer in RELEASED_ANSWERS:
        try:
            released = release_run(data, root, directory)
        except GoliveError as error:
            problem, code = error, ExitCode.NOT_RELEASED
            released = [f"not released: {error}"]
        write_atomically(directory / RELEASED, encode(released))
    view = view_of(data, tuple(released))
    files = render.write_all(view, directory)
    write_atomically(root / "PERFORMANCE_VALIDATION.md", files["PERFORMANCE_VALIDATION.md"].read_bytes())
    render.step_summary(view, os.environ)
    render.terminal(view, display.console, report=files["report.html"])
    if problem is not None:
        display.line(f"golive: {problem}", style="bold red")
    if options.json:
        sys.stdout.buffer.write(encode(data.decision))
    return code


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set variables for a while."""
    before: dict[str, str | None] = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
