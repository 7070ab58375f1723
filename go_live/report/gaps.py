"""What a run does not prove, and what would prove it. Pure."""

import math
from collections.abc import Mapping, Sequence

from go_live.checklist import Item, Plan
from go_live.decide import ItemResult
from go_live.outcome import Outcome, Verdict
from go_live.report import plots, text, words
from go_live.report.figures import Series
from go_live.report.model import Fact, Gap, Mark

UNPROVEN = (Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_RUN)
POINT = Mark(word="POINT ESTIMATE", symbol="·", tone="mute")
UNRECORDED = Mark(word="NOT RECORDED", symbol="·", tone="mute")
SCOPE = Mark(word="SCOPE", symbol="·", tone="mute")
CONFIDENCE = 0.95


def smallest_n(q: float, confidence: float = CONFIDENCE) -> int:
    """The fewest requests, none of them slower, that put an upper bound on a percentile: 5, 59, 299 for p50, p95, p99.

    With all n at most T, P(latency <= T) >= q is shown at ``confidence`` when q^n <= 1 - confidence
    (Hahn & Meeker 1991).
    """
    return math.ceil(math.log(1 - confidence) / math.log(q / 100))


def point_gaps(groups: Sequence[Series]) -> tuple[Gap, ...]:
    """Percentiles that are shown, of which so few requests can prove nothing."""
    found = []
    for q in (50, 95, 99):
        least = smallest_n(q)
        if few := [series for series in groups if series.n < least]:
            rests = text.listed([f"{series.title} (n={series.n:,})" for series in few])
            found.append(
                Gap(
                    mark=POINT,
                    what=(Fact(name=f"p{q}", value=rests),),
                    why=f"Fewer than {least} requests cannot bound a p{q} at {text.percent(CONFIDENCE)} confidence.",
                    cure=f"a newly planned run of at least {least} requests a level",
                )
            )
    return tuple(found)


def unrecorded_gaps(groups: Sequence[Series]) -> tuple[Gap, ...]:
    """What the records do not hold, so that nothing can be said of it."""
    found = []
    for series in groups:
        lacking = [] if plots.splittable(series) else ["queue and execution time"]
        lacking += [] if series.timed else ["times of day"]
        if lacking:
            what = Fact(name=series.title, value=text.listed(lacking))
            why = "What the records do not hold cannot be judged."
            found.append(Gap(mark=UNRECORDED, what=(what,), why=why, cure="a load test or soak made with golive"))
    return tuple(found)


def item_gaps(
    plan: Plan, concluded: Mapping[str, ItemResult], reasons: Mapping[str, str], rates: Mapping[str, float]
) -> tuple[Gap, ...]:
    """Items that are neither shown to hold nor shown to be bad; those with the same reason and remedy together."""
    grouped: dict[tuple[Outcome, str, str], list[Fact]] = {}
    for item in plan.items:
        result = concluded[item.id]
        if result.outcome in UNPROVEN:
            key = (result.outcome, reasons[item.id], _cure(plan, item, result, rates))
            grouped.setdefault(key, []).append(Fact(name=item.id, value=item.claim))
    order = sorted(grouped.items(), key=lambda pair: UNPROVEN.index(pair[0][0]))
    return tuple(
        Gap(mark=words.MARKS[outcome], what=tuple(what), why=words.sentence(why), cure=cure)
        for (outcome, why, cure), what in order
    )


def verdict_gaps(verdicts: Sequence[Verdict], rates: Mapping[str, float]) -> tuple[Gap, ...]:
    """Verdicts outside a checklist that show neither."""
    return tuple(
        Gap(
            mark=words.MARKS[verdict.outcome],
            what=(Fact(name=verdict.item or verdict.scope or "", value=verdict.claim),),
            why=words.sentence(verdict.reason),
            cure=_decides([verdict], rates) or "a newly planned run that records what is missing here",
        )
        for outcome in UNPROVEN
        for verdict in verdicts
        if verdict.outcome is outcome
    )


def _cure(plan: Plan, item: Item, result: ItemResult, rates: Mapping[str, float]) -> str:
    """What would answer the item."""
    if result.outcome is Outcome.INCONCLUSIVE:
        return _decides(result.verdicts, rates) or "a longer newly planned run; no size is known that surely decides"
    if result.outcome is Outcome.ERROR:
        return "remove the cause named here and measure again"
    if item.manual:
        return f"a dated statement with owner and expiry in {plan.config.attestations.file}"
    if item.phase == "after-tag":
        return "asked after the tag; it completes the release record"
    if plan.profile not in item.required_by:
        return f"a run of the profile that requires it: {text.listed(list(item.required_by))}"
    return "a run that is asked for it" if item.id not in plan.selected else "a whole run, from a new plan"


def _decides(verdicts: Sequence[Verdict], rates: Mapping[str, float]) -> str:
    """The largest of the runs that the undecided verdicts need."""
    open_ones = [v for v in verdicts if v.outcome is Outcome.INCONCLUSIVE and v.needed is not None]
    return words.needed(max(open_ones, key=lambda v: v.needed or 0), rates) if open_ones else ""
