"""One level of one setting, judged."""

import msgspec
import numpy as np
import pytest

from go_live.outcome import Outcome
from go_live.records import ErrorClass, Record
from go_live.table import Table
from go_live.tuning.cells import Count, judge_level, supported
from go_live.tuning.plan import DEFAULT
from tests.go_live.tuning.simulated import SHIPPED, measured, planned, with_limits

PLAN = planned(levels=(2, 4), config=with_limits(SHIPPED, tokens_per_s_p50=1))


def at(level: int, servers: int = 4) -> list[Record]:
    """The requests of one level."""
    return [record for record in measured(PLAN, {DEFAULT: servers})[DEFAULT] if record.level == f"c={level}"]


def test_requests_that_fill_the_endpoint_are_not_judged() -> None:
    """The first c of each round find it empty: were they judged, a queue would look shorter than it is."""
    found = judge_level(PLAN, Table.of(at(4, servers=1)), 4)
    assert found.n == 124
    waits = [record.queue_ms for record in at(4, servers=1) if record.seq % PLAN.sent(4) >= 4]
    assert found.queue[0].measured == pytest.approx(np.sort(waits)[61])
    assert min(waits) > 2500  # of the ones left out, the first waits not at all


def test_throughput_is_that_of_busy_slots() -> None:
    """Four clients of one server of a second get one answer a second, however short the rounds are."""
    found = judge_level(PLAN, Table.of(at(4, servers=1)), 4)
    assert found.throughput == pytest.approx(1.0, rel=0.02)
    assert [rate for rate in found.per_round if rate is None] == []


@pytest.mark.parametrize("kept", [0, 1, 60, 139])
def test_a_level_that_was_cut_off_is_never_good(kept: int) -> None:
    """However healthy the requests: fewer than planned show nothing, and none at all is NOT_RUN."""
    found = judge_level(PLAN, Table.of(at(4)[:kept]), 4)
    assert found.outcome is (Outcome.INCONCLUSIVE if found.n else Outcome.NOT_RUN)
    assert f"{found.n} of 124 planned requests" in found.reason


def test_more_requests_than_planned_are_no_measurement() -> None:
    """A record that is there twice, or one more than planned, is an ERROR."""
    records = at(4)
    extra = msgspec.structs.replace(records[-1], seq=records[-1].seq + PLAN.sent(4))
    assert judge_level(PLAN, Table.of([*records, extra]), 4).outcome is Outcome.ERROR
    assert judge_level(PLAN, Table.of([*records, records[-1]]), 4).outcome is Outcome.ERROR


def test_answers_of_the_timed_engine_are_no_evidence() -> None:
    """In a sweep that did not ask for the timed engine, its answers are an ERROR."""
    timed = [msgspec.structs.replace(record, engine="timed") for record in at(2)]
    found = judge_level(PLAN, Table.of(timed), 2)
    assert found.outcome is Outcome.ERROR
    assert "timed engine" in found.reason


def test_failures_are_infinitely_slow() -> None:
    """One failed request in eight breaks the p95 claims, and counts as unanswered."""
    records = [
        msgspec.structs.replace(record, error=ErrorClass.FAILED) if record.seq % 8 == 7 else record for record in at(2)
    ]
    found = judge_level(PLAN, Table.of(records), 2)
    assert found.outcome is Outcome.FAIL
    assert found.unanswered == found.wrong == found.counts["total_p95"].misses >= 13


def test_a_round_that_was_not_offered_is_no_measurement() -> None:
    """A client that idles half of the time in a round measures a lighter load: ERROR, and the round is named."""
    shifted = [
        msgspec.structs.replace(
            record,
            due=record.due + record.seq * 1.0,
            sent=(record.sent or 0) + record.seq * 1.0,
            done=(record.done or 0) + record.seq * 1.0,
            wall=record.wall + record.seq * 1.0,
        )
        for record in at(4)
    ]
    found = judge_level(PLAN, Table.of(shifted), 4)
    assert found.outcome is Outcome.ERROR
    assert "(round 1)" in next(v.claim for v in found.verdicts if v.outcome is Outcome.ERROR)


def test_counts_show_what_they_are_said_to() -> None:
    """A level whose counts were improved by hand, or whose claim is missing, supports nothing."""
    good = judge_level(PLAN, Table.of(at(2)), 2)
    assert supported(good, PLAN.config.slo)
    counts = good.counts
    worse = {**counts, "total_p95": Count(124, 3)}
    missing = {key: count for key, count in counts.items() if key != "queue_p50"}
    fewer = {**counts, "exec_p50": Count(5, 0)}
    negative = {**counts, "total_p95": Count(124, -1)}
    for other in (worse, missing, fewer, negative):
        assert not supported(msgspec.structs.replace(good, counts=other), PLAN.config.slo)
    assert not supported(msgspec.structs.replace(good, outcome=Outcome.INCONCLUSIVE), PLAN.config.slo)
    assert not supported(msgspec.structs.replace(good, n=0, planned=0), PLAN.config.slo)
