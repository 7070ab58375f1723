"""Judge a run again, offline: what was computed from records is computed anew, the rest is taken as recorded."""

from pathlib import Path

import msgspec

from go_live.asking import run_checks
from go_live.begin import checks_folder
from go_live.evidence.binding import refuse_other_checks
from go_live.evidence.run_directory import CheckReport, RunData, read_conclusions, read_run, settle
from go_live.gate import MEASURED, Gate
from go_live.outcome import Verdict
from go_live.plan import digest_files
from go_live.pytest_plugin import GatePlugin

LIVE = frozenset({"target"})
"""Fixtures that only a running endpoint can give."""


class Silent:
    """Progress of a replay: there is none to show."""

    def start(self, phase: str, *, total: int | None = None, duration_s: float | None = None) -> None:
        """Nothing is measured."""

    def update(self, record: object) -> None:
        """Nothing is measured."""

    def note(self, text: str) -> None:
        """Nothing is measured."""

    def finish(self) -> None:
        """Nothing is measured."""


def judge_again(directory: Path, root: Path) -> RunData:
    """The run in ``directory``, its record-based checks judged again by the checks in ``root`` (or the installed ones).

    Raises:
        UsageError: not a run directory, a log or plan that was changed, or other checks than the plan's.
        MeasurementError: the checks could not be run.
    """
    data = read_run(directory)
    folder = checks_folder(root)
    refuse_other_checks(data.plan, digest_files(root, folder.glob("*.py")))
    again: list[CheckReport] = []
    gate = Gate(
        plan=data.plan,
        root=root,
        directory=directory,
        record=lambda _record: None,
        due=lambda _record: None,
        fact=lambda _facts: None,
        progress=Silent(),
        recorded=data.log,
    )
    plugin = GatePlugin(
        gate,
        selected=data.plan.selected,
        on_report=again.append,
        wanted=lambda names: bool(MEASURED & names) and not LIVE & names,
    )
    run_checks(plugin, folder)
    rejudged = {report.test for report in again}
    recorded = [report for report in data.log.checks if report.test not in rejudged]
    results, decision = settle(data.plan, data.log, [*recorded, *again])
    return msgspec.structs.replace(data, results=results, decision=decision)


def differences(directory: Path, data: RunData) -> list[str]:
    """What ``verdicts.json`` says otherwise than ``data``: outcomes and whole numbers exactly, other figures rounded.

    Raises:
        UsageError: there is no readable verdicts.json.
    """
    found = []
    for before, now in zip(read_conclusions(directory).items, data.results, strict=True):
        if _exact(before.verdicts) != _exact(now.verdicts) or before.outcome != now.outcome:
            found.append(f"{now.item} was {before.outcome.name} and is {now.outcome.name} when judged again")
    return found


def _exact(verdicts: tuple[Verdict, ...]) -> list[tuple[object, ...]]:
    """What must repeat: claims, outcomes, whole numbers, and figures to six digits; in any order."""
    return sorted(
        (v.claim, v.outcome.value, v.n, v.misses, v.needed, None if v.measured is None else f"{v.measured:.6g}")
        for v in verdicts
    )
