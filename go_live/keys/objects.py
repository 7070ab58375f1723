"""Every object of a repository, once, as git reads it: packed, loose and unreachable ones, deltas resolved."""

import fcntl
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, NamedTuple

from go_live.errors import MeasurementError
from go_live.release.git import Git

PIECE_BYTES = 4 * 2**20
"""Objects are read in pieces of this many bytes, so that memory does not grow with them."""
_PIPE_BYTES = 2**20
_FIELDS = 3
_PREFIX = re.compile(r"^(?:fatal|error): ")
_COMPLAINT = re.compile(r"^(?:fatal|error)\b|pack|object")
"""What git says of a broken repository; a warning about its settings is none."""
_STOP_S = 5.0


class Object(NamedTuple):
    """One object."""

    id: str
    kind: str
    """``blob``, ``tree``, ``commit`` or ``tag``."""
    size: int
    content: bytes | None
    """All of it; None: it is longer than PIECE_BYTES."""
    rest: Iterator[bytes]
    """A long object, piece by piece, to be read before the next object is asked for."""

    @property
    def pieces(self) -> Iterator[bytes]:
        """The object, in one piece or several."""
        return self.rest if self.content is None else iter((self.content,))


def every_object(git: Git) -> Iterator[Object]:
    """All objects that the repository has, reachable or not, in the order in which they are quickest to read.

    Raises:
        MeasurementError: one cannot be read.
    """
    return _batch(git, ["--batch-all-objects", "--unordered"], None)


def objects(git: Git, ids: Iterable[str]) -> Iterator[Object]:
    """The objects ``ids``.

    Raises:
        MeasurementError: one cannot be read, or does not exist.
    """
    with tempfile.TemporaryFile() as asked:
        asked.writelines(f"{one}\n".encode() for one in ids)
        asked.seek(0)
        yield from _batch(git, [], asked)


def _batch(git: Git, arguments: list[str], asked: IO[bytes] | None) -> Iterator[Object]:
    with running(git, "cat-file", "--batch", "--buffer", *arguments, stdin=asked) as process:
        out = process.stdout
        if out is None:
            raise MeasurementError("git has no output")
        _widen(out)
        while header := out.readline():
            fields = header.decode("ascii", "replace").split()
            if len(fields) != _FIELDS or not fields[2].isdigit():
                raise MeasurementError(f"object {fields[0] if fields else '?'} cannot be read: `git fsck` says more")
            size = int(fields[2])
            content = out.read(size) if size <= PIECE_BYTES else None
            rest = _pieces(out, size if content is None else 0)
            yield Object(fields[0], fields[1], size, content, rest)
            for _ in rest:  # what nobody asked for
                pass
            if out.read(1) != b"\n":
                raise MeasurementError(f"object {fields[0]} ends early: `git fsck` says more")


def _pieces(out: IO[bytes], size: int) -> Iterator[bytes]:
    """The next ``size`` bytes."""
    while size:
        piece = out.read(min(size, PIECE_BYTES))
        if not piece:
            return
        size -= len(piece)
        yield piece


@contextmanager
def running(
    git: Git, *arguments: str, stdin: IO[bytes] | None = None, stdout: IO[bytes] | int = subprocess.PIPE
) -> Iterator[subprocess.Popen[bytes]]:
    """``git ARGUMENTS`` while it runs.

    Raises:
        MeasurementError: git failed, or complained: what it says of a broken repository is no answer.
    """
    with tempfile.TemporaryFile() as said:
        process = git.start(*arguments, stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=said)
        try:
            yield process
            code = process.wait()
        finally:
            _end(process)
        said.seek(0)
        complaints = [line for line in said.read().decode(errors="replace").splitlines() if _COMPLAINT.search(line)]
    if code or complaints:
        reason = _PREFIX.sub("", complaints[-1]) if complaints else f"git ended with status {code}"
        raise MeasurementError(f"the repository cannot be read whole: {reason}; `git fsck` says more")


def _widen(pipe: IO[bytes]) -> None:
    """Let git work ahead while we look at what it has written; only Linux can."""
    with suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave no process and no pipe behind."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
