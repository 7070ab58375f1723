"""Cold and warm: told apart by a stated rule, and never pooled silently."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from go_live.config import Cold
from go_live.judge.strata import Strata, apart, mix, strata, warmed
from go_live.outcome import Outcome, Verdict
from go_live.table import Bools
from tests.go_live.judge.builders import record, records

IDLE_S = 180.0
LIMITS = Cold(delay_ms=1000)

Job = tuple[float, float, float, int]
"""Due (s), wait (ms), execution (ms), worker."""


def told(*jobs: Job, failed: tuple[int, ...] = ()) -> Strata:
    """The strata of answered jobs that ended when their wait and execution were over."""
    due, delay, execution, worker = (np.array(column, dtype=np.float64) for column in zip(*jobs, strict=True))
    return strata(
        due=due,
        done=due + (delay + execution) / 1000,
        delay_ms=delay,
        execution_ms=execution,
        worker=worker.astype(np.int32),
        ok=~np.isin(np.arange(len(jobs)), failed),
        limits=LIMITS,
        idle_s=IDLE_S,
    )


def numbers(mask: Bools) -> list[int]:
    """Which requests are in ``mask``."""
    found: list[int] = np.flatnonzero(mask).tolist()
    return found


def test_a_warmed_run_has_no_cold_requests() -> None:
    """First answers of workers that were up wait for nothing."""
    found = told((0, 5, 2800, 0), (0, 4, 2800, 1), (3, 6, 2800, 0), (3, 5, 2800, 1))
    assert numbers(found.cold) == []
    assert found.warm.all()


def test_everyone_who_waited_for_the_start_is_cold() -> None:
    """Two requests wait for the one worker's start, and the second for the first as well; a later one finds it warm."""
    found = told((0, 8000, 2800, 0), (1, 9800, 2800, 0), (12, 5, 2800, 0))
    assert numbers(found.cold) == [0, 1]


def test_a_queue_is_no_cold_start() -> None:
    """Four at once on one warm worker: the first is taken at once, so that the others' long waits are a queue."""
    found = told((0, 5, 2800, 0), (0, 2805, 2800, 0), (0, 5605, 2800, 0), (1, 7405, 2800, 0))
    assert numbers(found.cold) == []


def test_a_worker_that_joins_makes_its_own_requests_cold() -> None:
    """Scaling up in the middle: only the request that waited for the new worker is cold."""
    found = told((0, 5, 2800, 0), (1, 6000, 2800, 1), (3, 5, 2800, 0), (8, 1200, 2800, 1))
    assert numbers(found.cold) == [1]


def test_a_worker_that_was_stopped_starts_again_under_its_name() -> None:
    """After a silence of more than the idle time a long wait is a start; after a shorter one it is a queue."""
    long = told((0, 5, 2800, 0), (300, 4000, 2800, 0))
    short = told((0, 5, 2800, 0), (100, 4000, 2800, 0))
    assert (numbers(long.cold), numbers(short.cold)) == ([1], [])


def test_overlapping_jobs_are_no_silence() -> None:
    """A short job inside a long one does not make the worker idle: it is busy until the long one ends."""
    found = told((0, 0, 400_000, 0), (1, 0, 10, 0), (250, 2000, 10, 0))
    assert numbers(found.cold) == []


def test_a_short_wait_is_never_cold() -> None:
    """Below the threshold a start costs no more than a queue."""
    assert numbers(told((0, 999, 2800, 0)).cold) == []
    assert numbers(told((0, 1000, 2800, 0)).cold) == [0]


def test_failures_stay_among_the_warm() -> None:
    """A failed request met nobody; it is counted where it is a miss."""
    found = told((0, math.nan, math.nan, -1), (3, 5, 2800, 0), failed=(0,))
    assert numbers(found.warm) == [0, 1]


def test_what_was_not_told_is_unknown() -> None:
    """Without a worker or a figure nobody knows, unless the wait itself was short."""
    found = told((0, math.nan, 2800, 0), (1, 5000, 2800, -1), (2, 5000, math.nan, 0), (3, 5, 2800, -1))
    # The first's end cannot be known either.
    assert numbers(found.unknown) == [0, 1, 2]
    assert numbers(found.warm) == [3]


