"""The decision, from every combination of outcomes, ages and waivers."""

import math
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.decide import CLOCK_SLACK_S, Answer, Decision, ItemResult, combine, decide
from go_live.errors import ExitCode
from go_live.outcome import SATISFYING, Outcome, Verdict, exit_code, worst
from go_live.waivers import DAY_S, WAIVABLE, Standing, Terms
from tests.go_live.test_waivers import COMMIT, NOW, WAIVER

outcomes = st.lists(st.sampled_from(Outcome), min_size=1, max_size=6)
CODES = {
    Outcome.FAIL: ExitCode.NO_GO,
    Outcome.ERROR: ExitCode.NOT_MEASURED,
    Outcome.NOT_RUN: ExitCode.NOT_MEASURED,
    Outcome.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}


def results(found: list[Outcome]) -> list[ItemResult]:
    """One item result an outcome."""
    return [ItemResult(item=f"X-{i}", outcome=outcome, reason="because") for i, outcome in enumerate(found, start=1)]


@given(outcomes)
def test_go_only_when_every_required_item_is_satisfied(found: list[Outcome]) -> None:
    """GO if and only if each required item is satisfied; otherwise the worst outcome gives the exit code."""
    ids = [f"X-{i}" for i in range(1, len(found) + 1)]
    decision = decide(run_id="r", profile="p", required=ids, selected=ids, results=results(found))
    bad = [outcome for outcome in found if outcome not in SATISFYING]
    assert (decision.answer is Answer.GO) == (not bad)
    assert decision.exit_code == (CODES[worst(bad)] if bad else ExitCode.GO)
    assert len(decision.blocking) == len(bad)
    assert (decision.answer is Answer.NO_GO) == (Outcome.FAIL in found)


def test_an_empty_plan_is_not_a_go() -> None:
    """Nothing required: nothing was shown."""
    decision = decide(run_id="r", profile="p", required=[], selected=[], results=[])
    assert decision.answer is Answer.INCONCLUSIVE
    assert decision.exit_code == ExitCode.NOT_MEASURED


def test_a_required_item_without_a_result_blocks() -> None:
    """An item that nobody answered counts as NOT_RUN."""
    decision = decide(
        run_id="r", profile="p", required=["X-1", "X-2"], selected=["X-1", "X-2"], results=results([Outcome.PASS])
    )
    assert [blocked.item for blocked in decision.blocking] == ["X-2"]
    assert decision.blocking[0].outcome is Outcome.NOT_RUN


def test_a_partial_run_is_never_a_go() -> None:
    """When fewer items were selected than are required, all of them holding is PARTIAL."""
    decision = decide(
        run_id="r", profile="p", required=["X-1", "X-2"], selected=["X-1"], results=results([Outcome.PASS])
    )
    assert decision.answer is Answer.PARTIAL
    assert decision.exit_code == ExitCode.GO


def test_a_failing_partial_run_fails() -> None:
    """A selected item that fails makes a partial run NO-GO."""
    decision = decide(
        run_id="r", profile="p", required=["X-1", "X-2"], selected=["X-1"], results=results([Outcome.FAIL])
    )
    assert decision.answer is Answer.NO_GO


def test_many_blocking_items_are_counted_in_the_sentence() -> None:
    """The sentence names the worst item and counts the rest."""
    found = [Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.ERROR]
    ids = ["X-1", "X-2", "X-3"]
    decision = decide(run_id="r", profile="p", required=ids, selected=ids, results=results(found))
    assert decision.reason == "X-2 is FAIL: because; 2 more of 3 required items are not satisfied"


@given(outcomes)
def test_an_item_is_as_good_as_its_worst_verdict(found: list[Outcome]) -> None:
    """The worst verdict decides the item, and its reason is told."""
    verdicts = [Verdict(claim="c", outcome=outcome, reason=f"why {i}") for i, outcome in enumerate(found)]
    result = combine("X-1", verdicts)
    assert result.outcome is worst(found)
    assert result.reason.startswith(f"why {found.index(result.outcome)}")


def test_an_item_without_a_verdict_was_not_run() -> None:
    """No verdicts: NOT_RUN, with a reason."""
    assert combine("X-1", []).outcome is Outcome.NOT_RUN


def test_nothing_at_all_is_an_error() -> None:
    """The worst of no outcomes is ERROR."""
    assert worst([]) is Outcome.ERROR
    assert exit_code(Outcome.ERROR) is ExitCode.NOT_MEASURED


def waived(found: Sequence[Outcome], items: Sequence[str], **changes: float) -> Decision:
    """The decision when each of ``items`` has a waiver that is in order."""
    ids = [f"X-{i}" for i in range(1, len(found) + 1)]
    waivers = tuple(msgspec.structs.replace(WAIVER, item=item, **changes) for item in items)
    terms = Terms(now=NOW, version="v1.0-production", commit=COMMIT, waivers=waivers)
    return decide(
        run_id="r", profile="production", required=ids, selected=ids, results=results(list(found)), terms=terms
    )


