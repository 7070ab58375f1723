"""The gateway's record, read on from where one left it."""

import os
from pathlib import Path

import msgspec

from go_live.errors import MeasurementError
from go_live.rollout.seen import Request
from go_live.rollout.state import Part, State


class Record:
    """The requests of one part of a rollout, as the gateway keeps them."""

    def __init__(self, path: Path, rollout: str, part: Part) -> None:
        """Read ``path`` from where ``part`` begins."""
        self.part = part.name
        self._path, self._rollout, self._first = path, rollout, part.first_serial
        self._decoder = msgspec.json.Decoder(Request)
        self._inode: int | None = None
        self.cursor = part.cursor
        self.requests: list[Request] = []
        """Those of the part so far, in the order in which they ended."""
        self.lines: list[bytes] = []
        """Theirs, byte for byte."""
        self.unreadable = 0
        """Lines that are none: what a power cut leaves."""

    def read(self) -> None:
        """Read what has come.

        Raises:
            MeasurementError: the record is gone, or is another one than it was.
        """
        try:
            with self._path.open("rb") as file:
                stat = os.fstat(file.fileno())
                if stat.st_size < self.cursor or self._inode not in {None, stat.st_ino}:
                    raise MeasurementError(
                        f"{self._path} was replaced or cut while a step was judged from it: its requests are gone; "
                        "abort this rollout and begin another"
                    )
                self._inode = stat.st_ino
                file.seek(self.cursor)
                new = file.read()
        except OSError as error:
            raise MeasurementError(
                f"cannot read the gateway's record {self._path}: {error.strerror}; name it with --record"
            ) from error
        whole = new[: new.rfind(b"\n") + 1]
        self.cursor += len(whole)
        for line in whole.splitlines(keepends=True):
            self._add(line)

    def _add(self, line: bytes) -> None:
        try:
            request = self._decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.unreadable += 1
            return
        if request.rollout == self._rollout and (request.serial or 0) >= self._first:
            self.requests.append(request)
            self.lines.append(line)


def exposed(path: Path, state: State) -> int:
    """User requests that ``state``'s rollout has given to the candidate and that have ended, whatever became of them.

    Also those that ended after the last look: what was under way when it was turned back.

    Raises:
        MeasurementError: the record cannot be read.
    """
    if not state.parts:
        return 0
    reading = Record(path, state.rollout, state.parts[0])
    reading.read()
    return sum(one.arm == "candidate" for one in reading.requests)


def size(path: Path) -> int:
    """Bytes of the record so far.

    Raises:
        MeasurementError: there is none.
    """
    try:
        return path.stat().st_size
    except OSError as error:
        raise MeasurementError(
            f"there is no gateway's record {path} ({error.strerror}): does `golive gateway serve --routes` run, with "
            "this --record?"
        ) from error
