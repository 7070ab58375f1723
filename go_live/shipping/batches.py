"""Lines on their way, and how many of them a destination takes at once. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from go_live.management.sse import unix
from go_live.shipping.allowed import OTHER, gathered

NS = 1_000_000_000
DAY_NS = 24 * 3600 * NS


class Entry(NamedTuple):
    """One line as it is sent."""

    ns: int
    """Unix time, nanoseconds."""
    text: str
    """JSON."""

    @property
    def size(self) -> int:
        """Bytes of the text."""
        return len(self.text.encode())


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination takes in one request."""

    most_bytes: int
    """Of all lines together, uncompressed."""
    most_entries: int
    overhead_bytes: int
    """That a line costs beside its text."""
    most_span_ns: int | None = None
    """Between the first and the last line."""
    oldest_ns: int | None = None
    """How old a line may be; what is older would be dropped and nobody told."""
    newest_ns: int | None = None
    """How far in the future it may be, likewise."""


def stamped(line: str, *, told_ns: int | None, last_ns: int) -> Entry:
    """A clean line with its time: its own, else the one that its source told, else that of the line before it."""
    own = msgspec.json.decode(line, type=dict[str, Any])
    at = _ns(own.get("ts"))
    ns = at if at is not None else told_ns if told_ns is not None else last_ns
    if "ts" in own:
        return Entry(ns, line)
    return Entry(ns, msgspec.json.encode({"ts": _iso(ns), **own}).decode())


def joined(entries: Sequence[Entry]) -> list[Entry]:
    """``entries`` with each run of ``other`` lines as one, at the time of its last."""
    done: list[Entry] = []
    run: list[tuple[Entry, Mapping[str, Any]]] = []
    for entry in entries:
        told = msgspec.json.decode(entry.text, type=dict[str, Any])
        if told.get("event") == OTHER:
            run.append((entry, told))
            continue
        done += _one(run)
        run = []
        done.append(entry)
    return done + _one(run)


def others(entries: Sequence[Entry]) -> int:
    """How many lines of the log stand behind the ``other`` entries."""
    told = (msgspec.json.decode(entry.text, type=dict[str, Any]) for entry in entries)
    return sum(one["lines"] for one in told if one.get("event") == OTHER)


def _one(run: Sequence[tuple[Entry, Mapping[str, Any]]]) -> list[Entry]:
    if not run:
        return []
    last = run[-1][0]
    text = msgspec.json.encode({"ts": _iso(last.ns), **gathered(told for _, told in run)}).decode()
    return [Entry(last.ns, text)]


def cut(entries: Sequence[Entry], limits: Limits) -> list[list[Entry]]:
    """``entries`` in order of time, in requests that the destination takes."""
    requests: list[list[Entry]] = []
    size = 0
    for entry in sorted(entries, key=lambda one: one.ns):
        cost = entry.size + limits.overhead_bytes
        last = requests[-1] if requests else None
        if (
            last is None
            or size + cost > limits.most_bytes
            or len(last) >= limits.most_entries
            or (limits.most_span_ns is not None and entry.ns - last[0].ns > limits.most_span_ns)
        ):
            requests.append([])
            size = 0
        requests[-1].append(entry)
        size += cost
    return requests


class Timely(NamedTuple):
    """Lines by whether their time is one that the destination takes."""

    fresh: list[Entry]
    old: list[Entry]
    ahead: list[Entry]


def timely(entries: Sequence[Entry], limits: Limits, now_ns: int) -> Timely:
    """``entries`` whose time is taken, those that are too old for it, and those that are too far in the future."""
    since = now_ns - limits.oldest_ns if limits.oldest_ns is not None else min((one.ns for one in entries), default=0)
    until = now_ns + limits.newest_ns if limits.newest_ns is not None else max((one.ns for one in entries), default=0)
    return Timely(
        [one for one in entries if since <= one.ns <= until],
        [one for one in entries if one.ns < since],
        [one for one in entries if one.ns > until],
    )


def _ns(ts: Any) -> int | None:
    """Nanoseconds of an RFC 3339 time."""
    at = unix(ts) if isinstance(ts, str) else None
    return None if at is None else round(at * 1e6) * 1000


def told_ns(ts: str) -> int | None:
    """Nanoseconds of the time that a source told."""
    return _ns(ts)


def _iso(ns: int) -> str:
    stamp = datetime.fromtimestamp(ns // 1_000_000 / 1000, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")
