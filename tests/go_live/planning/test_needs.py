"""What a planned run can show, before it begins."""

import datetime as dt
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live import begin, checklist, config, plan
from go_live.checklist import Plan, Repository
from go_live.config import Config
from go_live.judge import binomial, eprocess
from go_live.judge.asked import of_level
from go_live.judge.shares import share_ok
from go_live.outcome import Outcome
from go_live.plan import Options
from go_live.planning import needs
from go_live.planning.needs import POOLED, SOAK, Planned, planned
from selftest import project as projects

ROOT = Path(__file__).parents[3]
SHIPPED = config.load(ROOT / "golive.toml")
PRODUCTION = planned(SHIPPED, "production")


def with_slo(**changes: float) -> Config:
    """The shipped limits with other ones in [slo]."""
    return msgspec.structs.replace(SHIPPED, slo=msgspec.structs.replace(SHIPPED.slo, **changes))


def with_load(**changes: int) -> Config:
    """The shipped limits with other ones in [load]."""
    return msgspec.structs.replace(SHIPPED, load=msgspec.structs.replace(SHIPPED.load, **changes))


def need(found: Planned, scope: str, key: str) -> needs.Need:
    """The one claim."""
    (one,) = (each for each in found.needs if (each.scope, each.key) == (scope, key))
    return one


def test_the_shipped_plans_can_show_everything() -> None:
    """Six claims at each of three levels, two of the soak, two over all: for the rehearsal and for production."""
    for found in (PRODUCTION, planned(SHIPPED, "rehearsal")):
        assert len(found.needs) == 22
        assert all(one.shown for one in found.needs)
        assert needs.too_short(found) == []


def test_the_floors_are_those_of_the_tests() -> None:
    """59 for a p95 at one look, 88 at every look, 449 for 99 %; 2 misses of 124 and 11 of 2,457 allowed."""
    level, soak, success = (
        need(PRODUCTION, "c=2", "total_p95"),
        need(PRODUCTION, SOAK, "total_p95"),
        need(PRODUCTION, POOLED, "success"),
    )
    assert (level.planned, level.allowed, level.least) == (124, 2, 59)
    assert (soak.planned, soak.least) == (2085, 88)
    assert (success.planned, success.allowed, success.least) == (2457, 11, 449)


def test_time_and_dollars() -> None:
    """An hour of soak at two workers, four levels at two to four: 75 minutes; c=4 is served and decides nothing."""
    assert PRODUCTION.phase("c=4").required is False
    assert PRODUCTION.phase(SOAK).workers == PRODUCTION.phase("c=1").workers == 2
    assert PRODUCTION.phase("c=4").workers == 4
    hour = PRODUCTION.phase(SOAK)
    assert hour.dollars == pytest.approx(2 * 1.116 * hour.seconds / 3600)
    assert PRODUCTION.seconds / 60 == pytest.approx(75.5, abs=0.1)
    level = need(PRODUCTION, "c=1", "total_p95")
    assert level.seconds == pytest.approx(59 * 3.453)


def test_a_local_target_costs_nothing() -> None:
    """A rehearsal is served by this machine."""
    found = planned(SHIPPED, "rehearsal")
    assert found.local
    assert found.dollars == sum(one.dollars for one in found.needs) == 0


@pytest.mark.parametrize(("concurrency", "workers"), [(1, 2), (3, 3), (9, 5)])
def test_the_scaler_keeps_its_limits(concurrency: int, workers: int) -> None:
    """One worker a request in flight, from 2 to 5; by queue delay the least there are."""
    expected = SHIPPED.endpoint.expected
    assert needs.workers_for(concurrency, expected) == workers
    by_delay = msgspec.structs.replace(expected, scaler_type="QUEUE_DELAY")
    assert needs.workers_for(concurrency, by_delay) == 2


def test_thirty_requests_a_level_show_no_p95() -> None:
    """Both p95 claims of each level, and success with them; the sentence names item, claim, levels and the floor."""
    found = planned(with_load(requests_per_level=30), "production", soak_s=60)
    told = needs.too_short(found)
    assert told[1] == (
        "this plan cannot show PERF-4 (total p95 is at most 8000 ms) for c=1, c=2 and c=3: 30 requests are planned, "
        "and without a miss it takes 59"
    )
    assert any("PERF-6" in line and "at 3453 ms a request" in line for line in told)
    assert needs.too_short(found, items=["PERF-1"]) == []


def test_bursts_of_ten_make_success_a_matter_of_thousands() -> None:
    """At a spacing of 30, 99 % takes 8,941 requests at one look, and 13,441 at every look."""
    slo = with_slo(burst_length=10).slo
    fixed = msgspec.structs.replace(of_level(slo)[0], p0=0.99)
    assert needs.least_requests(fixed) == 298 * 30 + 1
    success = need(planned(with_slo(burst_length=10), "production"), POOLED, "success")
    assert (success.least, success.allowed, success.shown) == (448 * 30 + 1, None, False)


@given(st.integers(1, 4), st.sampled_from([0.5, 0.9, 0.95]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_least_number_is_the_least(burst: int, p0: float, anytime: bool) -> None:  # noqa: FBT001 - drawn
    """Without a miss so many requests are shown by the judge itself, and one fewer are not."""
    asked = of_level(with_slo(burst_length=burst).slo)[0]
    asked = msgspec.structs.replace(asked, p0=p0, rule=msgspec.structs.replace(asked.rule, anytime=anytime))
    least = needs.least_requests(asked)
    outcomes = [share_ok([True] * n, rate=p0, need=asked.rule).outcome for n in (least - 1, least)]
    assert outcomes == [Outcome.INCONCLUSIVE, Outcome.PASS]


def test_each_rule_has_its_test() -> None:
    """A plan of fixed size and one that is looked at as it goes."""
    rule = of_level(SHIPPED.slo)[0].rule
    assert needs.judged_by(rule) is binomial
    assert needs.judged_by(msgspec.structs.replace(rule, anytime=True)) is eprocess


def made(settings: Config, **options: object) -> Plan:
    """A plan of the shipped checklist."""
    return plan.make_plan(
        config=settings,
        items=checklist.load(ROOT / "GO_LIVE_CHECKLIST.md"),
        options=Options(**options),  # type: ignore[arg-type]
        repository=Repository(commit="c" * 40, tree="d" * 40, branch="main", dirty=False, shallow=False),
        digests={},
        now=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    )


def test_only_what_the_run_was_asked_is_named() -> None:
    """A run of the soak alone is not told about levels."""
    short = with_load(requests_per_level=30)
    assert any("PERF-4" in line for line in needs.undecidable(made(short)))
    assert needs.undecidable(made(short, only=("SOAK",))) == []
    assert needs.undecidable(made(SHIPPED)) == []


def test_every_item_is_one_of_the_checklist() -> None:
    """The items that claims are told of are asked by the shipped checklist."""
    assert {one.item for one in PRODUCTION.needs} <= {item.id for item in made(SHIPPED).items}


def test_a_run_warns_before_it_starts(tmp_path: Path) -> None:
    """With 30 requests a level the user is told which claims that cannot show, before a request is sent."""
    text = projects.shipped_config({"load.requests_per_level": "30"})
    project = projects.make(tmp_path, config=text)
    _, notes = begin.prepare(Options(profile="test"), project)
    assert any(note.startswith("this plan cannot show PERF-4 (total p95") and "takes 59" in note for note in notes)
