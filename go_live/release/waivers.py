"""Reading waivers, and verifying their approval: what the plan freezes of golive.toml and waivers.toml.

An approval is verified or it does not count. A signed commit is asked of git: it must have added this very entry, its
signature must be good, and the signer must be the approver. A pipeline's approval is the run that it names in a
variable; who approved that run is to be read there, and the report says so.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from go_live.config import Config, WaiverEntry, parse_waivers, read_toml
from go_live.errors import UsageError
from go_live.release.git import Git, GitError
from go_live.waivers import MAX_DAYS, Waiver, person

FILE = "waivers.toml"
"""Beside golive.toml."""
SHOWN = 12
_RUN = re.compile(r"^(https://[^\s@]+|[0-9A-Za-z][0-9A-Za-z._:/-]*)$")
"""A run's id, or its https address without userinfo."""


def load(
    path: Path, config: Config, *, root: Path, items: Collection[str], now: dt.datetime, environment: Mapping[str, str]
) -> tuple[Waiver, ...]:
    """The waivers of the golive.toml at ``path`` and of the waivers.toml beside it, each with what shows its approval.

    Args:
        path: of the golive.toml that ``config`` was read from.
        config: holds the entries of golive.toml.
        root: the project's root, in a git repository.
        items: ids of the checklist.
        now: start of the run, UTC.
        environment: where a pipeline names its run.

    Raises:
        UsageError: an entry is malformed; the message names file, entry and remedy.
    """
    beside = path.with_name(FILE)
    found = [*_named(path, config.waivers), *_named(beside, _beside(beside))]
    seen: dict[tuple[str | None, ...], str] = {}
    waivers = []
    for file, number, entry in found:
        where = f"{file.name}, waiver {number} ({entry.item})"
        issued, expires = _dates(entry, where)
        if entry.item not in items:
            raise UsageError(f"{where}: the checklist has no such item; mend the id or remove the waiver")
        scope = (entry.item, entry.profile, entry.version, entry.commit)
        if scope in seen:
            raise UsageError(f"{where}: {seen[scope]} is for the same; keep one of them")
        seen[scope] = where
        approval, refused = _approval(Git(root), file, entry, environment)
        if issued > now:
            refused = f"it is dated {entry.issued}, which has not come yet"
        waivers.append(
            Waiver(
                item=entry.item,
                profile=entry.profile,
                owner=entry.owner,
                approver=entry.approver,
                reason=entry.reason,
                issued=entry.issued,
                expires=entry.expires,
                issued_at=issued.timestamp(),
                expires_at=expires.timestamp(),
                source=where,
                approval=approval,
                version=entry.version,
                commit=entry.commit,
                refused=refused,
            )
        )
    return tuple(waivers)


def _named(path: Path, entries: tuple[WaiverEntry, ...]) -> Iterator[tuple[Path, int, WaiverEntry]]:
    """Each entry with its file and its number there, from 1."""
    for number, entry in enumerate(entries, start=1):
        yield path, number, entry


def _beside(path: Path) -> tuple[WaiverEntry, ...]:
    """The entries of waivers.toml; none without the file."""
    try:
        tables = read_toml(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}; mend or remove it") from error
    if strangers := sorted(set(tables) - {"waivers"}):
        raise UsageError(f"{path.name}: {', '.join(strangers)} is unknown here: begin each entry with [[waivers]]")
    return parse_waivers(tables, path.name)


def _dates(entry: WaiverEntry, where: str) -> tuple[dt.datetime, dt.datetime]:
    """Issue and expiry: the beginnings of those days, UTC."""
    try:
        issued, expires = (
            dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC) for day in (entry.issued, entry.expires)
        )
    except ValueError as error:
        raise UsageError(f"{where}: not a date ({error}); write it as 2026-12-31") from error
    if not dt.timedelta() < expires - issued <= dt.timedelta(days=MAX_DAYS):
        raise UsageError(f"{where}: expires must be later than issued, by at most {MAX_DAYS} days")
    return issued, expires


def _approval(git: Git, file: Path, entry: WaiverEntry, environment: Mapping[str, str]) -> tuple[str, str]:
    """What shows the approval, and why it cannot be verified; one of the two is empty."""
    if entry.approval_env is not None:
        return _pipeline(entry.approval_env, environment)
    try:
        return _signed(git, file, entry)
    except GitError as error:
        return "", f"its approval cannot be verified: {error}"


def _pipeline(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The pipeline's approval, by the run that ``name`` holds."""
    value = environment.get(name, "")
    if not value:
        return "", f"its approval cannot be verified: the pipeline has not set {name}"
    if not _RUN.match(value):
        return "", f"its approval cannot be verified: {name} holds neither the id of a run nor its https address"
    return f"approval of the pipeline's run {value} ({name})", ""


def _signed(git: Git, file: Path, entry: WaiverEntry) -> tuple[str, str]:
    """The signed commit that added ``entry`` to ``file``.

    Raises:
        GitError: git cannot read the history.
    """
    unverified = "its approval cannot be verified"
    if not file.resolve().is_relative_to(git.root.resolve()):
        return "", f"{unverified}: {file.name} does not lie in the project"
    if git.text("rev-parse", "--is-shallow-repository") == "true":
        return "", f"{unverified}: the clone is shallow; `git fetch --unshallow`"
    commit = _adding(git, str(file.resolve().relative_to(git.root.resolve())), entry)
    if commit is None:
        return "", f"{unverified}: this entry is not committed in {file.name}"
    checked = git.attempt("verify-commit", commit)
    if checked.code:
        why = f"git does not vouch for a signature of commit {commit[:SHOWN]}, which added it"
        return "", f"{unverified}: {why} ({checked.reason})"
    signer = git.text("log", "-1", "--format=%GS", commit)
    if not _is(signer, entry.approver):
        return "", f"{unverified}: commit {commit[:SHOWN]}, which added it, is signed by {signer}, not by the approver"
    return f"signed commit {commit[:SHOWN]} by {signer}", ""


def _is(signer: str, approver: str) -> bool:
    """Whether the signer is the approver: by address where both have one, else by name."""
    signed, approved = person(signer), person(approver)
    if signed[1] and approved[1]:
        return signed[1] == approved[1]
    return bool(signed[0]) and signed[0] == approved[0]


def _adding(git: Git, path: str, entry: WaiverEntry) -> str | None:
    """The newest commit that has ``entry`` in ``path`` and none of whose parents has; None when HEAD lacks it.

    An entry that was changed, or taken out and put back, was added by the commit that did so.
    """
    if not _holds(git, "HEAD", path, entry):
        return None
    for commit in git.text("rev-list", "--topo-order", "HEAD", "--", path).split():
        parents = git.text("rev-list", "--no-walk", "--parents", commit).split()[1:]
        if _holds(git, commit, path, entry) and not any(_holds(git, parent, path, entry) for parent in parents):
            return commit
    return None


def _holds(git: Git, commit: str, path: str, entry: WaiverEntry) -> bool:
    """Whether ``path`` has ``entry`` at ``commit``; a file that is not there or not readable has none."""
    blob = git.attempt("cat-file", "blob", f"{commit}:./{path}")
    if blob.code:
        return False
    try:
        return entry in parse_waivers(read_toml(blob.out.decode(errors="replace"), path), path)
    except UsageError:
        return False
