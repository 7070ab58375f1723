"""A run's soak and its levels end early only where nothing can make good what was found."""

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest

from checks.early_end import LevelEnd, SoakEnd
from go_live import checklist, config, plan
from go_live.checklist import Plan, Repository
from go_live.gate import Gate
from go_live.load.runner import LoadPlan, Prompt
from go_live.plan import Options
from go_live.records import ErrorClass, Record
from go_live.table import Columns
from go_live.waivers import Waiver
from tests.go_live.judge.builders import record

ROOT = Path(__file__).parents[2]
ITEMS = checklist.load(ROOT / "GO_LIVE_CHECKLIST.md")


def made(only: tuple[str, ...] = (), waived: tuple[Waiver, ...] = (), **environment: str) -> Plan:
    """The plan of a rehearsal: a soak of a minute."""
    settings = config.load(ROOT / "golive.toml")
    return plan.make_plan(
        config=settings,
        items=ITEMS,
        options=Options(only=only, worker_env=tuple(f"{name}={value}" for name, value in environment.items())),
        repository=Repository(commit="c" * 40, tree="d" * 40, branch="main", dirty=False, shallow=False),
        digests={},
        now=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        waivers=waived,
    )


def gate(planned: Plan, before: list[Record] | None = None, progress: Any = None) -> Gate:
    """A run of it, that has seen these requests."""
    columns = Columns()
    for one in before or []:
        columns.add(one)

    def nothing(_: Any) -> None:
        return None

    return Gate(
        plan=planned,
        root=Path(),
        directory=Path(),
        record=nothing,
        due=nothing,
        fact=nothing,
        progress=progress,
        columns=columns,
    )


def request(seq: int, *, phase: str = "soak", error: ErrorClass | None = None, took: float = 0.5) -> Record:
    """One request every quarter of a second."""
    at = seq / 4
    return record(seq, phase=phase, due=at, wall=1e9 + at, done=at + took, error=error)


def waiver(item: str, refused: str = "") -> Waiver:
    """A waiver of ``item``."""
    return Waiver(
        item=item,
        profile="rehearsal",
        owner="Ada",
        approver="Grace",
        reason="known",
        issued="2026-01-01",
        expires="2026-01-09",
        issued_at=0.0,
        expires_at=9e9,
        source="waivers.toml, waiver 1",
        approval="signed",
        version="v1.0-production",
        refused=refused,
    )


def ended(planned: Plan, *, took: float = 0.5, error: ErrorClass | None = None) -> str | None:
    """Why half of the soak, all of it like this, ends it."""
    ending = SoakEnd(gate(planned), 2)
    for seq in range(120):
        ending.add(request(seq, took=took, error=error))
    return ending.why if ending.stop() else None


def test_a_soak_of_slow_answers_ends() -> None:
    """Every answer takes 7 s: both percentiles are lost, and the run with them."""
    assert (ended(made(), took=7.0) or "").startswith("total p50 is at most 4000 ms is refuted")
    assert ended(made()) is None


@pytest.mark.parametrize(
    ("planned", "ends"),
    [
        (made(only=("SOAK-3",)), False),
        (made(only=("SOAK-2",)), True),
        (made(waived=(waiver("SOAK-1"),)), True),
        (made(waived=(waiver("SOAK-1"), waiver("SOAK-2"))), False),
        (made(waived=(waiver("SOAK-1"), waiver("SOAK-2", refused="the approval does not hold"))), True),
    ],
    ids=["not asked", "asked", "one waived", "both waived", "a waiver that will not count"],
)
def test_only_what_decides_ends_it(planned: Plan, ends: bool) -> None:  # noqa: FBT001 - a parameter
    """What is not asked, and what is waived, needs the whole soak."""
    assert (ended(planned, took=7.0) is not None) is ends


def test_an_item_that_nobody_requires_ends_nothing() -> None:
    """A profile that does not require SOAK-1, SOAK-2, PERF-6 and PERF-7 cannot lose by them."""
    planned = msgspec.structs.replace(made(), required=("SOAK-3",))
    assert ended(planned, took=7.0) is None


