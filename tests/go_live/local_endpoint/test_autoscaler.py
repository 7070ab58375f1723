"""The model of the platform's autoscaler."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.local_endpoint.autoscaler import Demand, Scaler, ScalerType, desired, surplus

COUNTS = st.integers(0, 50)
SCALERS = st.builds(
    lambda kind, value, low, more, idle: Scaler(kind, value, low, low + more, idle),
    st.sampled_from(["REQUEST_COUNT", "QUEUE_DELAY"]),
    st.floats(0.5, 20),
    st.integers(0, 5),
    st.integers(0, 5),
    st.floats(1, 300),
)
DEMANDS = st.builds(Demand, COUNTS, COUNTS, st.floats(0, 100))


def scaler(kind: ScalerType, value: float, low: int = 0, high: int = 10, idle_s: float = 5.0) -> Scaler:
    """A scaler."""
    return Scaler(kind, value, low, high, idle_s)


@given(SCALERS, DEMANDS, COUNTS, COUNTS)
def test_desired_stays_within_the_bounds(bounds: Scaler, demand: Demand, workers: int, starting: int) -> None:
    """Never below workers_min, never above workers_max, whatever is asked."""
    wanted = desired(bounds, demand, workers=workers, starting=starting)
    assert bounds.workers_min <= wanted <= bounds.workers_max


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 9))
def test_request_count_is_the_documented_formula(queued: int, running: int, value: int) -> None:
    """ceil((in queue + in progress) / scalerValue)."""
    wanted = desired(scaler("REQUEST_COUNT", value, 0, 99), Demand(queued, running, 0), workers=1, starting=0)
    assert wanted == math.ceil((queued + running) / value)


def test_queue_delay_adds_one_worker_at_a_time_when_requests_have_waited() -> None:
    """One more once the oldest has waited longer than scalerValue, none while one is starting."""
    slow = scaler("QUEUE_DELAY", 4.0, 1)
    assert desired(slow, Demand(9, 0, 4.0), workers=2, starting=0) == 2
    assert desired(slow, Demand(9, 0, 4.1), workers=2, starting=0) == 3
    assert desired(slow, Demand(9, 0, 99.0), workers=2, starting=1) == 2
    assert desired(slow, Demand(0, 9, 0.0), workers=0, starting=0) == 1


@given(SCALERS, st.lists(st.floats(0, 600), max_size=10), COUNTS, COUNTS)
def test_scaling_down_leaves_the_minimum_and_the_busy(
    bounds: Scaler, idle: list[float], busy: int, wanted: int
) -> None:
    """Only workers idle for the whole timeout are stopped, and never below workers_min."""
    workers = len(idle) + busy
    stopped = surplus(bounds, max(wanted, bounds.workers_min), idle, workers=workers)
    assert 0 <= stopped <= sum(seconds >= bounds.idle_timeout_s for seconds in idle)
    assert stopped == 0 or workers - stopped >= bounds.workers_min


@pytest.mark.parametrize(("kind", "stopped"), [("REQUEST_COUNT", 1), ("QUEUE_DELAY", 2)])
def test_request_count_keeps_an_idle_worker_that_is_still_wanted(kind: ScalerType, stopped: int) -> None:
    """QUEUE_DELAY goes down by idle time alone; REQUEST_COUNT not below what the requests ask for."""
    assert surplus(scaler(kind, 1.0, 0), 2, [9.0, 9.0], workers=3) == stopped
