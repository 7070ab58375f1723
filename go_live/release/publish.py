"""Publish a release: record and tag in one atomic push, or nothing at all.

The order is the safety. Objects are written first, which nothing names. Then one push creates the tag and advances
the records branch together, if nobody else moved either. Only when the remote shows both are the local refs and the
metadata at the project's root written. A refusal at any point leaves work tree, index, HEAD and refs as they were.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from go_live.errors import ReleaseIncompleteError, UsageError
from go_live.evidence.run_directory import write_atomically
from go_live.release import remote as remotes
from go_live.release.git import Git, GitError
from go_live.release.metadata import METADATA_NAME, read
from go_live.release.record import Stamp, record_commit, tag_payload, write_tag
from go_live.release.repository import identity, open_work_tree
from go_live.release.state import Release, problems


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
    notes: tuple[str, ...] = ()


def publish(root: Path, release: Release, *, message: str, record: Mapping[str, bytes], when: int) -> Published:
    """Commit ``record``, tag the validated commit, push both atomically, and only then write anything here.

    Args:
        root: the project's root, in the work tree of a git repository.
        release: what is published, and where.
        message: of the tag (``metadata.tag_message``).
        record: file name -> content; holds DEPLOYMENT_METADATA.json. Committed under a folder named by the version.
        when: Unix time of commit and tag, seconds. The same time gives the same object ids.

    Raises:
        ReleaseIncompleteError: a precondition no longer holds, or the push was refused; nothing was changed here.
        UsageError: not a git repository, or git has no identity.
    """
    git = open_work_tree(root)
    stamp = Stamp(who=identity(git), when=when)
    _same_release(release, record)
    try:
        if found := problems(git, release):
            raise ReleaseIncompleteError(f"{release.version} was not released: {'; '.join(found)}")
        base = _base(git, release)
        text = f"Record of {release.version} ({release.commit[:12]})"
        commit = record_commit(git, base=base, folder=release.version, files=record, message=text, stamp=stamp)
        payload = tag_payload(name=release.version, commit=release.commit, message=message, stamp=stamp)
        tag = write_tag(git, payload)
        _push(git, release, base=base or "", record=commit, tag=tag)
    except GitError as error:
        raise ReleaseIncompleteError(f"{release.version} was not released: {error}") from error
    notes = _local_refs(git, release, base=base, record=commit, tag=tag)
    notes += _metadata_at_root(root, record[METADATA_NAME])
    return Published(ref=release.tag, tag=tag, commit=release.commit, record=commit, notes=notes)


def publish_rehearsal(root: Path, directory: Path, *, metadata: bytes, message: str, when: int) -> Published:
    """Tag a rehearsal under ``refs/rehearsal/<version>/<run-id>``, which no push or clone carries along by itself.

    Nothing else in the repository is touched, and nothing is pushed. The tag object itself is named
    ``rehearsal/…``, so that it cannot be moved below ``refs/tags`` and be taken for a release.

    Args:
        root: the project's root.
        directory: the run directory.
        metadata: bytes of the rehearsal's DEPLOYMENT_METADATA.json, written to both.
        message: of the tag.
        when: Unix time of the tag, seconds.

    Raises:
        ReleaseIncompleteError: the ref cannot be written.
        UsageError: not a git repository, or not a rehearsal's metadata.
    """
    git = open_work_tree(root)
    told = read(metadata)
    if told["profile"] != "rehearsal":
        raise UsageError(f"{METADATA_NAME} is of the profile {told['profile']}, not a rehearsal's")
    name, commit = f"rehearsal/{told['version']}/{told['run_id']}", told["git_commit"]
    try:
        payload = tag_payload(name=name, commit=commit, message=message, stamp=Stamp(who=_rehearser(git), when=when))
        tag = write_tag(git, payload)
        git.text("update-ref", f"refs/{name}", tag)
    except GitError as error:
        raise ReleaseIncompleteError(f"the rehearsal's ref refs/{name} was not written: {error}") from error
    for folder in (directory, root):
        write_atomically(folder / METADATA_NAME, metadata)
    return Published(ref=f"refs/{name}", tag=tag, commit=commit)


def _rehearser(git: Git) -> str:
    """The user's identity; a machine without one can rehearse all the same, for the tag goes nowhere."""
    try:
        return identity(git)
    except UsageError:
        return "golive rehearsal <rehearsal@localhost>"


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


def _push(git: Git, release: Release, *, base: str, record: str, tag: str) -> None:
    """Push both refs, and believe only what the remote then shows: an answer can be lost on its way."""
    address = remotes.address(git, release.remote)
    updates = {release.records: record, release.tag: tag}
    refusal = remotes.push(git, release.remote, updates, {release.records: base, release.tag: ""})
    peeled = f"{release.tag}^{{}}"
    try:
        there = remotes.refs(git, release.remote, *updates, peeled)
    except GitError as error:
        raise ReleaseIncompleteError(
            f"the push of {release.version} to {address} is unconfirmed ({refusal or 'accepted'}; {error}): "
            f"nothing was changed here; `git ls-remote {release.remote}` will say what landed"
        ) from error
    if there == updates | {peeled: release.commit}:
        return
    if refusal and not set(updates.values()) & set(there.values()):
        raise ReleaseIncompleteError(f"{address} refused {release.version}: {refusal}; nothing was changed")
    raise ReleaseIncompleteError(
        f"{address} does not show what was pushed as {release.version} ({refusal or 'accepted'}): "
        f"nothing was changed here; compare `git ls-remote {release.remote}`"
    )


def _local_refs(git: Git, release: Release, *, base: str | None, record: str, tag: str) -> tuple[str, ...]:
    """Name what landed here too, in one transaction; notes say what was left alone."""
    lines = [f"create {release.tag} {tag}"]
    notes: list[str] = []
    here = git.attempt("rev-parse", "--verify", "--quiet", release.records).out.decode().strip()
    used = f"branch {release.records}\n" in git.text("worktree", "list", "--porcelain") + "\n"
    if here in {"", base or ""} and not used:
        lines.append(f"update {release.records} {record} {here or '0' * len(record)}")
    elif here != record:
        notes.append(f"the local branch {release.records_branch} was left as it is: update it with `git pull`")
    result = git.attempt("update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())
    if result.code:
        notes.append(
            f"released, but not noted here ({result.reason}): `git fetch {release.remote} tag {release.version}`"
        )
    return tuple(notes)


def _metadata_at_root(root: Path, content: bytes) -> tuple[str, ...]:
    """Write the metadata beside the project; the release stands, whether or not this file can be written."""
    try:
        write_atomically(root / METADATA_NAME, content)
    except OSError as error:
        return (f"released, but {root / METADATA_NAME} could not be written: {error.strerror}",)
    return ()
