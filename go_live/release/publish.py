"""Publish a release: record and tag in one atomic push, or nothing at all.

The order is the safety. Objects are written first, which nothing names. Then one push creates the tag and advances
the records branch together, if nobody else moved either. Only when the remote shows both are the local refs and the
metadata at the project's root written. A refusal at any point leaves work tree, index, HEAD and refs as they were.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from go_live.errors import ReleaseIncompleteError, UsageError
from go_live.evidence.run_directory import write_atomically
from go_live.release import remote as remotes
from go_live.release.git import Git, GitError
from go_live.release.journal import Entry, Journal
from go_live.release.landing import Step, landed, push, silent
from go_live.release.metadata import METADATA_NAME, read
from go_live.release.record import Stamp, record_commit, tag_payload, write_tag
from go_live.release.repository import identity, open_work_tree
from go_live.release.signature import parse_tag
from go_live.release.state import Release, problems


class MakeTag(Protocol):
    """Writes the tag object of a release, which no ref names, and returns its id."""

    def __call__(self, git: Git, release: Release, message: str, stamp: Stamp) -> str:
        """Write it."""


def unsigned(git: Git, release: Release, message: str, stamp: Stamp) -> str:
    """A tag without a signature."""
    return write_tag(git, tag_payload(name=release.version, commit=release.commit, message=message, stamp=stamp))


Approve = Callable[[Git, Entry], str]
"""Says what is wrong with the objects of a release that are about to be pushed; empty: nothing."""


def approved(git: Git, entry: Entry) -> str:
    """Look at nothing."""
    del git, entry
    return ""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What a release or a rehearsal left behind."""

    ref: str
    """The tag's ref: ``refs/tags/…``, or ``refs/rehearsal/…``."""
    tag: str
    """Id of the annotated tag object."""
    commit: str
    """The validated commit, which the tag names."""
    record: str | None = None
    """Id of the commit on the records branch; None for a rehearsal."""
    metadata: bytes = b""
    """DEPLOYMENT_METADATA.json as it was released."""
    notes: tuple[str, ...] = ()


def publish(
    root: Path,
    release: Release,
    *,
    message: str,
    record: Mapping[str, bytes],
    journal: Journal,
    make: MakeTag = unsigned,
    approve: Approve = approved,
    step: Step = silent,
) -> Published:
    """Commit ``record``, tag the validated commit, push both atomically, and only then write anything here.

    A release that was begun is gone on with: what the remote holds already is not pushed again, and what it does not
    hold is made as it was made before.

    Args:
        root: the project's root, in the work tree of a git repository.
        release: what is published, and where.
        message: of the tag (``metadata.tag_message``).
        record: file name -> content; holds DEPLOYMENT_METADATA.json. Committed under a folder named by the version.
        journal: of this release. The same date gives the same object ids.
        make: writes the tag object, signed or not.
        approve: looks at the objects before anybody else can see them.
        step: is told the name of each step when it is done.

    Raises:
        ReleaseIncompleteError: a precondition no longer holds, or the push was refused; nothing was changed here.
        UsageError: not a git repository, or git has no identity.
    """
    git = open_work_tree(root)
    _same_release(release, record)
    try:
        if not landed(git, release, journal.entry):
            _build(git, release, message=message, record=record, journal=journal, make=make, step=step)
            if refused := approve(git, journal.entry):
                raise ReleaseIncompleteError(f"{release.version} was not released: it would not verify: {refused}")
            step("approved")
            push(git, release, journal.entry, step)
    except GitError as error:
        raise ReleaseIncompleteError(f"{release.version} was not released: {error}") from error
    return settle(root, release, journal, step=step)


def settle(root: Path, release: Release, journal: Journal, *, step: Step = silent) -> Published:
    """Name here what has landed on the remote, and write its metadata at the project's root.

    Raises:
        ReleaseIncompleteError: what landed cannot be read.
    """
    git, entry = open_work_tree(root), journal.entry
    record, tag = entry.record or "", entry.tag or ""
    step("landed")
    try:
        if any(git.attempt("cat-file", "-e", one).code for one in (record, tag)):
            # Made in another clone, or swept away since: the remote has them.
            remotes.fetch(git, release.remote, release.tag, release.records)
        content = git.raw("cat-file", "blob", f"{record}:{release.version}/{METADATA_NAME}")
        notes = _local_refs(git, release, entry)
    except GitError as error:
        raise ReleaseIncompleteError(f"{release.version} has landed, and cannot be read here: {error}") from error
    step("local refs")
    notes += _metadata_at_root(root, content)
    step("metadata at the root")
    journal.write(landed=True)
    step("journal closed")
    return Published(ref=release.tag, tag=tag, commit=release.commit, record=record, metadata=content, notes=notes)


