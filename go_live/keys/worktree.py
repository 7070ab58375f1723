"""The files of the work tree, and what Git LFS keeps beside the repository."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from go_live.errors import MeasurementError
from go_live.keys.objects import PIECE_BYTES
from go_live.release.git import Git

_POINTER = re.compile(rb"^version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\n")
POINTER_BYTES = 1024
"""No pointer of Git LFS is longer (its specification)."""


class File(NamedTuple):
    """A file; its pieces are read as they are asked for."""

    path: bytes
    """Relative to the top of the work tree."""
    pieces: Iterator[bytes]


def top(git: Git) -> bytes:
    """The top of the work tree, where paths begin."""
    return git.raw("rev-parse", "--show-toplevel").removesuffix(b"\n")


def files(root: bytes, links: set[bytes]) -> Iterator[File]:
    """Tracked files, and others that no ignore rule names; ``links`` are submodules, which are left out.

    Raises:
        MeasurementError: a file cannot be read.
    """
    names = Git(Path(os.fsdecode(root))).raw("ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in dict.fromkeys(names.split(b"\0")):
        if not name or name in links or name.endswith(b"/"):
            continue
        path = Path(os.fsdecode(root), os.fsdecode(name))
        if path.is_symlink():
            yield File(name, iter([os.fsencode(path.readlink())]))
        elif path.is_file():
            yield File(name, read(path))


def nested(root: bytes) -> list[bytes]:
    """Repositories that lie in the work tree without being a part of it."""
    names = Git(Path(os.fsdecode(root))).raw("ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
    return [name for name in names if name.endswith(b"/")]


def read(path: Path) -> Iterator[bytes]:
    """The content of the file at ``path``, piece by piece.

    Raises:
        MeasurementError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
    except OSError as error:
        raise MeasurementError(f"{path} cannot be read: {error.strerror}") from error


def pointed_at(content: bytes) -> str | None:
    """The sha256 of the file that a pointer of Git LFS stands for; None: it is no pointer."""
    match = _POINTER.match(content) if len(content) < POINTER_BYTES else None
    return match[1].decode() if match else None


def lfs_file(git: Git, sha256: str) -> Path | None:
    """Where Git LFS keeps this file here; None: it does not."""
    folder = git.raw("rev-parse", "--path-format=absolute", "--git-common-dir").removesuffix(b"\n")
    path = Path(os.fsdecode(folder), "lfs", "objects", sha256[:2], sha256[2:4], sha256)
    return path if path.is_file() else None
