"""One word on top, one screen, and never READY for what was not looked at."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.errors import ExitCode
from go_live.outcome import Outcome
from go_live.rollback.findings import Answer, Finding, Name, decide
from go_live.rollback.screen import HEIGHT, WIDTH, screen
from go_live.rollback.session import refusal

GOOD = {Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.ATTESTED}
TEXT = st.text(max_size=300)
FINDING = st.builds(
    Finding, name=st.sampled_from(get_args(Name)), outcome=st.sampled_from(Outcome), reason=TEXT, decides=st.booleans()
)
ANSWER = st.builds(
    Answer,
    version=st.text(min_size=1, max_size=120),
    outcome=st.sampled_from([Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR]),
    reason=TEXT,
    findings=st.lists(FINDING, min_size=7, max_size=7).map(tuple),
    changes=st.lists(TEXT, max_size=12).map(tuple),
    stays=st.lists(TEXT, max_size=12).map(tuple),
    commit=TEXT,
    image=TEXT,
    now_image=TEXT,
    how=st.sampled_from(["image", "template", "none", "unknown"]),
    seconds=st.floats(0, 99),
)


def answer(outcome: Outcome, **changes: object) -> Answer:
    """An answer of that outcome."""
    known = {"version": "v0.9", "reason": "why", "findings": (), "changes": (), "stays": (), "commit": "", "image": ""}
    return Answer(**{**known, "now_image": "", "how": "image", "seconds": 1.0, "outcome": outcome, **changes})  # type: ignore[arg-type]


@given(ANSWER)
def test_it_fits_a_terminal(found: Answer) -> None:
    """Whatever was found: 80 columns, 23 lines, printable, and the word comes first."""
    lines = [line for line, _ in screen(found)]
    assert len(lines) <= HEIGHT
    assert all(len(line) <= WIDTH for line in lines)
    assert all(char.isprintable() for line in lines for char in line)
    assert lines[0].startswith(f"{found.word} ")


@given(st.lists(FINDING, max_size=8))
def test_ready_needs_every_deciding_look(findings: list[Finding]) -> None:
    """READY only where something was looked at and everything that decides is good."""
    outcome, _ = decide(findings)
    deciding = {finding.outcome for finding in findings if finding.decides}
    assert (outcome is Outcome.PASS) == (bool(deciding) and deciding <= GOOD)


@pytest.mark.parametrize(
    ("outcome", "word", "code"),
    [
        (Outcome.PASS, "READY", ExitCode.GO),
        (Outcome.FAIL, "STOP", ExitCode.NO_GO),
        (Outcome.INCONCLUSIVE, "UNSURE", ExitCode.INCONCLUSIVE),
        (Outcome.ERROR, "BLIND", ExitCode.NOT_MEASURED),
        (Outcome.NOT_RUN, "BLIND", ExitCode.NOT_MEASURED),
    ],
)
def test_each_outcome_has_one_word(outcome: Outcome, word: str, code: ExitCode) -> None:
    """Word and exit code say the same."""
    assert (answer(outcome).word, answer(outcome).exit_code) == (word, code)


def test_fail_comes_before_blind_before_unsure() -> None:
    """With several troubles the worst is told."""
    found = [
        Finding(name="settings", outcome=Outcome.INCONCLUSIVE, reason="a"),
        Finding(name="image", outcome=Outcome.ERROR, reason="b"),
        Finding(name="tag", outcome=Outcome.FAIL, reason="c"),
    ]
    assert decide(found) == (Outcome.FAIL, "c")
    assert decide(found[:2]) == (Outcome.ERROR, "b")


@pytest.mark.parametrize(
    ("outcome", "anyway", "begun"),
    [
        (Outcome.PASS, "", True),
        (Outcome.INCONCLUSIVE, "", False),
        (Outcome.INCONCLUSIVE, "INC-42", True),
        (Outcome.ERROR, " ", False),
        (Outcome.ERROR, "INC-42", True),
        (Outcome.FAIL, "INC-42", False),
    ],
)
def test_no_anyway_helps_over_a_stop(outcome: Outcome, anyway: str, *, begun: bool) -> None:
    """What was not shown can be gone over with a reason; what was shown to be bad cannot."""
    assert (refusal(answer(outcome), anyway=anyway) == "") is begun
