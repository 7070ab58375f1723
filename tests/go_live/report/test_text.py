"""Figures in words, and text that cannot break out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from go_live.report import text

CASES = [
    "| a | b |",
    "<b>x</b>",
    "**x**",
    "`x`",
    "[x](http://y)",
    "1. x",
    "- x",
    "# x",
    "a_b _c_ d",
    "www.x.org",
    "@me",
]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, "ms", ""),
        (math.inf, "ms", "no answer"),
        (6929.0, "ms", "6,929 ms"),
        (12.4, "ms", "12 ms"),
        (3.456, "ms", "3.46 ms"),
        (0.99996, "share", "99.99 %"),
        (1.0, "share", "100 %"),
        (-0.25, "share", "-25 %"),
        (43.52, "tokens/s", "43.5 tokens/s"),
        (2000, None, "2,000"),
    ],
)
def test_figures_are_formatted(value: float | None, unit: str | None, shown: str) -> None:
    """A figure carries its unit; an infinite latency is said in words, and 99.996 % is never shown as 100 %."""
    assert text.quantity(value, unit) == shown


@pytest.mark.parametrize(
    ("measured", "limit", "unit", "side", "said"),
    [
        (3453, 5000, "ms", "≤", "31 % below its limit"),
        (6929, 6000, "ms", "≤", "15 % above its limit, the wrong side"),
        (6000.4, 6000, "ms", "≤", "0.0067 % above its limit, the wrong side"),
        (43.5, 40, "tokens/s", "≥", "8.8 % above its limit"),
        (0.98, 0.99, "share", "≥", "1 point below its limit, the wrong side"),
        (40, 40, "tokens/s", "≥", "exactly at its limit"),
        (None, 40, "ms", "≤", ""),
        (0.1, 0.2, "share", "", ""),
    ],
)
def test_margins_are_sentences(measured: float | None, limit: float, unit: str, side: str, said: str) -> None:
    """A margin says how far and on which side; no difference is rounded to none, and no direction is guessed."""
    assert text.margin(measured, limit, unit, side) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.5, "0.50 s"), (47.6, "48 s"), (60, "1 min"), (401, "6 min 41 s"), (7500, "2 h 05 min")]
)
def test_durations_are_said(seconds: float, said: str) -> None:
    """Seconds, minutes and hours, as an engineer says them."""
    assert text.duration(seconds) == said


@given(st.text())
def test_clean_text_is_one_printable_line(words: str) -> None:
    """What is cleaned can be encoded, is one line, and holds nothing that hides or reorders text."""
    cleaned = text.clean(words)
    cleaned.encode()
    assert len(cleaned.splitlines()) <= 1
    assert not any(ord(letter) < 32 or 0x202A <= ord(letter) <= 0x202E for letter in cleaned)


def inline(tokens: list[Token]) -> list[Token]:
    """All tokens, those inside of others too."""
    return [inner for token in tokens for inner in (token, *inline(token.children or []))]


@given(st.one_of(st.text(), st.sampled_from(CASES), st.text(alphabet="|\\`*_[]<>()!#&~$-+1. \n:@/wh@")))
def test_markdown_shows_text_as_it_is(words: str) -> None:
    """In a table cell, in a list and in a paragraph, escaped text renders as itself and as nothing else."""
    page = f"| a | b |\n|---|---|\n| {text.markdown(words)} | end |\n\n- {text.markdown(words)} end\n"
    tokens = inline(MarkdownIt("gfm-like", {"linkify": False}).parse(page))
    kinds = {token.type for token in tokens}
    assert not kinds & {
        "html_inline",
        "html_block",
        "link_open",
        "em_open",
        "strong_open",
        "code_inline",
        "s_open",
        "image",
    }
    assert [token.type for token in tokens].count("td_open") == 2
    cells = [token for token in tokens if token.type == "inline"]
    shown = " ".join(text.clean(words).split())
    assert " ".join("".join(t.content for t in cells[2].children or []).split()) == shown
    assert " ".join("".join(t.content for t in cells[4].children or []).split()) == f"{shown} end".strip()
