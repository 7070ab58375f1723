"""The worker logs of a live endpoint, tailed while a run goes on, and kept as its evidence.

The platform has one way to a worker's log: a stream that exists while the worker is active. So the list of active
workers is asked for every few seconds, each worker's log is followed from its beginning (as far as the platform still
has it), a stream that breaks is opened again where it was left (``cursor``), and every line goes, without what must not
be kept (``scrub``), into a file of the run. Nothing of a log stays in memory.

What was never read is not known here: how many requests found their line says it (``go_live.judge.worker_log``).
"""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from go_live.management.client import ManagementClient, World
from go_live.management.cursor import Cursor
from go_live.management.errors import (
    BadRequestError,
    ForbiddenError,
    ManagementError,
    NotFoundError,
    RateLimitedError,
    TimedOutError,
    UnauthorizedError,
    UnprocessableError,
)
from go_live.management.mending import mend
from go_live.management.retries import Policy, pause_s
from go_live.management.scrub import Cleaner
from go_live.management.sse import LogLine, Reader

POLL_S = 5.0
"""How often the active workers are asked for: 12 of the 60 calls a minute that an account has."""
BACKFILL = 5000
"""Lines that a worker's first stream begins with: the most that the platform gives."""
POLICY = Policy(first_s=0.5, most_s=15.0)
CHUNK = 65536
MOST_BYTES = 2**30
"""Of one worker's file: a worker that raves must not fill the disk. What is not kept is missing, and is said."""
FOLDER = "worker-logs"
"""In the run directory: a file for each worker, one JSON object (``ts``, ``source``, ``line``) a line."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One line as the evidence has it."""

    ts: str
    source: str
    line: str


class LogTail:
    """Follows the logs of all active workers of one endpoint until it is closed."""

    def __init__(
        self,
        client: ManagementClient,
        endpoint_id: str,
        folder: Path,
        scrubber: Cleaner,
        *,
        world: World | None = None,
    ) -> None:
        """Nothing is asked before :meth:`run`; ``folder`` is made then."""
        self.trouble: str | None = None
        """The last reason why something could not be read; None: there was none."""
        self.reopened = 0
        """How often a stream was opened again."""
        self.lost = 0
        """Events that were no log line."""
        self._client = client
        self._endpoint_id = endpoint_id
        self._folder = folder
        self._scrubber = scrubber
        self._world = world or World()
        self._active: frozenset[str] = frozenset()
        self._following: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Follow, until cancelled. What goes wrong is kept in ``trouble``: a run is not lost for its logs."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            while True:
                await self._look()
                await self._world.sleep(POLL_S)
        finally:
            for task in self._following.values():
                task.cancel()
            await asyncio.gather(*self._following.values(), return_exceptions=True)

    async def _look(self) -> None:
        """Who is active; every one of them is followed."""
        try:
            told = await self._client.workers(self._endpoint_id)
        except ManagementError as error:
            self.trouble = str(error)
            return
        self._active = frozenset(worker.id for worker in told.workers)
        for worker in self._active:
            if not _names_a_file(worker):
                self.trouble = f"a worker is called {worker[:40]!r}, which is no id: its log is not read"
                continue
            task = self._following.get(worker)
            if task is None or task.done():
                if task is not None and (broken := task.exception()) is not None:
                    self.trouble = f"{type(broken).__name__}: {broken}"
                self._following[worker] = asyncio.create_task(self._follow(worker))

    async def _follow(self, worker: str) -> None:
        """One worker's log to its end."""
        path = self._folder / f"{worker}.jsonl"
        cursor = Cursor()
        # A run that goes on after a kill, or a worker that comes back: what is kept is not read again.
        if path.exists():
            mend(path)
        for kept in kept_in(path) if path.exists() else ():
            cursor.is_new(LogLine(line=kept.line, source=kept.source, ts=kept.ts))
        with path.open("ab") as file:
            await Follower(self, worker, cursor, file).run()

    # What a follower needs

    def is_active(self, worker: str) -> bool:
        """Whether the platform lists it."""
        return worker in self._active

    async def keep(self, worker: str, cursor: Cursor, file: BinaryIO) -> None:
        """Read one stream to its end into ``file``.

        Raises:
            ManagementError: it could not be opened, or broke.
        """
        query = {"since": cursor.since} if cursor.since and not cursor.id else {"tail": str(BACKFILL)}
        reader = Reader()
        async with self._client.log_stream(
            self._endpoint_id, worker, query={} if cursor.id else query, last_event_id=cursor.id
        ) as body:
            cursor.reopened()
            try:
                async for chunk in body.iter_chunked(CHUNK):
                    self._write(reader.feed(chunk), cursor, file)
            finally:
                self._write(reader.end(), cursor, file)
                self.lost += reader.lost

    def _write(self, lines: Iterator[LogLine], cursor: Cursor, file: BinaryIO) -> None:
        for line in lines:
            clean = self._scrubber.clean(line.line)
            if not cursor.is_new(msgspec.structs.replace(line, line=clean)):
                continue
            if file.tell() > MOST_BYTES:
                self.trouble = f"{file.name} is larger than {MOST_BYTES:,} bytes: nothing more of it is kept"
            else:
                file.write(msgspec.json.encode(Kept(ts=line.ts, source=line.source, line=clean)) + b"\n")
        file.flush()

    async def pause(self, attempt: int, asked_s: float | None) -> None:
        """Wait before a stream is opened for the ``attempt``-th time in a row without a line."""
        self.reopened += 1
        await self._world.sleep(pause_s(POLICY, attempt, 0.5 + self._world.draw() / 2, asked_s))


