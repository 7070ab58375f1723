"""The objects of a release: blobs, trees, one commit, one annotated tag.

Made with plumbing and a private index: no hook runs, and neither work tree, index nor any ref is touched. The same
input, identity and date give the same object ids, so that a release that was interrupted can be repeated.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from go_live.release.git import Git


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Who and when, as it stands in commits and tags."""

    who: str
    """``Name <address>``."""
    when: int
    """Unix time, seconds; shown in UTC."""

    @property
    def line(self) -> str:
        """As git writes it behind ``tagger``."""
        return f"{self.who} {self.when} +0000"


def record_commit(
    git: Git, *, base: str | None, folder: str, files: Mapping[str, bytes], message: str, stamp: Stamp
) -> str:
    """Write a commit that adds ``files`` under ``folder`` to the tree of ``base``, and return its id.

    ``base`` None makes a commit without a parent: the first of its branch.

    Raises:
        GitError: a file name that git does not accept, or the repository cannot be written.
    """
    tree = _tree(git, base, {f"{folder}/{name}": data for name, data in sorted(files.items())})
    parents = ["-p", base] if base else []
    name, _, rest = stamp.who.rpartition(" <")
    person = {"NAME": name, "EMAIL": rest.rstrip(">"), "DATE": f"{stamp.when} +0000"}
    env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    return git.text("commit-tree", tree, *parents, stdin=f"{message.strip()}\n".encode(), env=env)


def tag_payload(*, name: str, commit: str, message: str, stamp: Stamp) -> bytes:
    """The bytes of an annotated tag object; what a signature would sign."""
    head = f"object {commit}\ntype commit\ntag {name}\ntagger {stamp.line}\n"
    return f"{head}\n{message.strip()}\n".encode()


def write_tag(git: Git, payload: bytes) -> str:
    """Write a tag object, which no ref names yet, and return its id.

    Raises:
        GitError: git does not accept it (its commit does not exist, the name is malformed).
    """
    return git.text("mktag", stdin=payload)


def _tree(git: Git, base: str | None, files: Mapping[str, bytes]) -> str:
    """Id of the tree of ``base`` with ``files`` (path -> content) in it."""
    rows = [f"100644 {git.text('hash-object', '-w', '--stdin', stdin=data)}\t{path}" for path, data in files.items()]
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if base:
            git.text("read-tree", base, env=env)
        git.text("update-index", "-z", "--index-info", stdin="".join(row + "\0" for row in rows).encode(), env=env)
        return git.text("write-tree", env=env)
