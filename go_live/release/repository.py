"""The state of the repository, as git shows it. Looking changes nothing, not even the index."""

from pathlib import Path

from go_live.checklist import Repository
from go_live.errors import UsageError
from go_live.release.git import Git, GitError

_NOT_LOOKED_AT = frozenset("hsS")
"""Tags of ``git ls-files -v``: assume-unchanged (h), skip-worktree (S), both (s)."""


def observe(root: Path) -> Repository:
    """The repository that ``root`` lies in.

    Dirty is: a change in the index or the work tree, an untracked file that no ignore rule names (a run that
    used it could not be repeated from the commit), or a file that git was told not to look at.

    Raises:
        UsageError: no git repository, no work tree, or no commit yet; the message names the remedy.
    """
    git = open_work_tree(root)
    commit = _head(git)
    return Repository(
        commit=commit,
        tree=git.text("rev-parse", f"{commit}^{{tree}}"),
        branch=_branch(git),
        dirty=bool(dirt(git)),
        shallow=git.text("rev-parse", "--is-shallow-repository") == "true",
    )


def open_work_tree(root: Path) -> Git:
    """Git in ``root``.

    Raises:
        UsageError: ``root`` is not in the work tree of a git repository.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder: run golive in the project's root")
    git = Git(root)
    result = git.attempt("rev-parse", "--is-inside-work-tree")
    if result.code and "not a git repository" in result.err:
        raise UsageError(f"{root} is not in a git repository: run golive in a clone, or `git init` and commit")
    if result.code:
        raise GitError(f"git cannot read {root}: {result.reason}")
    if result.out.strip() != b"true":
        raise UsageError(f"{root} is not in a work tree (a bare repository?): run golive in a clone")
    return git


def dirt(git: Git) -> list[str]:
    """Paths that differ from HEAD, are untracked and not ignored, or are hidden from git's eyes; sorted."""
    status = git.text(
        "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal", "--ignore-submodules=none"
    )
    changed = {entry[3:] for entry in status.split("\0") if entry}
    listed = git.text("ls-files", "-v", "-z").split("\0")
    hidden = {entry[2:] for entry in listed if entry[:1] in _NOT_LOOKED_AT}
    return sorted(changed | hidden)


def identity(git: Git) -> str:
    """Who makes commits and tags here, as ``Name <address>``, from git's configuration or environment.

    Raises:
        UsageError: git knows no name or no address; it would otherwise invent them from the host's name.
    """
    result = git.attempt("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    if result.code:
        raise UsageError(
            "git has no identity for the tag: set user.name and user.email with `git config`, "
            "or GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL"
        )
    return result.out.decode().strip().rsplit(" ", 2)[0]


def _head(git: Git) -> str:
    """Id of the commit that HEAD names."""
    result = git.attempt("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if result.code:
        raise UsageError(f"the repository at {git.root} has no commit: commit the project first")
    return result.out.decode().strip()


def _branch(git: Git) -> str | None:
    """Name of the branch HEAD is on; None when it is detached."""
    result = git.attempt("symbolic-ref", "--quiet", "--short", "HEAD")
    return result.out.decode().strip() if result.code == 0 else None
