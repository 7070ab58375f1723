"""Judge a run again, offline: what was computed from records is computed anew, the rest is taken as recorded."""

from pathlib import Path

import msgspec

from go_live.decide import ItemResult
from go_live.errors import UsageError
from go_live.evidence.run_directory import VERDICTS, CheckReport, RunData, conclude, decide_run, read_run
from go_live.gate import Gate
from go_live.outcome import Verdict
from go_live.pytest_plugin import GatePlugin
from go_live.run import checks_folder, run_checks

RECORDED = frozenset({"load_level", "load_records", "soak", "measured"})
"""Fixtures that a log can stand in for."""
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
        UsageError: not a run directory, or a log or plan that was changed.
        MeasurementError: the checks could not be run.
    """
    data = read_run(directory)
    again: list[CheckReport] = []
    gate = Gate(
        plan=data.plan,
        root=root,
        directory=directory,
        record=lambda _record: None,
        fact=lambda _facts: None,
        progress=Silent(),
        recorded=data.log,
    )
    plugin = GatePlugin(
        gate,
        selected=data.plan.selected,
        on_report=again.append,
        wanted=lambda names: bool(RECORDED & names) and not LIVE & names,
    )
    run_checks(plugin, checks_folder(root))
    rejudged = {report.test for report in again}
    recorded = [report for report in data.log.checks if report.test not in rejudged]
    results = conclude(data.plan, [*recorded, *again])
    decision = decide_run(data.plan, results, finished=data.log.finished is not None)
    return msgspec.structs.replace(data, results=results, decision=decision)


def differences(directory: Path, data: RunData) -> list[str]:
    """What ``verdicts.json`` says otherwise than ``data``: outcomes and whole numbers exactly, other figures rounded.

    Raises:
        UsageError: there is no readable verdicts.json.
    """
    try:
        text = (directory / VERDICTS).read_bytes()
        told = msgspec.json.decode(text, type=tuple[ItemResult, ...])
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{directory / VERDICTS} cannot be read: {error}") from error
    found = []
    for before, now in zip(told, data.results, strict=True):
        if _exact(before.verdicts) != _exact(now.verdicts) or before.outcome != now.outcome:
            found.append(f"{now.item} was {before.outcome.name} and is {now.outcome.name} when judged again")
    return found


def _exact(verdicts: tuple[Verdict, ...]) -> list[tuple[object, ...]]:
    """What must repeat: claims, outcomes, whole numbers, and figures to six digits; in any order."""
    return sorted(
        (v.claim, v.outcome.value, v.n, v.misses, v.needed, None if v.measured is None else f"{v.measured:.6g}")
        for v in verdicts
    )
