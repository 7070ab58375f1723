"""Was the planned load offered, on clocks that can be trusted?"""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.judge.offered import as_planned, closed_loop, open_loop, sane_clock
from go_live.outcome import Outcome, Verdict
from go_live.records import Record
from go_live.table import Floats, Table
from tests.go_live.judge.builders import CLIENT, record


def paced(due: Floats, sent: Floats, rate: float, *, poisson: bool = False) -> Verdict:
    """An open loop at ``rate``, in time within 100 ms."""
    return open_loop(due, sent, rate=rate, late_s=0.1, share_min=0.95, scope="rate", poisson=poisson)


def slots(n: int, concurrency: int, took: float, *, pause: float = 0.0) -> tuple[Floats, Floats]:
    """Due and done of a closed loop whose every request takes ``took`` s, each slot pausing after it."""
    rounds = np.arange(n, dtype=np.float64) // concurrency
    due = rounds * (took + pause)
    return due, due + took


def kept(due: Floats, done: Floats, slots: int, *, failed: bool = False, resumed: tuple[int, ...] = ()) -> Verdict:
    """A closed loop's verdict."""
    ok = np.full(len(due), not failed)
    return closed_loop(due, done, ok, concurrency=slots, share_min=0.95, scope="c", resumed=resumed)


def test_a_rate_that_was_kept_passes() -> None:
    """100 requests at five a second, each 1 ms late."""
    due = np.arange(100, dtype=np.float64) / 5
    verdict = paced(due, due + 0.001, 5)
    assert (verdict.outcome, verdict.n) == (Outcome.PASS, 100)
    assert verdict.measured == pytest.approx(5)
    assert verdict.reason == "5 requests/s were offered: 100 of 100 were sent within 100 ms"


def test_late_requests_were_not_offered() -> None:
    """One in ten sent late, or not at all: another load than the planned one, and ERROR."""
    due = np.arange(100, dtype=np.float64) / 5
    for late in (0.2, math.nan):
        verdict = paced(due, np.where(np.arange(100) % 10 == 0, due + late, due), 5)
        assert verdict.outcome is Outcome.ERROR
        assert verdict.measured == pytest.approx(4.5)


def test_a_slower_schedule_is_not_the_planned_rate() -> None:
    """Requests that were due at four a second do not offer five, however promptly they were sent."""
    due = np.arange(100, dtype=np.float64) / 4
    assert paced(due, due, 5).outcome is Outcome.ERROR


@pytest.mark.parametrize("seed", range(20))
def test_random_arrivals_may_miss_their_rate_by_chance(seed: int) -> None:
    """A seeded Poisson process at its own rate passes; at half of it, it does not."""
    due = np.cumsum(np.random.default_rng(seed).exponential(0.2, 400))
    assert paced(due, due, 5, poisson=True).outcome is Outcome.PASS
    assert paced(due, due, 10, poisson=True).outcome is Outcome.ERROR


@pytest.mark.parametrize(("n", "said"), [(0, "no requests were recorded"), (1, "at least two requests")])
def test_a_rate_needs_an_interval(n: int, said: str) -> None:
    """None and one request have no rate."""
    verdict = paced(np.zeros(n), np.zeros(n), 5)
    assert verdict.outcome is Outcome.ERROR
    assert said in verdict.reason


def test_all_at_once_is_no_rate() -> None:
    """Requests due at one moment offer no rate at all."""
    assert paced(np.zeros(9), np.zeros(9), 5).outcome is Outcome.ERROR


@given(st.integers(1, 8), st.integers(3, 30), st.floats(0.01, 10))
def test_busy_slots_are_kept(concurrency: int, rounds: int, took: float) -> None:
    """Slots that send at once when free keep their number in flight, exactly."""
    verdict = kept(*slots(concurrency * rounds, concurrency, took), concurrency)
    assert verdict.outcome is Outcome.PASS
    assert verdict.measured == pytest.approx(concurrency)


