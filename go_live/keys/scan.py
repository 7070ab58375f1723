"""The scan: every object of the repository, its work tree and its index -> findings, each with its place."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import msgspec

from go_live.errors import MeasurementError, UsageError
from go_live.keys import history
from go_live.keys.env_file import env_hit, is_env_file
from go_live.keys.findings import Found, Occurrence, collect, printable
from go_live.keys.history import Change, Kind, Place
from go_live.keys.objects import every_object, objects
from go_live.keys.stream import Hit, hits, is_clean
from go_live.keys.worktree import POINTER_BYTES, files, lfs_file, nested, pointed_at, read, top
from go_live.release.git import Git
from go_live.release.repository import open_work_tree

Told = Callable[[int], None]
"""Is told how many objects have been read so far."""
TOLD_EVERY = 20_000
_SHOWN = 3
_MESSAGES = {"commit": b"(commit message)", "tag": b"(tag message)"}


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at and what was found."""

    head: str | None
    """The commit that was checked out; None: there was none yet."""
    found: tuple[Found, ...]
    objects: int
    bytes: int
    files: int
    notes: tuple[str, ...]
    """What was left out, a line each."""


def scan(root: Path, told: Told = lambda _: None) -> Scan:
    """Look for secrets in the repository that ``root`` lies in.

    Raises:
        UsageError: ``root`` is in no work tree, or the clone lacks a part of its history.
        MeasurementError: something cannot be read; nothing can be said then, and nothing is.
    """
    git = open_work_tree(root)
    _refuse_partial(git)
    return _Scanner(git, told).run()


