"""What a repository holds of a release, read without judging it. No remote is asked, and nothing is written."""

import hashlib
from collections.abc import Mapping

import msgspec

from go_live.release.git import Git, GitError
from go_live.release.signature import TagObject, parse_tag

SUMS = "SHA256SUMS"
"""In the record: the sha256 of every other file, as ``sha256sum`` prints them. The tag quotes this file's own."""
AFTER = "after-tag/"
"""Below this folder of the record stands what was found out after the tag was made, and what the tag cannot know."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A release as it stands in a repository. What is not there is empty."""

    version: str
    tag_id: str
    """What the ref names."""
    tag_type: str
    """``tag`` for an annotated one."""
    tag: TagObject | None
    commit: str
    """What the tag comes to, when that is a commit that is here."""
    tree: str
    """Tree of ``commit``."""
    remote: str
    """Whose refs were read; empty: those that are here, which a fetch may complete."""
    sought: tuple[str, ...]
    """Where the record was looked for."""
    records: str
    """The commit of the records branch that was looked into."""
    files: Mapping[str, bytes]
    """The record, by name below its folder."""

    @property
    def sums(self) -> str:
        """sha256 of the record's list of digests; empty when it has none."""
        return hashlib.sha256(self.files[SUMS]).hexdigest() if SUMS in self.files else ""


class Refs(msgspec.Struct, frozen=True, kw_only=True):
    """Where a release is read."""

    tag: str
    """A ref or an object id; empty: there is none."""
    records: tuple[str, ...]
    """Refs or commits to look for the record in; the first that has it counts."""
    sought: tuple[str, ...]
    """How ``records`` are called in messages."""
    remote: str = ""
    """The remote that these are the refs of; empty: they are this clone's."""


def read(git: Git, version: str, refs: Refs) -> Found:
    """Read the release ``version``.

    Args:
        git: the repository.
        version: name of the tag, and of the record's folder.
        refs: where its tag and record are.

    Raises:
        GitError: the repository cannot be read.
    """
    tag_id = _resolve(git, refs.tag)
    tag_type = git.text("cat-file", "-t", tag_id) if tag_id else ""
    commit = _resolve(git, f"{tag_id}^{{commit}}") if tag_id else ""
    here = [found for ref in refs.records if (found := _resolve(git, f"{ref}^{{commit}}"))]
    holding = next((one for one in here if _resolve(git, f"{one}:{version}")), "")
    return Found(
        version=version,
        tag_id=tag_id,
        tag_type=tag_type,
        tag=parse_tag(git.raw("cat-file", "tag", tag_id)) if tag_type == "tag" else None,
        commit=commit,
        tree=_resolve(git, f"{commit}^{{tree}}") if commit else "",
        remote=refs.remote,
        sought=refs.sought,
        records=holding or next(iter(here), ""),
        files=_files(git, f"{holding}:{version}") if holding else {},
    )


def sums(files: Mapping[str, bytes]) -> bytes:
    """The list of digests of a record: what its :data:`SUMS` has to hold."""
    listed = sorted(name for name in files if name != SUMS and not name.startswith(AFTER))
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in listed).encode()


def _resolve(git: Git, name: str) -> str:
    """Id of the object that ``name`` names here; empty when there is none."""
    return git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", name).out.decode().strip()


def _files(git: Git, folder: str) -> dict[str, bytes]:
    """Every file below ``folder``, read by one process.

    Raises:
        GitError: an object is missing.
    """
    rows = [row for row in git.text("ls-tree", "-r", "-z", folder).split("\0") if row]
    names = {name: head.split()[2] for head, _, name in (row.partition("\t") for row in rows)}
    out = git.raw("cat-file", "--batch", stdin="".join(f"{one}\n" for one in names.values()).encode())
    files: dict[str, bytes] = {}
    at = 0
    for name, identifier in names.items():
        end = out.index(b"\n", at)
        head = out[at:end].decode().split()
        if head[1:2] != ["blob"]:
            raise GitError(f"the object {identifier} of {name} cannot be read here: fetch the records branch again")
        at = end + 1 + int(head[2]) + 1
        files[name] = out[end + 1 : at - 1]
    return files