@given(outcomes, st.sets(st.integers(1, 6)))
def test_go_with_waivers_only_when_all_the_rest_holds(found: list[Outcome], numbers: set[int]) -> None:
    """Every item that is not satisfied blocks or is waived; only FAIL and INCONCLUSIVE can be waived; none is both."""
    decision = waived(found, [f"X-{i}" for i in numbers])
    bad = {f"X-{i}": outcome for i, outcome in enumerate(found, start=1) if outcome not in SATISFYING}
    excused = {item for item, outcome in bad.items() if outcome in WAIVABLE and int(item[2:]) in numbers}
    assert {one.item: one.outcome for one in (*decision.blocking, *decision.waived)} == bad
    assert {one.item for one in decision.waived} == excused
    assert (decision.answer is Answer.GO) == (not bad)
    assert (decision.answer is Answer.GO_WITH_WAIVERS) == (bool(bad) and excused == set(bad))
    assert decision.satisfied == len(found) - len(bad)
    assert (decision.exit_code == ExitCode.GO) == (decision.answer in {Answer.GO, Answer.GO_WITH_WAIVERS})


def test_a_waiver_never_replaces_the_outcome() -> None:
    """The decision names what is waived with the outcome it has."""
    decision = waived([Outcome.PASS, Outcome.FAIL], ["X-2"])
    assert decision.reason == "1 of 2 required items are satisfied, and 1 waived: X-2 (FAIL)"
    assert [(one.item, one.outcome) for one in decision.waived] == [("X-2", Outcome.FAIL)]


def test_what_is_waived_is_counted_beside_what_blocks() -> None:
    """A NO-GO says how much is waived beside it."""
    decision = waived([Outcome.FAIL, Outcome.FAIL], ["X-2"])
    assert decision.answer is Answer.NO_GO
    assert decision.reason == "X-1 is FAIL: because; 1 waived"


def test_a_waiver_of_an_item_that_holds_is_told() -> None:
    """A GO stays a GO, and the waiver that was not needed is listed as unused."""
    decision = waived([Outcome.PASS], ["X-1"])
    assert decision.answer is Answer.GO
    assert [one.standing for one in decision.waivers] == [Standing.UNUSED]


def test_a_partial_run_with_a_waiver_is_partial() -> None:
    """What is waived in a partial run is said, and it is no GO-WITH-WAIVERS."""
    terms = Terms(now=NOW, version="v1.0-production", waivers=(msgspec.structs.replace(WAIVER, item="X-1"),))
    decision = decide(
        run_id="r", profile="production", required=["X-1", "X-2"], selected=["X-1"],
        results=results([Outcome.FAIL]), terms=terms,
    )  # fmt: skip
    assert decision.answer is Answer.PARTIAL
    assert "waived: X-1 (FAIL)" in decision.reason


def aged(outcome: Outcome, concluded_at: float | None, days: int = 7) -> Decision:
    """The decision on one item that was concluded then, and whose evidence is valid for so many days."""
    result = ItemResult(item="X-1", outcome=outcome, reason="because", concluded_at=concluded_at)
    return decide(
        run_id="r", profile="p", required=["X-1"], selected=["X-1"], results=[result],
        terms=Terms(now=NOW, ages={"X-1": days}),
    )  # fmt: skip


@given(outcome=st.sampled_from(Outcome), age=st.floats(-1, 30), days=st.integers(1, 20))
def test_evidence_counts_for_as_long_as_it_is_valid(outcome: Outcome, age: float, days: int) -> None:
    """Older than its age limit, or from the future, every outcome is NOT_RUN; before, it is what it is."""
    decision = aged(outcome, NOW - age * DAY_S, days)
    valid = -CLOCK_SLACK_S <= NOW - (NOW - age * DAY_S) <= days * DAY_S
    assert (decision.answer is Answer.GO) == (valid and outcome in SATISFYING)
    if not valid and outcome is not Outcome.NOT_RUN:
        assert decision.blocking[0].outcome is Outcome.NOT_RUN
        assert decision.blocking[0].reason.startswith("expired: ")
        assert decision.blocking[0].reason.endswith(f"(it was {outcome.name})")


def test_evidence_without_a_time_has_expired() -> None:
    """A conclusion that nobody dated cannot be shown to be fresh."""
    assert "nothing says when" in aged(Outcome.PASS, None).blocking[0].reason


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_none_has_expired(time: float) -> None:
    """A time that cannot be compared never passes for a fresh one."""
    assert aged(Outcome.PASS, time).answer is not Answer.GO


def test_a_go_ends_with_the_first_evidence_or_waiver_that_does() -> None:
    """valid_until is the earliest end of what the decision rests on; None where nothing is limited."""
    assert aged(Outcome.PASS, NOW - DAY_S).valid_until == NOW + 6 * DAY_S
    assert aged(Outcome.NOT_RUN, NOW).valid_until is None
    assert waived([Outcome.FAIL], ["X-1"]).valid_until == WAIVER.expires_at
    assert waived([Outcome.PASS], ["X-1"]).valid_until is None


def test_a_failure_does_not_age_into_something_better() -> None:
    """An expired FAIL is NOT_RUN, which nobody can waive."""
    result = ItemResult(item="X-1", outcome=Outcome.FAIL, reason="because", concluded_at=NOW - 8 * DAY_S)
    waiver = msgspec.structs.replace(WAIVER, item="X-1")
    terms = Terms(now=NOW, ages={"X-1": 7}, version="v1.0-production", waivers=(waiver,))
    decision = decide(
        run_id="r", profile="production", required=["X-1"], selected=["X-1"], results=[result], terms=terms
    )
    assert decision.answer is Answer.INCONCLUSIVE
    assert decision.waivers[0].standing is Standing.FORBIDDEN
