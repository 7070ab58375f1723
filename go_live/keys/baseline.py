"""The baseline: findings that a named owner has accepted, with a reason and an end. Pure, but for reading its file.

An entry names rule, path and the secret's fingerprint (slow and salted, so that committing it gives nothing away); it
covers that secret in that path, in every version of it, and nothing else.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from go_live.config import Day, Text, read_toml
from go_live.errors import UsageError
from go_live.keys.findings import Finding, Found
from go_live.keys.fingerprint import PATTERN, fingerprint, matches, new_salt

LONGEST_DAYS = 366
"""An entry is looked at again within a year."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[accepted]]`` of the baseline file."""

    rule: Text
    path: Text
    fingerprint: Annotated[str, msgspec.Meta(pattern=PATTERN)]
    owner: Text
    """Who answers for it."""
    reason: Text
    issued: Day
    expires: Day
    """The entry holds until this day begins, UTC."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    accepted: list[Entry] = []


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The findings as they count."""

    blocking: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Entry], ...]
    notes: tuple[str, ...]
    """What the baseline itself needs: entries that have expired, or cover nothing."""


def load(path: Path) -> tuple[Entry, ...]:
    """The entries of the baseline at ``path``; none where there is no file.

    Raises:
        UsageError: an entry is malformed; the message names it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the baseline {path}: {error}") from error
    return parse(text, name=path.name)


def parse(text: str, *, name: str) -> tuple[Entry, ...]:
    """The entries in ``text``.

    Raises:
        UsageError: an entry is malformed; the message names it.
    """
    try:
        entries = tuple(msgspec.convert(read_toml(text, name), _File).accepted)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}: {error}; mend or remove the entry") from error
    for number, entry in enumerate(entries, start=1):
        _check(entry, f"{name}: entry {number} ({entry.path})")
    return entries


def _check(entry: Entry, where: str) -> None:
    """Owner and reason say something, and the days are days in order."""
    if not entry.owner.strip() or not entry.reason.strip():
        raise UsageError(f"{where}: name an owner and a reason")
    try:
        days = (dt.date.fromisoformat(entry.expires) - dt.date.fromisoformat(entry.issued)).days
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from error
    if not 0 < days <= LONGEST_DAYS:
        raise UsageError(f"{where}: it must expire 1 to {LONGEST_DAYS} days after it was issued")


def judge(
    found: Sequence[Found], entries: Sequence[Entry], today: dt.date, live: frozenset[bytes] = frozenset()
) -> Judged:
    """Which findings block.

    Args:
        found: by the scan.
        entries: of the baseline.
        today: UTC.
        live: secrets that were seen to work; no entry covers them.
    """
    blocking: list[Finding] = []
    accepted: list[tuple[Finding, Entry]] = []
    used: set[Entry] = set()
    notes = []
    for one in found:
        entry = next((entry for entry in entries if _covers(entry, one)), None)
        if entry is None:
            blocking.append(one.finding)
            continue
        used.add(entry)
        trouble = _trouble(entry, today, is_live=one.secret in live)
        if trouble:
            blocking.append(one.finding)
            notes.append(f"the baseline's entry for {entry.path} ({entry.rule}) does not count: {trouble}")
        else:
            accepted.append((one.finding, entry))
    notes += [
        f"the baseline's entry for {entry.path} ({entry.rule}) covers nothing: remove it"
        for entry in entries
        if entry not in used
    ]
    return Judged(blocking=tuple(blocking), accepted=tuple(accepted), notes=tuple(dict.fromkeys(notes)))


def _covers(entry: Entry, one: Found) -> bool:
    """Cheap comparisons first: each fingerprint takes tens of milliseconds."""
    if (entry.rule, entry.path) != (one.finding.rule, one.finding.path):
        return False
    return matches(one.secret, entry.fingerprint)


def _trouble(entry: Entry, today: dt.date, *, is_live: bool) -> str:
    if is_live:
        return "the key works, and a live key can never be accepted: disable it"
    if dt.date.fromisoformat(entry.expires) <= today:
        return f"it expired on {entry.expires}"
    if dt.date.fromisoformat(entry.issued) > today:
        return f"it is dated in the future ({entry.issued})"
    return ""


def draft(found: Sequence[Found], today: dt.date) -> str:
    """Entries for ``found``, to be completed by hand: without owner and reason they are refused."""
    blocks = [
        "[[accepted]]\n"
        f"rule = {_quoted(one.finding.rule)}\n"
        f"path = {_quoted(one.finding.path)}\n"
        f'fingerprint = "{fingerprint(one.secret, new_salt())}"\n'
        'owner = ""\nreason = ""\n'
        f"issued = {today.isoformat()}\n"
        f"expires = {(today + dt.timedelta(days=90)).isoformat()}\n"
        for one in found
    ]
    return "\n".join(blocks)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's."""
    return msgspec.json.encode(text).decode()
