"""Has a release landed? The push, and what the remote shows afterwards: that decides, not what the push said."""

from collections.abc import Callable, Mapping

from go_live.errors import ReleaseIncompleteError
from go_live.release import remote as remotes
from go_live.release.git import Git, GitError
from go_live.release.journal import Entry
from go_live.release.state import Release

Step = Callable[[str], None]
"""Told what was done; where a release may be cut off is where the next step begins."""


def silent(name: str) -> None:
    """Tell nobody."""
    del name


def landed(git: Git, release: Release, entry: Entry) -> bool:
    """Whether the remote holds the objects that ``entry`` names, as a push whose answer was lost would have left it.

    Raises:
        GitError: the remote cannot be read.
        ReleaseIncompleteError: it holds another tag of that name: neither ours nor nobody's.
    """
    if entry.tag is None or entry.record is None:
        return False
    there = remotes.refs(git, release.remote, release.tag, release.records, f"{release.tag}^{{}}")
    if release.tag not in there:
        return False
    if _shows(git, release, there, entry):
        return True
    if there[release.tag] == entry.tag:
        raise ReleaseIncompleteError(
            f"{release.remote} has the tag {release.version}, and its branch {release.records_branch} has lost the "
            f"record {entry.record}: put that commit back on the branch"
        )
    raise ReleaseIncompleteError(
        f"{release.version} on {release.remote} is {there[release.tag]}, and this release made {entry.tag}: "
        "somebody else released that version; choose a new release.version"
    )


def push(git: Git, release: Release, entry: Entry, step: Step) -> None:
    """Push both refs, and believe only what the remote then shows: an answer can be lost on its way."""
    address = remotes.address(git, release.remote)
    updates = {release.records: entry.record or "", release.tag: entry.tag or ""}
    refusal = remotes.push(git, release.remote, updates, {release.records: entry.base or "", release.tag: ""})
    step("pushed")
    try:
        there = remotes.refs(git, release.remote, *updates, f"{release.tag}^{{}}")
        if _shows(git, release, there, entry):
            return
    except GitError as error:
        raise ReleaseIncompleteError(
            f"the push of {release.version} to {address} is unconfirmed ({refusal or 'accepted'}; {error}): "
            f"nothing was changed here; `git ls-remote {release.remote}` will say what landed"
        ) from error
    if refusal and not set(updates.values()) & set(there.values()):
        raise ReleaseIncompleteError(f"{address} refused {release.version}: {refusal}; nothing was changed")
    raise ReleaseIncompleteError(
        f"{address} does not show what was pushed as {release.version} ({refusal or 'accepted'}): "
        f"nothing was changed here; compare `git ls-remote {release.remote}`"
    )


def _shows(git: Git, release: Release, there: Mapping[str, str], entry: Entry) -> bool:
    """Whether the remote's refs are the tag, on its commit, and a records branch that holds the record's commit.

    The branch may have gone on since: what was recorded after ours stands on it.
    """
    if (there.get(release.tag), there.get(f"{release.tag}^{{}}")) != (entry.tag, release.commit):
        return False
    tip = there.get(release.records)
    if tip is None or entry.record is None:
        return False
    if tip == entry.record:
        return True
    remotes.fetch(git, release.remote, release.records)
    return git.attempt("merge-base", "--is-ancestor", entry.record, tip).code == 0
