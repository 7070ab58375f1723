"""Levels against SLOs in the form of the readiness summary: a table, what it means, and the recommended cap. Pure."""

from collections.abc import Mapping, Sequence

from go_live.checklist import Plan
from go_live.config import Config
from go_live.decide import ItemResult
from go_live.outcome import SATISFYING, Outcome, Verdict, worst
from go_live.report import text, words
from go_live.report.figures import Series, figure, point
from go_live.report.model import Conclusion, ItemView, Mark, Table
from go_live.tuning.effective import effective_cap

ROWS = (
    ("Exec P50", "PERF-1", "exec_ms", 50, "exec_ms_p50"),
    ("Exec P95", "PERF-2", "exec_ms", 95, "exec_ms_p95"),
    ("Total P50", "PERF-3", "total_ms", 50, "total_ms_p50"),
    ("Total P95", "PERF-4", "total_ms", 95, "total_ms_p95"),
    ("Queue P50", "PERF-5", "queue_ms", 50, "queue_ms_p50"),
    ("Tokens/s P50", "PERF-8", "tokens_per_s", 50, "tokens_per_s_p50"),
)
"""Name, item, metric, percentile, limit: the rows that are judged level by level."""

SUCCESS = ("Success", "PERF-6", "success_rate")
"""Judged once, over levels and soak together."""

NOT_JUDGED = Mark(word="not judged", symbol="○", tone="mute")

Verdicts = Mapping[str, Sequence[Verdict]]
"""By item id."""


def by_item(plan: Plan, results: Sequence[ItemResult]) -> Verdicts:
    """The verdicts on every item of the plan; none for an item without a result."""
    found = {result.item: result.verdicts for result in results}
    return {item.id: found.get(item.id, ()) for item in plan.items}


def performance_table(levels: Sequence[Series], config: Config, verdicts: Verdicts) -> Table:
    """The readiness summary's load test table; n stands beside every percentile."""
    if not levels:
        return Table(head=(), rows=())
    names = [series.level for series in levels]
    rows = [
        (
            name,
            *(f"{figure(series, metric, q)} (n={series.n:,})" for series in levels),
            _slo(metric, getattr(config.slo, key)),
            _status(_by_level(verdicts.get(item, ()), names), len(names)),
        )
        for name, item, metric, q, key in ROWS
    ]
    name, item, key = SUCCESS
    success = (
        name,
        *(f"{text.percent(1 - series.failed / series.n)} (n={series.n:,})" for series in levels),
        f"≥ {text.percent(getattr(config.slo, key))}",
        f"{_marked(worst(v.outcome for v in verdicts[item]))} over all" if verdicts.get(item) else _shown(NOT_JUDGED),
    )
    return Table(head=("Metric", *names, "SLO", "Status"), rows=(*rows, success))


def conclusions(levels: Sequence[Series], config: Config, verdicts: Verdicts) -> tuple[Conclusion, ...]:
    """One line for the levels that meet every level's SLO, one for each other level, one for success over all."""
    if not levels:
        return ()
    judged = {series.level: _of_level(verdicts, series.level) for series in levels}
    good = [level for level, found in judged.items() if _outcome(found) in SATISFYING]
    lines = [_good_line(good, judged)] if good else []
    lines += _other_lines({level: v for level, v in judged.items() if any(v.values()) and level not in good})
    lines += [_unjudged_line(series, config) for series in levels if not any(judged[series.level].values())]
    return (*lines, *(_success_line(verdict) for verdict in verdicts.get(SUCCESS[1], ())))


def recommendation(levels: Sequence[Series], config: Config, verdicts: Verdicts) -> str:
    """The client-side cap that these measurements support: the highest level up to which every SLO is met."""
    if not levels:
        return ""
    cap, supported = effective_cap(config), _supported(config, verdicts)
    if not supported:
        return "No level was shown to meet every SLO: these measurements support no client-side concurrency cap."
    requests = text.counted(supported, "concurrent request")
    said = f"Enforce a client-side concurrency cap of at most {requests} per endpoint instance"
    if supported < cap:
        return f"{said}; the configured cap of {cap} is not supported by what was measured."
    return f"{said}." if supported == cap else f"{said}; the configured cap is {cap}."


def _supported(config: Config, verdicts: Verdicts) -> int:
    """The highest level below which, itself included, everything holds; 0 for none."""
    success = [verdict.outcome for verdict in verdicts.get(SUCCESS[1], ())]
    if SUCCESS[1] in verdicts and worst(success) not in SATISFYING:
        return 0
    supported = 0
    for concurrency in sorted(config.load.concurrency):
        if _outcome(_of_level(verdicts, f"c={concurrency}")) not in SATISFYING:
            break
        supported = concurrency
    return supported


