"""Server-sent events of the worker log stream: bytes in any pieces -> log lines. Pure, of bounded memory.

The specification's text promises an ``id:`` line and a ``data:`` line for each event; its example shows them without
the blank line that the SSE standard ends an event with. So an ``id:`` that follows data begins a new event too, and what
stands complete at the end of a stream counts. A cut event is dropped: the resumed stream sends it again.
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
        self._rest = bytearray()
        self._overlong = False
        self._id = ""
        self._data: list[str] = []
        self._spoilt = False

    def feed(self, chunk: bytes) -> Iterator[LogLine]:
        """The lines that ``chunk`` completes."""
        self._rest += chunk
        *whole, rest = self._rest.replace(b"\r\n", b"\n").split(b"\n")
        self._rest = bytearray(rest)
        for raw in whole:
            yield from self._line(raw, spoilt=self._overlong)
            self._overlong = False
        if len(self._rest) > LONGEST:
            self._rest.clear()
            self._overlong = True

    def end(self) -> Iterator[LogLine]:
        """The last event, if it is whole although nothing ended it."""
        yield from self._line(bytes(self._rest), spoilt=self._overlong)
        if self._data:
            yield from self._dispatch()

    def _line(self, raw: bytes, *, spoilt: bool) -> Iterator[LogLine]:
        """One line of the stream."""
        if spoilt:
            self._spoilt = True
            return
        field, _, value = raw.decode("utf-8", "replace").rstrip("\r").partition(":")
        value = value.removeprefix(" ")
        if not raw or field == "id":
            yield from self._dispatch()
        if field == "id":
            self._id = value
        elif field == "data":
            self._data.append(value)

    def _dispatch(self) -> Iterator[LogLine]:
        """The event so far, if there is one."""
        data, spoilt = "\n".join(self._data), self._spoilt
        self._data, self._spoilt = [], False
        if spoilt:
            self.lost += 1
        elif data:
            try:
                yield msgspec.structs.replace(msgspec.json.decode(data, type=LogLine), id=self._id)
            except msgspec.DecodeError:
                self.lost += 1


def unix(ts: str) -> float | None:
    """Unix time of an RFC 3339 time; None where it is none."""
    try:
        when = datetime.fromisoformat(ts)
    except ValueError:
        return None
    return when.timestamp() if when.tzinfo else None
