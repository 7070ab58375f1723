"""The journal of a release: what was decided before the push, so that a release that was killed can be gone on with.

It lies in the run's directory and is never removed. Its date makes the objects the same on every attempt; its object
ids say what to look for on the remote. Whoever writes it holds the run: a second release of the same run is refused.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from go_live.errors import UsageError
from go_live.evidence.log import lock
from go_live.evidence.run_directory import LOG, encode, write_atomically

NAME = "release.json"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a release that was begun."""

    version: str
    commit: str
    """The validated commit."""
    when: int
    """Unix time of its commit and tag, seconds."""
    base: str | None = None
    """The records branch that the record was built on; None: there was none yet."""
    record: str | None = None
    """The record's commit; None until objects were made."""
    tag: str | None = None
    """The tag object. Not every signature can be made again: an OpenPGP tag is known by its id only."""
    landed: bool = False
    """Whether the remote was seen to hold both."""


class Journal:
    """The one entry of a run, kept on disk."""

    def __init__(self, path: Path, entry: Entry) -> None:
        """Go on from ``entry``."""
        self._path = path
        self.entry = entry

    def write(self, **changes: str | int | None) -> None:
        """Change the entry; it is on disk when this returns."""
        self.entry = msgspec.structs.replace(self.entry, **changes)
        write_atomically(self._path, encode(self.entry))
        _sync(self._path.parent)


@contextmanager
def held(directory: Path, *, version: str, commit: str, when: int) -> Iterator[Journal]:
    """The journal of the run in ``directory``, begun earlier or not yet; nobody else releases this run meanwhile.

    Args:
        directory: of the run.
        version: of the release.
        commit: the validated one.
        when: Unix time of a release that begins now; one that was begun keeps its own.

    Raises:
        UsageError: there is no such run, it is being written or released by another process, or the journal is of
            another release.
    """
    path = directory / NAME
    try:
        log = (directory / LOG).open("rb")
    except OSError as error:
        raise UsageError(f"{directory} is not the directory of a run: {error.strerror} ({LOG})") from error
    with log:
        lock(log)
        entry = _read(path) or Entry(version=version, commit=commit, when=when)
        if (entry.version, entry.commit) != (version, commit):
            raise UsageError(f"{path} is of {entry.version} at {entry.commit[:12]}: remove it if that was never pushed")
        yield Journal(path, entry)


def _read(path: Path) -> Entry | None:
    """The entry that was written; None: no release was begun."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Entry)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(
            f"the journal {path} cannot be read: {error}; compare the remote before removing it"
        ) from error


def _sync(folder: Path) -> None:
    """Make the folder's entry of a new file lasting."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
