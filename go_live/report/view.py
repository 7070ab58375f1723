"""A run, or a judged soak -> the view model. Pure: the same files give the same report on any machine."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from go_live import seen_red
from go_live.checklist import Item, Plan
from go_live.decide import Decision, ItemResult, current
from go_live.outcome import SATISFYING, SEVERITY, Outcome, Verdict
from go_live.records import Record
from go_live.report import figures, gaps, plots, run_facts, text, validation, words
from go_live.report.figures import Series
from go_live.report.model import (
    Fact,
    Family,
    Gap,
    ItemView,
    Panel,
    Table,
    Tally,
    View,
    WaiverView,
)
from go_live.table import Table as Due
from go_live.waivers import Standing, used

TIMED = "TIMED ENGINE - no model answered; never evidence for anything but the harness itself"
NOT_PRODUCTION = "not evidence for production"
DUMMY = "DUMMY WEIGHTS - the shape of the model without its weights; its answers mean nothing"
_KINDS = {"rehearsal": "Go-live rehearsal"}
MISSING = ItemResult(item="", outcome=Outcome.NOT_RUN, reason="no result was recorded")
EMPTY_TABLE = Table(head=(), rows=())


def run_view(  # noqa: PLR0913 - the parts of a run, each by name
    *,
    plan: Plan,
    results: Sequence[ItemResult],
    decision: Decision,
    records: Iterable[Record],
    facts: Mapping[str, Any],
    notes: Sequence[str],
    started: str,
    finished: str,
    released: Sequence[str],
) -> View:
    """The report of a whole run.

    Args:
        plan: What had to be answered.
        results: What was concluded, item by item; an item without a result is NOT_RUN.
        decision: The answer.
        records: Every due request.
        facts: What the probe said about the engine; may be empty.
        notes: What a reader has to know ("the tree was dirty").
        started: UTC, ISO 8601.
        finished: Likewise; empty for a run that was killed.
        released: What the release wrote or pushed, one line each; empty when nothing.
    """
    slo, soak = msgspec.to_builtins(plan.config.slo), msgspec.to_builtins(plan.config.soak)
    limits = {"load": slo, "soak": soak | {"confidence": plan.config.slo.confidence}}
    groups = figures.series_of(records, limits, plan.config.attribution)
    rates = _rates(groups)
    concluded = _concluded(plan, results, decision)
    items = _with_controls(_items(plan, concluded, decision, rates), plan, facts.get(seen_red.FACT))
    by_id = {item.id: item for item in items}
    levels = [series for series in groups if series.phase == "load"]
    verdicts = validation.by_item(plan, results)
    return _clean(
        View(
            title=f"{_KINDS.get(plan.profile, 'Go-live report')}: {plan.config.release.version}",
            subtitle=run_facts.subject(plan),
            watermarks=_watermarks(plan, records, facts),
            answer=words.answer(decision.answer),
            sentence=words.sentence(decision.reason),
            head=run_facts.head(plan, decision, started, finished),
            tallies=_tallies(items),
            notes=tuple(notes),
            released=tuple(released),
            blocking=words.blocks([by_id[blocked.item] for blocked in decision.blocking if blocked.item in by_id]),
            waivers=_waivers(concluded, decision),
            families=_families(plan.items, items),
            figures=figures.table(groups) if groups else EMPTY_TABLE,
            performance=validation.performance_table(levels, plan.config, verdicts),
            criteria_title="Soak",
            criteria=validation.criteria_table([item for item in items if item.id.startswith("SOAK-")]),
            conclusions=validation.conclusions(levels, plan.config, verdicts),
            recommendation=validation.recommendation(levels, plan.config, verdicts),
            panels=_panels(groups),
            gaps=_scope_gap(plan)
            + gaps.item_gaps(plan, concluded, {item.id: item.reason for item in items}, rates)
            + gaps.point_gaps(groups),
            facts=run_facts.groups(plan, facts, started, finished),
        )
    )


def soak_view(
    *,
    title: str,
    subtitle: str,
    source_note: str,
    verdicts: Sequence[Verdict],
    records: Iterable[Record],
    limits: Mapping[str, float],
    answer: str,
    reason: str,
) -> View:
    """The report of records judged outside a checklist (``golive demo``, ``golive judge``).

    Args:
        title: The report's heading.
        subtitle: What was judged.
        source_note: Where the records come from.
        verdicts: What was concluded.
        records: Every due request.
        limits: Keys of golive.toml's ``[soak]`` or ``[slo]``, e.g. ``total_ms_p95``, and the ``confidence``.
        answer: The one word.
        reason: One sentence.
    """
    groups = figures.series_of(records, dict.fromkeys(figures.COUNTED_PHASES, limits))
    rates = _rates(groups)
    items = tuple(_claim_item(index, verdict, rates) for index, verdict in enumerate(verdicts, start=1))
    family = Family(title="Claims", summary=_satisfied(items), items=items)
    return _clean(
        View(
            title=title,
            subtitle=subtitle,
            watermarks=(TIMED,) if _timed(records) else (),
            answer=words.answer(answer),
            sentence=words.sentence(reason),
            head=tuple(Fact(name=series.title, value=_series_note(series)) for series in groups),
            tallies=_tallies(items),
            notes=(source_note,) if source_note else (),
            released=(),
            blocking=words.blocks([item for item in items if item.blocking]),
            waivers=(),
            families=(family,) if items else (),
            figures=figures.table(groups) if groups else EMPTY_TABLE,
            performance=EMPTY_TABLE,
            criteria_title="Claims",
            criteria=validation.criteria_table(items),
            conclusions=(),
            recommendation="",
            panels=_panels(groups),
            gaps=gaps.verdict_gaps(verdicts, rates) + gaps.unrecorded_gaps(groups) + gaps.point_gaps(groups),
            facts=(),
        )
    )


def _concluded(plan: Plan, results: Sequence[ItemResult], decision: Decision) -> dict[str, ItemResult]:
    """What holds of every item of the plan; one without a result is NOT_RUN.

    The decision has the last word: in a run that was killed, nothing that was shown counts. What had expired at its
    end is NOT_RUN, whether or not it was required.
    """
    by_id = {result.item: result for result in results}
    blocking = {blocked.item: blocked for blocked in (*decision.blocking, *decision.waived)}
    concluded = {}
    terms = None if decision.at is None else plan.terms(decision.at)
    for item in plan.items:
        result = by_id.get(item.id, MISSING)
        result = result if terms is None else current(result, terms)
        last = blocking.get(item.id, result)
        concluded[item.id] = msgspec.structs.replace(result, outcome=last.outcome, reason=last.reason)
    return concluded


def _items(
    plan: Plan, concluded: Mapping[str, ItemResult], decision: Decision, rates: Mapping[str, float]
) -> tuple[ItemView, ...]:
    """Every item of the plan, in its order."""
    blocking = {blocked.item for blocked in decision.blocking}
    waivers = used(decision.waivers)
    views = [
        words.item_view(
            id=item.id,
            claim=item.claim,
            required=_required(plan, item),
            outcome=concluded[item.id].outcome,
            reason=concluded[item.id].reason,
            verdicts=concluded[item.id].verdicts,
            blocking=item.id in blocking,
            rates=rates,
        )
        for item in plan.items
    ]
    return tuple(
        msgspec.structs.replace(view, waived=words.waived(waivers[view.id])) if view.id in waivers else view
        for view in views
    )


def _with_controls(views: Sequence[ItemView], plan: Plan, last_seen: Mapping[str, str] | None) -> tuple[ItemView, ...]:
    """Each item that a check answers, with the day on which its negative controls last turned it red."""
    if last_seen is None:  # a run from before there were controls
        return tuple(views)
    manual = {item.id for item in plan.items if item.manual}
    return tuple(
        view if view.id in manual else msgspec.structs.replace(view, control=words.control(last_seen.get(view.id)))
        for view in views
    )


def _waivers(concluded: Mapping[str, ItemResult], decision: Decision) -> tuple[WaiverView, ...]:
    """Every waiver of the plan, those that count first."""
    order = list(Standing)
    judged = sorted(decision.waivers, key=lambda one: order.index(one.standing))
    return tuple(words.waiver_view(one, concluded.get(one.waiver.item, MISSING).outcome) for one in judged)


def _claim_item(index: int, verdict: Verdict, rates: Mapping[str, float]) -> ItemView:
    """A verdict outside a checklist, shown as an item of its own."""
    return words.item_view(
        id=verdict.item or str(index),
        claim=verdict.claim,
        required="required",
        outcome=verdict.outcome,
        reason=verdict.reason,
        verdicts=(verdict,),
        blocking=verdict.outcome not in SATISFYING,
        rates=rates,
    )


def _required(plan: Plan, item: Item) -> str:
    """How the item counts in this run."""
    if item.id in plan.required:
        return "required"
    return "after the tag" if item.phase == "after-tag" else "not required here"


def _families(items: Sequence[Item], views: Sequence[ItemView]) -> tuple[Family, ...]:
    """The items below their headings, in the checklist's order."""
    grouped: dict[str, list[ItemView]] = {}
    for item, view in zip(items, views, strict=True):
        grouped.setdefault(item.family, []).append(view)
    return tuple(
        Family(title=title[:1].upper() + title[1:], summary=_satisfied(group), items=tuple(group))
        for title, group in grouped.items()
    )


