"""Server-sent events of the worker log stream: bytes in any pieces -> log lines. Pure, of bounded memory.

The specification's text promises an ``id:`` line and a ``data:`` line for each event; its example shows them without
the blank line that the SSE standard ends an event with. So an event is over as soon as its data is a whole log line.
A cut event is dropped: the resumed stream sends it again.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

LONGEST = 256 * 1024
"""Bytes of one line of the stream; a longer one is cut and its event lost, which is counted."""


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a worker's log."""

    line: str
    source: str = "container"
    """``container`` or ``system``."""
    ts: str = ""
    """RFC 3339, as the platform told it."""
    id: str = ""
    """The event's id: what resumes the stream behind it. ``ts``, or ``ts`` and a sequence number."""

    @property
    def at(self) -> float | None:
        """Unix time; None where ``ts`` is no time."""
        return unix(self.ts)


class Reader:
    """Takes the stream's bytes and gives its lines."""

    def __init__(self) -> None:
        """At the beginning of a stream."""
        self.lost = 0
        """Events that were no log line: cut, too long, or of another shape."""
        self._rest = b""
        self._overlong = False
        self._id = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[LogLine]:
        """The lines that ``chunk`` completes."""
        *whole, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        for raw in whole:
            yield from self._line(raw, spoilt=self._overlong)
            self._overlong = False
        if len(self._rest) > LONGEST:
            self._rest = b""
            self._overlong = True

    def end(self) -> Iterator[LogLine]:
        """The last event, if it is whole although nothing ended it."""
        yield from self._line(self._rest, spoilt=self._overlong)
        self._rest, self._overlong = b"", False

    def _line(self, raw: bytes, *, spoilt: bool) -> Iterator[LogLine]:
        """One line of the stream."""
        if spoilt:
            self.lost += 1
            return
        field, _, value = raw.decode("utf-8", "replace").rstrip("\r").partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            yield from self._whole()
        elif not raw or field == "id":
            self._drop()
            self._id = value if raw else self._id

    def _whole(self) -> Iterator[LogLine]:
        """The event, if its data is complete."""
        try:
            line = msgspec.json.decode("\n".join(self._data), type=LogLine)
        except msgspec.DecodeError:
            return
        self._data = []
        yield msgspec.structs.replace(line, id=self._id)

    def _drop(self) -> None:
        """An event is over: what is left of its data was no log line."""
        self.lost += bool(self._data)
        self._data = []


def unix(ts: str) -> float | None:
    """Unix time of an RFC 3339 time; None where it is none."""
    try:
        when = datetime.fromisoformat(ts)
    except ValueError:
        return None
    return when.timestamp() if when.tzinfo else None
