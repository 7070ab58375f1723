"""Bytes in any pieces become the same log lines; what is none is counted; memory stays bounded."""

import json

from hypothesis import given
from hypothesis import strategies as st

from go_live.management.sse import LONGEST, LogLine, Reader, unix

EXAMPLE = (
    b"id: 2026-06-01T12:05:04Z/000000000042\n"
    b'data: {"ts":"2026-06-01T12:05:04Z","source":"container","line":"Worker ready."}\n'
)
"""The specification's own."""
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40)


def stream(lines: list[str], end: str) -> bytes:
    """Events of ``lines``."""
    return "".join(
        f"id: 2026-06-01T12:05:04Z/{n}\ndata: {json.dumps({'ts': 't', 'line': line}, ensure_ascii=False)}\n{end}"
        for n, line in enumerate(lines)
    ).encode()


def read(chunks: list[bytes]) -> tuple[list[LogLine], int]:
    """All lines, and how many events were lost."""
    reader = Reader()
    found = [line for chunk in chunks for line in reader.feed(chunk)]
    return [*found, *reader.end()], reader.lost


def test_the_specifications_example() -> None:
    """Without a blank line behind it, it is there as soon as it is whole."""
    (line,) = Reader().feed(EXAMPLE)
    assert (line.line, line.source, line.ts) == ("Worker ready.", "container", "2026-06-01T12:05:04Z")
    assert line.id == "2026-06-01T12:05:04Z/000000000042"
    assert line.at == 1780315504.0


@given(st.lists(TEXTS, max_size=6), st.sampled_from(["", "\n", ": keep-alive\n\n"]), st.data())
def test_pieces_do_not_matter(lines: list[str], end: str, data: st.DataObject) -> None:
    """Cut anywhere, also inside a character: the same lines and ids."""
    whole = stream(lines, end)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    found, lost = read(pieces)
    assert [line.line for line in found] == lines
    assert [line.id for line in found] == [f"2026-06-01T12:05:04Z/{n}" for n in range(len(lines))]
    assert lost == 0


def test_other_line_ends_and_orders() -> None:
    """CRLF; data over two lines; data before its id."""
    assert [line.line for line in read([EXAMPLE.replace(b"\n", b"\r\n")])[0]] == ["Worker ready."]
    assert [line.line for line in read([b'data: {"line":\ndata: "x"}\n\n'])[0]] == ["x"]
    assert [line.line for line in read([b'data: {"line": "x"}\nid: 7\n\n'])[0]] == ["x"]


def test_what_is_no_log_line_is_counted() -> None:
    """Foreign data, another shape, and the cut end of a stream; what follows is read."""
    found, lost = read(
        [b"data: hello\n\n", b'data: {"text": 1}\n\n', b"event: ping\n\n", EXAMPLE, b'id: 9\ndata: {"li']
    )
    assert [line.line for line in found] == ["Worker ready."]
    assert lost == 2


def test_an_endless_line_does_not_fill_the_memory() -> None:
    """It is lost, and the next event is read."""
    reader = Reader()
    found = [line for _ in range(8) for line in reader.feed(b"x" * (LONGEST // 2))]
    assert len(reader._rest) <= LONGEST
    found += reader.feed(b"\n\n" + EXAMPLE)
    assert [line.line for line in found] == ["Worker ready."]
    assert reader.lost == 1


def test_times() -> None:
    """Whole seconds, nanoseconds and other zones are read; a time without a zone is none."""
    assert unix("1970-01-01T00:00:01Z") == 1.0
    assert unix("1970-01-01T01:00:01.500000000+01:00") == 1.5
    assert unix("1970-01-01T00:00:01") is unix("yesterday") is unix("") is None
