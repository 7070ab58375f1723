"""Manual items: a person's dated statement, with owner and expiry, shown as ATTESTED."""

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from go_live.checklist import Item
from go_live.errors import UsageError
from go_live.evidence.run_directory import CheckReport
from go_live.outcome import Outcome, Verdict

MAX_DAYS = 366
"""Longest time between a statement's date and its expiry."""

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody states about an item."""

    item: Text
    owner: Text
    date: dt.date
    expires: dt.date
    text: Text


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """attestations.toml."""

    statement: tuple[Statement, ...] = ()


def load(path: Path) -> Mapping[str, Statement]:
    """Statements by item; none when there is no file.

    Raises:
        UsageError: the file is malformed, or states something about one item twice.
    """
    if not path.exists():
        return {}
    try:
        statements = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).statement
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{path.name}: {error}") from error
    by_item = {statement.item: statement for statement in statements}
    if len(by_item) < len(statements):
        raise UsageError(f"{path.name} states something about one item more than once; keep the newest")
    return by_item


def attest(items: Iterable[Item], statements: Mapping[str, Statement], today: dt.date) -> list[CheckReport]:
    """What the statements answer on ``today``, one report for each manual item.

    Raises:
        UsageError: a statement speaks of an item that is not manual, or not on the checklist.
    """
    manual = {item.id: item for item in items if item.manual}
    if strangers := sorted(set(statements) - set(manual)):
        raise UsageError(
            f"attestations: {', '.join(strangers)} is not a manual item of the checklist; a check answers it"
        )
    return [
        CheckReport(
            test="attestation",
            items=(item.id,),
            verdicts=(_verdict(item, statements.get(item.id), today),),
        )
        for item in manual.values()
    ]


def _verdict(item: Item, statement: Statement | None, today: dt.date) -> Verdict:
    """The verdict on one manual item."""
    if statement is None:
        return Verdict(claim=item.claim, outcome=Outcome.NOT_RUN, reason="nobody has stated this in attestations.toml")
    who = f"{statement.owner} on {statement.date}"
    if not statement.date <= today < statement.expires:
        reason = f"the statement by {who} does not hold on {today}: it is valid until {statement.expires}"
        return Verdict(claim=item.claim, outcome=Outcome.NOT_RUN, reason=reason)
    if (statement.expires - statement.date).days > MAX_DAYS:
        reason = f"the statement by {who} is meant to last for more than {MAX_DAYS} days"
        return Verdict(claim=item.claim, outcome=Outcome.NOT_RUN, reason=reason)
    return Verdict(claim=item.claim, outcome=Outcome.ATTESTED, reason=f"{who}: {statement.text}")
