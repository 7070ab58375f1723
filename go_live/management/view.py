"""The comparison as people and programs read it. Pure."""

from collections.abc import Sequence

import msgspec

from go_live.management.table import Row
from go_live.outcome import Outcome, worst

HEAD = ("item", "setting", "declared", "live", "verdict")
WORDS = {Outcome.PASS: "same", Outcome.FAIL: "DIFFERS", Outcome.NOT_APPLICABLE: "not applicable"}


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints."""

    outcome: Outcome
    """Of the worst row."""
    reason: str
    endpoint_id: str
    changed: tuple[str, ...]
    """What ``apply`` set, as it was before and is now; empty after ``diff``."""
    rows: tuple[Row, ...]


def difference(endpoint_id: str, rows: Sequence[Row], changed: Sequence[str] = ()) -> Difference:
    """The table with its answer."""
    outcome = worst(row.outcome for row in rows)
    return Difference(
        outcome=outcome,
        reason=answer(endpoint_id, rows),
        endpoint_id=endpoint_id,
        changed=tuple(changed),
        rows=tuple(rows),
    )


def answer(endpoint_id: str, rows: Sequence[Row]) -> str:
    """One sentence: is the live endpoint the declared one?"""
    wrong = [row for row in rows if row.outcome is Outcome.FAIL]
    unknown = [row for row in rows if row.outcome in {Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_RUN}]
    told = [f"{len(wrong)} of {len(rows)} settings differ"] if wrong else []
    told += [f"{len(unknown)} could not be compared"] if unknown else []
    if not told:
        return f"endpoint {endpoint_id} is as declared: {len(rows)} settings"
    first = (wrong or unknown)[0]
    return f"endpoint {endpoint_id}: {' and '.join(told)}; {first.reason}"


def lines(rows: Sequence[Row]) -> list[str]:
    """The table, and below it the reason of every row that is not simply the same."""
    cells = [HEAD, *((row.item, row.setting, row.declared, row.live, word(row)) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    reasons = [f"{row.setting}: {row.reason}" for row in rows if row.outcome is not Outcome.PASS]
    return [*table, *(["", *reasons] if reasons else [])]


def word(row: Row) -> str:
    """The row's verdict in a word."""
    return WORDS.get(row.outcome, row.outcome.replace("_", " ").upper())


def changes(rows: Sequence[Row], by_hand: Sequence[Row]) -> list[str]:
    """What an update sets: ``workersMax: 2 -> 5``."""
    hand = {row.setting for row in by_hand}
    failed = [row for row in rows if row.outcome is Outcome.FAIL and row.setting not in hand]
    return [f"{row.setting}: {row.live} -> {row.declared}" for row in failed]