def _satisfied(items: Sequence[ItemView]) -> str:
    """How many of the required items hold."""
    required = [item for item in items if item.required == "required"]
    if not required:
        return "none required here"
    return f"{sum(item.satisfied for item in required)} of {len(required)} required satisfied"


def _tallies(items: Sequence[ItemView]) -> tuple[Tally, ...]:
    """How many items came out in each way, worst first."""
    counts = {words.MARKS[outcome]: 0 for outcome in SEVERITY}
    for item in items:
        counts[item.mark] += 1
    return tuple(Tally(mark=mark, count=count) for mark, count in counts.items() if count)


def _panels(groups: Sequence[Series]) -> tuple[Panel, ...]:
    """Charts: where the time goes over all levels, then level by level."""
    panels = [
        Panel(title=_panel_title(series), note=_series_note(series), charts=plots.charts(series, f"chart{index}"))
        for index, series in enumerate(groups)
    ]
    if budget := plots.time_budget(groups):
        panels.insert(0, Panel(title="All levels", note="", charts=(budget,)))
    return tuple(panels)


def _panel_title(series: Series) -> str:
    return f"Load level {series.level}" if series.phase == "load" else f"Soak at {series.level}"


def _series_note(series: Series) -> str:
    """How much was measured."""
    length = f" in {text.duration(series.seconds)}" if series.seconds else ""
    failed = f", {series.failed:,} not ok ({figures.failures(series)})" if series.failed else ", all answered"
    return f"{text.counted(series.n, 'due request')}{length}{failed}{figures.resemblance(series)}"


