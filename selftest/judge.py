"""Has a control turned its item red, for its own reason? Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from go_live.decide import ItemResult
from go_live.outcome import Outcome, Verdict
from selftest.batches import Batch
from selftest.control import Control

CRASHES = ("could not measure: ", "the check ended without a verdict")
"""How the plugin words the end of a check that broke: such a check has judged nothing, so it is no red."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of one control."""

    control: Control
    reason: str | None
    """The verdict's reason that kept the promise; None: it was not seen red."""
    problem: str | None
    """Why it was not; None: it was."""


def judge(control: Control, results: Mapping[str, ItemResult]) -> Seen:
    """Look for the promised verdict among those of the control's item."""
    result = results.get(control.item)
    verdicts = () if result is None else result.verdicts
    if crash := next((verdict.reason for verdict in verdicts if crashed(verdict)), None):
        return Seen(control=control, reason=None, problem=f"the check itself broke, which is no red: {crash}")
    kept = [v.reason for v in verdicts if v.outcome is control.outcome and control.reason in v.reason]
    if kept and result is not None and result.outcome is control.outcome:
        return Seen(control=control, reason=kept[0], problem=None)
    return Seen(control=control, reason=None, problem=_told(result))


def crashed(verdict: Verdict) -> bool:
    """Whether the verdict is the plugin's word for a check that broke."""
    return verdict.outcome is Outcome.ERROR and verdict.reason.startswith(CRASHES)


def strays(batch: Batch, results: Mapping[str, ItemResult]) -> list[str]:
    """The bystanders of ``batch`` that did not pass, one line each."""
    return [
        f"{item} did not stay green: {_told(results.get(item))}"
        for item in batch.bystanders
        if item not in results or results[item].outcome is not Outcome.PASS
    ]


def explain(seen: Seen) -> str:
    """A failed control in a few lines: control, item, what was promised, what was seen."""
    control = seen.control
    return (
        f"control {control.id} ({control.scene}) was not seen red\n"
        f"  item:     {control.item}\n"
        f"  promised: {control.outcome.upper()}, saying {control.reason!r}\n"
        f"  seen:     {seen.problem}"
    )


def _told(result: ItemResult | None) -> str:
    if result is None:
        return "the run has no result of it"
    wrong = [v for v in result.verdicts if v.outcome is not Outcome.PASS]
    shown: Sequence[str] = [f"{v.outcome.upper()}: {v.reason}" for v in wrong[:3]]
    return "; ".join(shown) or f"{result.outcome.upper()}: {result.reason}"
