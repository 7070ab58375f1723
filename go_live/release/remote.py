"""What the remote holds. Reading it updates no ref here: fetched objects stay unnamed."""

from collections.abc import Mapping

from go_live.release.git import NETWORK_S, Git, GitError, mask

PUSH_S = 600.0
"""How long a push may take, seconds: the remote's own checks run inside it."""


def address(git: Git, remote: str) -> str:
    """``remote`` with the address it is pushed to, fit to be shown: userinfo is masked.

    Raises:
        GitError: no such remote, or it is pushed to several addresses, where one push cannot be atomic.
    """
    result = git.attempt("remote", "get-url", "--push", "--all", remote)
    if result.code:
        raise GitError(
            f"no remote {mask(remote)!r}: name one with release.remote, or `git remote add {mask(remote)} URL`"
        )
    urls = result.out.decode().split()
    if len(urls) != 1:
        raise GitError(f"remote {remote!r} is pushed to {len(urls)} addresses, and one push cannot be atomic over them")
    return f"{remote} ({mask(urls[0])})"


def refs(git: Git, remote: str, *names: str) -> dict[str, str]:
    """The refs among ``names`` that ``remote`` has now -> object id. A peeled tag is named ``…^{}``.

    Raises:
        GitError: the remote cannot be read.
    """
    listing = git.attempt("ls-remote", "--quiet", remote, *names, timeout_s=NETWORK_S)
    if listing.code:
        raise GitError(f"cannot read the remote {mask(remote)}: {listing.reason}")
    pairs = [line.split("\t", 1) for line in listing.out.decode().splitlines()]
    return {name: identifier for identifier, name in pairs if name in names}


def fetch(git: Git, remote: str, *names: str) -> None:
    """Bring the objects of the refs ``names`` here, without updating any ref, tag or FETCH_HEAD.

    Raises:
        GitError: the remote cannot be read.
    """
    quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--recurse-submodules=no")
    result = git.attempt("fetch", *quiet, remote, *names, timeout_s=NETWORK_S)
    if result.code:
        raise GitError(f"cannot fetch from the remote {mask(remote)}: {result.reason}")


def push(
    git: Git, remote: str, updates: Mapping[str, str], expected: Mapping[str, str], *, dry_run: bool = False
) -> str | None:
    """Push objects to refs in one atomic step, if every ref is still what was ``expected``.

    Args:
        git: where to push from.
        remote: name of the remote.
        updates: ref -> object id that it shall name.
        expected: ref -> object id that it names now; empty: it does not exist.
        dry_run: ask without changing anything, and without running a pre-push hook.

    Returns:
        None when the remote accepted, else why not, in one line. No answer in time is no acceptance either.
    """
    leases = [f"--force-with-lease={ref}:{expected[ref]}" for ref in updates]
    asking = ["--dry-run", "--no-verify"] if dry_run else []
    only = ["--no-follow-tags", "--no-signed", "--recurse-submodules=no"]
    specs = [f"{identifier}:{ref}" for ref, identifier in updates.items()]
    arguments = ["push", "--porcelain", "--atomic", *only, *asking, *leases, remote, *specs]
    try:
        result = git.attempt(*arguments, timeout_s=PUSH_S)
    except GitError as error:
        return str(error)
    if result.code == 0:
        return None
    return _refusal(result.out.decode(errors="replace"), result.err) or result.reason


def _refusal(report: str, err: str) -> str:
    """Why a push was rejected: the ref that is to blame, and the remote's own words. Empty when neither is told.

    The other refs of an atomic push are rejected for its sake ("atomic push failed"), which explains nothing.
    """
    rows = [line.split("\t") for line in report.splitlines() if line.startswith("!\t") and "atomic" not in line]
    rejected = [f"{row[1].rpartition(':')[2]} {row[2]}" for row in rows]
    said = [
        line.removeprefix("remote: ").removeprefix("error: ").strip() for line in err.splitlines() if "remote: " in line
    ]
    words = [f'"{mask(line)}"' for line in said if line]
    return "; ".join(rejected[:1] + words[:1])
