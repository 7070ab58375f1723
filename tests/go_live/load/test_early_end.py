"""When a soak ends early, on virtual time: the runner and the watch together."""

from collections.abc import Callable

import pytest

from go_live.config import Config, load
from go_live.load.runner import Before, LoadPlan, Prompt, run_load
from go_live.load.session import LoadWatching, SoakWatching
from go_live.load.verdicts import load_verdicts, soak_verdicts
from go_live.outcome import Outcome, worst
from go_live.records import ErrorClass, Record
from tests.go_live.load import virtual
from tests.go_live.load.conftest import ROOT

PROMPTS = (Prompt("p", {"prompt": "x"}),)
PLANNED_S = 3600.0


@pytest.fixture(scope="module")
def config() -> Config:
    """The shipped limits: total p95 at most 6 s."""
    return load(ROOT / "golive.toml")


def quick(number: int) -> float:
    """About 3.5 s; figures that are all equal are no measurement."""
    return 3.5 + number % 7 / 100


def slow(number: int) -> float:
    """About 7 s."""
    return 2 * quick(number)


def soak(
    config: Config,
    *,
    seconds: Callable[[int], float] = quick,
    error: Callable[[int], ErrorClass | None] | None = None,
    when_decided: bool = False,
) -> tuple[list[Record], SoakWatching]:
    """An hour at c=2, or what is served of it."""
    plan = LoadPlan(phase="soak", prompts=PROMPTS, deadline_s=45, concurrency=2, duration_s=PLANNED_S)
    watching, records = SoakWatching(config, plan, when_decided=when_decided), list[Record]()

    def on_record(record: Record) -> None:
        records.append(record)
        watching.add(record)

    async def main() -> None:
        endpoint = virtual.Fake(seconds, error)
        await run_load(endpoint, plan, on_record=on_record, stop=watching.stop, clock=virtual.clock())

    virtual.run(main())
    return records, watching


def served(records: list[Record]) -> float:
    """Seconds from the first due request to the last."""
    return max(record.due for record in records) - records[0].due


def test_a_hopeless_soak_is_a_fail_after_a_tenth(config: Config) -> None:
    """Every answer takes 7 s: over after six minutes of sixty, a FAIL that says why, and no cut-short ERROR."""
    records, watching = soak(config, seconds=slow)
    assert 350 < served(records) < 380
    assert watching.ended is not None
    assert "total p50 is at most 4000 ms is refuted" in watching.ended
    deciding, aside = soak_verdicts(config, records, PLANNED_S, ended=watching.ended)
    assert worst(verdict.outcome for verdict in deciding) is Outcome.FAIL
    assert not any("cut short" in verdict.reason for verdict in deciding)
    assert aside == []


def test_a_slow_first_minute_is_served_to_the_end(config: Config) -> None:
    """The first twenty answers take 7 s and all others 3.5 s: the verdict is on the whole hour."""
    records, watching = soak(config, seconds=lambda number: (slow if number < 20 else quick)(number))
    assert (watching.ended, served(records) > PLANNED_S - 10) == (None, True)


def test_a_service_that_breaks_later_is_found_out_then(config: Config) -> None:
    """Every answer after the first half hour fails: the soak ends soon after, not at its planned end."""
    records, watching = soak(config, error=lambda number: ErrorClass.FAILED if number >= 1000 else None)
    assert watching.ended is not None
    assert "success rate is at least 99 % is refuted" in watching.ended
    assert 1000 < len(records) < 1100


def test_a_healthy_soak_is_served_to_its_end(config: Config) -> None:
    """However early its shares are shown."""
    records, watching = soak(config)
    assert (watching.ended, served(records) > PLANNED_S - 10) == (None, True)


def test_a_healthy_soak_may_end_when_decided(config: Config) -> None:
    """After the 449 requests that success needs; what only the whole shows is INCONCLUSIVE and stands aside."""
    records, watching = soak(config, when_decided=True)
    assert watching.ended == "all 4 claims on shares of requests are decided"
    assert 449 <= len(records) < 1000
    deciding, aside = soak_verdicts(config, records, PLANNED_S, ended=watching.ended, wished=True)
    assert not any("worsen" in verdict.claim for verdict in deciding if verdict.outcome is Outcome.PASS)
    assert {verdict.outcome for verdict in aside} == {Outcome.INCONCLUSIVE}
    assert any("under load" in verdict.claim for verdict in aside)


def test_what_a_killed_run_left_open_is_asked_again_even_then() -> None:
    """A soak that is to end at once still asks for the requests that had become due before the kill."""
    plan = LoadPlan(phase="soak", prompts=PROMPTS, deadline_s=45, concurrency=2, duration_s=PLANNED_S)
    records: list[Record] = []

    async def main() -> None:
        before = Before(hits=300, served_s=500.0, again=(298, 299))
        await run_load(
            virtual.Fake(quick),
            plan,
            on_record=records.append,
            stop=lambda: True,
            before=before,
            clock=virtual.clock(),
        )

    virtual.run(main())
    assert sorted(record.seq for record in records) == [298, 299]


def level(
    config: Config, seconds: Callable[[int], float], error: ErrorClass | None = None
) -> tuple[list[Record], list[str], LoadWatching]:
    """What is served of 124 requests at c=2, what is said meanwhile, and the watch."""
    plan = LoadPlan(phase="load", prompts=PROMPTS, deadline_s=45, concurrency=2, requests=124)
    watching, told, records = LoadWatching(config), list[str](), list[Record]()
    watching.begin(plan)

    def on_record(record: Record) -> None:
        records.append(record)
        told.extend(watching.add(record))

    async def main() -> None:
        endpoint = virtual.Fake(seconds, lambda _: error)
        await run_load(endpoint, plan, on_record=on_record, stop=watching.stop, clock=virtual.clock())

    virtual.run(main())
    return records, told, watching


def test_a_level_that_fails_is_told_and_served(config: Config) -> None:
    """Its p95 is certain to fail with the 14th slow answer; others are not, and all requests are asked."""
    records, told, _ = level(config, lambda number: 9.0 if number % 4 == 0 else quick(number))
    assert len(records) == 124
    assert [line for line in told if "total p95" in line and "14 of the planned 124 refute it" in line]


def test_a_level_that_can_only_fail_ends(config: Config) -> None:
    """Nothing is answered: it ends when every claim is lost, and success is then judged without a fixed size."""
    records, _, watching = level(config, quick, ErrorClass.FAILED)
    assert len(records) < 90
    assert "all of its 6 claims are certain to fail" in watching.ended["c=2"]
    success, _ = load_verdicts(config, records, ["c=2"], [], whole=False)[0][-2:]
    assert "at every look" in success.reason


def test_the_next_level_begins_anew(config: Config) -> None:
    """What ended one level ends no other."""
    _, _, watching = level(config, quick, ErrorClass.FAILED)
    watching.begin(LoadPlan(phase="load", prompts=PROMPTS, deadline_s=45, concurrency=3, requests=124))
    assert not watching.stop()
    assert list(watching.ended) == ["c=2"]
