"""log.jsonl: the append-only, hash-chained log of a run.

Each line is a JSON object ``{"n", "prev", "at", "kind", "body"}``; ``prev`` is the sha256 of the line before it (64
zeros for the first), so that a cut, an edit or a changed order shows. The last line of a finished run has the kind
``finish``; a killed run has none and can never count as passed. A request has two lines: ``due`` before it is sent, so
that a killed run knows what it was waiting for, and ``request`` when it has ended.
"""

import fcntl
import gzip
import hashlib
import io
import os
import shutil
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, Self

import msgspec

from go_live.errors import UsageError

Kind = Literal["start", "collected", "due", "request", "check", "facts", "note", "resume", "finish"]
GENESIS = "0" * 64
LONGEST_LINE = 16 * 2**20
"""Bytes; no entry comes near it."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log."""

    n: int
    """Line number, from 0."""
    prev: str
    """sha256 (hex) of the line before."""
    at: float
    """Unix time of writing."""
    kind: Kind
    body: msgspec.Raw


class LogWriter:
    """Appends entries, each flushed before the call returns; any thread may."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        """Open a new log at ``path``; ``now`` gives Unix time.

        Raises:
            UsageError: the file exists already; a run's log is written once.
        """
        try:
            self._file: IO[bytes] = path.open("xb")
        except FileExistsError as error:
            raise UsageError(f"{path} exists already: a run's log is written once; start a new run") from error
        lock(self._file)
        self._turn = threading.Lock()
        self._now = now
        self._n = 0
        self.head = GENESIS
        """sha256 of the last line."""

    @classmethod
    def resume(cls, path: Path, now: Callable[[], float]) -> tuple[Self, int]:
        """Go on with the log of a killed run; also says how many bytes of a line that the kill cut were dropped.

        Raises:
            UsageError: the log cannot be read or is not whole, or the run still goes on.
        """
        self = cls.__new__(cls)
        try:
            self._file = path.open("r+b")
        except OSError as error:
            raise UsageError(f"cannot read the log {path}: {error}") from error
        try:
            lock(self._file)
            self._turn = threading.Lock()
            dropped = _drop_cut_line(self._file)
            self._now, self._n, self.head = now, 0, GENESIS
            for entry, digest in chain(path):
                self._n, self.head = entry.n + 1, digest
            self._file.seek(0, os.SEEK_END)
        except BaseException:
            self._file.close()
            raise
        return self, dropped

    def append(self, kind: Kind, body: Any) -> None:
        """Append one entry; ``body`` is anything msgspec can encode (NaN and infinities become null)."""
        raw = msgspec.Raw(msgspec.json.encode(body))
        with self._turn:
            line = msgspec.json.encode(Entry(n=self._n, prev=self.head, at=self._now(), kind=kind, body=raw))
            self._file.write(line + b"\n")
            self._file.flush()
            self._n += 1
            self.head = hashlib.sha256(line).hexdigest()

    def close(self) -> None:
        """Close the file; further appends fail."""
        self._file.close()


def lock(file: IO[bytes]) -> None:
    """Hold ``file`` until it is closed, or the process ends in whatever way.

    Raises:
        UsageError: another process holds it: the run still goes on.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise UsageError(f"{file.name} is being written by another golive: this run still goes on") from error


def _drop_cut_line(file: IO[bytes]) -> int:
    """Cut off a last line without an end, which only a kill in the middle of a write leaves; its length in bytes."""
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - LONGEST_LINE)
    file.seek(start)
    tail = file.read()
    whole = start + tail.rfind(b"\n") + 1
    file.truncate(whole)
    return size - whole


def read_log(path: Path) -> Iterator[Entry]:
    """The entries of a log, each checked against the chain; see :func:`chain`."""
    return (entry for entry, _ in chain(path))


def chain(path: Path) -> Iterator[tuple[Entry, str]]:
    """The entries of a log, each checked against the chain, with the sha256 (hex) of its line.

    Raises:
        UsageError: the log cannot be read, or a line was cut, edited, removed or reordered; the line is named.
    """
    try:
        with open_log(path) as file:
            yield from links(file, str(path))
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"cannot read the log {path}: {error}") from error


def links(lines: Iterable[bytes], name: str) -> Iterator[tuple[Entry, str]]:
    """As :func:`chain`, from the log's lines; ``name`` is how messages name it.

    Raises:
        UsageError: a line was cut, edited, removed or reordered; the line is named.
    """
    head = GENESIS
    decoder = msgspec.json.Decoder(Entry)
    for number, line in enumerate(lines):
        if not line.endswith(b"\n"):
            raise UsageError(f"{name}:{number + 1}: the last line is cut off; the log cannot be judged")
        try:
            entry = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{name}:{number + 1}: not a log entry: {error}") from error
        if entry.n != number or entry.prev != head:
            raise UsageError(f"{name}:{number + 1}: the chain is broken: a line was edited, removed or moved")
        head = hashlib.sha256(line[:-1]).hexdigest()
        yield entry, head


def open_log(path: Path) -> io.BufferedIOBase:
    """Open the log at ``path`` for reading; where it is not there, the compressed one, as a release record keeps it."""
    packed = packed_name(path)
    return gzip.open(packed) if packed.is_file() and not path.exists() else path.open("rb")


def packed_name(path: Path) -> Path:
    """Where the compressed log of ``path`` lies."""
    return path.with_name(f"{path.name}.gz")


def pack(path: Path) -> Path:
    """Write the log at ``path`` compressed, beside it; the same log gives the same bytes.

    Raises:
        OSError: the one cannot be read, or the other not be written.
    """
    target = packed_name(path)
    with (
        path.open("rb") as plain,
        target.open("wb") as file,
        # Neither name nor time stands in the header.
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
    ):
        shutil.copyfileobj(plain, packed)
    return target
