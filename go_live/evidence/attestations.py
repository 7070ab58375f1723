"""Manual items: a person's dated statement, with owner and expiry, shown as ATTESTED."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from go_live.checklist import Item, Plan
from go_live.errors import UsageError
from go_live.evidence.run_directory import CheckReport
from go_live.outcome import Outcome, Verdict
from go_live.plan import digest_files

MAX_DAYS = 366
"""Longest time between a statement's date and its expiry."""

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody states about an item."""

    item: Text
    owner: Text
    date: dt.date
    expires: dt.date
    version: Text
    """The release that it is about."""
    endpoint: Text
    """Id of the endpoint that it is about; ``local`` in a rehearsal."""
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


def load_planned(plan: Plan, root: Path) -> Mapping[str, Statement]:
    """Statements by item, as they were when the plan was made.

    Raises:
        UsageError: the file is malformed, or it was written, changed or removed since.
    """
    path = root / plan.config.attestations.file
    here = digest_files(root, [path]) if path.exists() else {}
    planned = {
        name: digest for name, digest in plan.digests.items() if Path(name) == Path(plan.config.attestations.file)
    }
    if here != planned:
        raise UsageError(f"{path.name} was changed after run {plan.run_id} was planned: start a new run")
    return load(path)


def attest(plan: Plan, statements: Mapping[str, Statement], today: dt.date) -> list[CheckReport]:
    """What the statements answer on ``today``, one report for each manual item of the plan.

    Raises:
        UsageError: a statement speaks of an item that is not manual, or not on the checklist.
    """
    manual = {item.id: item for item in plan.items if item.manual}
    if strangers := sorted(set(statements) - set(manual)):
        raise UsageError(
            f"attestations: {', '.join(strangers)} is not a manual item of the checklist; a check answers it"
        )
    return [
        CheckReport(
            test="attestation",
            items=(item.id,),
            verdicts=(_verdict(item, statements.get(item.id), plan, today),),
        )
        for item in manual.values()
    ]


def _verdict(item: Item, statement: Statement | None, plan: Plan, today: dt.date) -> Verdict:
    """The verdict on one manual item."""
    if statement is None:
        return Verdict(claim=item.claim, outcome=Outcome.NOT_RUN, reason="nobody has stated this in attestations.toml")
    who = f"{statement.owner} on {statement.date}"
    if reason := _fault(item, statement, plan, today):
        return Verdict(claim=item.claim, outcome=Outcome.NOT_RUN, reason=f"the statement by {who} {reason}")
    return Verdict(claim=item.claim, outcome=Outcome.ATTESTED, reason=f"{who}: {statement.text}")


def _fault(item: Item, statement: Statement, plan: Plan, today: dt.date) -> str:
    """Why a statement does not count, as the end of a sentence; empty when it does."""
    if not statement.date <= today < statement.expires:
        return f"does not hold on {today}: it is valid until {statement.expires}"
    if (statement.expires - statement.date).days > MAX_DAYS:
        return f"is meant to last for more than {MAX_DAYS} days"
    if (today - statement.date).days > item.evidence_days:
        return f"has expired: evidence of {item.id} is valid for {item.evidence_days} days"
    if statement.version != plan.config.release.version:
        return f"is about {statement.version}, not about {plan.config.release.version}"
    if statement.endpoint != plan.target.endpoint_id:
        return f"is about endpoint {statement.endpoint}, not about {plan.target.endpoint_id}"
    return ""