def criteria_table(items: Sequence[ItemView]) -> Table:
    """Claims with what was measured, one row an item."""
    if not items:
        return Table(head=(), rows=())
    return Table(
        head=("Criterion", "Measured", "Limit", "n", "Status"),
        rows=tuple((f"{i.id} {i.claim}", i.measured, i.limit, i.n, _shown(i.mark)) for i in items),
    )


def _of_level(verdicts: Verdicts, level: str) -> dict[str, Verdict | None]:
    """The verdict on each row of one level that the plan asks for; None where there is none."""
    return {
        name: next((verdict for verdict in verdicts[item] if verdict.scope == level), None)
        for name, item, *_ in ROWS
        if item in verdicts
    }


def _outcome(found: Mapping[str, Verdict | None]) -> Outcome:
    """The worst of a level's rows; a row without a verdict is NOT_RUN, and no row at all shows nothing."""
    return worst(verdict.outcome if verdict else Outcome.NOT_RUN for verdict in found.values())


def _good_line(good: list[str], judged: Mapping[str, Mapping[str, Verdict | None]]) -> Conclusion:
    """The levels that meet every level's SLO, and where it is tightest."""
    found = [(row, level, verdict) for level in good for row, verdict in judged[level].items() if verdict]
    row, level, verdict = min(found, key=lambda triple: words.room(triple[2]))
    margin = text.margin(verdict.measured, verdict.limit, verdict.unit, text.direction(verdict.claim))
    least = f" (tightest: {row} at {level}, {margin})" if margin else ""
    slos = f"all {len({row for row, _, _ in found})} SLOs that are judged level by level"
    verb = "meets" if len(good) == 1 else "meet"
    return Conclusion(mark=words.MARKS[Outcome.PASS], text=f"{text.listed(good)} {verb} {slos}{least}.")


def _other_lines(judged: Mapping[str, Mapping[str, Verdict | None]]) -> list[Conclusion]:
    """Levels that do not, with the rows that stand in the way; levels with the same words together."""
    grouped: dict[tuple[Outcome, str], list[str]] = {}
    for level, found in judged.items():
        outcome = _outcome(found)
        worse = {row: v for row, v in found.items() if (v.outcome if v else Outcome.NOT_RUN) == outcome}
        why = "; ".join(f"{row} {_against(v) if v else 'was not judged'}" for row, v in worse.items())
        grouped.setdefault((outcome, why), []).append(level)
    return [
        Conclusion(mark=words.MARKS[outcome], text=f"{text.listed(levels)}: {why}.")
        for (outcome, why), levels in grouped.items()
    ]


def _success_line(verdict: Verdict) -> Conclusion:
    """Success is one claim on all requests."""
    return Conclusion(mark=words.MARKS[verdict.outcome], text=f"Over levels and soak together: {verdict.reason}.")


def _against(verdict: Verdict) -> str:
    """The figure against its limit, or why there is none."""
    view = words.verdict_view(verdict, {})
    return f"{view.measured} against {view.limit} (n={view.n})" if view.measured else verdict.reason


def _unjudged_line(series: Series, config: Config) -> Conclusion:
    """A level that no verdict speaks of: reported, and where its plain figures lie beyond a limit."""
    beyond = [
        f"{name} {figure(series, metric, q)} is over its limit of {text.ms(getattr(config.slo, key))}"
        for name, _, metric, q, key in ROWS
        if metric != "tokens_per_s" and _beyond(series, metric, q, getattr(config.slo, key))
    ]
    said = "; ".join(beyond) if beyond else "its plain figures lie within the limits"
    return Conclusion(mark=NOT_JUDGED, text=f"{series.level} is reported, not required (n={series.n:,}): {said}.")


def _beyond(series: Series, metric: str, q: int, bound: float) -> bool:
    return point(series, metric, q) > bound


def _slo(metric: str, bound: float) -> str:
    return f"≥ {text.number(bound)}" if metric == "tokens_per_s" else f"≤ {text.ms(bound)}"


def _by_level(found: Sequence[Verdict], names: Sequence[str]) -> dict[str, Outcome]:
    return {level: worst(scoped) for level in names if (scoped := [v.outcome for v in found if v.scope == level])}


def _status(outcomes: Mapping[str, Outcome], levels: int) -> str:
    """``✓ PASS``, or level by level where they differ or not every level is judged."""
    if not outcomes:
        return _shown(NOT_JUDGED)
    if len(set(outcomes.values())) == 1 and len(outcomes) == levels:
        return _marked(next(iter(outcomes.values())))
    alike: dict[Outcome, list[str]] = {}
    for level, outcome in outcomes.items():
        alike.setdefault(outcome, []).append(level)
    return "; ".join(f"{_marked(outcome)} {', '.join(levels)}" for outcome, levels in alike.items())


def _marked(outcome: Outcome) -> str:
    return _shown(words.MARKS[outcome])


def _shown(mark: Mark) -> str:
    return f"{mark.symbol} {mark.word}"
