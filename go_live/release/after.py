"""What is found out after the tag: verdicts added to the record that is on the remote already.

Each lies below ``<version>/after-tag/``, outside of what the tag quotes, signed by the same key as the rest. Adding one
that is there already changes nothing, so that a release that was cut off can simply be repeated.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from go_live.decide import ItemResult
from go_live.evidence import dsse
from go_live.evidence.run_directory import encode
from go_live.evidence.statement import Check, Resource, predicate_type
from go_live.evidence.statement import encode as encode_statement
from go_live.release import remote as remotes
from go_live.release.attest import checked, sha256
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
    name = f"{AFTER}{result.item}.json"
    files = {name: content}
    if key is None:
        return files
    about = [
        Resource(name="tag", digest={"gitTag": tag}),
        Resource(name=name, digest={"sha256": sha256(content)}),
    ]
    statement = Check(
        mode="production" if profile == "production" else "test",
        run_id=run_id,
        gate={"id": "golive"},
        endpoint={},
        evidence=(),
        checks=(checked(result, required=True, waived=False, days=days),),
    )
    sealed = encode_statement(about, predicate_type("check", profile), statement)
    return files | {f"{AFTER}{result.item}.intoto.json": dsse.seal(sealed, {key.fingerprint: key.private})}


def add_after(root: Path, release: Release, item: str, files: Callable[[], Mapping[str, bytes]], *, when: int) -> bool:
    """Add what was found on ``item`` after the tag to the record of ``release`` on the remote.

    Args:
        root: in the work tree of a clone.
        release: whose record it is.
        item: nothing is added when the record has a verdict on it.
        files: makes what is added, by name below the record's folder.
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
        if git.text("ls-tree", tip, "--", f"{release.version}/{AFTER}{item}.json"):
            return False
        commit = record_commit(
            git,
            base=tip,
            folder=release.version,
            files=files(),
            message=f"{item} of {release.version}, after the tag",
            stamp=Stamp(who=identity(git), when=when),
        )
        refusal = remotes.push(git, release.remote, {release.records: commit}, {release.records: tip}) or ""
        if remotes.refs(git, release.remote, release.records).get(release.records) == commit:
            _advance(git, release, tip, commit)
            return True
    raise GitError(f"{release.remote} did not take the verdict on {item}: {refusal}")


def _advance(git: Git, release: Release, tip: str, commit: str) -> None:
    """Let the local branch follow, where it was at the remote's and nobody works on it."""
    used = f"branch {release.records}\n" in git.text("worktree", "list", "--porcelain") + "\n"
    if not used:
        git.attempt("update-ref", release.records, commit, tip)
