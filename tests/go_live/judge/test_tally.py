"""One share under test, by the fixed test or at every look: outcome, margin, and the sentence that says both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.judge.tally import Rule, Tally, explain, tally
from go_live.outcome import Outcome

LOOKS = st.booleans()


def share(misses: int, n: int, *, anytime: bool = False, family: int = 1, p0: float = 0.95) -> Tally:
    """``misses`` of ``n``."""
    missed = np.arange(n) < misses
    return tally(missed, p0, Rule(0.95, family=family, anytime=anytime))


@given(st.integers(1, 400), st.data(), LOOKS)
@settings(max_examples=60, deadline=None)
def test_the_margin_is_what_turns_the_verdict(n: int, data: st.DataObject, anytime: bool) -> None:  # noqa: FBT001
    """One miss less than the margin changes nothing; the margin itself changes the outcome."""
    found = share(data.draw(st.integers(0, n)), n, anytime=anytime, family=3)
    if found.margin is None:
        return
    sign = -1 if found.outcome is Outcome.FAIL else 1
    for step in range(found.margin):
        assert share(found.misses + sign * step, n, anytime=anytime, family=3).outcome is found.outcome
    turned = found.misses + sign * found.margin
    if 0 <= turned <= n:
        assert share(turned, n, anytime=anytime, family=3).outcome is not found.outcome


@given(st.integers(1, 2000), st.data())
@settings(deadline=None)
def test_looking_often_costs_and_never_gains(n: int, data: st.DataObject) -> None:
    """What is shown at every look is shown by the fixed test too; never the other way round for free."""
    misses = data.draw(st.integers(0, n))
    often, once = share(misses, n, anytime=True), share(misses, n)
    if often.outcome is not Outcome.INCONCLUSIVE:
        assert once.outcome is often.outcome


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (share(0, 124), "with 0 of 124 requests over it (up to 2 show it at 95 % confidence; 3 more would turn this)"),
        (
            share(30, 124, family=6),
            "(14 are enough to refute it at 99.2 % confidence; 17 fewer would turn this)",
        ),
        (share(0, 100, anytime=True), "(up to 0 show it at 95 % confidence, at every look; 1 more would turn this)"),
        (share(3, 124), "decides nothing at 95 % confidence; a newly planned run of 458 shows it with up to 15 misses"),
        (share(9, 124), "a newly planned run of 961 would fail if misses stay at this rate"),
        (share(0, 5), "a newly planned run of 59 shows it without a miss"),
        (share(1, 20), "so near to the limit no run of a practical size would decide"),
    ],
)
def test_the_sentence(found: Tally, said: str) -> None:
    """Each outcome is one sentence with the counts, the reason and the next action."""
    assert said in explain(found, seen="total p95 3450 ms <= 8000 ms", missed="over it")


def test_a_bare_confidence_is_a_rule() -> None:
    """0.95 alone is one claim of a fixed plan."""
    assert Rule.of(0.95) == Rule(0.95)
    assert Rule.of(Rule(0.9, family=2)) == Rule(0.9, family=2)


def test_the_limit_itself_has_no_next_size() -> None:
    """A single ok request can only be followed by more: no count of misses shows or refutes at a p0 of 1/2."""
    assert share(0, 1, family=20, p0=0.5).margin is None
