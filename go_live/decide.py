"""Plan x item results -> decision. Pure: the same files give the same decision on any machine, at any time."""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

import msgspec

from go_live.errors import ExitCode
from go_live.outcome import EXIT_CODES, SATISFYING, SEVERITY, Outcome, Verdict, worst
from go_live.waivers import DAY_S, Judged, Terms, judge, used

CLOCK_SLACK_S = 300.0
"""How far in the future a conclusion may lie: clocks are set back by a little while a run goes on."""


class Answer(StrEnum):
    """The decision's one word."""

    GO = "GO"
    GO_WITH_WAIVERS = "GO-WITH-WAIVERS"
    """Every required item that is not satisfied is waived: what is wrong is known, owned, approved and dated."""
    NO_GO = "NO-GO"
    INCONCLUSIVE = "INCONCLUSIVE"
    PARTIAL = "PARTIAL"
    """Only some of the required items were asked for, and those hold: never a GO."""


RELEASED = frozenset({Answer.GO, Answer.GO_WITH_WAIVERS})
"""Answers that a release follows."""


class ItemResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the run concluded on one item (a line of verdicts.json)."""

    item: str
    outcome: Outcome
    reason: str
    """One sentence: the worst verdict's reason, or why there is none."""
    verdicts: tuple[Verdict, ...] = ()
    concluded_at: float | None = None
    """Unix time of the oldest of its conclusions, from which its evidence ages; None for none."""


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
    """Required items that are neither satisfied nor waived, worst first."""
    required: int
    satisfied: int
    """How many hold; a waived item does not."""
    waived: tuple[Blocking, ...] = ()
    """Required items that are not satisfied and do not block, because a waiver counts for them; worst first."""
    waivers: tuple[Judged, ...] = ()
    """Every waiver of the plan, and what it came to."""
    at: float | None = None
    """Unix time that ages and waivers were judged by; None for a run that was not finished."""
    valid_until: float | None = None
    """Unix time at which the first evidence or waiver that this rests on ends; None where nothing is limited."""
    evidence: dict[str, str] = {}
    """sha256 of the files it was computed from: ``plan.json``, ``log.jsonl``."""


def combine(item: str, verdicts: Sequence[Verdict]) -> ItemResult:
    """The result of an item from all of its verdicts: the worst of them; NOT_RUN for none."""
    if not verdicts:
        return ItemResult(item=item, outcome=Outcome.NOT_RUN, reason="no check reported a verdict")
    outcome = worst(verdict.outcome for verdict in verdicts)
    reasons = [verdict.reason for verdict in verdicts if verdict.outcome == outcome]
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 and outcome not in SATISFYING else ""
    return ItemResult(item=item, outcome=outcome, reason=reasons[0] + more, verdicts=tuple(verdicts))


def decide(
    *,
    run_id: str,
    profile: str,
    required: Sequence[str],
    selected: Collection[str],
    results: Iterable[ItemResult],
    terms: Terms | None = None,
) -> Decision:
    """Decide on ``required`` items from ``results``.

    A required item without a result counts as NOT_RUN, and so does one whose evidence has expired. An empty plan is
    never a pass. When not all required items were ``selected``, the selected ones alone are looked at, and the answer
    is at best PARTIAL. ``terms`` None: no age is limited and nothing is waived.
    """
    now = terms.now if terms else None
    terms = terms or Terms()
    partial = not set(required) <= set(selected)
    required = tuple(selected) if partial else required
    by_id = {result.item: result for result in results}
    found = [current(by_id.get(item, missing(item)), terms) for item in required]
    judged = judge({result.item: result.outcome for result in found}, profile=profile, terms=terms)
    counted = used(judged)
    unsatisfied = [
        Blocking(item=result.item, outcome=result.outcome, reason=result.reason)
        for result in sorted(found, key=lambda result: SEVERITY.index(result.outcome))
        if result.outcome not in SATISFYING
    ]
    blocking = tuple(one for one in unsatisfied if one.item not in counted)
    waived = tuple(one for one in unsatisfied if one.item in counted)
    answer, code, reason = _answer(len(found), blocking, waived, partial=partial)
    ends = [end for result in found if (end := _end(result, terms)) is not None]
    return Decision(
        answer=answer,
        reason=reason,
        exit_code=code,
        run_id=run_id,
        profile=profile,
        blocking=blocking,
        required=len(found),
        satisfied=len(found) - len(unsatisfied),
        waived=waived,
        waivers=judged,
        at=now,
        valid_until=min(ends + [waiver.expires_at for waiver in counted.values()], default=None),
    )


def missing(item: str) -> ItemResult:
    """The result of an item that nobody answered."""
    return ItemResult(item=item, outcome=Outcome.NOT_RUN, reason="no result was recorded")


def current(result: ItemResult, terms: Terms) -> ItemResult:
    """``result`` as it counts at ``terms.now``: NOT_RUN when its evidence has expired, or has no time to age from."""
    days = terms.ages.get(result.item)
    if days is None or result.outcome is Outcome.NOT_RUN:
        return result
    if result.concluded_at is None:
        reason = "expired: nothing says when this was concluded"
    elif (age := terms.now - result.concluded_at) < -CLOCK_SLACK_S:
        reason = f"expired: concluded {-age / 60:.0f} minutes in the future, so the clock cannot be trusted"
    elif age <= days * DAY_S:
        return result
    else:
        reason = f"expired: concluded {age / DAY_S:.1f} days before, and valid for {days}"
    return msgspec.structs.replace(result, outcome=Outcome.NOT_RUN, reason=f"{reason} (it was {result.outcome.name})")


def _end(result: ItemResult, terms: Terms) -> float | None:
    """Unix time at which the evidence of ``result`` expires; None: it does not, or there is none."""
    days = terms.ages.get(result.item)
    if days is None or result.concluded_at is None or result.outcome is Outcome.NOT_RUN:
        return None
    return result.concluded_at + days * DAY_S


def _answer(
    required: int, blocking: Sequence[Blocking], waived: Sequence[Blocking], *, partial: bool
) -> tuple[Answer, ExitCode, str]:
    """Answer, exit code and sentence."""
    if not required:
        return Answer.INCONCLUSIVE, ExitCode.NOT_MEASURED, "the plan requires nothing, so nothing was shown"
    if blocking:
        return _blocked(required, blocking, len(waived))
    named = ", ".join(f"{one.item} ({one.outcome.name})" for one in waived)
    if partial:
        held = f"the {required} selected items hold" + (f", but for what is waived: {named}" if waived else "")
        return Answer.PARTIAL, ExitCode.GO, f"{held}; a partial run is never a GO"
    if waived:
        counted = f"{required - len(waived)} of {required} required items are satisfied"
        return Answer.GO_WITH_WAIVERS, ExitCode.GO, f"{counted}, and {len(waived)} waived: {named}"
    return Answer.GO, ExitCode.GO, f"all {required} required items are satisfied"


def _blocked(required: int, blocking: Sequence[Blocking], waived: int) -> tuple[Answer, ExitCode, str]:
    """The worst item gives the answer; the rest is counted."""
    first = blocking[0]
    rest = f"; {len(blocking) - 1} more of {required} required items are not satisfied" if len(blocking) > 1 else ""
    rest += f"; {waived} waived" if waived else ""
    answer = Answer.NO_GO if first.outcome is Outcome.FAIL else Answer.INCONCLUSIVE
    return answer, EXIT_CODES[first.outcome], f"{first.item} is {first.outcome.name}: {first.reason}{rest}"
