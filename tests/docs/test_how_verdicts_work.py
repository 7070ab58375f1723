"""The tables of docs/how-verdicts-work.md are what the code computes."""

from pathlib import Path

import pytest

from go_live.judge import binomial, eprocess
from go_live.judge.tally import Rule
from go_live.outcome import Outcome
from tests.operating.characteristics import touched

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-verdicts-work.md").read_text(encoding="utf-8")
ALPHA = 0.05
SHARES = (0.5, 0.95, 0.99)
LOOKS = 3000


def table(first: str) -> list[list[str]]:
    """The body of the page's table whose first heading is ``first``, as cells."""
    lines = PAGE.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


@pytest.mark.parametrize("row", range(5))
def test_the_floors(row: int) -> None:
    """Each floor is the smallest run that passes with so many misses, at one look and at every look."""
    misses, *cells = map(int, table("misses")[row])
    computed = [test.requests_for(misses, p0, ALPHA) for p0 in SHARES for test in (binomial, eprocess)]
    assert cells == computed


def test_all_floors_are_there() -> None:
    """0, 1, 2, 5 and 10 misses."""
    assert [row[0] for row in table("misses")] == ["0", "1", "2", "5", "10"]


@pytest.mark.parametrize(("row", "anytime"), [(0, True), (1, False)])
def test_the_false_passes(row: int, anytime: bool) -> None:  # noqa: FBT001
    """The shares of services at the limit that pass at one of 3000 looks are the exact ones."""
    rule = Rule(1 - ALPHA, anytime=anytime)
    computed = [touched(Outcome.PASS, true=p0, p0=p0, rule=rule, n=LOOKS)[-1] for p0 in (0.95, 0.99)]
    assert table("test")[row][1:] == [f"{share * 100:.1f} %" for share in computed]


def test_what_the_text_says_of_a_level() -> None:
    """124 requests pass p95 with up to 2 misses; of three runs at the limit, one passes in 14 % of all cases."""
    assert binomial.allowed_misses(124, 0.95, ALPHA) == 2
    words = " ".join(PAGE.split())
    assert "its p95 passes with up to 2 misses" in words
    assert f"in {(1 - (1 - ALPHA) ** 3) * 100:.0f} % of all cases" in words
