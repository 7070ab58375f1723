"""The claims on load levels."""

from typing import Any

import pytest

from go_live.config import Cold
from go_live.judge import claims
from go_live.outcome import Outcome
from go_live.records import ErrorClass, Record
from tests.go_live.judge.builders import SLO, record, records


def test_a_healthy_level_passes() -> None:
    """124 good requests pass every claim of their level, with the summary's limits in the claims."""
    verdicts = claims.load_claims(SLO, records(124), level="c=2")
    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS] * 6
    assert [verdict.claim for verdict in verdicts] == [
        "c=2: exec p50 is at most 3000 ms",
        "c=2: exec p95 is at most 5000 ms",
        "c=2: total p50 is at most 5000 ms",
        "c=2: total p95 is at most 8000 ms",
        "c=2: queue p50 is at most 2000 ms",
        "c=2: throughput of 50 % is at least 40 tokens/s",
    ]
    assert {verdict.scope for verdict in verdicts} == {"c=2"}
    assert all(set(verdict.points) == {"p50_ms", "p95_ms", "p99_ms"} for verdict in verdicts[:5])


@pytest.mark.parametrize(
    ("claim", "slow"),
    [
        (claims.exec_p50, {"execution_ms": 3001}),
        (claims.exec_p95, {"execution_ms": 5001}),
        (claims.total_p50, {"due": 0.0}),
        (claims.total_p95, {"due": 0.0}),
        (claims.queue_p50, {"delay_ms": 2001}),
        (claims.tokens_per_s_p50, {"output_tokens": 64}),
    ],
)
def test_each_claim_can_fail(claim: claims.LevelClaim, slow: dict[str, Any]) -> None:
    """Where everything is too slow by the claim's own figure, the claim fails."""
    assert claim(SLO, records(124, **slow), level="c=2").outcome is Outcome.FAIL


@pytest.mark.parametrize("claim", claims.LEVEL)
def test_failures_count_as_infinite(claim: claims.LevelClaim) -> None:
    """A level whose jobs all FAILED, however fast, fails every claim."""
    verdict = claim(SLO, records(124, bad=range(124)), level="c=2")
    assert (verdict.outcome, verdict.measured or None, verdict.misses) == (Outcome.FAIL, None, 124)


@pytest.mark.parametrize("claim", claims.LEVEL)
def test_other_records_are_not_judged(claim: claims.LevelClaim) -> None:
    """Warm-up, other levels, and a soak at the same concurrency stay out of a level's claims."""
    foreign = [
        *records(40, bad=range(40), phase="warmup"),
        *records(40, bad=range(40), level="c=4"),
        *records(40, bad=range(40), phase="soak"),
    ]
    verdict = claim(SLO, [*foreign, *records(124)], level="c=2")
    assert (verdict.outcome, verdict.n) == (Outcome.PASS, 124)


@pytest.mark.parametrize("claim", claims.LEVEL)
def test_no_records_are_an_error(claim: claims.LevelClaim) -> None:
    """A level that was not measured is no pass."""
    verdict = claim(SLO, records(124, level="c=3"), level="c=2")
    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "no requests were recorded")


@pytest.mark.parametrize("claim", claims.LEVEL)
def test_the_timed_engine_is_never_evidence(claim: claims.LevelClaim) -> None:
    """Answers of the timed engine are an ERROR unless the harness tests itself."""
    timed = records(124, engine="timed")
    assert claim(SLO, timed, level="c=2").outcome is Outcome.ERROR
    assert claim(SLO, timed, level="c=2", allow_timed=True).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("claim", "field", "name"),
    [
        (claims.exec_p95, "execution_ms", "executionTime"),
        (claims.queue_p50, "delay_ms", "delayTime"),
        (claims.tokens_per_s_p50, "output_tokens", "the token count"),
    ],
)
def test_an_unreported_figure_is_not_measured(claim: claims.LevelClaim, field: str, name: str) -> None:
    """An answer without the platform's figure is neither fast nor slow: ERROR, naming the figure."""
    gaps = [record(seq, **({field: None} if seq < 3 else {})) for seq in range(124)]
    verdict = claim(SLO, gaps, level="c=2")
    assert verdict.outcome is Outcome.ERROR
    assert verdict.reason == f"{name} is missing from 3 of 124 answers"