def test_a_client_that_dawdles_is_an_error() -> None:
    """Half a second of pause after each three: 1.7 of 2 in flight is a lighter load than planned."""
    verdict = kept(*slots(100, 2, 3.0, pause=0.5), 2)
    assert verdict.outcome is Outcome.ERROR
    assert verdict.reason.startswith("1.71 of 2 were in flight on average (Little's law over 172 s")


def test_more_in_flight_than_planned_is_an_error() -> None:
    """Four where two were planned is another load."""
    assert kept(*slots(100, 4, 3.0), 2).outcome is Outcome.ERROR


def test_the_pause_after_a_failure_is_the_plans() -> None:
    """Requests that fail at once hold their slot for a tenth of a second; that is no dawdling."""
    due = np.repeat(np.arange(50, dtype=np.float64) * 0.1, 2)
    assert kept(due, due + 0.001, 2, failed=True).outcome is Outcome.PASS
    assert kept(due, due + 0.001, 2).outcome is Outcome.ERROR


def test_a_request_that_never_ended_held_its_slot() -> None:
    """One slot hangs for ever, the other goes on: two are in flight."""
    due = np.concatenate(([0.0], np.arange(20, dtype=np.float64) * 3.0))
    done = np.concatenate(([math.nan], np.arange(20, dtype=np.float64) * 3.0 + 3.0))
    ok = ~np.isnan(done)
    verdict = closed_loop(due, done, ok, concurrency=2, share_min=0.95, scope="c")
    assert (verdict.outcome, verdict.measured) == (Outcome.PASS, 2)


def test_the_time_between_kill_and_resume_does_not_count() -> None:
    """Two halves on two clocks are each full; taken for one, they would look idle."""
    due, done = slots(40, 2, 3.0)
    both = np.concatenate((due, due + 5000)), np.concatenate((done, done + 5000))
    assert kept(*both, 2, resumed=(40,)).outcome is Outcome.PASS
    assert kept(*both, 2).outcome is Outcome.ERROR


@pytest.mark.parametrize(("n", "said"), [(0, "no requests"), (2, "do not keep 2 in flight"), (3, "due at once")])
def test_too_few_keep_nothing_in_flight(n: int, said: str) -> None:
    """None, no more than the slots, or all at one moment: nothing was kept in flight."""
    verdict = kept(np.zeros(n), np.ones(n), 2)
    assert verdict.outcome is Outcome.ERROR
    assert said in verdict.reason


def test_clocks_that_agree() -> None:
    """A wall clock that is slewed by 400 ppm, and jitters by milliseconds, is sane."""
    due = np.arange(1000, dtype=np.float64) * 1.8
    wall = 1.7e9 + due * 1.0004 + 0.002 * np.sin(np.arange(1000))
    verdict = sane_clock(due, wall, scope="soak")
    assert verdict.outcome is Outcome.PASS
    assert verdict.measured == pytest.approx(0.005, abs=0.003)


@pytest.mark.parametrize("step", [1.0, -1.0, 3600.0])
def test_a_clock_that_was_set_is_an_error(step: float) -> None:
    """A second forward or back, or a time zone's worth: the times of day cannot be trusted."""
    due = np.arange(1000, dtype=np.float64) * 1.8
    wall = 1.7e9 + due + np.where(np.arange(1000) >= 600, step, 0)
    verdict = sane_clock(due, wall, scope="soak")
    assert verdict.outcome is Outcome.ERROR
    assert verdict.measured == pytest.approx(abs(step))


def test_a_clock_that_runs_away_is_an_error() -> None:
    """1 % too fast adds up, though no single step shows it."""
    due = np.arange(2000, dtype=np.float64) * 0.1
    verdict = sane_clock(due, 1.7e9 + due * 1.01, scope="soak")
    assert verdict.outcome is Outcome.ERROR
    assert verdict.measured == pytest.approx(0.001, abs=1e-4)


