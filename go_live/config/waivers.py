"""The waivers of golive.toml and of the waivers.toml beside it: each complete in itself."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from go_live.config.values import Day, EnvName, ProfileName, Section, Text
from go_live.errors import UsageError
from go_live.waivers import same_person

if TYPE_CHECKING:
    from collections.abc import Mapping


class WaiverEntry(Section, frozen=True):
    """A waiver as a person writes it, in golive.toml or in the waivers.toml beside it (docs/releasing.md)."""

    item: Text
    profile: ProfileName
    owner: Text
    """Who answers for the item."""
    approver: Text
    """Another person, who agreed."""
    approval: Literal["commit", "pipeline"]
    """What shows it: the approver's signed commit that added this entry, or the pipeline's approval."""
    reason: Text
    issued: Day
    expires: Day
    """The waiver holds until this day begins, UTC."""
    version: Text | None = None
    commit: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{12,64}$")] | None = None
    """For one commit only: its first 12 hex digits or more. Either this or ``version``."""
    approval_env: EnvName | None = None
    """For a pipeline: the variable in which it names the approved run, by id or https address."""


def parse_waivers(tables: "Mapping[str, Any]", name: str) -> tuple[WaiverEntry, ...]:
    """The entries of ``[[waivers]]`` in the tables of the file ``name``; none where it has none.

    Raises:
        UsageError: one is malformed; the message names file, entry and remedy.
    """
    rows = tables.get("waivers", [])
    if not isinstance(rows, list):
        raise UsageError(f"{name}: waivers is no list: begin each with [[waivers]]")
    return tuple(_waiver(row, f"{name}: {waiver_name(number, row)}") for number, row in enumerate(rows, start=1))


def waiver_name(number: int, row: Any) -> str:
    """``waiver 2 (PERF-4)``: how messages name an entry."""
    item = row.get("item") if isinstance(row, dict) else None
    return f"waiver {number} ({item})" if isinstance(item, str) else f"waiver {number}"


def _waiver(row: Any, where: str) -> WaiverEntry:
    """One entry, complete in itself."""
    try:
        entry = msgspec.convert(row, WaiverEntry)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}; mend or remove it") from error
    if (entry.version is None) is (entry.commit is None):
        raise UsageError(f"{where}: name either version or commit, so that it is clear what it is for")
    if same_person(entry.owner, entry.approver):
        raise UsageError(f"{where}: owner and approver are the same person: another one has to approve")
    if (entry.approval == "pipeline") is (entry.approval_env is None):
        raise UsageError(f"{where}: approval_env names the pipeline's variable, and stands with approval = 'pipeline'")
    return entry
