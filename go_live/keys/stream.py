"""A text of any length, piece by piece: the same secrets as of the whole, in bounded memory. Pure."""

import codecs
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from go_live.keys import rules

_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Hit(NamedTuple):
    """A secret and where it stands."""

    rule: str
    line: int
    """From 1."""
    secret: bytes


def is_clean(content: bytes) -> bool:
    """Whether a quick look at a whole text shows that it holds no secret; false decides nothing."""
    return content[:2] not in _BOMS and rules.CANDIDATE.search(content) is None


def hits(pieces: Iterable[bytes]) -> Iterator[Hit]:
    """All secrets of the text that ``pieces`` make up, in order.

    A match depends on at most BEFORE bytes ahead of its secret and AFTER bytes from its first byte on. So each piece is
    looked at together with the end of the one before, and a secret counts where it has both around it.
    """
    buffer, line, first = b"", 1, 0
    for piece, more in _with_more(_plain(pieces)):
        buffer = buffer + piece if buffer else piece
        last = len(buffer) - rules.AFTER if more else len(buffer)
        if last <= first:
            continue
        yield from _owned(buffer, line, first, last)
        if more:
            cut = max(0, last - rules.BEFORE)
            line += buffer.count(b"\n", 0, cut)
            buffer, first = buffer[cut:], last - cut


def _with_more(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether another follows."""
    held: bytes | None = None
    for piece in pieces:
        if held is not None:
            yield held, True
        held = piece
    if held is not None:
        yield held, False


def _owned(buffer: bytes, line: int, first: int, last: int) -> Iterator[Hit]:
    """Secrets that begin at ``first`` or behind it and before ``last``; ``line`` is that of the buffer's first byte."""
    counted = 0
    for match in rules.find(buffer):
        if first <= match.start < last:
            line += buffer.count(b"\n", counted, match.start)
            counted = match.start
            yield Hit(match.rule, line, buffer[match.start : match.end])


def _plain(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """``pieces`` as they are; of UTF-16 (by its byte order mark) as UTF-8, in which the patterns are written."""
    decoder: codecs.IncrementalDecoder | None = None
    for number, piece in enumerate(pieces):
        if number == 0 and piece[:2] in _BOMS:
            decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        yield piece if decoder is None else decoder.decode(piece).encode("utf-8", "replace")
