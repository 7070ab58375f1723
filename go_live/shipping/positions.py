"""How far each file was shipped: kept on disk, moved only after the destination has taken what lies before it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from go_live.errors import UsageError
from go_live.evidence.run_directory import write_atomically

FILE = "positions.json"
REFUSED = "refused.jsonl"
"""Lines that the destination never takes, each with its reason: in the form in which they would have been sent."""
HEAD_BYTES = 256


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a file, and by what the file is known again under another name."""

    inode: int
    offset: int
    """Bytes; always behind a line's end."""
    head: str
    """sha256 of the file's first bytes, up to ``HEAD_BYTES`` and to ``offset``: a number can be given out twice."""
    last_ns: int = 0
    """Time of the last line that told one: for those that tell none."""


class Positions:
    """The positions of one destination."""

    def __init__(self, folder: Path) -> None:
        """Read what is known.

        Raises:
            UsageError: the file is damaged.
        """
        self._path = folder / FILE
        self.refused = folder / REFUSED
        self._known: dict[str, Position] = {}
        if self._path.exists():
            try:
                self._known = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Position])
            except (OSError, msgspec.DecodeError) as error:
                remedy = "move it away, and everything that is there is shipped again"
                raise UsageError(f"{self._path} cannot be read ({error}): {remedy}") from error

    def of(self, path: Path) -> Position | None:
        """Where ``path`` stands; None: nothing of it was shipped."""
        return self._known.get(str(path))

    def paths(self) -> list[Path]:
        """Every file that was seen, and is not known to be gone."""
        return [Path(path) for path in self._known]

    def move(self, path: Path, position: Position) -> None:
        """What lies before ``position`` has arrived."""
        self._known[str(path)] = position
        self._write()

    def forget(self, path: Path) -> None:
        """The file is gone, and all of it has arrived."""
        if self._known.pop(str(path), None) is not None:
            self._write()

    def refuse(self, lines: list[str], reason: str) -> None:
        """Keep lines that never arrive."""
        with self.refused.open("ab") as file:
            file.writelines(msgspec.json.encode({"reason": reason, "line": line}) + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    def _write(self) -> None:
        write_atomically(self._path, msgspec.json.encode(self._known))


@contextmanager
def alone(folder: Path) -> Iterator[Positions]:
    """The positions in ``folder``, for one process at a time.

    Raises:
        UsageError: another process ships from there, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / "lock").open("wb")
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}; set logs.state in golive.toml") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"another golive ships logs with {folder}: end it, or give this one its own --state"
            ) from error
        yield Positions(folder)
