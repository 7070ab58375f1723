"""Files that grow, are rotated, truncated, replaced and removed: read line by line, each line once.

A file is known by its inode and its first bytes, not by its name. One that was renamed (``worker.log`` to
``worker.log.1``) is read to its end before the one that took its name; one that has become shorter, or begins with
other bytes, is read from its beginning. A line counts once its end is there.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from go_live.management.logs import Kept
from go_live.shipping.positions import HEAD_BYTES, Position

CHUNK = 128 * 1024
"""Bytes read at a time; a line that is longer is passed over, and counted as one that is not sent."""
TELLING_BYTES = 64
"""From so many first bytes on, a copy is known by them: they hold the time at which a worker began."""
PACKED = frozenset({".gz", ".xz", ".bz2", ".zst"})
"""What rotation made of a file long ago."""


class Place(NamedTuple):
    """A file to be shipped."""

    path: Path
    worker: str
    kept: bool
    """Whether its lines are those that golive keeps of the platform's stream (``ts``, ``source``, ``line``)."""


class Line(NamedTuple):
    """One line, and where the next one begins."""

    text: str
    ts: str
    """As its source told; empty: it told none."""
    after: Position


def places(folder: Path, known: Iterable[Path] = ()) -> list[Place]:
    """Logs in ``folder``: of a local endpoint (``w1/worker.log``) or a run (``<worker>.jsonl``), or any ``*.log``.

    Args:
        folder: where to look.
        known: paths of logs that were there once; one whose file was only renamed still has to be read to its end.
    """
    found = set(folder.glob("w*/worker.log"))
    if not found:
        found = {path for path in folder.glob("*.log") if path.stem != "endpoint"}
    found |= set(folder.glob("*.jsonl")) | {path for path in known if path.is_relative_to(folder)}
    return [_place(path) for path in sorted(found)]


def _place(path: Path) -> Place:
    worker = path.parent.name if path.name == "worker.log" else path.stem
    return Place(path, worker, kept=path.suffix == ".jsonl")