def _refuse_partial(git: Git) -> None:
    """A clone without all of its history shows nothing about it."""
    if git.text("rev-parse", "--is-shallow-repository") == "true":
        raise UsageError("the clone is shallow, so its history cannot be scanned: `git fetch --unshallow`")
    if git.attempt("config", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$").code == 0:
        raise UsageError("the clone is partial (--filter), so its history cannot be scanned: clone it whole")


class _Scanner:
    """One scan under way."""

    def __init__(self, git: Git, told: Told) -> None:
        self._git = git
        self._told = told
        self._hits: dict[str, list[Hit]] = {}
        """Of blobs, by object."""
        self._messages: dict[str, tuple[str, list[Hit]]] = {}
        """Of commits and tags, by object, with its kind."""
        self._commits: set[bytes] = set()
        self._pointers: dict[str, str] = {}
        """Files of Git LFS by sha256, with an object that points there."""
        self._places: dict[str, dict[tuple[Kind, bytes], Place]] = {}
        """Of blobs with hits, and of .env files, by object; of several commits the oldest."""
        self._kinds: dict[str, Kind] = {}
        """How the commits are reached whose messages have hits."""
        self._refs = history.named_by_refs(git)
        self._top = top(git)
        self._count = self._bytes = self._files = 0

    def run(self) -> Scan:
        """Look at everything.

        Raises:
            MeasurementError: something cannot be read.
        """
        commits = history.reachable(self._git, "history")
        with history.complete(self._git), history.changes(self._git, commits) as changes:
            self._read_objects()
            self._note_places("history", commits, changes)
        self._walk("stash", history.reachable(self._git, "stash"))
        self._walk("unreachable", sorted(one.hex() for one in self._commits))
        links = self._read_index()
        tree = list(self._of_files(links))
        found = collect(chain(self._of_blobs(), self._of_messages(), tree, self._of_lfs()))
        head = self._git.attempt("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return Scan(
            head=head.out.decode().strip() if head.code == 0 else None,
            found=found,
            objects=self._count,
            bytes=self._bytes,
            files=self._files,
            notes=tuple(self._notes(links)),
        )

    def _read_objects(self) -> None:
        """Every object once."""
        for one in every_object(self._git):
            self._count += 1
            if self._count % TOLD_EVERY == 0:
                self._told(self._count)
            if one.kind == "tree":
                continue
            self._bytes += one.size
            if one.kind == "commit":
                self._commits.add(bytes.fromhex(one.id))
            elif one.size < POINTER_BYTES and (sha256 := pointed_at(one.content or b"")):
                self._pointers[sha256] = one.id
            if one.content is not None and is_clean(one.content):
                continue
            found = list(hits(one.pieces))
            if found and one.kind == "blob":
                self._hits[one.id] = found
            elif found:
                self._messages[one.id] = (one.kind, found)

    def _walk(self, kind: Kind, commits: list[str]) -> None:
        """Find the commits and paths of what was hit, and of every ``.env``."""
        with history.changes(self._git, commits) as changes:
            self._note_places(kind, commits, changes)

    def _note_places(self, kind: Kind, commits: list[str], changes: Iterable[Change]) -> None:
        for commit in commits:
            self._commits.discard(bytes.fromhex(commit))
            if commit in self._messages:
                self._kinds[commit] = kind
        for change in changes:
            if change.object in self._hits or is_env_file(change.path):
                self._note_place(change.object, Place(kind, change.commit, change.path))

    def _note_place(self, object_id: str, place: Place) -> None:
        self._places.setdefault(object_id, {})[place.kind, place.path] = place

    def _read_index(self) -> set[bytes]:
        """Note what stands only in the index; the paths of submodules."""
        links = set()
        for object_id, path, link in history.in_index(self._git):
            if link:
                links.add(path)
            elif object_id in self._hits or is_env_file(path):
                self._note_place(object_id, Place("index", None, path))
        return links

    def _of_blobs(self) -> Iterator[Occurrence]:
        """Blobs with hits, and ``.env`` files with values."""
        refs = self._refs
        for object_id in self._hits.keys() - self._places.keys():
            names = [Place("ref", None, ref.encode()) for ref in refs.get(object_id, ())]
            for place in names or [Place("unreachable", None, b"")]:
                self._note_place(object_id, place)
        for object_id, found in self._hits.items():
            yield from _occurrences(self._places[object_id].values(), object_id, found)
        env = {one: [p for p in at.values() if is_env_file(p.path)] for one, at in self._places.items()}
        asked = [object_id for object_id, places in env.items() if places]
        for one in objects(self._git, asked) if asked else ():
            if hit := env_hit(b"".join(one.pieces)):
                yield from _occurrences(env[one.id], one.id, [hit])

    def _of_messages(self) -> Iterator[Occurrence]:
        refs = self._refs
        for object_id, (kind, found) in self._messages.items():
            commit = object_id if kind == "commit" else None
            reached: Kind = self._kinds.get(object_id, "unreachable")
            if kind == "tag":
                reached = "ref" if object_id in refs else "unreachable"
            name = _MESSAGES[kind] + b"".join(b" of " + ref.encode() for ref in refs.get(object_id, ()) if not commit)
            yield from _occurrences([Place(reached, commit, name)], object_id, found)

    def _of_files(self, links: set[bytes]) -> Iterator[Occurrence]:
        for file in files(self._top, links):
            self._files += 1
            place = Place("work tree", None, file.path)
            if is_env_file(file.path):
                content = b"".join(file.pieces)
                hit = env_hit(content)
                yield from _occurrences([place], None, [hit] if hit else [])
                yield from _occurrences([place], None, hits(iter([content])))
            else:
                yield from _occurrences([place], None, hits(file.pieces))

    def _of_lfs(self) -> Iterator[Occurrence]:
        """What pointers of Git LFS stand for.

        Raises:
            MeasurementError: a file is not here.
        """
        away = [sha256 for sha256 in self._pointers if lfs_file(self._git, sha256) is None]
        if away:
            raise MeasurementError(f"{len(away)} files of Git LFS are not here: `git lfs fetch --all`")
        for sha256 in self._pointers:
            path = lfs_file(self._git, sha256)
            if path is not None:
                place = Place("lfs", None, b"(Git LFS) sha256:" + sha256[:12].encode())
                yield from _occurrences([place], self._pointers[sha256], hits(read(path)))

    def _notes(self, links: set[bytes]) -> Iterator[str]:
        others = sorted(links) + nested(self._top)
        if others:
            more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
            names = ", ".join(printable(path) for path in others[:_SHOWN])
            yield f"repositories of their own, not scanned: {names}{more}; run the scan there"


def _occurrences(places: Iterable[Place], object_id: str | None, found: Iterable[Hit]) -> Iterator[Occurrence]:
    """Each hit at each place."""
    kept = list(places)
    return (Occurrence(place, object_id, hit) for hit in found for place in kept)
