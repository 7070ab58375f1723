"""What is found out after the tag: verdicts added to the record that is on the remote already.

Each lies below ``<version>/after-tag/``, outside of what the tag quotes, signed by the same key as the rest. Adding one
that is there already changes nothing, so that a release that was cut off can simply be repeated.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from go_live.decide import ItemResult
from go_live.evidence import dsse
from go_live.evidence.run_directory import encode
from go_live.evidence.statement import Check, predicate_type
from go_live.evidence.statement import encode as encode_statement
from go_live.release import remote as remotes
from go_live.release.attest import checked, subject_after
from go_live.release.found import AFTER
from go_live.release.git import Git, GitError
from go_live.release.record import Stamp, record_commit
from go_live.release.repository import identity, open_work_tree
from go_live.release.signing import Key
from go_live.release.state import Release

ATTEMPTS = 3
"""How often a push is tried when somebody else advanced the branch meanwhile."""


def after_files(
    result: ItemResult, *, tag: str, profile: str, run_id: str, days: int, key: Key | None
) -> dict[str, bytes]:
    """The files that a verdict after the tag adds to a record: the verdict, and with a key its attestation.

    Args:
        result: of the item.
        tag: id of the tag object that it is about.
        profile: of the release.
        run_id: of the run that was released.
        days: how long the verdict stays valid.
        key: that signs; None: unsigned.
    """
    content = encode(result)
    files = {f"{AFTER}{result.item}.json": content}
    if key is None:
        return files
    statement = Check(
        mode="production" if profile == "production" else "test",
        run_id=run_id,
        gate={"id": "golive"},
        endpoint={},
        evidence=(),
        checks=(checked(result, required=True, waived=False, days=days),),
    )
    sealed = encode_statement(subject_after(tag, content), predicate_type("check", profile), statement)
    return files | {f"{AFTER}{result.item}.intoto.json": dsse.seal(sealed, {key.fingerprint: key.private})}


def add_after(root: Path, release: Release, item: str, files: Callable[[], Mapping[str, bytes]], *, when: int) -> bool:
    """Add what was found on ``item`` after the tag to the record of ``release`` on the remote.

    Args:
        root: in the work tree of a clone.
        release: whose record it is.
        item: that it is about. Nothing is added when the newest verdict on it says the same; what was said before
            stays, and a verdict that has changed stands beside it under the next number.
        files: makes what is added, by name below the record's folder (``after_files``).
        when: Unix time of the commit.

    Returns:
        Whether anything was added.

    Raises:
        GitError: the remote cannot be read, has no record of the release, or refused the push.
    """
    git = open_work_tree(root)
    refusal = ""
    for _ in range(ATTEMPTS):
        tip = remotes.refs(git, release.remote, release.records).get(release.records)
        if tip is None:
            raise GitError(f"{release.remote} has no branch {release.records_branch}")
        remotes.fetch(git, release.remote, release.records)
        found = files()
        number = _next_number(git, f"{tip}:{release.version}", item, found[f"{AFTER}{item}.json"])
        if number is None:
            return False
        commit = record_commit(
            git,
            base=tip,
            folder=release.version,
            files={_numbered(name, item, number): content for name, content in found.items()},
            message=f"{item} of {release.version}, after the tag",
            stamp=Stamp(who=identity(git), when=when),
        )
        refusal = remotes.push(git, release.remote, {release.records: commit}, {release.records: tip}) or ""
        if remotes.refs(git, release.remote, release.records).get(release.records) == commit:
            _advance(git, release, tip, commit)
            return True
    raise GitError(f"{release.remote} did not take the verdict on {item}: {refusal}")


def _next_number(git: Git, folder: str, item: str, verdict: bytes) -> int | None:
    """Which verdict on ``item`` this one is, from 1; None: the newest one says the same already."""
    number, newest = 1, b""
    while (
        there := git.attempt("cat-file", "blob", f"{folder}/{_numbered(f'{AFTER}{item}.json', item, number)}")
    ).code == 0:
        number, newest = number + 1, there.out
    return None if newest and _outcome(newest) == _outcome(verdict) else number


def _outcome(verdict: bytes) -> str:
    """What the file of a verdict says."""
    try:
        return msgspec.json.decode(verdict, type=ItemResult).outcome
    except msgspec.DecodeError:
        return ""


def _numbered(name: str, item: str, number: int) -> str:
    """The name of a file of the ``number``-th verdict on ``item``: ``REL-4.json``, ``REL-4.2.json``."""
    return name if number == 1 else name.replace(f"{AFTER}{item}.", f"{AFTER}{item}.{number}.", 1)


def _advance(git: Git, release: Release, tip: str, commit: str) -> None:
    """Let the local branch follow, where it was at the remote's and nobody works on it."""
    used = f"branch {release.records}\n" in git.text("worktree", "list", "--porcelain") + "\n"
    if not used:
        git.attempt("update-ref", release.records, commit, tip)