told_jobs = st.tuples(st.floats(0, 1000), st.floats(0, 20_000), st.floats(0, 9000), st.integers(-1, 3))
jobs = st.tuples(st.floats(0, 1000), st.floats(0, 20_000) | st.just(math.nan), st.floats(0, 9000), st.integers(-1, 3))


@given(st.lists(jobs, min_size=1, max_size=40))
def test_every_request_is_of_one_population(run: list[Job]) -> None:
    """Cold, warm and unknown do not overlap and leave nobody out; who is cold waited."""
    run.sort(key=lambda job: job[0])
    found = told(*run)
    assert (found.cold.astype(int) + found.warm + found.unknown == 1).all()
    assert all(run[i][1] >= LIMITS.delay_ms for i in numbers(found.cold))


@given(st.lists(told_jobs, min_size=1, max_size=30), st.integers(-500, 500))
def test_the_clocks_zero_does_not_matter(run: list[Job], shift: int) -> None:
    """The same run some minutes earlier or later has the same cold requests."""
    # Eighths of a second are exact in binary, so that the comparison of times is.
    run = sorted((round(due), round(wait) // 125 * 125, round(took) // 125 * 125, w) for due, wait, took, w in run)
    later = [(due + shift, wait, took, worker) for due, wait, took, worker in run]
    assert (told(*run).cold == told(*later).cold).all()


def test_the_mix_is_told() -> None:
    """Three of 372 cold: not a warmed run; none: one; some unknown and none cold: not known."""
    cold = np.arange(372) < 3
    none = np.zeros(372, dtype=np.bool_)
    found = mix(Strata(cold=cold, warm=~cold, unknown=none), scope="soak")
    assert (found.outcome, found.misses) == (Outcome.FAIL, 3)
    assert found.reason == "3 of 372 requests were cold"
    assert mix(Strata(cold=none, warm=~none, unknown=none), scope="soak").outcome is Outcome.PASS
    unknown = mix(Strata(cold=none, warm=~cold, unknown=cold), scope="soak")
    assert (unknown.outcome, unknown.reason) == (Outcome.ERROR, "0 of 372 requests were cold, of 3 it is not known")


def test_no_requests_are_no_mix() -> None:
    """An empty run shows nothing."""
    none = np.zeros(0, dtype=np.bool_)
    verdict = mix(Strata(cold=none, warm=none, unknown=none), scope="soak")
    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "no requests were recorded")


def counted(mask: Bools, name: str) -> Verdict:
    """A verdict that tells which requests it was asked about."""
    return Verdict(claim="c", outcome=Outcome.PASS, reason="r", scope=name, n=int(mask.sum()))


def test_populations_are_judged_apart() -> None:
    """With cold requests there are two verdicts, and every request is in one; without, one on all."""
    cold, unknown = np.arange(10) < 3, np.arange(10) == 9
    both = apart(Strata(cold=cold, warm=~cold & ~unknown, unknown=unknown), counted)
    assert [(verdict.scope, verdict.n) for verdict in both] == [("warm", 7), ("cold", 3)]
    none = np.zeros(10, dtype=np.bool_)
    (one,) = apart(Strata(cold=none, warm=~none, unknown=none), counted)
    assert (one.scope, one.n) == ("", 10)


def test_a_warmed_soak() -> None:
    """Healthy records met no cold start; a first wait of eight seconds is one; the timed engine shows nothing."""
    healthy = records(124)
    assert warmed(healthy, LIMITS, idle_s=IDLE_S, scope="c=2").outcome is Outcome.PASS
    started = [record(0, delay_ms=8000, done=10.8, worker="w2"), *healthy[1:]]
    verdict = warmed(started, LIMITS, idle_s=IDLE_S, scope="c=2")
    assert (verdict.outcome, verdict.reason) == (Outcome.FAIL, "1 of 124 requests were cold")
    assert warmed(records(124, engine="timed"), LIMITS, idle_s=IDLE_S, scope="c=2").outcome is Outcome.ERROR


def test_nothing_answered_met_nobody() -> None:
    """A run of failures alone has no cold request; its misses are in the claims."""
    none = told((0, math.nan, math.nan, -1), failed=(0,))
    assert (numbers(none.warm), numbers(none.cold)) == ([0], [])
