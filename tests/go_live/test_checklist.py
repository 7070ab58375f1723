"""GO_LIVE_CHECKLIST.md: every line of the readiness summary, well-formed."""

import re
from pathlib import Path

import pytest

from go_live import checklist
from go_live.errors import UsageError

ROOT = Path(__file__).parents[2]
HEAD = "## X: things\n\n| id | claim | phase | required by | evidence age |\n|---|---|---|---|---|\n"
ROW = "| X-1 | It works | before-tag | rehearsal | 7 d |\n"


def test_the_shipped_checklist_is_whole() -> None:
    """The shipped checklist has every family, unique ids, and something to require in each profile."""
    items = checklist.load(ROOT / "GO_LIVE_CHECKLIST.md")
    families = {item.id.split("-")[0] for item in items}
    assert families == {"INF", "SMK", "CODE", "SEC", "CLI", "PERF", "SOAK", "LOG", "GPU", "MON", "REL", "ROL"}
    for profile in ("rehearsal", "production", "test"):
        assert checklist.required_ids(items, profile)


def test_every_required_item_of_a_rehearsal_has_a_check() -> None:
    """An item that the rehearsal requires is answered by at least one check."""
    items = checklist.load(ROOT / "GO_LIVE_CHECKLIST.md")
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "checks").glob("test_*.py"))
    answered = set(re.findall(r'@item\("([A-Z]+-\d+)"\)', text))
    assert set(checklist.required_ids(items, "rehearsal")) <= answered


def test_a_row_becomes_an_item() -> None:
    """A row's cells become the item's fields."""
    (item,) = checklist.parse(HEAD + ROW)
    assert (item.id, item.claim, item.phase, item.required_by, item.evidence_days) == (
        "X-1",
        "It works",
        "before-tag",
        ("rehearsal",),
        7,
    )
    assert item.family == "things"
    assert not item.manual


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no items"),
        (HEAD, "no items"),
        (HEAD + ROW + ROW, "X-1"),
        (HEAD + ROW.replace("X-1", "x1"), "a row needs"),
        (HEAD + ROW.replace("| 7 d ", ""), "a row needs"),
        (HEAD + ROW.replace("7 d", "a week"), "a week"),
        (HEAD + ROW.replace("before-tag", "sometime"), "sometime"),
        (HEAD + ROW.replace("rehearsal", "everybody"), "everybody"),
    ],
)
def test_a_malformed_checklist_is_refused(text: str, told: str) -> None:
    """An empty checklist, a double id and a row that is not of the five columns are refused, naming the fault."""
    with pytest.raises(UsageError, match=told):
        checklist.parse(text)


def test_an_unreadable_checklist_is_named(tmp_path: Path) -> None:
    """A checklist that is not there is one line with its path."""
    with pytest.raises(UsageError, match="cannot read"):
        checklist.load(tmp_path / "GO_LIVE_CHECKLIST.md")


def test_an_empty_plan_is_never_a_pass() -> None:
    """A profile that requires nothing is refused."""
    with pytest.raises(UsageError, match="never a pass"):
        checklist.required_ids(checklist.parse(HEAD + ROW), "production")
