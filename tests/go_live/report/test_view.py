"""The view model: what it decides, and what it must never claim."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.decide import Answer
from go_live.outcome import SATISFYING, Outcome, Verdict
from go_live.records import ErrorClass
from go_live.report import figures, gaps, run_facts, words
from go_live.report.model import View
from tests.go_live.report import samples
from tests.go_live.report.samples import latency, success

FAIL, PASS, OPEN = Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE


def seen(verdicts: Mapping[str, Sequence[Verdict]], **changes: Any) -> View:
    """A production run with two levels, judged as in GOOD but for ``verdicts``."""
    records = [*samples.level("c=1"), *samples.level("c=2", base=3500)]
    return samples.report(samples.plan("production"), {**samples.GOOD, **verdicts}, records, **changes)


def test_every_answer_has_a_mark_and_unknown_ones_are_never_green() -> None:
    """Only GO is green; a word that this version does not know is not."""
    assert [word for word in (*Answer, "GO-ISH", "") if words.answer(word).tone == "good"] == ["GO"]


@given(st.sampled_from(list(Outcome)))
def test_satisfied_and_colour_follow_the_outcome(outcome: Outcome) -> None:
    """No outcome that stands in the way is green or ticked."""
    view = seen({"PERF-3": [samples.verdict(outcome, "a claim", "a reason")]})
    item = next(item for family in view.families for item in family.items if item.id == "PERF-3")
    assert item.satisfied is (outcome in SATISFYING)
    assert item.mark.tone != "good" or outcome is PASS
    assert item.blocking is (outcome not in SATISFYING)


def test_the_verdict_that_binds_is_shown() -> None:
    """Of several verdicts that pass, the one nearest to its limit; of several that fail, the one furthest beyond."""
    good = [latency("c=1", 95, 3500, 8000, PASS), latency("c=2", 95, 7900, 8000, PASS)]
    bad = [*good, latency("c=3", 95, 8100, 8000, FAIL), latency("c=4", 95, 9900, 8000, FAIL)]
    assert words.binding(good, PASS).scope == "c=2"
    assert words.binding(bad, FAIL).scope == "c=4"
    assert words.binding([*bad, latency("c=5", 95, None, 8000, FAIL, misses=9)], FAIL).scope == "c=5"


def test_a_floor_binds_from_below() -> None:
    """Of two success rates, the lower one binds."""
    assert words.binding([success(0.999, 100, 0), success(0.991, 100, 1)], PASS).measured == 0.991


def test_items_with_one_cause_are_said_once() -> None:
    """Six items that could not be measured for the same reason are one block, with all their ids."""
    told = {i: [samples.verdict(Outcome.ERROR, "a claim", "worker w1 ended")] for i in ("PERF-3", "PERF-4", "SOAK-2")}
    (block, *_) = seen(told).blocking
    assert block.ids == "PERF-3, PERF-4, SOAK-2"
    assert block.reason == "worker w1 ended"


def test_a_level_meets_its_slos_only_when_all_were_judged() -> None:
    """A level with a row that nobody judged is not said to meet anything."""
    view = seen({"PERF-4": [latency("c=1", 95, 3517, 8000, PASS)]})
    assert [(line.mark.word, line.text) for line in view.conclusions][:2] == [
        (
            "PASS",
            "c=1 meets all 2 SLOs that are judged level by level (tightest: Total P50 at c=1, 31 % below its limit).",
        ),
        ("NOT RUN", "c=2: Total P95 was not judged."),
    ]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "at most 2 concurrent requests per endpoint instance."),
        ({"PERF-4": [latency("c=1", 95, 1, 8000, PASS)]}, "at most 1 concurrent request per endpoint instance; the"),
        ({"PERF-3": [latency("c=2", 50, 1, 5000, PASS)]}, "support no client-side concurrency cap"),
        ({"PERF-6": [success(0.9, 100, 10, FAIL)]}, "support no client-side concurrency cap"),
        ({"PERF-6": []}, "support no client-side concurrency cap"),
    ],
)
def test_the_recommended_cap_is_what_was_measured(told: dict[str, Sequence[Verdict]], said: str) -> None:
    """The cap goes up to the highest level below which everything was shown to hold, success over all included."""
    assert said in seen(told).recommendation


def test_a_level_above_the_cap_is_reported_with_its_figures() -> None:
    """A level without verdicts is not judged, and its figures over a limit are named."""
    records = samples.level("c=4", base=6900)
    view = samples.report(samples.plan("production"), samples.GOOD, records)
    assert view.conclusions[0].text.startswith("c=4 is reported, not required (n=124): Exec P50 6,351 ms is over")
    assert [row[-1] for row in view.performance.rows][2] == "○ not judged"


def test_a_status_never_speaks_for_a_level_that_was_not_judged() -> None:
    """Two levels that pass beside a third without a verdict are named; alone, they are the row's status."""
    two = [*samples.level("c=1"), *samples.level("c=2")]
    for records, status in ((two, "✓ PASS"), ([*two, *samples.level("c=4")], "✓ PASS c=1, c=2")):
        view = samples.report(samples.plan("production"), samples.GOOD, records)
        assert view.performance.rows[2][-1] == status


