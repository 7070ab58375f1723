"""When the next request is due, for every rate, limit and outcome."""

import itertools
import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live import pacing
from go_live.errors import UsageError
from go_live.pacing import FAILURE_PAUSE_S, Limits

rates = st.floats(0.01, 1000)
times = st.floats(0, 1e6)


def draws(seed: int) -> Callable[[], float]:
    """Uniform draws that repeat by their seed."""
    return random.Random(seed).random  # noqa: S311 - a reproducible schedule, no secret


@given(rates, st.integers(0, 10_000))
def test_a_constant_rate_never_drifts(rate: float, hit: int) -> None:
    """Request k is due at k / rate exactly, however many came before."""
    assert next(itertools.islice(pacing.constant(rate), hit, None)) == hit / rate


@given(rates, st.floats(0.1, 50))
def test_the_offered_rate_is_the_rate_asked_for(rate: float, duration_s: float) -> None:
    """In any duration, as many requests are due as rate x duration says, whatever the service does."""
    if rate * duration_s < 5000:
        due = list(pacing.schedule(pacing.constant(rate), Limits(duration_s=duration_s)))
        assert len(due) == pytest.approx(rate * duration_s, abs=1)
        assert all(moment < duration_s for moment in due)


@given(rates, st.integers(), st.integers(1, 200))
def test_poisson_arrivals_ascend_and_repeat(rate: float, seed: int, requests: int) -> None:
    """Arrivals are ascending, positive, finite, as many as asked for, and the same for the same seed."""
    first, again = (
        list(pacing.schedule(pacing.poisson(rate, draws(seed)), Limits(requests=requests))) for _ in range(2)
    )
    assert first == again
    assert len(first) == requests
    assert first == sorted(first)
    assert all(0 <= due < math.inf for due in first)


def test_poisson_gaps_are_exponential() -> None:
    """Mean and standard deviation of 20,000 gaps are both 1 / rate."""
    arrivals = list(itertools.islice(pacing.poisson(4, draws(1)), 20_000))
    gaps = [after - before for before, after in itertools.pairwise([0.0, *arrivals])]
    mean = sum(gaps) / len(gaps)
    spread = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert mean == pytest.approx(0.25, rel=0.03)
    assert spread == pytest.approx(0.25, rel=0.03)


@given(times, times)
def test_a_late_pacer_fires_at_once(due: float, elapsed: float) -> None:
    """The pause ends at the due time, and there is none when it has passed."""
    pause = pacing.wait(due, elapsed)
    assert pause >= 0
    assert elapsed + pause == pytest.approx(max(due, elapsed))


@given(times, st.floats(0, 1000), st.booleans())
def test_a_slot_is_free_when_its_request_is_over(due: float, took: float, ok: bool) -> None:  # noqa: FBT001 - hypothesis draws it
    """After an answer at once; after a failure not before the pause since it was due."""
    free = pacing.slot_free(due, due + took, ok=ok)
    assert free == (due + took if ok else max(due + took, due + FAILURE_PAUSE_S))


@given(st.integers(1, 100), st.floats(0.1, 100), st.integers(0, 200), times)
def test_a_phase_ends_at_whichever_limit_comes_first(requests: int, duration_s: float, hits: int, due: float) -> None:
    """A request belongs to the phase while both its number and its due time do."""
    assert Limits(requests=requests, duration_s=duration_s).allow(due, hits) == (hits < requests and due < duration_s)
    assert Limits(requests=requests).allow(due, hits) == (hits < requests)
    assert Limits(duration_s=duration_s).allow(due, hits) == (due < duration_s)


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    """Zero, negative, NaN and infinite rates are errors before anything is sent."""
    with pytest.raises(UsageError, match="rate"):
        pacing.constant(rate)
    with pytest.raises(UsageError, match="rate"):
        pacing.poisson(rate, draws(1))


def test_a_phase_without_an_end_is_refused() -> None:
    """No limit at all would run for ever."""
    with pytest.raises(UsageError, match="end"):
        Limits()


def test_a_schedule_ends_with_its_arrivals() -> None:
    """When arrivals are fewer than the limits allow, the schedule ends with the last of them."""
    assert list(pacing.schedule(iter([0.0, 1.0]), Limits(requests=5))) == [0.0, 1.0]
