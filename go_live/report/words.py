"""Outcomes -> marks, and verdicts and items -> their views. Pure."""

import math
from collections.abc import Mapping, Sequence

from go_live.outcome import SATISFYING, Outcome, Verdict
from go_live.report import text
from go_live.report.model import Block, Fact, ItemView, Mark, VerdictView, WaiverView
from go_live.waivers import Judged, Standing, Waiver

MARKS = {
    Outcome.PASS: Mark(word="PASS", symbol="✓", tone="good"),
    Outcome.FAIL: Mark(word="FAIL", symbol="✗", tone="bad"),
    Outcome.INCONCLUSIVE: Mark(word="INCONCLUSIVE", symbol="?", tone="warn"),
    Outcome.ERROR: Mark(word="ERROR", symbol="!", tone="bad"),
    Outcome.NOT_RUN: Mark(word="NOT RUN", symbol="○", tone="mute"),
    Outcome.NOT_APPLICABLE: Mark(word="NOT APPLICABLE", symbol="·", tone="mute"),
    Outcome.ATTESTED: Mark(word="ATTESTED", symbol="✎", tone="note"),
}

_SATISFYING_MARKS = [MARKS[outcome] for outcome in SATISFYING]

ANSWERS = {
    "GO": Mark(word="GO", symbol="✓", tone="good"),
    "GO-WITH-WAIVERS": Mark(word="GO-WITH-WAIVERS", symbol="✓", tone="warn"),
    "NO-GO": Mark(word="NO-GO", symbol="✗", tone="bad"),
    "PARTIAL": Mark(word="PARTIAL", symbol="·", tone="warn"),
    "INCONCLUSIVE": Mark(word="INCONCLUSIVE", symbol="?", tone="warn"),
}


STANDINGS = {
    Standing.USED: Mark(word="USED", symbol="✎", tone="warn"),
    Standing.UNUSED: Mark(word="NOT USED", symbol="·", tone="mute"),
    Standing.EXPIRED: Mark(word="EXPIRED", symbol="○", tone="bad"),
    Standing.OUT_OF_SCOPE: Mark(word="OUT OF SCOPE", symbol="·", tone="mute"),
    Standing.FORBIDDEN: Mark(word="FORBIDDEN", symbol="✗", tone="bad"),
}


def answer(word: str) -> Mark:
    """The mark of a decision's word; a word that is not known here never looks green."""
    return ANSWERS.get(word, Mark(word=word, symbol="?", tone="warn"))


def sentence(words: str) -> str:
    """``words`` as a sentence: a capital first, a full stop last."""
    first = words.split(" ", 1)[0]
    begun = words[:1].upper() + words[1:] if first.isalpha() else words
    return begun if begun.endswith((".", "!", "?")) else f"{begun}."


def needed(verdict: Verdict, rates: Mapping[str, float]) -> str:
    """What run would decide, with its length at the rate that was measured; empty when none is named."""
    if verdict.needed is None:
        return ""
    planned = f"a newly planned run of {text.counted(verdict.needed, 'request')}"
    if rate := rates.get(verdict.scope or ""):
        measured = f"{text.number(round(rate, 2))} requests/s"
        return f"{planned} (about {text.duration(verdict.needed / rate)} at the measured {measured})"
    return planned


def verdict_view(verdict: Verdict, rates: Mapping[str, float]) -> VerdictView:
    """One verdict, formatted."""
    side = text.direction(verdict.claim)
    measured, limit = _measured(verdict), text.limit(verdict.limit, verdict.unit, side)
    margin, would = text.margin(verdict.measured, verdict.limit, verdict.unit, side), needed(verdict, rates)
    shown = [("measured", measured), ("limit", limit), ("n", _n(verdict)), ("margin", margin)]
    shown += [(_point_name(name), _point(name, value)) for name, value in verdict.points.items()]
    shown.append(("would decide", would))
    return VerdictView(
        mark=MARKS[verdict.outcome],
        scope=verdict.scope or "",
        claim=verdict.claim,
        reason=verdict.reason,
        measured=measured,
        limit=limit,
        margin=margin,
        n=_n(verdict),
        needed=would,
        figures=tuple(Fact(name=name, value=value) for name, value in shown if value),
    )


