"""Where an object stands: in which commit, under which path; read from git without opening a single file."""

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Literal, NamedTuple

from go_live.errors import MeasurementError
from go_live.keys.objects import running
from go_live.release.git import Git

Kind = Literal["history", "stash", "unreachable", "ref", "index", "work tree", "lfs"]
"""What holds a secret: commits that a ref leads to, a stash, an object that nothing leads to, a ref that names a file
itself, the index, the work tree, or what Git LFS keeps."""

_ENTRY = re.compile(
    rb"([0-9a-f]{40}(?:[0-9a-f]{24})?)\0|:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [A-Z]\d*\0([^\0]*)\0", re.DOTALL
)
_READ_BYTES = 2**20
WALK_S = 600.0
"""How long listing the commits of a history may take, seconds; a million takes about ten."""
_ZERO = b"0" * 40
_LINK = b"160000"
"""Mode of a submodule: its object is a commit of another repository."""
_NOT_STASHED = ("--exclude=refs/stash", "--all")


class Place(NamedTuple):
    """One path in one commit (None: in none)."""

    kind: Kind
    commit: str | None
    path: bytes


class Change(NamedTuple):
    """A commit that gave ``path`` the content ``object``."""

    commit: str
    object: str
    path: bytes


def stashes(git: Git) -> list[str]:
    """Ids of all stashed commits, newest first."""
    found = git.attempt("rev-list", "--walk-reflogs", "refs/stash", "--")
    return found.out.decode().split() if found.code == 0 else []


def reachable(git: Git, kind: Kind) -> list[str]:
    """Ids of the commits that refs lead to (``history``), or only stashes (``stash``), children first.

    Raises:
        GitError: git failed.
    """
    arguments = list(_NOT_STASHED)
    if kind == "stash":
        tips = stashes(git)
        if not tips:
            return []
        arguments = [*tips, "--not", *_NOT_STASHED]
    return git.text("rev-list", "--topo-order", *arguments, "--", timeout_s=WALK_S).split()


@contextmanager
def complete(git: Git) -> Iterator[None]:
    """See, beside what the caller does, that all is there that refs, stashes, reflogs and the index lead to.

    Raises:
        MeasurementError: something is missing.
    """
    with running(git, "rev-list", "--objects", "--quiet", "--all", "--reflog", "--indexed-objects", "--"):
        yield


@contextmanager
def changes(git: Git, commits: Iterable[str]) -> Iterator[Iterator[Change]]:
    """What each of ``commits`` changed against each of its parents; git works on it at once, and beside the caller.

    Raises:
        MeasurementError: git failed.
    """
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as told:
        asked.writelines(f"{commit}\n".encode() for commit in commits)
        if not asked.tell():
            yield iter(())
            return
        asked.seek(0)
        diff = ("diff-tree", "--stdin", "--root", "-m", "-r", "-z", "--no-renames", "--no-ext-diff")
        with running(git, *diff, stdin=asked, stdout=told) as process:
            yield _read_changes(process, told)


def _read_changes(process: subprocess.Popen[bytes], told: IO[bytes]) -> Iterator[Change]:
    """The changes that git wrote to ``told``, when it has ended."""
    process.wait()
    told.seek(0)
    commit, rest = "", b""
    while piece := told.read(_READ_BYTES):
        text, end = rest + piece, 0
        for match in _ENTRY.finditer(text):
            if match.start() != end:  # an entry that the piece cuts
                break
            end = match.end()
            if match[1] is not None:
                commit = match[1].decode()
            elif match[2] != _LINK and not match[3].startswith(_ZERO):
                yield Change(commit, match[3].decode(), match[4])
        rest = text[end:]
    if rest:
        raise MeasurementError("git diff-tree printed what it never prints: run golive with git 2.29 or newer")


def named_by_refs(git: Git) -> dict[str, list[str]]:
    """Refs by the object that each names itself: commit, tag, or a file."""
    found: dict[str, list[str]] = {}
    for line in git.text("for-each-ref", "--format=%(objectname) %(*objectname) %(refname)").splitlines():
        *ids, ref = line.split()
        for one in ids:
            found.setdefault(one, []).append(ref)
    return found


def in_index(git: Git) -> Iterator[tuple[str, bytes, bool]]:
    """Each entry of the index: object, path, and whether it is a submodule."""
    for entry in git.raw("ls-files", "--stage", "-z").split(b"\0"):
        if entry:
            about, _, path = entry.partition(b"\t")
            mode, object_id, _ = about.split()
            yield object_id.decode(), path, mode == _LINK
