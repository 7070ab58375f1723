"""Where did the time go? Parts add up, unknown is not zero, and clocks that disagree are an ERROR."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.config import Attribution
from go_live.judge import attribution
from go_live.judge.attribution import Split, Times, known_parts, split
from go_live.outcome import Outcome, Verdict
from tests.go_live.judge.builders import records

LIMITS = Attribution(tolerance_ms=5, network_ms_max=2000, unattributed_max=0.01)
MS = st.floats(0, 1500)


def times(
    n: int = 100,
    *,
    client: float = 1,
    network: float = 40,
    queue: float = 600,
    execution: float = 2800,
    **changes: object,
) -> Times:
    """``n`` requests with these parts, in ms; the i-th executes for i ms more."""
    due = np.arange(n, dtype=np.float64)
    runs = execution + np.arange(n, dtype=np.float64)
    fields: dict[str, object] = {
        "due": due,
        "sent": due + client / 1000,
        "done": due + (client + network + queue + runs) / 1000,
        "delay_ms": np.full(n, queue),
        "execution_ms": runs,
        "ok": np.ones(n, dtype=np.bool_),
    }
    return Times(**fields | changes)  # type: ignore[arg-type]


def judged(found: Split) -> Verdict:
    """The verdict on ``found``."""
    return known_parts(found, LIMITS, scope="c=2")


@given(st.lists(st.tuples(MS, MS, MS, MS), min_size=1, max_size=40))
def test_the_parts_add_up(parts: list[tuple[float, float, float, float]]) -> None:
    """Means of client wait, network, queue and execution are those that were put in, and add up to the mean total."""
    client, network, queue, execution = (np.array(column) for column in zip(*parts, strict=True))
    due = np.arange(len(parts), dtype=np.float64)
    found = split(
        Times(
            due=due,
            sent=due + client / 1000,
            done=due + (client + network + queue + execution) / 1000,
            delay_ms=queue,
            execution_ms=execution,
            ok=np.ones(len(parts), dtype=np.bool_),
        ),
        LIMITS,
    )
    assert found.all is not None
    mean = found.all.mean
    assert (found.attributed, found.unattributed) == (len(parts), {})
    assert mean.client == pytest.approx(client.mean(), abs=1e-3)
    assert mean.network == pytest.approx(network.mean(), abs=1e-3)
    assert mean.client + mean.network + mean.queue + mean.execution == pytest.approx(mean.total, abs=1e-3)


def test_the_slowest_twentieth_stands_apart() -> None:
    """Of 100 requests the five slowest are those that execute longest; of two it is one."""
    found = split(times(), LIMITS)
    assert found.all is not None
    assert found.slowest is not None
    assert (found.all.n, found.slowest.n) == (100, 5)
    assert found.all.median.execution == pytest.approx(2849)
    assert found.slowest.mean.execution == pytest.approx(2897)
    two = split(times(2), LIMITS).slowest
    assert two is not None
    assert two.n == 1
    assert two.mean.execution == pytest.approx(2801)


def test_a_clean_split_passes_and_says_where_the_time_goes() -> None:
    """Every request attributed: PASS, with the medians in the reason and the means in the points."""
    verdict = judged(split(times(), LIMITS))
    assert verdict.outcome is Outcome.PASS
    assert verdict.reason == (
        "100 of 100 answered requests are attributed: medians are client wait 1.0 ms, network 40.0 ms, "
        "queue 600 ms, execution 2849 ms"
    )
    assert verdict.points["mean_queue_ms"] == pytest.approx(600)
    assert verdict.points["slowest_mean_execution_ms"] == pytest.approx(2897)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"network": -6}, "the platform counts more time than the client saw pass"),
        ({"network": 2001}, "more than 2000 ms belong to no part"),
        ({"sent": np.full(100, math.nan)}, "the time when it was sent is missing"),
        ({"delay_ms": np.full(100, math.nan)}, "delayTime is missing"),
        ({"execution_ms": np.full(100, math.nan)}, "executionTime is missing"),
    ],
)
def test_what_does_not_add_up_is_an_error(changes: dict[str, object], why: str) -> None:
    """A negative rest, a large one, a missing figure: the parts are unknown, none of them zero; ERROR, never FAIL."""
    found = split(times(**changes), LIMITS)  # type: ignore[arg-type]
    assert (found.attributed, found.unattributed, found.all, found.slowest) == (0, {why: 100}, None, None)
    verdict = judged(found)
    assert verdict.outcome is Outcome.ERROR
    assert verdict.reason == (
        f"0 of 100 answered requests are attributed (of 100, {why}): too many to say where the time went"
    )
    assert verdict.points == {}


@pytest.mark.parametrize("network", [-5, 0, 2000])
def test_within_the_bounds_it_adds_up(network: float) -> None:
    """Rounding makes a rest of a few milliseconds below zero, and a poll one of many above."""
    # Half a millisecond more than the limits, because seconds lose the last digits of a millisecond.
    limits = msgspec.structs.replace(LIMITS, tolerance_ms=5.5, network_ms_max=2000.5)
    assert split(times(network=network), limits).attributed == 100


def test_one_in_a_hundred_may_be_unknown() -> None:
    """One request that does not add up is counted and named; two of a hundred are too many."""
    sent = times().sent.copy()
    sent[3] = math.nan
    one = judged(split(times(sent=sent), LIMITS))
    assert (one.outcome, one.misses, one.n) == (Outcome.PASS, 1, 100)
    assert "99 of 100 answered requests are attributed (of 1, the time when it was sent is missing)" in one.reason
    sent[4] = math.nan
    assert judged(split(times(sent=sent), LIMITS)).outcome is Outcome.ERROR


def test_failures_have_no_parts() -> None:
    """Requests without a right answer are counted apart: they have no total to split."""
    ok = np.ones(100, dtype=np.bool_)
    ok[:30] = False
    done = times().done.copy()
    done[30] = math.nan
    found = split(times(ok=ok, done=done), LIMITS)
    assert (found.attributed, found.unanswered, found.unattributed) == (69, 31, {})


def test_nothing_answered_is_nothing_attributed() -> None:
    """No answer, no attribution: ERROR."""
    verdict = judged(split(times(ok=np.zeros(100, dtype=np.bool_)), LIMITS))
    assert (verdict.outcome, verdict.reason, verdict.n) == (Outcome.ERROR, "no request was answered", 0)


def test_the_split_can_be_written_down() -> None:
    """Plain numbers only: JSON takes it and gives it back."""
    found = split(times(), LIMITS)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Split) == found
    assert attribution.SLOWEST == 0.05


def test_records_are_attributed() -> None:
    """Healthy records have some 650 ms that the platform does not count; the timed engine shows nothing."""
    verdict = attribution.where_the_time_goes(LIMITS, records(124), scope="c=2")
    assert (verdict.outcome, verdict.n) == (Outcome.PASS, 124)
    assert 500 < verdict.points["median_network_ms"] < 800
    timed = attribution.where_the_time_goes(LIMITS, records(124, engine="timed"), scope="c=2")
    assert (timed.outcome, timed.reason) == (Outcome.ERROR, "answers of the timed engine are never evidence")