def item_view(
    *,
    id: str,  # noqa: A002 - the field's name
    claim: str,
    required: str,
    outcome: Outcome,
    reason: str,
    verdicts: Sequence[Verdict],
    blocking: bool,
    rates: Mapping[str, float],
) -> ItemView:
    """One item, with the figures of the verdict that binds."""
    views = tuple(verdict_view(verdict, rates) for verdict in verdicts)
    opened = sum(verdict.outcome not in SATISFYING for verdict in verdicts)
    bound = views[verdicts.index(binding(verdicts, outcome))] if verdicts else None
    return ItemView(
        id=id,
        claim=claim,
        mark=MARKS[outcome],
        blocking=blocking,
        required=required,
        satisfied=outcome in SATISFYING,
        reason=_reason(bound, opened) if bound and len(views) > 1 and bound.mark == MARKS[outcome] else reason,
        scope=bound.scope if bound and len(views) > 1 else "",
        measured=bound.measured if bound else "",
        limit=bound.limit if bound else "",
        margin=bound.margin if bound else "",
        n=bound.n if bound else "",
        verdicts=views,
    )


def control(last_seen: str | None) -> str:
    """``control last seen red 2026-11-23 at 1f2e3d4c5b6a (3 controls)``; None: never."""
    return f"control last seen red {last_seen}" if last_seen else "control never seen red"


def _reason(bound: VerdictView, opened: int) -> str:
    """The reason of the verdict that binds, with its scope; how many more stand in the way."""
    said = f"{bound.scope}: {bound.reason}" if bound.scope else bound.reason
    return f"{said} (and {opened - 1} more)" if opened > 1 else said


def blocks(items: Sequence[ItemView]) -> tuple[Block, ...]:
    """What stands in the way, in the order given; what has the same reason stands together, said once."""
    grouped: dict[tuple[str, str], list[ItemView]] = {}
    for item in items:
        grouped.setdefault((item.mark.word, item.reason), []).append(item)
    return tuple(_block(group) for group in grouped.values())


def _block(group: Sequence[ItemView]) -> Block:
    """One reason, with what would decide."""
    first = group[0]
    opened = tuple(verdict for verdict in first.verdicts if verdict.mark not in _SATISFYING_MARKS)
    return Block(
        mark=first.mark,
        ids=", ".join(item.id for item in group),
        items=tuple(Fact(name=item.id, value=item.claim) for item in group),
        reason=first.reason,
        open=opened if len(opened) > 1 and len(group) == 1 else (),
        margin=first.margin,
        needed=next((verdict.needed for verdict in opened if verdict.needed), ""),
    )


def waiver_view(judged: Judged, outcome: Outcome) -> WaiverView:
    """One waiver, formatted; ``outcome`` is what its item came to."""
    waiver = judged.waiver
    scope = f"commit {waiver.commit[:12]}" if waiver.commit else f"version {waiver.version}"
    return WaiverView(
        mark=STANDINGS[judged.standing],
        item=waiver.item,
        outcome=MARKS[outcome].word,
        owner=waiver.owner,
        approver=waiver.approver,
        approval=waiver.approval or "not verified",
        reason=waiver.reason,
        scope=f"{waiver.profile}, {scope}",
        expires=waiver.expires,
        why=f"{judged.why} ({waiver.source})",
    )


def waived(waiver: Waiver) -> str:
    """Who answers for a waived item, in half a sentence."""
    who = f"owner {waiver.owner}, approved by {waiver.approver} ({waiver.approval})"
    return f"waived until {waiver.expires}: {waiver.reason}; {who}"


def binding(verdicts: Sequence[Verdict], outcome: Outcome) -> Verdict:
    """The verdict that decides: of those with the item's outcome, the one nearest to its limit or furthest beyond."""
    return min([v for v in verdicts if v.outcome == outcome] or verdicts, key=room)


def room(verdict: Verdict) -> float:
    """Distance to the limit relative to it, positive on the right side; infinite where nothing can be compared."""
    if verdict.measured is None:
        return -math.inf if verdict.limit is not None and verdict.misses else math.inf
    side = text.direction(verdict.claim)
    if not verdict.limit or not side:
        return math.inf
    share = (verdict.limit - verdict.measured) / abs(verdict.limit)
    return -share if side == "≥" else share


def _measured(verdict: Verdict) -> str:
    """The figure; infinite (a limit, requests, and no finite figure) is said so."""
    if verdict.measured is None and verdict.unit == "ms" and verdict.n and verdict.misses:
        return text.NO_ANSWER
    return text.quantity(verdict.measured, verdict.unit)


def _n(verdict: Verdict) -> str:
    """``124``, or ``124, 3 missed``."""
    if verdict.n is None:
        return ""
    return f"{verdict.n:,}, {verdict.misses:,} missed" if verdict.misses else f"{verdict.n:,}"


def _point_name(name: str) -> str:
    return name.removesuffix("_ms").replace("_", " ")


def _point(name: str, value: float) -> str:
    if name.endswith("_ms"):
        return text.ms(value)
    return text.percent(value) if name.startswith("share") else text.number(value)
