"""The decision, from every combination of outcomes."""

from hypothesis import given
from hypothesis import strategies as st

from go_live.decide import Answer, ItemResult, combine, decide
from go_live.errors import ExitCode
from go_live.outcome import SATISFYING, Outcome, Verdict, exit_code, worst

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
