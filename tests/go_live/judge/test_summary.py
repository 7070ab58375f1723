"""Many verdicts, one answer."""

import pytest

from go_live.judge.summary import WORDS, conclude
from go_live.outcome import Outcome, Verdict


def verdict(outcome: Outcome, scope: str | None = "c=2") -> Verdict:
    """A verdict of ``outcome``."""
    return Verdict(claim="a claim", outcome=outcome, reason=f"because {outcome}", scope=scope)


def test_all_good() -> None:
    """Only when every claim holds is that said."""
    assert conclude([verdict(Outcome.PASS)] * 3) == (Outcome.PASS, "every one of 3 claims holds")


def test_the_worst_is_named_first() -> None:
    """Fail before error before inconclusive, with its count and its reason."""
    outcomes = [Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.FAIL]
    assert conclude([verdict(one) for one in outcomes]) == (
        Outcome.FAIL,
        "1 of 4 claims is shown not to hold: c=2 because fail",
    )
    assert conclude([verdict(Outcome.INCONCLUSIVE, None)] * 2)[1] == "2 of 2 claims are undecided: because inconclusive"


def test_no_verdicts_are_no_pass() -> None:
    """An empty judgement is an ERROR."""
    assert conclude([]) == (Outcome.ERROR, "no claim was judged")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_word(outcome: Outcome) -> None:
    """No outcome is left without its word."""
    assert WORDS[outcome]