class Tail:
    """Reads one file on from where it was left."""

    def __init__(self, place: Place, position: Position | None) -> None:
        """Nothing is opened before it is read."""
        self.place = place
        self.trouble: str | None = None
        """What could not be read, and why; None: everything could."""
        self._position = position
        self._file: int | None = None
        self._skipping = False

    @property
    def position(self) -> Position | None:
        """Behind the last line that was read."""
        return self._position

    def start(self) -> Position | None:
        """Where it is read from; None: there is no such file."""
        return self._position if self._file is not None or self._open() else None

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def behind(self) -> int:
        """Bytes that are there and were not read."""
        if self._file is None and not self._open():
            return 0
        return sum(_size(path) for path in self._next()) + self._left()

    def shorten(self, keep_bytes: int) -> Position | None:
        """Drop all but the last lines of a file that is read to its end; where it stands then, None: it is not.

        Only for files whose writer appends, and writes nothing meanwhile: what it writes next follows what is kept.
        """
        if self.position is None or self.behind():
            return None
        path = self.place.path
        with path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - keep_bytes))
            kept = file.read()
            if size > keep_bytes:
                kept = kept[kept.find(b"\n") + 1 :]
            file.seek(0)
            file.write(kept)
            file.truncate()
        self.close()
        self._begin(path)
        if self._file is not None and self._position is not None:
            head = _head(self._file, len(kept))
            self._position = msgspec.structs.replace(self._position, offset=len(kept), head=head)
        return self._position

    def gone(self) -> bool:
        """Whether nothing of that name is there any more, and the file itself is not either."""
        number = self._position.inode if self._position is not None else 0
        return not self.place.path.exists() and all(_inode(path) != number for path in self._family())

    def read(self) -> Iterator[Line]:
        """Every whole line that is there now."""
        while self._file is not None or self._open():
            self._rewound()
            yield from self._lines()
            later = self._next()
            if not later:
                if self.gone():
                    yield from self._rest()
                return
            yield from self._rest()
            self.close()
            self._begin(later[0])

    def _open(self) -> bool:
        """Open the file where it was left, whatever it is called by now; whether there is one."""
        before = self._position
        if before is None:
            return self._begin(self.place.path)
        if self._found(before):
            return True
        if self._begin(self.place.path):
            self._lost(before)
            return True
        return False

    def _found(self, before: Position) -> bool:
        """Open the file that ``before`` is of: by its number, else by its beginning, as a copy of it has."""
        family = self._family()
        if any(_inode(path) == before.inode and self._begin(path, before) for path in family):
            return True
        if before.offset < TELLING_BYTES:
            return False
        copies = (msgspec.structs.replace(before, inode=_inode(path)) for path in reversed(family))
        return any(self._begin(path, copy) for path, copy in zip(reversed(family), copies, strict=True))

    def _lost(self, before: Position) -> None:
        if before.offset:
            self.trouble = (
                f"{self.place.path} was truncated or replaced, and the old one is not there: what followed its byte "
                f"{before.offset} is not known"
            )

    def _begin(self, path: Path, position: Position | None = None) -> bool:
        """Open ``path``, at ``position`` or its beginning."""
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self.trouble = f"{path} cannot be read: {error.strerror}"
            return False
        if position is not None and not _same(file, position):
            os.close(file)
            return False
        self._file, self._skipping = file, False
        self._position = position or Position(inode=os.fstat(file).st_ino, offset=0, head=_head(file, 0))
        return True

    def _family(self) -> list[Path]:
        """The file and those that were called so before, oldest first."""
        path = self.place.path
        found = []
        for one in path.parent.glob(f"{path.name}*"):
            if one.suffix in PACKED:
                continue
            with suppress(OSError):
                found.append((one == path, one.stat().st_mtime_ns, one))
        return [one for _, _, one in sorted(found)]

    def _next(self) -> list[Path]:
        """The files that follow the one that is open, oldest first."""
        if self._position is None:
            return []
        family = self._family()
        numbers = [_inode(path) for path in family]
        if self._position.inode in numbers:
            return family[numbers.index(self._position.inode) + 1 :]
        return family[-1:] if family and family[-1] == self.place.path else []

    def _left(self) -> int:
        if self._file is None or self._position is None:
            return 0
        return max(0, os.fstat(self._file).st_size - self._position.offset)

    def _rewound(self) -> None:
        """Begin again if the file has become shorter or begins otherwise; first what a copy of it still has."""
        before = self._position
        if self._file is None or before is None or _same(self._file, before):
            return
        self.close()
        if not self._found(before):
            self._lost(before)
            self._begin(self.place.path)

    def _lines(self) -> Iterator[Line]:
        """Whole lines up to the end of the file that is open."""
        while self._file is not None and self._position is not None:
            chunk = os.pread(self._file, CHUNK, self._position.offset)
            *whole, rest = chunk.split(b"\n")
            for raw in whole:
                text = "" if self._skipping else raw.decode("utf-8", "replace")
                self._skipping = False
                yield self._line(text, len(raw) + 1)
            if not whole and len(chunk) == CHUNK:
                yield self._line("" if self._skipping else OVERLONG, len(rest))
                self._skipping = True
            elif len(chunk) < CHUNK:
                return

    def _rest(self) -> Iterator[Line]:
        """What stands behind the last line's end, in a file to which nothing is added any more."""
        if self._file is None or self._position is None:
            return
        rest = os.pread(self._file, CHUNK, self._position.offset)
        if rest:
            yield self._line("" if self._skipping else rest.decode("utf-8", "replace"), len(rest))

    def _line(self, text: str, size: int) -> Line:
        if self._position is None or self._file is None:
            raise RuntimeError("a line of no file")
        offset = self._position.offset + size
        head = self._position.head
        if self._position.offset < HEAD_BYTES:
            head = _head(self._file, offset)
        self._position = msgspec.structs.replace(self._position, offset=offset, head=head)
        if not self.place.kept or not text:
            return Line(text, "", self._position)
        try:
            kept = msgspec.json.decode(text, type=Kept)
        except msgspec.DecodeError:
            return Line(TORN, "", self._position)
        return Line(kept.line, kept.ts, self._position)


OVERLONG = "a line that is too long"
TORN = "a line that was cut"
"""Stand for lines that are not sent, and are counted like all of those."""


def _head(file: int, offset: int) -> str:
    return hashlib.sha256(os.pread(file, min(HEAD_BYTES, offset), 0)).hexdigest()[:32]


def _same(file: int, position: Position) -> bool:
    """Whether an open file still begins as it did, up to ``position``."""
    return os.fstat(file).st_size >= position.offset and _head(file, position.offset) == position.head


def _inode(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_ino
    return 0


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
