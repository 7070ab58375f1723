"""What is no measurement is never judged."""

import math

import pytest

from go_live.judge import validity
from go_live.outcome import Outcome
from go_live.records import ErrorClass
from tests.go_live.judge.builders import CLIENT, record, records


@pytest.mark.parametrize(
    ("values", "points", "said"),
    [
        ([0.0, 0.0], {}, "2 of 2 times are zero or below"),
        ([3.0, -1.0], {}, "1 of 2 times are zero or below"),
        ([3450.0] * 5, {}, "all 5 times are equal to the last digit"),
        ([3450.0, math.nan], {}, "NaN"),
        ([3450.0, 3451.0], {"p95_ms": math.nan}, "NaN"),
        ([3450.0, 3451.0], {"p95_ms": 3452.0}, "above the maximum"),
    ],
)
def test_hollow_figures(values: list[float], points: dict[str, float], said: str) -> None:
    """Zeros, equal times, NaN and a percentile above the maximum are named."""
    assert said in (validity.hollow(values, points) or "")


@pytest.mark.parametrize("values", [[3450.0, 3451.0], [3450.0] * 4, [math.inf] * 9, [math.inf, 1.0]])
def test_real_figures(values: list[float]) -> None:
    """Few equal times can be chance, and infinity is an honest figure: nobody answered."""
    assert validity.hollow(values, {"p50_ms": 1.0} if 1.0 in values else None) is None


def test_no_records_are_no_evidence() -> None:
    """An empty run is unusable."""
    assert validity.unusable([]) == "no requests were recorded"


def test_the_timed_engine_is_no_evidence() -> None:
    """One answer of the timed engine among real ones spoils the evidence, unless the harness tests itself."""
    mixed = [*records(9), record(9, engine="timed")]
    assert validity.unusable(mixed) == "answers of the timed engine are never evidence"
    assert validity.unusable(mixed, allow_timed=True) is None


def test_real_times_as_a_verdict() -> None:
    """Healthy records pass; hollow ones are an ERROR that says why."""
    assert validity.real_times(records(20), scope="c=2").outcome is Outcome.PASS
    hollow = validity.real_times(records(20, due=0.0, done=3.45), scope="c=2")
    assert hollow.outcome is Outcome.ERROR
    assert "equal to the last digit" in hollow.reason


def test_a_prompt_client_is_valid() -> None:
    """1 ms of lag is far below the limit."""
    verdict = validity.client_lag(CLIENT, records(124), scope="c=2")
    assert verdict.outcome is Outcome.PASS
    assert verdict.measured == pytest.approx(1)


def test_a_late_client_measured_itself() -> None:
    """Two of 100 requests sent 200 ms late: p99 is above the limit, and that is ERROR, not FAIL."""
    late = [record(seq, sent=seq * 1.75 + (0.2 if seq < 2 else 0.001)) for seq in range(100)]
    verdict = validity.client_lag(CLIENT, late, scope="c=2")
    assert verdict.outcome is Outcome.ERROR
    assert "the load client itself was measured" in verdict.reason


def test_nothing_sent_is_nothing_measured() -> None:
    """Without a request sent there is no lag."""
    assert validity.client_lag(CLIENT, records(3, sent=None), scope="c=2").outcome is Outcome.ERROR


def test_classes_add_up() -> None:
    """Every due request is counted once, under a name."""
    verdict = validity.accounted(records(124, bad=[3, 4]), scope="c=2")
    assert verdict.outcome is Outcome.PASS
    assert verdict.reason == "124 due = 122 ok + 2 failed"


@pytest.mark.parametrize("damage", ["lost", "doubled", "unnamed", "none"])
def test_what_is_lost_doubled_or_unnamed_is_an_error(damage: str) -> None:
    """A missing record, a record twice, one of no class, none at all: the counts do not add up."""
    good = records(20)
    runs = {
        "lost": [*good[:7], *good[8:]],
        "doubled": [*good, good[7]],
        "unnamed": [*good[:19], record(19, done=None)],
        "none": [],
    }
    verdict = validity.accounted(runs[damage], scope="c=2")
    assert verdict.outcome is Outcome.ERROR
    assert {"lost": "missing", "doubled": "doubled", "unnamed": "neither", "none": "no requests"}[
        damage
    ] in verdict.reason


def test_each_phase_and_level_counts_for_itself() -> None:
    """Numbers start at 0 in every phase and level."""
    both = [*records(5), *records(5, level="c=3"), *records(5, phase="soak")]
    assert validity.accounted(both, scope="run").outcome is Outcome.PASS


def test_every_error_class_has_its_place() -> None:
    """Each class is counted under its own name."""
    kinds = [record(seq, error=kind, done=None) for seq, kind in enumerate(ErrorClass)]
    reason = validity.accounted(kinds, scope="c=2").reason
    assert all(f"1 {kind.value}" in reason for kind in ErrorClass)