def _rates(groups: Sequence[Series]) -> dict[str, float]:
    """Due requests a second by the scope that verdicts name."""
    return {(s.level if s.phase == "load" else s.phase): s.rate for s in groups if s.rate}


def _timed(records: Iterable[Record]) -> bool:
    return bool(Due.of(records).timed.any())


def _watermarks(plan: Plan, records: Iterable[Record], facts: Mapping[str, Any]) -> tuple[str, ...]:
    """What this report must not be taken for."""
    marks = []
    if plan.profile != "production":
        marks.append(f"{plan.profile.upper()} - {NOT_PRODUCTION}")
    elif plan.target.kind != "runpod":
        marks.append(f"LOCAL ENDPOINT - {NOT_PRODUCTION}")
    if plan.target.device == "timed" or _timed(records):
        marks.append(TIMED)
    if run_facts.dummy_weights(plan, facts):
        marks.append(DUMMY)
    return tuple(marks)


def _scope_gap(plan: Plan) -> tuple[Gap, ...]:
    """A rehearsal shows nothing about the live endpoint."""
    if plan.profile == "production":
        return ()
    shows = "shows what it shows for this machine's local endpoint and its model alone"
    what = Fact(name=f"This {plan.profile}", value=shows)
    why = "Hardware, model and platform are not those of production."
    return (Gap(mark=gaps.SCOPE, what=(what,), why=why, cure="the production profile, against the live endpoint"),)


def _clean(view: View) -> View:
    """The same view with every text in it harmless: reasons, details and facts come from outside."""
    return msgspec.convert(_cleaned(msgspec.to_builtins(view)), View)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return text.clean(value)
    if isinstance(value, dict):
        return {key: _cleaned(inner) for key, inner in value.items()}
    return [_cleaned(inner) for inner in value] if isinstance(value, list | tuple) else value