def _build(
    git: Git,
    release: Release,
    *,
    message: str,
    record: Mapping[str, bytes],
    journal: Journal,
    make: MakeTag,
    step: Step,
) -> None:
    """Make the objects, which nothing names, and note their ids."""
    stamp = Stamp(who=identity(git), when=journal.entry.when)
    if found := problems(git, release):
        raise ReleaseIncompleteError(f"{release.version} was not released: {'; '.join(found)}")
    step("checked")
    base = _base(git, release)
    text = f"Record of {release.version} ({release.commit[:12]})"
    commit = record_commit(git, base=base, folder=release.version, files=record, message=text, stamp=stamp)
    step("record made")
    payload = tag_payload(name=release.version, commit=release.commit, message=message, stamp=stamp)
    tag = _made_before(git, journal.entry, payload) or make(git, release, message, stamp)
    step("tag made")
    journal.write(base=base, record=commit, tag=tag)
    step("journal written")


def _made_before(git: Git, entry: Entry, payload: bytes) -> str | None:
    """The tag that an earlier attempt made of the same payload, if it is still here: a signature is not made twice."""
    if entry.tag is None:
        return None
    found = git.attempt("cat-file", "tag", entry.tag)
    return entry.tag if found.code == 0 and parse_tag(found.out).payload == payload else None


def _same_release(release: Release, record: Mapping[str, bytes]) -> None:
    """The record's metadata must be about the version and commit that are tagged, and no rehearsal's."""
    metadata = read(record[METADATA_NAME])
    told = (metadata["version"], metadata["git_commit"])
    if told != (release.version, release.commit):
        raise UsageError(f"{METADATA_NAME} is about {told[0]} at {told[1][:12]}, not about {release.version}")
    if metadata["profile"] == "rehearsal":
        raise UsageError(f"{METADATA_NAME} is a rehearsal's: a rehearsal is never published")


def _base(git: Git, release: Release) -> str | None:
    """The records branch's commit on the remote, fetched; None when there is no such branch yet."""
    base = remotes.refs(git, release.remote, release.records).get(release.records)
    if base is None:
        return None
    remotes.fetch(git, release.remote, release.records)
    if git.text("ls-tree", base, "--", release.version):
        branch = release.records_branch
        raise GitError(f"branch {branch} already has a record of that version: choose a new release.version")
    return base


def _local_refs(git: Git, release: Release, entry: Entry) -> tuple[str, ...]:
    """Name what landed here too, in one transaction; notes say what was left alone."""
    record, tag = entry.record or "", entry.tag or ""
    notes: list[str] = []
    here = _named(git, release.records)
    used = f"branch {release.records}\n" in git.text("worktree", "list", "--porcelain") + "\n"
    lines = [] if _named(git, release.tag) == tag else [f"create {release.tag} {tag}"]
    if here in {"", entry.base or ""} and not used:
        lines.append(f"update {release.records} {record} {here or '0' * len(record)}")
    elif here != record:
        notes.append(f"the local branch {release.records_branch} was left as it is: update it with `git pull`")
    result = git.attempt("update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())
    if result.code:
        notes.append(
            f"released, but not noted here ({result.reason}): `git fetch {release.remote} tag {release.version}`"
        )
    return tuple(notes)


def _named(git: Git, ref: str) -> str:
    """What ``ref`` names here; empty: it does not exist."""
    return git.attempt("rev-parse", "--verify", "--quiet", ref).out.decode().strip()


def _metadata_at_root(root: Path, content: bytes) -> tuple[str, ...]:
    """Write the metadata beside the project; the release stands, whether or not this file can be written."""
    try:
        write_atomically(root / METADATA_NAME, content)
    except OSError as error:
        return (f"released, but {root / METADATA_NAME} could not be written: {error.strerror}",)
    return ()
