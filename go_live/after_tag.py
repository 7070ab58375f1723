"""The items that are answered after the tag's push, as far as a check answers them now (REL-4).

They are asked of the same plan by the same checks as before; what they say is no part of the run's log, which ended
with the decision, but of the release's record, which they complete.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from go_live.asking import run_checks
from go_live.begin import checks_folder
from go_live.decide import ItemResult
from go_live.errors import GoliveError
from go_live.evidence.run_directory import CheckReport, RunData, conclude, encode, write_atomically
from go_live.gate import Gate, Progress
from go_live.outcome import Outcome, Verdict
from go_live.pytest_plugin import GatePlugin

AFTER_TAG = "after-tag.json"
"""In the run's directory: what was said after the push, and of which target."""
BY_THE_RELEASE = frozenset({"REL-3"})
"""Answered by the release itself, which has just pushed."""
BY_THE_ROLLOUT = frozenset({"ROL-1", "ROL-2"})
"""Answered hours and a day later, by ``golive rollout``, which completes the record itself."""


class AfterTag(msgspec.Struct, frozen=True, kw_only=True):
    """What ``after-tag.json`` holds."""

    run_id: str
    asked_at: float
    """Unix time."""
    facts: tuple[dict[str, Any], ...]
    checks: tuple[CheckReport, ...]
    items: tuple[ItemResult, ...]


def ask_after(
    data: RunData, root: Path, directory: Path, progress: Progress, now: Callable[[], float] = time.time
) -> tuple[ItemResult, ...]:
    """Ask what can be asked now; none for a local target, which nothing rebuilds.

    Args:
        data: the run that was released.
        root: the project's root.
        directory: of the run; what is said is kept there.
        progress: shows what goes on.
        now: Unix time.

    Returns:
        A result for each item that has a check; ERROR or NOT_RUN where it could not be asked, never nothing.
    """
    plan = data.plan
    later = [
        item for item in plan.items if item.phase == "after-tag" and item.id not in BY_THE_RELEASE | BY_THE_ROLLOUT
    ]
    if plan.target.kind != "runpod" or not later:
        return ()
    selected = tuple(item.id for item in later)
    asked = msgspec.structs.replace(plan, selected=selected)
    reports: list[CheckReport] = []
    facts: list[dict[str, Any]] = []
    found: list[tuple[str, tuple[str, ...]]] = []

    def note(fact: Mapping[str, Any]) -> None:
        facts.append(dict(fact))

    gate = Gate(
        plan=asked,
        root=root,
        directory=directory,
        record=lambda _record: None,
        due=lambda _due: None,
        fact=note,
        progress=progress,
    )
    plugin = GatePlugin(gate, selected=selected, on_report=reports.append, on_collected=found.extend)
    trouble: tuple[Outcome, str] | None = None
    try:
        run_checks(plugin, checks_folder(root))
    except KeyboardInterrupt:
        # The tag is pushed: this must not end as if nothing had been released.
        trouble = Outcome.NOT_RUN, "it was interrupted while it was asked"
    except GoliveError as error:
        trouble = Outcome.ERROR, f"could not measure: {error}"
    if trouble is not None:
        reports += _unasked(found, reports, *trouble)
    at = now()
    answered = {name for report in reports for name in report.items}
    items = tuple(
        msgspec.structs.replace(result, concluded_at=at)
        for result in conclude(asked, reports)
        if result.item in answered and result.item in selected
    )
    kept = AfterTag(run_id=plan.run_id, asked_at=at, facts=tuple(facts), checks=tuple(reports), items=items)
    write_atomically(directory / AFTER_TAG, encode(kept))
    return items


def _unasked(
    found: list[tuple[str, tuple[str, ...]]], reports: list[CheckReport], outcome: Outcome, reason: str
) -> list[CheckReport]:
    """A report for each check that was collected and did not report, or of REL-4 where none was even collected."""
    done = {name for report in reports for name in report.items}
    missing = [(test, items) for test, items in found if not set(items) <= done] or [("", ("REL-4",))]
    verdict = Verdict(claim="asked after the push", outcome=outcome, reason=reason)
    return [CheckReport(test=test, items=items, verdicts=(verdict,)) for test, items in missing]
