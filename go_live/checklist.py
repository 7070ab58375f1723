"""GO_LIVE_CHECKLIST.md -> items, and items x configuration x repository -> the plan."""

import re
from pathlib import Path
from typing import Literal

import msgspec

from go_live.config import Config, ProfileName
from go_live.errors import UsageError
from go_live.waivers import Terms, Waiver

Phase = Literal["before-tag", "after-tag"]

NEVER_WAIVED = "(never waived)"
"""Ends the claim of an item that no waiver can help: a live secret, a rollback target that nobody verified."""

_ROW = re.compile(r"^\|\s*(?P<cells>.+?)\s*\|$")
_ID = re.compile(r"^[A-Z]+-[1-9][0-9]*$")
_AGE = re.compile(r"^([1-9][0-9]*) d$")
_HEADING = re.compile(r"^## (?P<family>[A-Z]+): (?P<title>.+)$")
_COLUMNS = ["id", "claim", "phase", "required by", "evidence age"]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the checklist."""

    id: str
    family: str
    """Heading of its family, e.g. ``performance under load``."""
    claim: str
    phase: Phase
    required_by: tuple[ProfileName, ...]
    evidence_days: int
    """How long a verdict stays valid, in days."""

    @property
    def manual(self) -> bool:
        """Whether a person's statement answers it."""
        return self.claim.endswith("(manual)")

    @property
    def waivable(self) -> bool:
        """Whether a waiver of it can ever count; the checklist marks the items of which none can."""
        return not self.claim.endswith(NEVER_WAIVED)


def parse(text: str, *, name: str = "GO_LIVE_CHECKLIST.md") -> tuple[Item, ...]:
    """The items of a checklist, in its order.

    Raises:
        UsageError: no items, a duplicate id, or a row that is not of the five columns; the line is named.
    """
    items: list[Item] = []
    family = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _HEADING.match(line):
            family = heading["title"]
        elif row := _ROW.match(line):
            cells = [cell.strip() for cell in row["cells"].split("|")]
            if cells == _COLUMNS or set("".join(cells)) <= {"-"}:
                continue
            items.append(_item(cells, family, f"{name}:{number}"))
    if not items:
        raise UsageError(f"{name} has no items: an empty plan can show nothing")
    ids = [item.id for item in items]
    if duplicates := sorted({i for i in ids if ids.count(i) > 1}):
        raise UsageError(f"{name} names {', '.join(duplicates)} more than once: ids are never reused")
    return tuple(items)


def load(path: Path) -> tuple[Item, ...]:
    """The items of the checklist file at ``path``.

    Raises:
        UsageError: the file cannot be read, or is not a checklist.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), name=path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the checklist {path}: {error}") from error


def _item(cells: list[str], family: str, where: str) -> Item:
    """One row -> Item."""
    if len(cells) != len(_COLUMNS) or not _ID.match(cells[0]):
        raise UsageError(f"{where}: a row needs {' | '.join(_COLUMNS)}, and an id like PERF-2")
    age = _AGE.match(cells[4])
    if age is None:
        raise UsageError(f"{where}: evidence age {cells[4]!r} is not of the form '7 d'")
    fields = {
        "id": cells[0],
        "family": family,
        "claim": cells[1],
        "phase": cells[2],
        "required_by": [profile.strip() for profile in cells[3].split(",")],
        "evidence_days": int(age[1]),
    }
    try:
        return msgspec.convert(fields, Item)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}") from error


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What the run speaks to."""

    kind: Literal["local", "runpod"]
    endpoint_id: str
    job_api: str
    """``http://127.0.0.1:<port>/v2`` for a local endpoint; empty until it is started."""
    device: Literal["cpu", "cuda", "timed", "live"]


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the repository when the plan was made."""

    commit: str
    tree: str
    branch: str | None
    """None: a detached HEAD."""
    dirty: bool
    shallow: bool


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the run must answer, with all thresholds, frozen before the first request (plan.json)."""

    run_id: str
    profile: ProfileName
    created_at: str
    """UTC, ISO 8601."""
    target: Target
    repository: Repository
    items: tuple[Item, ...]
    """All of the checklist's items, in its order."""
    required: tuple[str, ...]
    """Ids that must be satisfied for a GO (before-tag items that this profile requires)."""
    selected: tuple[str, ...]
    """Ids this run was asked to answer; fewer than ``required`` can never end in GO."""
    soak_s: float
    config: Config
    digests: dict[str, str]
    """sha256 of golive.toml, the checklist, the attestations and each file of checks/."""
    versions: dict[str, str]
    """Versions of golive, Python and what the run depends on."""
    named_commit: str | None = None
    """The commit that the user named to be released (``--commit``), where HEAD is on no branch."""
    waivers: tuple[Waiver, ...] = ()
    expected_dollars: float = 0.0
    """What the load of the selected items is expected to cost; 0 for a local target."""
    max_dollars: float | None = None
    """What the run may cost; None: the target costs nothing."""

    def terms(self, now: float) -> Terms:
        """What a decision at ``now`` (Unix time) has to keep to."""
        return Terms(
            now=now,
            ages={item.id: item.evidence_days for item in self.items},
            version=self.config.release.version,
            commit=self.repository.commit,
            waivers=self.waivers,
            never=tuple(item.id for item in self.items if not item.waivable),
        )


def required_ids(items: tuple[Item, ...], profile: ProfileName) -> tuple[str, ...]:
    """Ids of the before-tag items that ``profile`` requires.

    Raises:
        UsageError: there are none; an empty plan is never a pass.
    """
    ids = tuple(item.id for item in items if item.phase == "before-tag" and profile in item.required_by)
    if not ids:
        raise UsageError(f"the checklist requires nothing in the profile {profile!r}: an empty plan is never a pass")
    return ids