def test_a_partial_run_says_what_is_missing() -> None:
    """A run of one item is no GO, and says how many a GO needs."""
    view = samples.report(samples.plan("rehearsal", selected=("PERF-3",)), samples.GOOD, [])
    assert view.answer.word == "PARTIAL"
    assert view.answer.tone == "warn"
    assert view.head[0].value == "1 of 1 selected satisfied; a GO needs all 5"


def test_a_rehearsal_says_what_it_does_not_prove() -> None:
    """The first gap of a rehearsal is the rehearsal itself; production has no such gap."""
    assert samples.good_report().gaps[0].cure == "the production profile, against the live endpoint"
    assert all(gap.mark.word != "SCOPE" for gap in samples.bad_report().gaps)


def test_gaps_name_the_run_that_would_decide() -> None:
    """An undecided item names the size of the run that would decide, and how long it takes at the measured rate."""
    cures = [gap.cure for gap in samples.bad_report().gaps if gap.mark.word == "INCONCLUSIVE"]
    assert cures == ["a newly planned run of 458 requests (about 26 min 43 s at the measured 0.29 requests/s)"]


@pytest.mark.parametrize(
    ("item", "outcome", "cure"),
    [
        ("MON-5", Outcome.NOT_RUN, "a dated statement with owner and expiry in attestations.toml"),
        ("ROL-2", Outcome.NOT_RUN, "asked after the tag; it completes the release record"),
        ("PERF-3", Outcome.ERROR, "remove the cause named here and measure again"),
        ("PERF-3", Outcome.NOT_RUN, "a whole run, from a new plan"),
        ("SOAK-2", Outcome.INCONCLUSIVE, "a longer newly planned run; no size is known that surely decides"),
    ],
)
def test_each_gap_has_its_remedy(item: str, outcome: Outcome, cure: str) -> None:
    """What would prove an item depends on why it is open."""
    view = seen({item: [samples.verdict(outcome, "a claim", "a reason")]})
    assert cure in [gap.cure for gap in view.gaps if item in [fact.name for fact in gap.what]]


def test_a_profile_that_does_not_require_an_item_names_the_one_that_does() -> None:
    """In a rehearsal, an item of production alone asks for a production run."""
    planned = samples.plan("rehearsal")
    items = tuple(item for item in planned.items if item.id != "MON-5")
    view = samples.report(samples.plan("rehearsal", items=items), samples.GOOD, [])
    assert "asked after the tag; it completes the release record" in [gap.cure for gap in view.gaps]


@pytest.mark.parametrize(("q", "n"), [(50, 5), (95, 59), (99, 299)])
def test_the_fewest_requests_that_bound_a_percentile(q: int, n: int) -> None:
    """5, 59 and 299 requests without a miss bound p50, p95 and p99 at 95 % (q^n <= 0.05)."""
    assert gaps.smallest_n(q) == n
    assert (q / 100) ** n <= 0.05 < (q / 100) ** (n - 1)


