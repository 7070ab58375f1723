"""What counts as red."""

import pytest

from go_live.decide import ItemResult, combine
from go_live.outcome import Outcome, Verdict
from selftest.batches import Batch
from selftest.control import Control, Scene
from selftest.judge import explain, judge, strays

CONTROL = Control(id="blank-accepted", item="CODE-3", reason="was not refused", scene="answers")


def result(*told: tuple[Outcome, str], item: str = "CODE-3") -> dict[str, ItemResult]:
    """The item's result from outcomes and reasons."""
    verdicts = [Verdict(claim="c", outcome=outcome, reason=reason) for outcome, reason in told]
    return {item: combine(item, verdicts)}


def test_the_promised_reason_is_red() -> None:
    """A FAIL that says what was promised is kept, beside verdicts that passed."""
    seen = judge(CONTROL, result((Outcome.PASS, "fine"), (Outcome.FAIL, "a blank prompt was not refused")))
    assert (seen.problem, seen.reason) == (None, "a blank prompt was not refused")


@pytest.mark.parametrize(
    "told",
    [
        [(Outcome.PASS, "was not refused")],
        [(Outcome.FAIL, "the worker did not answer")],
        [(Outcome.INCONCLUSIVE, "was not refused")],
        [(Outcome.ERROR, "was not refused")],
        [(Outcome.NOT_RUN, "was not refused")],
        [],
    ],
)
def test_anything_else_is_not_red(told: list[tuple[Outcome, str]]) -> None:
    """Another outcome, or the outcome for another reason, is not what was promised."""
    seen = judge(CONTROL, result(*told))
    assert seen.reason is None
    assert seen.problem


@pytest.mark.parametrize("crash", ["could not measure: KeyError: was not refused", "the check ended without a verdict"])
@pytest.mark.parametrize("promised", [Outcome.FAIL, Outcome.ERROR])
def test_a_check_that_breaks_is_never_red(crash: str, promised: Outcome) -> None:
    """A crash of the check spoils the control, even where another verdict keeps the promise or ERROR was promised."""
    control = Control(id="x", item="CODE-3", reason="was not refused", scene="answers", outcome=promised)
    seen = judge(control, result((promised, "was not refused"), (Outcome.ERROR, crash)))
    assert seen.reason is None
    assert "the check itself broke" in (seen.problem or "")


def test_could_not_measure_can_be_the_promise() -> None:
    """A judge's own ERROR is red where that is what the item promises."""
    control = Control(id="x", item="PERF-9", reason="lag", scene="steady", outcome=Outcome.ERROR)
    assert judge(control, result((Outcome.ERROR, "client lag"), item="PERF-9")).problem is None


def test_an_item_without_a_result_is_not_red() -> None:
    """What the run did not answer has shown nothing."""
    assert judge(CONTROL, {}).problem


def test_a_bystander_has_to_pass() -> None:
    """Whatever is not PASS is a stray, and so is an item without a result."""
    batch = Batch(scene=Scene(name="answers"), controls=(), bystanders=("CODE-3", "CODE-4"))
    (failed, missing) = strays(batch, result((Outcome.INCONCLUSIVE, "too few")))
    assert "CODE-3" in failed
    assert "INCONCLUSIVE: too few" in failed
    assert "CODE-4" in missing
    assert strays(batch, result((Outcome.PASS, "")) | result((Outcome.PASS, ""), item="CODE-4")) == []


def test_a_failed_control_says_everything() -> None:
    """The message names control, item, what was promised and what was seen."""
    said = explain(judge(CONTROL, result((Outcome.FAIL, "another story"))))
    assert all(part in said for part in ("blank-accepted", "CODE-3", "was not refused", "FAIL: another story"))