def test_failures_end_it_by_the_pooled_claims() -> None:
    """Wrong answers, where no percentile is asked: that share is refuted; dummy weights answer nothing."""
    asked = ("PERF-6", "PERF-7")
    assert "share of right answers" in (ended(made(only=asked), error=ErrorClass.WRONG) or "")
    assert "success rate" in (ended(made(only=asked), error=ErrorClass.FAILED) or "")
    assert ended(made(only=asked, LOAD_FORMAT="dummy"), error=ErrorClass.WRONG) is None


def test_levels_before_the_soak_count_for_the_pooled_claims() -> None:
    """Ten failures in the soak are a FAIL of success alone, and none after 5,000 good requests; c=4 does not count."""
    planned = made(only=("PERF-6",))
    bad = [request(seq, error=ErrorClass.FAILED if seq < 10 else None) for seq in range(40)]
    good = [request(seq, phase="load") for seq in range(5000)]
    beyond = [msgspec.structs.replace(one, level="c=4") for one in good]
    for before, ends in (([], True), (good, False), (beyond, True)):
        ending = SoakEnd(gate(planned, before), 2)
        for one in bad:
            ending.add(one)
        assert ending.stop() is ends


def test_a_resumed_soak_goes_on_with_what_was_served() -> None:
    """The requests of the killed run are counted first: a soak that was lost before the kill is not served again."""
    before = [request(seq, took=7.0) for seq in range(120)]
    assert SoakEnd(gate(made(), before), 2).stop()


class Notes:
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        """One line."""
        self.lines.append(text)


def level_end(planned: Plan, concurrency: int = 2, before: list[Record] | None = None) -> tuple[LevelEnd, Notes]:
    """The watch of a level of 124 requests, and what it says."""
    prompts = (Prompt("p", {"prompt": "x"}),)
    level = LoadPlan(phase="load", prompts=prompts, deadline_s=45, concurrency=concurrency, requests=124)
    notes = Notes()
    return LevelEnd(gate(planned, before, notes), level), notes


def served(ending: LevelEnd, requests: int = 124, **of: Any) -> int:
    """How many requests come until it ends; all of them where it does not."""
    for seq in range(requests):
        ending.add(request(seq, phase="load", **of))
        if ending.stop():
            return seq + 1
    return requests


def test_a_level_of_failures_ends() -> None:
    """Nothing is answered: each claim fails, the median's last, and why is said while it runs and at its end."""
    ending, notes = level_end(made())
    assert served(ending, error=ErrorClass.FAILED) < 90
    assert "all of its 6 claims are certain to fail" in (ending.why or "")
    assert len(notes.lines) == 6


def test_a_healthy_level_is_served_to_its_end() -> None:
    """Nothing is said, and every request is asked."""
    ending, notes = level_end(made())
    assert served(ending) == 124
    assert not notes.lines


@pytest.mark.parametrize(("concurrency", "ends"), [(2, False), (4, True)], ids=["within the cap", "above it"])
def test_a_level_that_decides_nothing(concurrency: int, ends: bool) -> None:  # noqa: FBT001 - a parameter
    """With every FAIL waived a level is needed whole; one above the client cap is only reported."""
    items = ("PERF-1", "PERF-2", "PERF-3", "PERF-4", "PERF-5", "PERF-8")
    ending, _ = level_end(made(waived=tuple(map(waiver, items))), concurrency)
    assert (served(ending, error=ErrorClass.FAILED) < 124) is ends


def test_a_resumed_level_goes_on_with_what_was_served() -> None:
    """A level that was lost before the kill is not served again."""
    before = [request(seq, phase="load", error=ErrorClass.FAILED) for seq in range(100)]
    before = [msgspec.structs.replace(one, level="c=2") for one in before]
    ending, _ = level_end(made(), before=before)
    assert ending.stop()
