"""Is the repository, here and on the remote, in a state to be released? Each problem is one line with its remedy."""

from pathlib import Path

import msgspec

from go_live.config import Config
from go_live.errors import UsageError
from go_live.release import remote as remotes
from go_live.release.git import Git, GitError
from go_live.release.repository import dirt, identity, observe, open_work_tree

_SHOWN = 3


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be published, and where."""

    version: str
    """Name of the tag, and of the folder on the records branch."""
    commit: str
    """The validated commit: the plan's."""
    branch: str
    """The branch that is released; the remote's must contain ``commit``."""
    remote: str
    records_branch: str
    named: str | None = None
    """The commit that the user named (``--commit``); needed when HEAD is not on ``branch``."""

    @property
    def tag(self) -> str:
        """Full name of the tag's ref."""
        return f"refs/tags/{self.version}"

    @property
    def records(self) -> str:
        """Full name of the records branch's ref."""
        return f"refs/heads/{self.records_branch}"


def release_of(config: Config, commit: str, *, named: str | None = None) -> Release:
    """The release that ``config`` describes, of ``commit``."""
    wanted = config.release
    return Release(
        version=wanted.version,
        commit=commit,
        branch=wanted.branch,
        remote=wanted.remote,
        records_branch=wanted.records_branch,
        named=named,
    )


def release_state(root: Path, plan_commit: str, config: Config, *, named: str | None = None) -> list[str]:
    """What stands in the way of releasing ``plan_commit`` from ``root``; empty: nothing.

    Looks at the identity for the tag, the clone's history, the work tree, HEAD, the tag here and on the remote, the
    remote's release branch, and asks the remote (a dry run) whether it would take an atomic push from us.

    Raises:
        UsageError: ``root`` is not in a git repository with a commit.
    """
    return problems(open_work_tree(root), release_of(config, plan_commit, named=named))


def problems(git: Git, release: Release) -> list[str]:
    """As ``release_state``; the remote is asked only when nothing stands in the way here."""
    return _local(git, release) or _remote(git, release)


def _local(git: Git, release: Release) -> list[str]:
    """Problems that show without the remote."""
    state = observe(git.root)
    found = [*_names(git, release), *_identity(git)]
    if state.shallow:
        found.append("the clone is shallow, so its history cannot be vouched for: `git fetch --unshallow`")
    if state.dirty:
        found.append(dirty_line(dirt(git)))
    if state.commit != release.commit:
        found.append(f"HEAD moved from {release.commit[:12]} to {state.commit[:12]} since the plan: run again")
    if release.named not in {None, release.commit}:
        found.append(f"--commit names {release.named}, but the plan validated {release.commit}")
    if state.branch != release.branch and release.named is None:
        where = f"on {state.branch}" if state.branch else "detached"
        found.append(f"HEAD is {where}, not on {release.branch}: switch, or name the commit with --commit")
    if git.attempt("show-ref", "--verify", "--quiet", release.tag).code == 0:
        found.append(f"tag {release.version} already exists here: choose a new release.version")
    return found


def dirty_line(paths: list[str]) -> str:
    """One line that names the first few of ``paths``."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"the work tree is not clean: {', '.join(paths[:_SHOWN])}{more}; commit, ignore or remove"


def _names(git: Git, release: Release) -> list[str]:
    """Version and branch must be names that git accepts."""
    wrong = [ref for ref in (release.tag, release.records) if git.attempt("check-ref-format", ref).code]
    return [f"{ref} is not a name that git accepts: change it in golive.toml" for ref in wrong]


def _identity(git: Git) -> list[str]:
    """An identity for the tag must be set."""
    try:
        identity(git)
    except UsageError as error:
        return [str(error)]
    return []


def _remote(git: Git, release: Release) -> list[str]:
    """Problems that show on the remote."""
    branch = f"refs/heads/{release.branch}"
    try:
        address = remotes.address(git, release.remote)
        there = remotes.refs(git, release.remote, branch, release.tag, release.records)
        if branch in there:
            remotes.fetch(git, release.remote, branch)
    except GitError as error:
        return [str(error)]
    if release.tag in there:
        return [f"tag {release.version} already exists on {address}: choose a new release.version"]
    if branch not in there:
        return [f"{address} has no branch {release.branch}: push it first"]
    if git.attempt("merge-base", "--is-ancestor", release.commit, there[branch]).code:
        return [f"commit {release.commit[:12]} is not on {release.branch} of {address}: push it first"]
    refusal = remotes.push(git, release.remote, {release.tag: release.commit}, {release.tag: ""}, dry_run=True)
    return [f"{address} would not take the push: {refusal}"] if refusal else []
