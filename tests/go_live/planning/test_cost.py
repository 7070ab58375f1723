"""What a run is expected to cost: the load that its items need, and no more."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from go_live import checklist, config, plan
from go_live.checklist import Plan, Repository
from go_live.errors import UsageError
from go_live.plan import Options
from go_live.planning.cost import BURST_FOR, LEVELS_FOR, SOAK_FOR, costed, expected, of_burst, price
from go_live.planning.needs import SOAK, planned
from go_live.pytest_plugin import GATE

ROOT = Path(__file__).parents[3]
SHIPPED = config.load(ROOT / "golive.toml")
PRODUCTION = planned(SHIPPED, "production")
LEVELS = sum(phase.dollars for phase in PRODUCTION.phases if phase.scope != SOAK)
HOUR = PRODUCTION.phase(SOAK).dollars


def test_the_whole_run_costs_levels_soak_and_burst() -> None:
    """The burst: five workers for its two minutes and for three minutes of idle timeout."""
    assert of_burst(SHIPPED) == pytest.approx(5 * 300 * 1.116 / 3600)
    assert expected(SHIPPED, "production") == pytest.approx(PRODUCTION.dollars + of_burst(SHIPPED))
    assert expected(SHIPPED, "rehearsal") == 0


@pytest.mark.parametrize(
    ("items", "dollars"),
    [
        (["SMK-1", "SEC-1"], 0.0),
        (["PERF-1"], LEVELS),
        (["INF-5"], HOUR),
        (["PERF-6", "SMK-1"], LEVELS + HOUR),
        (["LOG-1", "INF-6"], LEVELS + HOUR + of_burst(SHIPPED)),
    ],
)
def test_only_what_the_items_need(items: list[str], dollars: float) -> None:
    """A run of single jobs is not refused for an hour that it never offers."""
    assert expected(SHIPPED, "production", items=items) == pytest.approx(dollars)


def test_the_limit_has_room_and_is_a_limit() -> None:
    """The shipped run fits its limit two to four times."""
    assert 2 < SHIPPED.price.max_dollars / expected(SHIPPED, "production") < 4


class Collected:
    """A pytest plugin that keeps which fixtures the checks of each item ask for, and runs nothing."""

    def __init__(self) -> None:
        """Nothing was collected."""
        self.fixtures: dict[str, set[str]] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Look at them, and leave none to run."""
        for check in items:
            for mark in check.iter_markers("item"):
                for name in mark.args:
                    self.fixtures.setdefault(name, set()).update(check.fixturenames)
        items.clear()

    def pytest_configure(self, config: pytest.Config) -> None:
        """What the checks look for when they are collected."""
        config.stash[GATE] = SimpleNamespace(config=SHIPPED)  # type: ignore[misc]
        config.addinivalue_line("markers", "item(*ids): as the gate's plugin declares it")


def test_the_items_are_those_whose_checks_ask_for_that_load(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the checks ask for, fixture by fixture, is what is reckoned with."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    collected = Collected()
    pytest.main(["-c", str(ROOT / "checks/pytest.ini"), "--collect-only", str(ROOT / "checks")], plugins=[collected])
    assert "error" not in capsys.readouterr().out.lower()

    def asking(*fixtures: str) -> set[str]:
        return {item for item, names in collected.fixtures.items() if names & set(fixtures)}

    assert asking("load_records") == LEVELS_FOR
    assert asking("soak") == SOAK_FOR
    assert asking("burst") == BURST_FOR


@pytest.mark.parametrize("dollars", [0, -1, float("nan"), float("inf")])
def test_what_is_no_price_is_refused(dollars: float) -> None:
    """Zero would stop every run, and NaN none."""
    with pytest.raises(UsageError, match="--max-cost takes dollars above 0"):
        price(dollars)


def made(profile: str) -> Plan:
    """The plan of a run of ``profile``, before its cost is known."""
    return plan.make_plan(
        config=SHIPPED,
        items=checklist.load(ROOT / "GO_LIVE_CHECKLIST.md"),
        options=Options(profile=profile),
        repository=Repository(commit="c" * 40, tree="d" * 40, branch="main", dirty=False, shallow=False),
        digests={},
        now=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    )


def test_a_live_plan_says_what_it_costs_and_may() -> None:
    """What is expected, and the limit that was given, or golive.toml's."""
    live = made("production")
    allowed = costed(live, 50.0)
    assert allowed.expected_dollars == pytest.approx(expected(SHIPPED, "production", items=live.selected))
    assert (allowed.max_dollars, costed(live, None).max_dollars) == (50.0, SHIPPED.price.max_dollars)


def test_a_plan_that_costs_more_than_it_may_is_refused() -> None:
    """Before anything is started, with what it would take."""
    with pytest.raises(UsageError, match=r"expected to cost \$[0-9.]+ and may cost \$0\.50: nothing was started"):
        costed(made("production"), 0.5)


def test_a_rehearsal_costs_nothing() -> None:
    """This machine's own workers are not billed, whatever the limit; one that is no price is refused all the same."""
    rehearsal = made("rehearsal")
    assert costed(rehearsal, 0.01) == rehearsal
    with pytest.raises(UsageError, match="--max-cost"):
        costed(rehearsal, 0.0)