class Follower:
    """Follows one worker: opens its stream, and opens it again."""

    def __init__(self, tail: LogTail, worker: str, cursor: Cursor, file: BinaryIO) -> None:
        """``file`` is the worker's, and ``cursor`` stands at its end."""
        self._tail = tail
        self._worker = worker
        self._file = file
        self._cursor = cursor

    async def run(self) -> None:
        """Until the worker is active no more, or its log is refused for good."""
        attempt = 0
        while True:
            before, asked_s = self._file.tell(), None
            try:
                await self._tail.keep(self._worker, self._cursor, self._file)
            except (UnauthorizedError, ForbiddenError) as error:
                self._tail.trouble = str(error)
                return
            except (BadRequestError, UnprocessableError) as error:
                self._tail.trouble = str(error)
                # It does not take this cursor: the next one is by time, and after that there is none to try.
                if self._cursor.id is None:
                    return
                self._cursor.by_id = False
            except ManagementError as error:
                gone = isinstance(error, NotFoundError) and not self._tail.is_active(self._worker)
                if not gone and not isinstance(error, TimedOutError):  # a worker without work is silent
                    self._tail.trouble = str(error)
                asked_s = error.wait_s if isinstance(error, RateLimitedError) else None
            if not self._tail.is_active(self._worker):
                return
            attempt = 1 if self._file.tell() > before else attempt + 1
            await self._tail.pause(attempt, asked_s)


def _names_a_file(worker: str) -> bool:
    """Whether an id from outside can be a file's name and a part of a path."""
    return worker.isascii() and worker.replace("-", "").replace("_", "").isalnum()


def lines_of(folder: Path) -> Iterator[str]:
    """Every line that was kept, worker by worker, each in the order it was written."""
    for path in sorted(folder.glob("*.jsonl")):
        yield from (kept.line for kept in kept_in(path))


def kept_in(path: Path) -> Iterator[Kept]:
    """The lines of one file of :data:`FOLDER`; one that a kill cut is left out."""
    decoder = msgspec.json.Decoder(Kept)
    with path.open("rb") as file:
        for raw in file:
            with suppress(msgspec.DecodeError):
                yield decoder.decode(raw)


def digests_of(folder: Path) -> Mapping[str, str]:
    """sha256 of each kept file, by its name: what binds them to the run's log."""
    return {path.name: _digest(path) for path in sorted(folder.glob("*.jsonl"))}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