def wrong(n: int, of: int) -> list[Record]:
    """``of`` answered requests, ``n`` of them with a wrong answer."""
    return [record(seq, **({"error": ErrorClass.WRONG} if seq < n else {})) for seq in range(of)]


def test_success_is_judged_over_levels_and_soak_together() -> None:
    """No part alone has the 299 requests that 99 % takes; together they have."""
    parts = [records(124), records(124, level="c=3"), records(60, phase="soak")]
    assert all(claims.success_claim(part, 0.99, 0.95).outcome is Outcome.INCONCLUSIVE for part in parts)
    verdict = claims.success_claim([record for part in parts for record in part], 0.99, 0.95, scope="run")
    assert (verdict.outcome, verdict.n) == (Outcome.PASS, 308)
    assert verdict.claim == "run: success rate is at least 99 %"


def test_a_wrong_answer_is_an_answer_and_is_not_right() -> None:
    """Wrong answers leave the success rate alone and break correctness."""
    some = wrong(60, of=400)
    assert claims.success_claim(some, 0.99, 0.95).outcome is Outcome.PASS
    verdict = claims.correct_claim(some, 0.95, 0.95)
    assert (verdict.outcome, verdict.misses) == (Outcome.FAIL, 60)


@pytest.mark.parametrize("kind", [kind for kind in ErrorClass if kind is not ErrorClass.WRONG])
def test_every_other_error_is_no_success(kind: ErrorClass) -> None:
    """HTTP 200 with FAILED, an empty answer, a refusal in a load test, ...: none is a success."""
    verdict = claims.success_claim(records(400, error=kind), 0.99, 0.95)
    assert (verdict.outcome, verdict.misses) == (Outcome.FAIL, 400)


@pytest.mark.parametrize("claim", [claims.success_claim, claims.correct_claim])
def test_shares_need_evidence(claim: claims.LevelClaim) -> None:
    """Nothing recorded, warm-up alone or the timed engine: ERROR with the reason."""
    assert claim([], 0.95, 0.95).outcome is Outcome.ERROR
    assert claim(records(400, phase="warmup"), 0.95, 0.95).outcome is Outcome.ERROR
    timed = claim(records(400, engine="timed"), 0.95, 0.95)
    assert (timed.outcome, timed.reason, timed.n) == (
        Outcome.ERROR,
        "answers of the timed engine are never evidence",
        400,
    )
    assert claim(records(400, engine="timed"), 0.95, 0.95, allow_timed=True).outcome is Outcome.PASS


def test_cold_requests_are_judged_apart() -> None:
    """Three that waited for a start, all slow: the warm ones hold by themselves, and the cold ones fail."""
    cold = [record(seq, due=0.0, sent=0.001, delay_ms=20_000, done=23.0 + seq / 100, worker="w2") for seq in range(3)]
    run = [*cold, *records(124)[3:]]
    warm, few = claims.cold_and_warm(SLO, Cold(delay_ms=1000), run, level="c=2", idle_s=180)
    assert (warm.scope, warm.outcome, warm.n, warm.misses) == ("c=2, warm", Outcome.PASS, 121, 0)
    assert (few.scope, few.outcome, few.n) == ("c=2, cold", Outcome.FAIL, 3)
    assert few.reason.endswith("3 of 124 requests were cold")


def test_a_warm_level_is_judged_once() -> None:
    """Without a cold request there is one verdict, on all."""
    (only,) = claims.cold_and_warm(SLO, Cold(delay_ms=1000), records(124), level="c=2", idle_s=180)
    assert (only.scope, only.outcome, only.n) == ("c=2", Outcome.PASS, 124)


def test_nothing_recorded_is_neither_cold_nor_warm() -> None:
    """No records of the level: ERROR."""
    (only,) = claims.cold_and_warm(SLO, Cold(delay_ms=1000), records(124), level="c=9", idle_s=180)
    assert only.outcome is Outcome.ERROR
