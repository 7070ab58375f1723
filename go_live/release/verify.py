"""Verifying a release: offline in a clone, and on the remote after the push, read from the remote itself."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from go_live.config import Release
from go_live.errors import UsageError
from go_live.release import remote as remotes
from go_live.release.binding import metadata_step, record_step, signature_step, tag_step
from go_live.release.found import read as read_release
from go_live.release.git import Git, GitError
from go_live.release.metadata import METADATA_NAME, evidence_digest, read, tag_message, waived_lines
from go_live.release.recorded import read_record
from go_live.release.rejudging import decision_step, log_step
from go_live.release.repository import open_work_tree
from go_live.release.signature import Signature, check
from go_live.release.trust import Trust
from go_live.release.verification import Case, Verification, judge
from go_live.release.vouching import attestations_step, authorization_step


STEPS = (
    tag_step,
    signature_step,
    record_step,
    metadata_step,
    attestations_step,
    log_step,
    decision_step,
    authorization_step,
)


def verify(
    root: Path, version: str, *, release: Release, trust: Trust, tag: str | None = None, records: Sequence[str] = ()
) -> Verification:
    """Whether the release ``version`` is what its tag says it is; offline, and without writing anything.

    Args:
        root: in the work tree of a clone.
        version: name of the tag.
        release: golive.toml's ``[release]``: names the remote and the branch that the records are looked for in.
        trust: whom to believe (``trust.load``); never read from the release itself.
        tag: id of the tag object, where it is not ``refs/tags/<version>`` here.
        records: refs or commits to look for the record in, where they are not the usual ones.

    Raises:
        UsageError: ``root`` is not in a git repository, or ``version`` is no name of a tag.
        MeasurementError: ssh-keygen is not installed.
    """
    git = open_work_tree(root)
    if git.attempt("check-ref-format", f"refs/tags/{version}").code:
        raise UsageError(f"{version!r} cannot be the name of a tag")
    branch = release.records_branch
    usual = (f"refs/remotes/{release.remote}/{branch}", f"refs/heads/{branch}")
    found = read_release(git, version, tag=tag, records=records or usual)
    recorded = read_record(found.files)
    signature = Signature(trouble=f"{version} is not signed")
    if found.tag is not None:
        # Without a decision there is no time of the evidence: the tagger's stands in, and the record is refused anyway.
        at = found.tag.when if recorded.judged_at is None else recorded.judged_at
        signature = check(git, found.tag_id, found.tag, trust, at=at)
    return judge(Case(found=found, recorded=recorded, signature=signature, trust=trust), STEPS)


def verify_pushed(root: Path, remote: str, version: str, commit: str, records_branch: str) -> list[str]:
    """What is wrong with ``version`` on ``remote``; empty: tag and record are there and name ``commit``.

    The tag must be annotated, bear the name of its ref, name ``commit``, and quote the digest of the evidence and the
    waivers that the record lists; the record's metadata must be valid, about this version and commit, and no
    rehearsal's; each evidence file must be recorded and have its digest.

    Raises:
        UsageError: ``root`` is not in a git repository.
    """
    git = open_work_tree(root)
    tag, branch = f"refs/tags/{version}", f"refs/heads/{records_branch}"
    try:
        there = remotes.refs(git, remote, tag, f"{tag}^{{}}", branch)
        missing = [f"{remote} has no {name}" for name in (tag, branch) if name not in there]
        if missing:
            return missing
        remotes.fetch(git, remote, tag, branch)
        found, message = _tag_problems(git, there, version, commit)
        return found + _record_problems(git, f"{there[branch]}:{version}", version, commit, message)
    except GitError as error:
        return [str(error)]


def _tag_problems(git: Git, there: dict[str, str], version: str, commit: str) -> tuple[list[str], str]:
    """Problems of the tag, and its message."""
    tag = f"refs/tags/{version}"
    if f"{tag}^{{}}" not in there:
        return [f"tag {version} is not an annotated tag: it says neither who nor on what evidence"], ""
    head, _, message = git.raw("cat-file", "tag", there[tag]).decode(errors="replace").partition("\n\n")
    found = []
    if (named := there[f"{tag}^{{}}"]) != commit:
        found.append(f"tag {version} names {named[:12]}, not the validated commit {commit[:12]}")
    if f"tag {version}" not in head.splitlines():
        found.append(f"the tag object behind {version} was made under another name")
    return found, message


def _record_problems(git: Git, folder: str, version: str, commit: str, message: str) -> list[str]:
    """Problems of the record in ``folder`` (``<commit>:<version>``)."""
    try:
        document = read(git.raw("cat-file", "blob", f"{folder}/{METADATA_NAME}"))
    except GitError:
        return [f"the record of {version} has no {METADATA_NAME}"]
    except UsageError as error:
        return [f"the record of {version}: {error}"]
    found = []
    if document["profile"] == "rehearsal":
        found.append(f"the record of {version} is a rehearsal's")
    if (document["version"], document["git_commit"]) != (version, commit):
        found.append(f"the record of {version} is about {document['version']} at {document['git_commit'][:12]}")
    return found + _waiver_problems(document, message) + _evidence_problems(git, folder, document, message)


def _waiver_problems(document: dict[str, Any], message: str) -> list[str]:
    """Tag and metadata must name the same waivers: neither may hide what the release rests on."""
    told, named = waived_lines(message), waived_lines(tag_message(document))
    return [] if told == named else ["the tag names other waivers than the record"]


def _evidence_problems(git: Git, folder: str, document: dict[str, Any], message: str) -> list[str]:
    """Tag, metadata and recorded files must agree on the evidence."""
    digest = evidence_digest(document["evidence"])
    found = []
    if digest != document["evidence_sha256"] or f"Evidence: sha256:{digest}" not in message.splitlines():
        found.append("the tag's evidence digest is not that of the record")
    recorded = set(git.text("ls-tree", "-r", "-z", "--name-only", folder).split("\0"))
    for name, expected in document["evidence"].items():
        if _recorded(git, folder, name, recorded) != expected:
            found.append(f"recorded {name} is not the file the decision was made on")
    return found


def _recorded(git: Git, folder: str, name: str, recorded: set[str]) -> str:
    """sha256 of an evidence file of the record, of a compressed one that of its content; empty where there is none."""
    packed = f"{name}.gz"
    if name in recorded:
        return hashlib.sha256(git.raw("cat-file", "blob", f"{folder}/{name}")).hexdigest()
    if packed not in recorded:
        return ""
    try:
        with gzip.open(io.BytesIO(git.raw("cat-file", "blob", f"{folder}/{packed}"))) as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except (OSError, EOFError, zlib.error):
        return ""
