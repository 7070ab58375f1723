"""The sanitiser: what it removes, what it keeps, and that once is enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.career.sanitiser import sanitise

PIECES = st.sampled_from(
    [
        *(
            "<|im_start|>",
            "<|im_end|>",
            "<|endoftext|>",
            "<|",
            "|>",
            "assistant",
            "Assistant:",
            "**AI**:",
            "\n",
            "\r\n",
        ),
        *(
            "```",
            "```python\n",
            "~~~\n",
            "<p>",
            "</p>",
            "<br/>",
            "<b",
            ">",
            "<!--",
            "-->",
            "  ",
            "\t",
            "\ufffd",
            "\x00",
        ),
        *("Learn SQL.", "a < b", "user :", "answer"),
    ]
)
DIRTY = st.lists(PIECES | st.text(max_size=8), max_size=20).map("".join)


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("Learn SQL.<|im_end|>", "Learn SQL."),
        ("<|im_start|>assistant\nLearn SQL.<|im_end|>\n<|im_start|>user\nAnd then?", "Learn SQL."),
        ("Learn <|box|>SQL.", "Learn SQL."),
        ("Assistant: Learn SQL.", "Learn SQL."),
        ("**Answer:** Learn SQL.", "Learn SQL."),
        ("AI : User: Learn SQL.", "Learn SQL."),
        ("```python\nprint(1)\n```", "print(1)"),
        ("<p>Learn <b class='x'>SQL</b>.</p><br/>", "Learn SQL."),
        ("Learn  \t SQL.   \r\n\r\n\r\n\r\nThen Python.\n", "Learn SQL.\n\nThen Python."),
        ("Learn SQL\ufffd", "Learn SQL"),
        ("Learn\x00 SQL.", "Learn SQL."),
    ],
)
def test_what_is_no_part_of_an_answer_goes(dirty: str, clean: str) -> None:
    """Control tokens, role labels, fences, tags, stray whitespace and broken characters are removed."""
    assert sanitise(dirty) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Use a List<String> where a < b and c > d.",
        "The user: someone who pays.",
        "Learn SQL.\n\n1. Read.\n2. Practise `SELECT`.",
        "Earn €45,000 to €60,000 — naïve, 数据, 🙂.",
    ],
)
def test_an_ordinary_answer_is_untouched(text: str) -> None:
    """Comparisons, generics, lists, inline code and every alphabet stay as they are."""
    assert sanitise(text) == text


@pytest.mark.parametrize("text", ["", " ", "\n\t", "<|im_end|>", "<p></p>", "```\n```", "Assistant:", "\ufffd"])
def test_an_answer_that_would_be_emptied_is_kept(text: str) -> None:
    """Nothing is better judged as it was than as an empty answer."""
    assert sanitise(text) == text


@given(DIRTY)
def test_once_is_enough(text: str) -> None:
    """Sanitising twice is sanitising once, and never adds a character."""
    once = sanitise(text)
    assert sanitise(once) == once
    assert len(once) <= len(text)


@given(DIRTY)
def test_nothing_is_emptied(text: str) -> None:
    """Only an empty text becomes an empty one."""
    assert (sanitise(text) == "") == (text == "")
