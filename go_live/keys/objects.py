"""Every object of a repository, once, as git reads it: packed, loose and unreachable ones, deltas resolved."""

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple

from go_live.errors import MeasurementError
from go_live.release.git import Git

PIECE_BYTES = 4 * 2**20
"""Objects are read in pieces of this many bytes, so that memory does not grow with them."""
_FIELDS = 3
_STOP_S = 5.0


class Object(NamedTuple):
    """One object; its pieces are to be read before the next object is asked for."""

    id: str
    kind: str
    """``blob``, ``tree``, ``commit`` or ``tag``."""
    size: int
    pieces: Iterator[bytes]


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
    with running(git, "cat-file", "--batch", "--buffer", *arguments, stdin=asked) as out:
        while header := out.readline():
            fields = header.decode("ascii", "replace").split()
            if len(fields) != _FIELDS or not fields[2].isdigit():
                raise MeasurementError(f"object {fields[0] if fields else '?'} cannot be read: `git fsck` says more")
            size = int(fields[2])
            pieces = _pieces(out, size)
            yield Object(fields[0], fields[1], size, pieces)
            for _ in pieces:  # what nobody asked for
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
def running(git: Git, *arguments: str, stdin: IO[bytes] | None = None) -> Iterator[IO[bytes]]:
    """The output of ``git ARGUMENTS`` while it runs.

    Raises:
        MeasurementError: git failed, or complained: what it says of a broken repository is no answer.
    """
    with tempfile.TemporaryFile() as said:
        process = git.start(*arguments, stdin=stdin or subprocess.DEVNULL, stderr=said)
        try:
            if process.stdout is None:
                raise MeasurementError("git has no output")
            yield process.stdout
            code = process.wait()
        finally:
            _end(process)
        said.seek(0)
        complaints = [line for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    if code or complaints:
        reason = complaints[-1] if complaints else f"git ended with status {code}"
        raise MeasurementError(f"the repository cannot be read whole: {reason}")


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
