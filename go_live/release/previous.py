"""The rollback target: the release before this one, verified, or declared not to exist."""

from pathlib import Path

from go_live.checklist import Plan
from go_live.config import Config, ProfileName
from go_live.errors import ReleaseIncompleteError
from go_live.release import remote as remotes
from go_live.release import trust as trusts
from go_live.release.git import GitError
from go_live.release.repository import open_work_tree
from go_live.release.verification import Verification
from go_live.release.verify import verify_on_remote
from go_live.release.way_back import Previous


def recorded_versions(root: Path, config: Config) -> list[str]:
    """The versions that the remote's records branch holds; none where there is no such branch yet.

    Raises:
        GitError: the remote cannot be read.
        UsageError: ``root`` is not in a git repository.
    """
    git = open_work_tree(root)
    branch = f"refs/heads/{config.release.records_branch}"
    there = remotes.refs(git, config.release.remote, branch)
    if branch not in there:
        return []
    remotes.fetch(git, config.release.remote, branch)
    return git.text("ls-tree", "-d", "--name-only", there[branch]).splitlines()


def verify_target(root: Path, config: Config, version: str, *, profile: ProfileName) -> Verification:
    """The rollback target ``version``, as the remote holds it, verified by the trust root of ``profile``.

    Raises:
        GitError: the remote cannot be read.
        UsageError: ``root`` is not in a git repository, or the profile has no trust root.
    """
    trust = trusts.load(config, root, profile=profile)
    settings = config.release
    return verify_on_remote(root, version, trust=trust, remote=settings.remote, records_branch=settings.records_branch)


def previous_of(plan: Plan, root: Path) -> Previous | None:
    """The release that the plan's would be rolled back to; None: the plan declares that there is none.

    Raises:
        ReleaseIncompleteError: it is not what its tag says it is, or the remote cannot be read.
    """
    version = plan.config.release.previous
    if version is None or plan.profile == "rehearsal":
        return None
    try:
        found = verify_target(root, plan.config, version, profile=plan.profile)
    except GitError as error:
        raise ReleaseIncompleteError(f"the rollback target {version} cannot be verified: {error}") from error
    if not found.good or found.metadata is None:
        raise ReleaseIncompleteError(f"the rollback target {version} is not what it says it is: {found.reason}")
    return Previous(version=version, git_commit=found.metadata["git_commit"], image=found.metadata["image"])
