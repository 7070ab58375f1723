"""INF-6's judgement: two witnesses, and no verdict where neither tells."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from go_live.config import Burst
from go_live.judge.burst import Look, Seen, brought_up
from go_live.outcome import Outcome, Verdict
from go_live.records import ErrorClass, Record
from tests.go_live.judge.builders import record

LIMITS = Burst(in_flight=20, within_s=120, requests=1000)
BEGAN = 1_760_000_000.0
WORKERS = 5


def asked(seq: int, **changes: Any) -> Record:
    """A request of the burst; its total time is about 3.5 s."""
    return record(seq, phase="burst", level="c=20", **changes)


def answers(*workers: str | None) -> list[Record]:
    """One right answer of each worker, one after the other."""
    return [asked(seq, worker=worker) for seq, worker in enumerate(workers)]


def judged(ups: Sequence[int | None], due: list[Record], began: float = BEGAN) -> Verdict:
    """The verdict on looks ten seconds apart."""
    looks = tuple(Look(at_s=10.0 * n, up=up) for n, up in enumerate(ups))
    return brought_up(Seen(began=began, looks=looks), due, LIMITS, workers_max=WORKERS)


ALL = answers("a", "b", "c", "d", "e")


def test_both_witnesses_together_are_a_pass() -> None:
    """Five workers up after 20 s, and five that answered; the time to capacity is what was measured."""
    verdict = judged([2, 3, 5], ALL)
    assert verdict.outcome is Outcome.PASS
    assert (verdict.measured, verdict.limit, verdict.n) == (20.0, 120.0, 5)
    assert verdict.reason == "from 2 to 5 workers, 5 of them after 20.0 s; 5 different workers answered"


def test_workers_that_never_came_up_are_a_fail_whoever_answered() -> None:
    """Five ids answered, but never more than four at once: one replaced another."""
    verdict = judged([2, 4, 4], ALL)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reason.startswith("at most 4 of 5 workers were up within 120 s")
    assert verdict.measured is None


def test_a_platform_without_machines_is_named() -> None:
    """Throttled workers are why; where the workers came after all, they are no part of the reason."""
    looks = (Look(at_s=0.0, up=2), Look(at_s=5.0, up=3, throttled=2))
    failed = brought_up(Seen(began=BEGAN, looks=looks), ALL, LIMITS, workers_max=WORKERS)
    assert failed.reason.endswith("(2 workers were throttled: the platform had no machine for them)")
    came = (*looks, Look(at_s=9.0, up=5))
    assert "throttled" not in brought_up(Seen(began=BEGAN, looks=came), ALL, LIMITS, workers_max=WORKERS).reason


def test_workers_that_came_too_late_are_a_fail() -> None:
    """The twelfth second after the time is over counts as never."""
    assert judged([2] * 13 + [5], ALL).outcome is Outcome.FAIL


def test_containers_alone_prove_no_capacity() -> None:
    """/health counts a worker whose model still loads: with too few answers, nothing is shown either way."""
    verdict = judged([2, 5], answers("a", "b", "a", "b"))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "only 2 different workers answered" in verdict.reason


def test_a_health_that_does_not_tell_is_an_error() -> None:
    """Nobody knows how many workers are up: neither a pass nor a fail."""
    verdict = judged([None, None], ALL)
    assert verdict.outcome is Outcome.ERROR
    assert "/health told of no workers in 2 looks" in verdict.reason
    assert judged([], ALL).outcome is Outcome.ERROR


def test_looks_that_failed_do_not_hide_those_that_told() -> None:
    """Some of the looks tell: those are judged."""
    assert judged([None, 2, None, 5], ALL).outcome is Outcome.PASS


def test_answers_after_the_time_prove_nothing() -> None:
    """The fifth worker answered after 120 s."""
    late = asked(4, worker="e", due=0.0, wall=BEGAN, done=130.0)
    assert judged([5], [*ALL[:4], late]).outcome is Outcome.INCONCLUSIVE


def test_an_earlier_burst_of_a_killed_run_does_not_count() -> None:
    """Only requests since this burst began are its own."""
    assert judged([5], ALL, began=BEGAN + 4.0).outcome is Outcome.INCONCLUSIVE
    assert judged([5], ALL, began=BEGAN + 1000.0).outcome is Outcome.ERROR


def test_a_burst_without_an_answer_is_an_error() -> None:
    """Refused requests ask for no workers."""
    refused = [asked(seq, error=ErrorClass.UNAUTHORIZED, worker=None) for seq in range(3)]
    verdict = judged([2, 2], refused)
    assert verdict.outcome is Outcome.ERROR
    assert "not one of 3 requests was answered (unauthorized)" in verdict.reason


def test_answers_without_a_worker_id_name_nobody() -> None:
    """What names no worker is no witness."""
    assert judged([5], answers(None, None)).outcome is Outcome.INCONCLUSIVE


def test_the_timed_engine_is_no_evidence() -> None:
    """As everywhere."""
    assert judged([5], [asked(0, engine="timed")]).outcome is Outcome.ERROR


@given(
    ups=st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=20),
    workers=st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", None]), max_size=12),
)
def test_a_pass_needs_both_witnesses(ups: list[int | None], workers: list[str | None]) -> None:
    """Whatever was seen: PASS exactly where both told of enough workers within the time."""
    enough = any(up is not None and up >= WORKERS for up in ups[:13]) and len({*workers} - {None}) >= WORKERS
    assert (judged(ups, answers(*workers)).outcome is Outcome.PASS) is enough