def test_a_resumed_run_has_another_clock() -> None:
    """After a reboot the monotonic clock begins again: no fault where the run was resumed, one anywhere else."""
    due = np.concatenate((np.arange(50, dtype=np.float64) * 2.0, np.arange(50, dtype=np.float64) * 2.0))
    wall = 1.7e9 + np.concatenate((np.arange(50, dtype=np.float64) * 2.0, 4000 + np.arange(50, dtype=np.float64) * 2.0))
    assert sane_clock(due, wall, scope="soak", resumed=(50,)).outcome is Outcome.PASS
    back = sane_clock(due, wall, scope="soak")
    assert (back.outcome, back.reason) == (Outcome.ERROR, "the monotonic clock went backwards")


@pytest.mark.parametrize("hole", [math.nan, math.inf])
def test_times_that_are_none(hole: float) -> None:
    """A request without a due time, or none at all: ERROR."""
    assert sane_clock(np.array([0.0, hole]), np.array([1.0, 2.0]), scope="s").outcome is Outcome.ERROR
    assert sane_clock(np.array([0.0, 1.0]), np.array([1.0, hole]), scope="s").outcome is Outcome.ERROR
    assert sane_clock(np.array([]), np.array([]), scope="s").outcome is Outcome.ERROR


def test_one_request_has_sane_clocks() -> None:
    """There is nothing for one request to disagree with."""
    assert sane_clock(np.array([1.0]), np.array([1.7e9]), scope="s").outcome is Outcome.PASS


def judged(run: list[Record]) -> list[tuple[str | None, Outcome]]:
    """Scope and outcome of every verdict on ``run``."""
    return [(verdict.scope, verdict.outcome) for verdict in as_planned(CLIENT, Table.of(run))]


def in_slots(n: int, **changes: Any) -> list[Record]:
    """``n`` requests of a closed loop at c=2 that took 3 s each."""
    return [
        record(seq, **{"due": seq // 2 * 3.0, "done": seq // 2 * 3.0 + 3.0, "wall": 1.7e9 + seq // 2 * 3.0, **changes})
        for seq in range(n)
    ]


def test_every_phase_and_level_is_asked() -> None:
    """A level, an open loop and a soak, each as planned: load and clock of each."""
    rate = [
        record(seq, level="rate=5", due=seq / 5, sent=seq / 5, done=seq / 5 + 3, wall=1.7e9 + seq / 5)
        for seq in range(50)
    ]
    found = judged([*in_slots(40), *rate, *in_slots(40, phase="soak")])
    assert sorted(found, key=str) == [
        (scope, Outcome.PASS) for scope in ("c=2", "c=2", "rate=5", "rate=5", "soak", "soak")
    ]


def test_a_resumed_soak_is_as_planned() -> None:
    """Killed, the machine restarted, resumed an hour later on another clock: load and clocks are sane."""
    first, second = in_slots(40, phase="soak"), in_slots(80, phase="soak")[40:]
    again = [
        msgspec.structs.replace(one, wall=one.wall + 3600, due=one.due - 50, sent=one.due - 50, done=one.due - 47)
        for one in second
    ]
    assert judged([*first, *again]) == [("soak", Outcome.PASS)] * 2


def test_a_clock_set_back_is_found_by_the_numbers() -> None:
    """Set back by an hour in the middle: the later half comes first, by its times of day, and that is an ERROR."""
    run = in_slots(80, phase="soak")
    run[40:] = [msgspec.structs.replace(one, wall=one.wall - 3600) for one in run[40:]]
    assert ("soak", Outcome.ERROR) in judged(run)
    assert as_planned(CLIENT, Table.of(run))[1].reason == "the monotonic clock went backwards"


@pytest.mark.parametrize("level", ["", "c=", "rate=fast", "two"])
def test_a_level_that_tells_no_load_is_an_error(level: str) -> None:
    """What was planned is not known: ERROR, and the clocks are looked at all the same."""
    assert judged(in_slots(40, level=level)) == [(level, Outcome.ERROR), (level, Outcome.PASS)]


def test_nothing_measured_has_no_load() -> None:
    """No requests, no groups: others say that nothing was measured."""
    assert as_planned(CLIENT, Table.of([])) == []
