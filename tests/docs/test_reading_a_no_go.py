"""What docs/reading-a-no-go.md quotes is what ``golive demo`` says."""

import re
from pathlib import Path

import pytest

from go_live.demo import command, reconstruction
from go_live.judge.band import band
from go_live.judge.summary import spoken
from go_live.outcome import Outcome
from go_live.table import Table

PAGE = (Path(__file__).parents[2] / "docs" / "reading-a-no-go.md").read_text(encoding="utf-8")
QUOTES = re.findall(r"^```text\n(.*?)\n```$", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def said() -> str:
    """Every sentence of the demonstration."""
    verdicts = command.judge(reconstruction.records()).verdicts
    assert [verdict.outcome for verdict in verdicts[:3]] == [Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.PASS]
    return "\n".join(spoken(verdict) for verdict in verdicts)


def test_there_is_something_to_quote() -> None:
    """The page has its six quotations."""
    assert len(QUOTES) == 6


@pytest.mark.parametrize("quote", QUOTES, ids=lambda quote: quote[:24])
def test_quotations_are_word_for_word(quote: str, said: str) -> None:
    """Each one is a part of what the demonstration says; where it has changed, the page is to be changed."""
    assert quote in said


def test_the_band_is_the_reports() -> None:
    """The ends of the band of p95 that the page names are those that the report draws."""
    found = band(Table.of(reconstruction.records()).total_ms, q=95, confidence=reconstruction.SLO.confidence)
    assert f"{found.lower[-1]:,.0f} to {found.upper[-1]:,.0f} ms" in PAGE
