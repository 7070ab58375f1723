"""Plan x item results -> decision. Pure: the same files give the same decision on any machine, at any time."""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

import msgspec

from go_live.errors import ExitCode
from go_live.outcome import EXIT_CODES, SATISFYING, SEVERITY, Outcome, Verdict, worst


class Answer(StrEnum):
    """The decision's one word."""

    GO = "GO"
    NO_GO = "NO-GO"
    INCONCLUSIVE = "INCONCLUSIVE"
    PARTIAL = "PARTIAL"
    """Only some of the required items were asked for, and those hold: never a GO."""


class ItemResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the run concluded on one item (a line of verdicts.json)."""

    item: str
    outcome: Outcome
    reason: str
    """One sentence: the worst verdict's reason, or why there is none."""
    verdicts: tuple[Verdict, ...] = ()


class Blocking(msgspec.Struct, frozen=True, kw_only=True):
    """A required item that stands in the way."""

    item: str
    outcome: Outcome
    reason: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer (decision.json)."""

    answer: Answer
    reason: str
    """One sentence."""
    exit_code: int
    run_id: str
    profile: str
    blocking: tuple[Blocking, ...]
    """Required items that are not satisfied, worst first."""
    required: int
    satisfied: int


def combine(item: str, verdicts: Sequence[Verdict]) -> ItemResult:
    """The result of an item from all of its verdicts: the worst of them; NOT_RUN for none."""
    if not verdicts:
        return ItemResult(item=item, outcome=Outcome.NOT_RUN, reason="no check reported a verdict")
    outcome = worst(verdict.outcome for verdict in verdicts)
    reasons = [verdict.reason for verdict in verdicts if verdict.outcome == outcome]
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 and outcome not in SATISFYING else ""
    return ItemResult(item=item, outcome=outcome, reason=reasons[0] + more, verdicts=tuple(verdicts))


def decide(
    *, run_id: str, profile: str, required: Sequence[str], selected: Collection[str], results: Iterable[ItemResult]
) -> Decision:
    """Decide on ``required`` items from ``results``.

    A required item without a result counts as NOT_RUN. An empty plan is never a pass. When not all required items were
    ``selected``, the selected ones alone are looked at, and the answer is at best PARTIAL.
    """
    partial = not set(required) <= set(selected)
    required = tuple(selected) if partial else required
    by_id = {result.item: result for result in results}
    missing = ItemResult(item="", outcome=Outcome.NOT_RUN, reason="no result was recorded")
    found = [(item, by_id.get(item, missing)) for item in required]
    blocking = tuple(
        Blocking(item=item, outcome=result.outcome, reason=result.reason)
        for item, result in sorted(found, key=lambda pair: SEVERITY.index(pair[1].outcome))
        if result.outcome not in SATISFYING
    )
    answer, code, reason = _answer(len(found), blocking, partial=partial)
    return Decision(
        answer=answer,
        reason=reason,
        exit_code=code,
        run_id=run_id,
        profile=profile,
        blocking=blocking,
        required=len(found),
        satisfied=len(found) - len(blocking),
    )


def _answer(required: int, blocking: Sequence[Blocking], *, partial: bool) -> tuple[Answer, ExitCode, str]:
    """Answer, exit code and sentence."""
    if not required:
        return Answer.INCONCLUSIVE, ExitCode.NOT_MEASURED, "the plan requires nothing, so nothing was shown"
    if not blocking and partial:
        return Answer.PARTIAL, ExitCode.GO, f"the {required} selected items hold; a partial run is never a GO"
    if not blocking:
        return Answer.GO, ExitCode.GO, f"all {required} required items are satisfied"
    first = blocking[0]
    rest = f"; {len(blocking) - 1} more of {required} required items are not satisfied" if len(blocking) > 1 else ""
    answer = Answer.NO_GO if first.outcome is Outcome.FAIL else Answer.INCONCLUSIVE
    return answer, EXIT_CODES[first.outcome], f"{first.item} is {first.outcome.name}: {first.reason}{rest}"
