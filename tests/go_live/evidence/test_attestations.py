"""Statements about manual items: dated, owned, expiring."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from go_live import checklist
from go_live.checklist import Plan
from go_live.errors import UsageError
from go_live.evidence import attestations
from go_live.outcome import Outcome
from go_live.plan import digest_files
from tests.go_live.report import samples

HEAD = "## X: things\n\n| id | claim | phase | required by | evidence age |\n|---|---|---|---|---|\n"
ITEMS = checklist.parse(
    f"{HEAD}| X-1 | It works | before-tag | rehearsal | 7 d |\n"
    "| X-2 | Somebody cares (manual) | before-tag | rehearsal | 30 d |\n"
)
STATEMENT = (
    '[[statement]]\nitem = "X-2"\nowner = "Ada"\ndate = 2026-01-01\nexpires = 2026-01-20\n'
    'version = "v1.0-production"\nendpoint = "4cqta56swdioxi"\ntext = "I do."\n'
)


def plan(**changes: Any) -> Plan:
    """A plan of the two items, about the live endpoint."""
    return samples.plan("production", items=ITEMS, **changes)


def outcome(tmp_path: Path, text: str, today: str) -> tuple[Outcome, str]:
    """What the statements in ``text`` answer on ``today``."""
    path = tmp_path / "attestations.toml"
    path.write_text(text, encoding="utf-8")
    (report,) = attestations.attest(plan(), attestations.load(path), dt.date.fromisoformat(today))
    return report.verdicts[0].outcome, report.verdicts[0].reason


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2025-12-31", Outcome.NOT_RUN),
        ("2026-01-01", Outcome.ATTESTED),
        ("2026-01-19", Outcome.ATTESTED),
        ("2026-01-20", Outcome.NOT_RUN),
    ],
)
def test_a_statement_holds_from_its_date_to_its_expiry(tmp_path: Path, today: str, expected: Outcome) -> None:
    """Before its date and from its expiry on, a statement answers nothing."""
    assert outcome(tmp_path, STATEMENT, today)[0] is expected


def test_the_owner_is_shown(tmp_path: Path) -> None:
    """Who said it, and when, stands in the reason."""
    assert "Ada on 2026-01-01" in outcome(tmp_path, STATEMENT, "2026-01-15")[1]


def test_nobody_stated_it(tmp_path: Path) -> None:
    """Without a statement the item was not run."""
    assert outcome(tmp_path, "", "2026-01-15")[0] is Outcome.NOT_RUN


def test_a_statement_for_ever_does_not_count(tmp_path: Path) -> None:
    """A statement that is meant to last longer than a year answers nothing."""
    assert outcome(tmp_path, STATEMENT.replace("2026-01-20", "2099-01-01"), "2026-01-15")[0] is Outcome.NOT_RUN


@pytest.mark.parametrize(("today", "expected"), [("2026-01-31", Outcome.ATTESTED), ("2026-02-01", Outcome.NOT_RUN)])
def test_a_statement_ages_like_any_evidence(tmp_path: Path, today: str, expected: Outcome) -> None:
    """However long it was meant to hold, it is no older than the checklist's evidence age of its item."""
    found, reason = outcome(tmp_path, STATEMENT.replace("2026-01-20", "2026-06-01"), today)
    assert found is expected
    assert ("has expired" in reason) is (expected is Outcome.NOT_RUN)


@pytest.mark.parametrize(("old", "new"), [("v1.0-production", "v0.9-production"), ("4cqta56swdioxi", "local")])
def test_a_statement_about_something_else_does_not_count(tmp_path: Path, old: str, new: str) -> None:
    """A statement about another release or another endpoint answers nothing here."""
    found, reason = outcome(tmp_path, STATEMENT.replace(old, new), "2026-01-15")
    assert found is Outcome.NOT_RUN
    assert new in reason


@pytest.mark.parametrize("change", ["text", "gone", "new"])
def test_statements_are_those_of_the_plan(tmp_path: Path, change: str) -> None:
    """A file that was written, edited or removed after the plan was frozen is refused."""
    path = tmp_path / "attestations.toml"
    path.write_text(STATEMENT, encoding="utf-8")
    planned = plan(digests={} if change == "new" else digest_files(tmp_path, [path]))
    if change == "text":
        path.write_text(STATEMENT.replace("I do.", "I did."), encoding="utf-8")
    if change == "gone":
        path.unlink()
    with pytest.raises(UsageError, match="changed after run"):
        attestations.load_planned(planned, tmp_path)


def test_statements_that_were_not_touched_are_read(tmp_path: Path) -> None:
    """With the file of the plan, or with none then and now, the statements are what they were."""
    assert attestations.load_planned(plan(), tmp_path) == {}
    path = tmp_path / "attestations.toml"
    path.write_text(STATEMENT, encoding="utf-8")
    assert set(attestations.load_planned(plan(digests=digest_files(tmp_path, [path])), tmp_path)) == {"X-2"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (STATEMENT + STATEMENT, "more than once"),
        (STATEMENT.replace('owner = "Ada"\n', ""), "owner"),
        (STATEMENT.replace("2026-01-01", '"soon"'), "date"),
        (STATEMENT + "mood = 1\n", "mood"),
        ("[[", "attestations.toml"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """A malformed statement is an error that names the fault, never silence."""
    with pytest.raises(UsageError, match=told):
        outcome(tmp_path, text, "2026-01-15")


def test_only_manual_items_can_be_stated(tmp_path: Path) -> None:
    """Nobody can state what a check has to show."""
    with pytest.raises(UsageError, match="X-1"):
        outcome(tmp_path, STATEMENT.replace("X-2", "X-1"), "2026-01-15")


def test_no_file_means_no_statements(tmp_path: Path) -> None:
    """A project without the file has no statements."""
    assert attestations.load(tmp_path / "nothing.toml") == {}
