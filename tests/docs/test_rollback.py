"""docs/rollback.md shows the screen that golive prints, and every word and exit code there is."""

import re

import pytest

from go_live.errors import ExitCode
from go_live.outcome import Outcome
from go_live.rollback.findings import WORDS, Answer, Finding
from go_live.rollback.screen import screen
from tests.go_live.release.conftest import ROOT

PAGE = (ROOT / "docs" / "rollback.md").read_text(encoding="utf-8")
ANSWER = Answer(
    version="v0.9-production",
    outcome=Outcome.PASS,
    reason="it is what it says it is, it is still there, and it fits",
    findings=(
        Finding(name="tag", outcome=Outcome.PASS, reason="verified: GO of 2025-11-23, signed by release@example.org"),
        Finding(name="image", outcome=Outcome.PASS, reason="abababababab: registry.example still has it"),
        Finding(name="settings", outcome=Outcome.PASS, reason="compatible: GPU, bounds and the worker's own settings"),
        Finding(
            name="measured",
            outcome=Outcome.PASS,
            reason="2025-11-23 (2 d ago), 2.8 s exec, 3.5 s total p50 at c=2, 99.95 % of 2060",
            decides=False,
        ),
        Finding(
            name="rehearsed",
            outcome=Outcome.PASS,
            reason="booted and answered in 74 s on 2025-11-23T10:02:11Z",
            decides=False,
        ),
        Finding(
            name="endpoint",
            outcome=Outcome.FAIL,
            reason="now 2 unhealthy; 14 jobs queued, 0 in progress",
            decides=False,
        ),
        Finding(
            name="smoke", outcome=Outcome.FAIL, reason="4 of 4: the probe was not answered: deadline", decides=False
        ),
    ),
    changes=("image: cdcdcdcdcdcd -> abababababab", "MAX_MODEL_LEN: 4096 -> 2048"),
    stays=("workers_max: 9 (then 5)",),
    commit="0014119a0de9",
    image="abababababab",
    now_image="cdcdcdcdcdcd",
    how="image",
    seconds=1.2,
)


def test_the_page_shows_what_is_printed() -> None:
    """Line by line."""
    shown = re.findall(r"```\n(READY.*?)\n```", PAGE, re.DOTALL)
    assert shown == ["\n".join(line for line, _ in screen(ANSWER))]


@pytest.mark.parametrize(("code", "word"), WORDS.items())
def test_the_page_explains_every_word(code: ExitCode, word: str) -> None:
    """A row of the table for each word, with its exit code."""
    assert f"| {word} | {int(code)} |" in PAGE
