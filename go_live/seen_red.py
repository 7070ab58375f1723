"""When each item's negative controls were last seen red: what the selftest writes and a report shows."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from go_live.errors import UsageError

RECORD = Path("selftest") / "seen_red.json"
"""In the project: the newest sighting of each control, committed."""

FACT = "seen_red"
"""Under this name a run's log keeps what :func:`last_seen` said when it began."""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A control that was seen to turn its item red."""

    item: str
    control: str
    date: str
    """UTC day, ISO 8601."""
    commit: str
    """What was tested; ends in ``-dirty`` where the work tree differed from it."""
    reason: str
    """What the red verdict said."""


def load(path: Path) -> tuple[Sighting, ...]:
    """The sightings in the file at ``path``; none where there is no such file.

    Raises:
        UsageError: it is not a list of sightings.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Sighting, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"{path} is not a record of the selftest: {error}; run `nox -s selftest` again") from error


def merged(before: Iterable[Sighting], now: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """The newest sighting of each control, by item and control."""
    newest = {sighting.control: sighting for sighting in (*before, *now)}
    return tuple(sorted(newest.values(), key=lambda sighting: (_natural(sighting.item), sighting.control)))


def last_seen(sightings: Iterable[Sighting]) -> dict[str, str]:
    """For each item that has any, its newest sighting in words: ``2026-11-23 at 1f2e3d4c5b6a (3 controls)``."""
    by_item: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        by_item.setdefault(sighting.item, []).append(sighting)
    return {item: _words(seen) for item, seen in by_item.items()}


def _words(seen: list[Sighting]) -> str:
    newest = max(seen, key=lambda sighting: sighting.date)
    controls = "1 control" if len(seen) == 1 else f"{len(seen)} controls"
    return f"{newest.date} at {newest.commit} ({controls})"


def _natural(item: str) -> tuple[str, int]:
    """CODE-2 before CODE-10."""
    family, _, number = item.partition("-")
    return family, int(re.sub(r"\D", "", number) or 0)
