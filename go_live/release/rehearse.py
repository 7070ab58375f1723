"""The end of a rehearsal: one ref that nothing carries along, and the metadata. Nothing is pushed."""

from pathlib import Path

from go_live.errors import ReleaseIncompleteError, UsageError
from go_live.evidence.run_directory import write_atomically
from go_live.release.git import Git, GitError
from go_live.release.metadata import METADATA_NAME, read
from go_live.release.publish import Published
from go_live.release.record import Stamp, tag_payload, write_tag
from go_live.release.repository import identity, open_work_tree


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
