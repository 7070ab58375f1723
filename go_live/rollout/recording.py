"""The verdict on a rollout, added to the release's record on the remote."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from go_live import checklist
from go_live.config import Config, ProfileName
from go_live.decide import combine
from go_live.errors import GoliveError
from go_live.outcome import Verdict
from go_live.release import remote as remotes
from go_live.release.after import add_after, after_files
from go_live.release.found import Refs, read
from go_live.release.recorded import read_record
from go_live.release.repository import open_work_tree
from go_live.release.signing import required_key
from go_live.release.state import release_of

CHECKLIST = "GO_LIVE_CHECKLIST.md"


def record(
    root: Path,
    config: Config,
    profile: ProfileName,
    item: str,
    verdict: Verdict,
    *,
    environment: Mapping[str, str],
    now: float,
) -> str:
    """Add ``verdict`` on ``item`` to the record of the release; one line about it, whatever came of that.

    Args:
        root: the project's, in a clone.
        config: names release and remote.
        profile: of the release.
        item: ``ROL-1``, ``ROL-2``.
        verdict: what was found.
        environment: names the key that signs attestations.
        now: Unix time.
    """
    try:
        added = _add(root, config, profile, item, verdict, environment=environment, now=now)
    except (GoliveError, OSError) as error:
        return f"{item} is not recorded: {error}"
    where = f"the record of {config.release.version} on {config.release.remote}"
    return f"{item} {verdict.outcome.name} stands in {where}" + ("" if added else " already")


def _add(
    root: Path,
    config: Config,
    profile: ProfileName,
    item: str,
    verdict: Verdict,
    *,
    environment: Mapping[str, str],
    now: float,
) -> bool:
    """Whether anything had to be added.

    Raises:
        GoliveError: there is no such release on the remote, or it cannot be added.
        OSError: the checklist cannot be read.
    """
    git, wanted = open_work_tree(root), config.release
    tag, branch = f"refs/tags/{wanted.version}", f"refs/heads/{wanted.records_branch}"
    there = remotes.refs(git, wanted.remote, tag, branch)
    if tag not in there or branch not in there:
        raise GoliveError(f"{wanted.remote} has no release {wanted.version}; after it, run the same command again")
    remotes.fetch(git, wanted.remote, *there)
    refs = Refs(tag=there[tag], records=(there[branch],), sought=(branch,), remote=wanted.remote)
    found = read(git, wanted.version, refs)
    planned = read_record(found.files).plan
    if planned is None:
        raise GoliveError(f"the record of {wanted.version} has no plan that can be read")
    days = next(one.evidence_days for one in checklist.load(root / CHECKLIST) if one.id == item)
    key = required_key(config, profile, environment)
    result = msgspec.structs.replace(combine(item, [verdict]), concluded_at=now)
    release = release_of(config, found.commit)

    def files() -> Mapping[str, bytes]:
        return after_files(result, tag=found.tag_id, profile=profile, run_id=planned.run_id, days=days, key=key)

    return add_after(root, release, item, files, when=int(now))
