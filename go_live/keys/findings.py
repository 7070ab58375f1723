"""Findings: each secret once for each path, masked, with the oldest commit that holds it. Pure."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from go_live.keys.history import Kind, Place
from go_live.keys.stream import Hit

_PREFIX = re.compile(
    rb"^(?:rp[as]_|hf_|api_org_|AKIA|ASIA|ABIA|ACCA|gh[pousr]_|github_pat_|xox[a-z][.-]|xapp-|hooks\.slack\.com/"
    rb"|pd[a-z]{2}\+_|dda[a-z]{2}_|-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File)"
)
"""What every key of its kind begins with; nothing else of a secret is ever shown."""
_ORDER: tuple[Kind, ...] = ("history", "stash", "ref", "unreachable", "index", "work tree", "lfs")
"""Which place a finding is named by, where it has several."""
NO_PATH = "(no path)"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One secret under one path. Holds nothing of the secret but its kind and length."""

    rule: str
    path: str
    line: int
    commit: str | None
    """The oldest commit that holds it; None: no commit does."""
    places: tuple[Kind, ...]
    masked: str
    object: str | None
    """The object it stands in; None: only a file does."""
    versions: int
    """How many different contents of the path hold it."""

    @property
    def where(self) -> str:
        """``commit:path:line``; without a commit, the kind of place stands in its stead."""
        first = self.commit[:12] if self.commit else self.places[0]
        return f"{first}:{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with its secret, which leaves the process in no form."""

    finding: Finding
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A secret at one place."""

    place: Place
    object: str | None
    hit: Hit = field(repr=False)


def collect(occurrences: Iterable[Occurrence]) -> tuple[Found, ...]:
    """One finding for each rule, secret and path, by path and line."""
    groups: dict[tuple[str, bytes, bytes], list[Occurrence]] = {}
    for one in occurrences:
        groups.setdefault((one.hit.rule, one.hit.secret, one.place.path), []).append(one)
    found = [Found(_finding(group), group[0].hit.secret) for group in groups.values()]
    return tuple(sorted(found, key=lambda one: (one.finding.path, one.finding.line, one.finding.rule)))


def _finding(group: list[Occurrence]) -> Finding:
    # The oldest commit comes last.
    shown = min(reversed(group), key=lambda one: _ORDER.index(one.place.kind))
    kinds = {one.place.kind for one in group}
    return Finding(
        rule=shown.hit.rule,
        path=printable(shown.place.path) or NO_PATH,
        line=shown.hit.line,
        commit=shown.place.commit,
        places=tuple(kind for kind in _ORDER if kind in kinds),
        masked=mask(shown.hit.secret),
        object=shown.object,
        versions=len({one.object for one in group if one.object}) or 1,
    )


def mask(secret: bytes) -> str:
    """What may be shown of ``secret``: the beginning that all of its kind share, and its length."""
    shared = _PREFIX.match(secret)
    prefix = shared[0].decode() if shared else ""
    return f"{prefix}***({len(secret)} characters)"


def printable(path: bytes) -> str:
    """A path for people and JSON: what no terminal should be sent is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in _decoded(path))


def _decoded(path: bytes) -> str:
    return os.fsdecode(path).encode("utf-8", "backslashreplace").decode()
