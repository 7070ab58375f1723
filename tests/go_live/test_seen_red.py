"""The record of what was last seen red, and what a report says of it."""

from pathlib import Path

import pytest

from go_live.errors import UsageError
from go_live.evidence.run_directory import encode
from go_live.seen_red import Sighting, last_seen, load, merged


def sighting(control: str, *, item: str = "CODE-3", date: str = "2026-11-23", commit: str = "1f2e3d") -> Sighting:
    """A control that was seen red."""
    return Sighting(item=item, control=control, date=date, commit=commit, reason="was not refused but answered")


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """A record is the same after it was written and read."""
    path = tmp_path / "seen_red.json"
    path.write_bytes(encode([sighting("a"), sighting("b")]))
    assert load(path) == (sighting("a"), sighting("b"))


def test_without_a_record_nothing_was_seen(tmp_path: Path) -> None:
    """A project without the file has no sightings."""
    assert load(tmp_path / "seen_red.json") == ()


def test_a_broken_record_is_refused(tmp_path: Path) -> None:
    """A file that is no record is an error that names it, never an empty record."""
    path = tmp_path / "seen_red.json"
    path.write_text('{"CODE-3": "yesterday"}', encoding="utf-8")
    with pytest.raises(UsageError, match="seen_red"):
        load(path)


def test_the_newest_sighting_of_a_control_stays() -> None:
    """A control that was seen again replaces its sighting; one that was not asked keeps its own."""
    before = [sighting("a", date="2026-11-01"), sighting("b", date="2026-11-02")]
    now = [sighting("a", date="2026-11-23")]
    assert merged(before, now) == (sighting("a", date="2026-11-23"), sighting("b", date="2026-11-02"))


def test_the_record_is_in_the_checklists_order() -> None:
    """CODE-2 comes before CODE-10."""
    ten, two = sighting("a", item="CODE-10"), sighting("b", item="CODE-2")
    assert merged([], [ten, two]) == (two, ten)


def test_an_item_tells_its_newest_sighting_and_how_many_controls_it_has() -> None:
    """The words of an item name the newest day and commit; an item without a sighting is not in it."""
    told = last_seen([sighting("a", date="2026-11-01", commit="old"), sighting("b", date="2026-11-23", commit="new")])
    assert told == {"CODE-3": "2026-11-23 at new (2 controls)"}
