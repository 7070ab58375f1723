"""Deltas that add up to the sanitised answer."""

from hypothesis import example, given
from hypothesis import strategies as st

from worker.career.sanitiser import sanitise
from worker.streaming import Deltas, settled

PIECES = st.sampled_from(
    [
        *(
            "Learn SQL",
            " and Python.",
            "\n",
            "\n\n\n",
            " ",
            "  ",
            "\t",
            "1 < 2",
            " <",
            "<b>",
            "</b>",
            "<br/>",
            "é",
            "🚀",
        ),
        *("<|im_end|>", "<|im_start|>", "<|endoftext|>", "assistant", "Answer:", "**AI**: ", "user", "user: hi"),
        *(
            "```",
            "```python\n",
            "`x`",
            "~~~",
            "~",
            "<!-- hidden ",
            " -->",
            "\ufffd",
            "\r\n",
            "word " * 10,
            "<a href='x'>",
        ),
    ]
)


def stream(pieces: list[str], window_s: float | None = 0.0) -> Deltas:
    """Push ``pieces`` one a second and finish."""
    deltas = Deltas(window_s)
    for now, piece in enumerate(pieces):
        deltas.push(piece, now)
    deltas.finish()
    return deltas


@given(st.lists(PIECES, max_size=12))
@example(["Ans", "wer: Learn SQL and practise it in small projects."])
@example(["Learn SQL and practise it in small projects. ", "<|im_", "end|>", "user\nand now?"])
@example(["Learn SQL and practise it in projects.\n``", "`python\n", "print()\n", "```"])
@example(["Learn SQL and practise it in projects. <!-- a long ", "comment " * 60, "--> Then apply."])
def test_streaming_does_not_change_the_answer(pieces: list[str]) -> None:
    """However an answer is cut, its deltas join to what the sanitiser makes of the whole, and none is empty."""
    text = "".join(pieces)
    deltas = stream(pieces)
    assert "".join(deltas.sent) == deltas.text
    assert all(deltas.sent)
    assert deltas.text == sanitise(text)
    assert deltas.sanitised == (deltas.text != text)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_any_text_in_any_cut_adds_up(text: str, data: st.DataObject) -> None:
    """Also where the sanitiser changes its mind about sent text, the deltas join to the text of the response."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    deltas = stream([text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)])
    assert "".join(deltas.sent) == deltas.text
    assert bool(deltas.text) == bool(text)


def test_without_a_window_all_is_sent_at_the_end() -> None:
    """A request that does not stream gets one text."""
    deltas = stream(["Learn SQL and ", "practise it."], None)
    assert deltas.sent == ["Learn SQL and practise it."]


def test_a_window_joins_deltas() -> None:
    """The first delta goes out at once, the next not before the window is over."""
    deltas = Deltas(1.0)
    long = "Learn SQL and practise it daily"
    assert deltas.push(long, 0.0) == long
    assert deltas.push(" in", 0.5) == ""
    assert deltas.push(" small", 0.99) == ""
    assert deltas.push(" projects.", 1.0) == " in small projects."
    assert deltas.push(" Then apply.", 1.5) == ""
    assert deltas.finish() == " Then apply."


def test_text_that_may_still_change_is_held_back() -> None:
    """Role labels, open tags and what trails are not sent before they are settled."""
    assert settled("Assistant") == 0
    assert settled("Learn SQL and practise it <") == len("Learn SQL and practise it")
    assert settled("Learn SQL and practise it\n``") == len("Learn SQL and practise it")
    assert settled("Learn SQL: 1 < 2, or not?") == len("Learn SQL: 1 < 2, or not?")
    assert settled("Learn SQL and practise <!-- " + "x" * 1000) == len("Learn SQL and practise")