def test_percentiles_of_too_few_requests_are_named() -> None:
    """Of 10 requests neither p95 nor p99 is proven; 1,000 bound all three."""
    few = figures.series_of(samples.level("c=1", 10), {})
    assert [gap.what[0].name for gap in gaps.point_gaps(few)] == ["p95", "p99"]
    assert gaps.point_gaps(figures.series_of(samples.level("c=1", 1000), {})) == ()


def test_warm_up_is_no_part_of_any_figure() -> None:
    """Warm-up and smoke requests are left out; levels come before the soak."""
    records = [
        *samples.level("c=2", 3, phase="soak"),
        *samples.level("c=1", 4, phase="warmup"),
        *samples.level("c=1", 5),
    ]
    assert [(series.title, series.n) for series in figures.series_of(records, {})] == [("c=1", 5), ("soak, c=2", 3)]


def test_figures_count_failures_as_infinite() -> None:
    """With 6 of 10 failed, the median total is no answer; the failures are named and counted."""
    (series,) = figures.series_of(samples.level("c=1", 10, failed=range(6)), {})
    assert figures.figure(series, "total_ms", 50) == "no answer"
    assert figures.figure(series, "exec_ms", 50) == "no answer"
    assert figures.figure(series, "tokens_per_s", 50) == "0"
    assert figures.failures(series) == "deadline 6"


def test_what_the_platform_did_not_report_is_not_no_answer() -> None:
    """An execution time that was never reported is a dash, not a failed request."""
    (series,) = figures.series_of(samples.level("c=1", 10, execution_ms=None), {})
    assert figures.figure(series, "exec_ms", 50) == "—"


def test_requests_that_never_ended_are_counted() -> None:
    """A request without an end and without an error is not ok."""
    (series,) = figures.series_of(samples.level("c=1", 4, done=None, error=None), {})
    assert figures.failures(series) == "unfinished 4"
    assert series.seconds is None
    (refused,) = figures.series_of([samples.record(0, 5.0, error=ErrorClass.REFUSED)], {})
    assert figures.failures(refused) == "refused 1"


def test_an_empty_run_can_be_shown() -> None:
    """Nothing measured, nothing judged: a report all the same, with everything open."""
    view = samples.report(samples.plan("production"), {}, [], facts={}, finished="")
    assert view.figures.rows == ()
    assert view.performance.rows == ()
    assert view.recommendation == ""
    assert {fact.value for fact in view.head} >= {"not finished", "0 of 6 satisfied"}


def test_each_item_tells_when_its_controls_were_last_seen_red() -> None:
    """What the run's log knew of an item's controls is said beside it; an item without a sighting says never."""
    seen = {"CODE-3": "2026-11-23 at 1f2e3d (2 controls)"}
    view = samples.report(samples.plan("production"), samples.GOOD, [], facts=samples.FACTS | {"seen_red": seen})
    told = {item.id: item.control for family in view.families for item in family.items}
    assert told["CODE-3"] == "control last seen red 2026-11-23 at 1f2e3d (2 controls)"
    assert told["PERF-3"] == "control never seen red"


def test_a_run_that_knew_of_no_controls_says_nothing_of_them() -> None:
    """A log from before there were controls is shown as it was."""
    view = samples.report(samples.plan("production"), samples.GOOD, [])
    assert {item.control for family in view.families for item in family.items} == {""}


def test_what_a_run_cost_is_told_beside_what_was_expected_and_allowed() -> None:
    """Of a live run; the looks of its burst are in its verdict and in no table of the worker's."""
    plan = samples.plan("production", expected_dollars=3.392, max_dollars=10.0)
    spent = {"worker_s": 11_000.0, "dollars": 3.4129, "unseen_s": 20.0, "workers": 2}
    facts = {"probe": {"commit": "c"}, "spent": spent, "burst": {"began": 0.0, "looks": [[0.0, 1]]}}
    told = {group.title: {row.name: row.value for row in group.rows} for group in run_facts.groups(plan, facts, "", "")}
    assert {"counted": "$3.41", "expected": "$3.39", "allowed": "$10.00"}.items() <= told["Cost"].items()
    assert "Worker: burst" not in told
    assert "Worker: spent" not in told
    local = run_facts.groups(samples.plan("rehearsal"), {"spent": spent}, "", "")
    assert "Cost" not in [group.title for group in local]
