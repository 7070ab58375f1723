"""The double's worker log streams: real log files of real workers, as server-sent events.

A worker's log exists while the worker is active: then its stream ends, and another is 404. The files hold no times; a
line's is when the double first saw it, in whole seconds as in the specification's example.
"""

import asyncio
import json
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from aiohttp import web

from go_live.local_endpoint.management_double import shapes
from go_live.local_endpoint.management_double.bodies import RefusedError
from go_live.local_endpoint.management_double.rest import ONE, ManagementDouble

OPERATION = "GET /serverless/{id}/workers/{workerId}/logs"
TAIL_DEFAULT, TAIL_MOST = 100, 5000
LOOK_S = 0.05
"""How often an open stream looks for more lines."""


@dataclass(slots=True, kw_only=True)
class LogQuirks:
    """What the specification leaves open or contradicts; each can be had both ways."""

    ids: Literal["numbered", "times"] = "numbered"
    """An event's id: time and number, as the example shows; or the time alone, as the text says."""
    resumes: Literal["behind", "at"] = "behind"
    """Whether a resumed stream begins behind the cursor's line, or with all lines of its time."""
    cursors: Literal["any", "times"] = "any"
    """Whether a ``Last-Event-ID`` that is no RFC 3339 time is taken, or refused with 422 as its schema says."""
    blank_lines: bool = True
    """Whether a blank line ends an event, as the standard says; the example shows none."""
    cut_after: int | None = None
    """So many events, and the connection breaks in the middle of the next one; None: it does not."""


@dataclass(slots=True)
class Entry:
    """One line."""

    ts: str
    number: int
    line: str
    source: str = "container"


@dataclass(slots=True)
class Journal:
    """One worker's log as far as it was read."""

    path: Path
    entries: list[Entry] = field(default_factory=list)
    _offset: int = 0

    def read(self, ts: str) -> None:
        """Take in the whole lines that are new, as of ``ts``."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return
        self._offset += len(whole) + 1
        for line in whole.decode("utf-8", "replace").split("\n"):
            self.entries.append(Entry(ts, len(self.entries), line))


class WorkerLogs:
    """The log routes of a double; ``log_of`` says where a worker writes."""

    def __init__(
        self,
        double: ManagementDouble,
        log_of: Callable[[str], Path | None],
        *,
        quirks: LogQuirks | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Logs of the workers of all of the double's endpoints."""
        self.quirks = quirks or LogQuirks()
        self.asked: list[tuple[dict[str, str], str | None]] = []
        """Query and ``Last-Event-ID`` of each stream that was asked for."""
        self._double = double
        self._log_of = log_of
        self._wall = wall
        self._journals: dict[str, Journal] = {}

    def routes(self) -> list[web.RouteDef]:
        """To be served beside the double's own."""
        return [web.get(f"{ONE}/workers/{{worker}}/logs", self._double.guarded(OPERATION, self._stream))]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        worker = request.match_info["worker"]
        journal = self._journal(request, worker)
        cursor = request.headers.get("Last-Event-ID")
        self.asked.append((dict(request.query), cursor))
        journal.read(shapes.iso(self._wall()))
        at = self._begin(journal, request, cursor)
        sources = [request.query["source"]] if "source" in request.query else ["container", "system"]
        response = web.StreamResponse(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        response.content_type = "text/event-stream"
        await response.prepare(request)
        sent = 0
        while True:
            journal.read(shapes.iso(self._wall()))
            for entry in journal.entries[at:]:
                if entry.source not in sources:
                    continue
                event = self._event(entry)
                if sent == self.quirks.cut_after:
                    await response.write(event[: len(event) // 2])
                    if request.transport is not None:
                        request.transport.close()
                    return response
                await response.write(event)
                sent += 1
            at = len(journal.entries)
            if not self._active(request, worker):
                return response
            await asyncio.sleep(LOOK_S)

    def _journal(self, request: web.Request, worker: str) -> Journal:
        """The worker's log.

        Raises:
            RefusedError: 404: the worker is not active, or writes nowhere.
        """
        path = self._log_of(worker) if self._active(request, worker) else None
        if path is None:
            raise RefusedError(404, "worker not found")
        return self._journals.setdefault(worker, Journal(path))

    def _active(self, request: web.Request, worker: str) -> bool:
        endpoint = self._double.one(request)
        return any(one.id == worker for one in self._double.crews[endpoint.id].seen())

    def _begin(self, journal: Journal, request: web.Request, cursor: str | None) -> int:
        """The first entry of a stream.

        Raises:
            RefusedError: 422: a parameter is not what it has to be.
        """
        if cursor is not None:
            return self._behind(journal, cursor)
        if since := request.query.get("since"):
            return bisect_left(journal.entries, _when(since, "since"), key=lambda entry: _when(entry.ts, "ts"))
        tail = request.query.get("tail", str(TAIL_DEFAULT))
        if not tail.isdigit() or int(tail) > TAIL_MOST:
            raise RefusedError(422, f"tail is a whole number from 0 to {TAIL_MOST}")
        return max(0, len(journal.entries) - int(tail))

    def _behind(self, journal: Journal, cursor: str) -> int:
        """The first entry behind a ``Last-Event-ID``."""
        ts, numbered, number = cursor.partition("/")
        if numbered and self.quirks.cursors == "times":
            raise RefusedError(422, "Last-Event-ID is no RFC 3339 date-time")
        found = list(self._at(journal, _when(ts, "Last-Event-ID")))
        if numbered and number.isdigit():
            behind = int(number) + (self.quirks.resumes == "behind")
            return min(behind, len(journal.entries))
        return found[0] if self.quirks.resumes == "at" else found[-1]

    @staticmethod
    def _at(journal: Journal, when: float) -> Iterator[int]:
        """The first entry of a time, and the first behind it."""
        times = [_when(entry.ts, "ts") for entry in journal.entries]
        yield bisect_left(times, when)
        yield bisect_left(times, when + 1e-6)

    def _event(self, entry: Entry) -> bytes:
        name = entry.ts if self.quirks.ids == "times" else f"{entry.ts}/{entry.number:012d}"
        data = json.dumps({"ts": entry.ts, "source": entry.source, "line": entry.line})
        end = "\n\n" if self.quirks.blank_lines else "\n"
        return f"id: {name}\ndata: {data}{end}".encode()


def _when(text: str, name: str) -> float:
    """Unix time.

    Raises:
        RefusedError: 422: it is no time.
    """
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise RefusedError(422, f"{name} is no RFC 3339 date-time") from None
