"""Verifying a release: offline in a clone, or as the remote holds it, read from the remote itself."""

from pathlib import Path

from go_live.errors import UsageError
from go_live.release import remote as remotes
from go_live.release.afterwards import after_step
from go_live.release.binding import metadata_step, record_step, signature_step, tag_step
from go_live.release.found import Refs
from go_live.release.found import read as read_release
from go_live.release.git import Git
from go_live.release.recorded import read_record
from go_live.release.rejudging import decision_step, log_step
from go_live.release.repository import open_work_tree
from go_live.release.signature import Signature, check
from go_live.release.trust import Trust
from go_live.release.verification import Asked, Case, Verification, judge
from go_live.release.vouching import attestations_step, authorization_step

STEPS = (
    Asked("tag", "nothing", tag_step),
    Asked("signature", "tag object", signature_step),
    Asked("record", "nothing", record_step),
    Asked("metadata", "record", metadata_step),
    Asked("attestations", "record", attestations_step),
    Asked("log", "record", log_step),
    Asked("decision", "record", decision_step),
    Asked("authorization", "record", authorization_step),
    Asked("after-tag", "record", after_step),
)


def verify(root: Path, version: str, *, trust: Trust, remote: str, records_branch: str) -> Verification:
    """Whether the release ``version`` is what its tag says it is; offline, and without writing anything.

    Args:
        root: in the work tree of a clone.
        version: name of the tag.
        trust: whom to believe (``trust.load``); never read from the release itself.
        remote: whose remote-tracking branch holds the records, before a local branch of the name.
        records_branch: the branch that holds them.

    Raises:
        UsageError: ``root`` is not in a git repository, or ``version`` is no name of a tag.
        MeasurementError: ssh-keygen is not installed.
    """
    git = open_work_tree(root)
    records = (f"refs/remotes/{remote}/{records_branch}", f"refs/heads/{records_branch}")
    return _verify(git, version, trust, Refs(tag=f"refs/tags/{version}", records=records, sought=records))


def verify_on_remote(root: Path, version: str, *, trust: Trust, remote: str, records_branch: str) -> Verification:
    """As :func:`verify`, of what ``remote`` holds now, whatever this clone's refs say. No ref is updated.

    Raises:
        GitError: the remote cannot be read.
        UsageError, MeasurementError: as :func:`verify`.
    """
    git = open_work_tree(root)
    tag, branch = f"refs/tags/{version}", f"refs/heads/{records_branch}"
    there = remotes.refs(git, remote, tag, branch)
    if there:
        remotes.fetch(git, remote, *there)
    refs = Refs(tag=there.get(tag, ""), records=(there.get(branch, ""),), sought=(branch,), remote=remote)
    return _verify(git, version, trust, refs)


def verify_objects(git: Git, version: str, trust: Trust, *, tag: str, record: str) -> Verification:
    """As :func:`verify`, of objects that no ref names yet: what is about to be pushed."""
    return _verify(git, version, trust, Refs(tag=tag, records=(record,), sought=(record,)))


def _verify(git: Git, version: str, trust: Trust, refs: Refs) -> Verification:
    """Read, then judge."""
    if git.attempt("check-ref-format", f"refs/tags/{version}").code:
        raise UsageError(f"{version!r} cannot be the name of a tag")
    found = read_release(git, version, refs)
    recorded = read_record(found.files)
    signature = Signature(trouble=f"{version} is not signed")
    if found.tag is not None:
        # Without a decision there is no time of the evidence: the tagger's stands in, and the record is refused anyway.
        at = found.tag.when if recorded.judged_at is None else recorded.judged_at
        signature = check(git, found.tag_id, found.tag, trust, at=at)
    return judge(Case(found=found, recorded=recorded, signature=signature, trust=trust), STEPS)
