"""The claims on a soak."""

from typing import Any

import numpy as np
import pytest

from go_live.judge import soak
from go_live.outcome import Outcome, Verdict
from go_live.records import ErrorClass, Record
from go_live.table import Floats, Table
from tests.go_live.judge.builders import SLO, SOAK, record, records


def healthy(n: int = 400, **changes: Any) -> list[Record]:
    """A healthy soak."""
    return records(n, phase="soak", **changes)


def every_claim(run: list[Record], *, allow_timed: bool = False) -> list[Verdict]:
    """All claims, success of the soak alone among them."""
    planned = soak.soak_claims(SOAK, SLO, run, planned_s=700, allow_timed=allow_timed)
    return [*planned, soak.success(SOAK, SLO, run, allow_timed=allow_timed)]


def test_a_healthy_soak_passes() -> None:
    """500 steady requests pass every claim; warm-up and load records are not looked at."""
    foreign = [*records(50, bad=range(50), phase="warmup"), *records(50, bad=range(50))]
    verdicts = every_claim([*foreign, *healthy(500)])
    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS] * 11
    assert {verdict.n for verdict in verdicts} == {500}


def test_without_a_plan_the_duration_is_left_out() -> None:
    """A file that does not say how long it was planned for is not judged on it."""
    assert len(soak.soak_claims(SOAK, SLO, healthy(), planned_s=None)) == 9


def test_nothing_recorded_is_an_error_everywhere() -> None:
    """No soak record: every claim is an ERROR."""
    assert {verdict.outcome for verdict in every_claim(records(400))} == {Outcome.ERROR}


def test_the_timed_engine_is_never_evidence() -> None:
    """Every claim refuses the timed engine, unless the harness tests itself."""
    timed = healthy(500, engine="timed")
    assert {verdict.outcome for verdict in every_claim(timed)} == {Outcome.ERROR}
    assert {verdict.outcome for verdict in every_claim(timed, allow_timed=True)} == {Outcome.PASS}


def test_a_slow_half_is_located() -> None:
    """A soak whose second half is slow fails p95, and the reason says which requests."""
    run = [record(seq, phase="soak", due=seq * 1.75 - (3 if seq >= 200 else 0)) for seq in range(400)]
    verdict = soak.total_p95(SOAK, SLO, run)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reason.endswith("requests 201-400 hold 200 of them")
    assert soak.total_p50(SOAK, SLO, run).outcome is Outcome.INCONCLUSIVE


def test_a_verdict_without_a_limit_is_not_located() -> None:
    """Only a failed latency has a place."""
    verdict = Verdict(claim="soak", outcome=Outcome.FAIL, reason="because")
    assert soak.located(verdict, [1.0]) is verdict


def test_failures_break_the_fail_rate() -> None:
    """5 % of FAILED jobs are no 99 %."""
    verdict = soak.success(SOAK, SLO, healthy(bad=range(0, 400, 20)))
    assert (verdict.outcome, verdict.misses) == (Outcome.FAIL, 20)


def test_a_growing_execution_time_fails() -> None:
    """Executions that grow by half over the soak fail the stability claim and no other trend."""
    run = [record(seq, phase="soak", execution_ms=2788 * (1 + seq / 800)) for seq in range(400)]
    assert soak.stable_exec(SOAK, run).outcome is Outcome.FAIL
    assert soak.throughput(SOAK, run).outcome is Outcome.PASS


def test_a_shrinking_execution_time_passes() -> None:
    """Getting faster is a trend, not a fault."""
    run = [record(seq, phase="soak", execution_ms=2788 * (1 - seq / 800)) for seq in range(400)]
    assert soak.stable_exec(SOAK, run).outcome is Outcome.PASS


def test_falling_tokens_per_second_fail() -> None:
    """Answers that carry ever fewer tokens in the same time are a throughput degradation."""
    run = [record(seq, phase="soak", output_tokens=150 - seq // 6) for seq in range(400)]
    assert soak.throughput(SOAK, run).outcome is Outcome.FAIL
    assert soak.stable_exec(SOAK, run).outcome is Outcome.PASS


def test_failures_deliver_no_tokens() -> None:
    """Failures that become more frequent are a throughput degradation, too."""
    run = healthy(bad=[seq for seq in range(400) if seq % 400 > 200 and seq % 3])
    assert soak.throughput(SOAK, run).outcome is not Outcome.PASS


def test_unknown_tokens_are_not_measured() -> None:
    """An answer without a token count makes the throughput unknown."""
    run = [*healthy(399), record(399, phase="soak", output_tokens=None)]
    verdict = soak.throughput(SOAK, run)
    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "the token count is missing from 1 of 400 answers")


def test_an_unreported_execution_time_is_not_measured() -> None:
    """Answers without executionTime cannot show that it is stable."""
    verdict = soak.stable_exec(SOAK, healthy(execution_ms=None))
    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "executionTime is missing from 400 of 400 answers")


def test_failed_requests_do_not_stand_in_for_executions() -> None:
    """The stability of executions is judged on those that took place."""
    assert soak.stable_exec(SOAK, healthy(bad=range(0, 400, 5))).n == 320


@pytest.mark.parametrize(
    "timeout",
    [
        {"error": ErrorClass.DEADLINE},
        {"error": ErrorClass.TIMED_OUT},
        {"error": ErrorClass.NOT_JSON, "http_status": 524},
        {"error": ErrorClass.SERVER, "http_status": 504},
        {"error": ErrorClass.BAD_REQUEST, "http_status": 408},
    ],
)
def test_one_timeout_is_one_too_many(timeout: dict[str, Any]) -> None:
    """The client's deadline, the platform's timeout and a proxy's 504 or 524: each is a timeout error."""
    run = [*healthy(399), record(399, phase="soak", **timeout)]
    verdict = soak.no_timeouts(run)
    assert (verdict.outcome, verdict.measured) == (Outcome.FAIL, 1)


def test_other_failures_are_no_timeouts() -> None:
    """A FAILED job counts against the fail rate, not here."""
    assert soak.no_timeouts(healthy(bad=[7])).outcome is Outcome.PASS


def test_a_soak_cut_short_is_not_measured() -> None:
    """Half of the planned time proves nothing, good or bad."""
    verdict = soak.duration(healthy(), planned_s=1400)
    assert verdict.outcome is Outcome.ERROR
    assert verdict.reason == "702 s of 1400 s were under load: the soak was cut short"


def test_a_soak_that_was_ended_early_says_why() -> None:
    """Half of the time, by design: neither measured to the end nor an error; served to the end it is a PASS."""
    verdict = soak.duration(healthy(), planned_s=1400, ended="total p95 is refuted")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reason == "702 s of 1400 s were under load; the soak was ended early: total p95 is refuted"
    assert soak.duration(healthy(), planned_s=700, ended="total p95 is refuted").outcome is Outcome.PASS


def test_what_speaks_of_the_whole_soak_is_open_when_it_was_ended_early() -> None:
    """No trend in the part that was served is no PASS; a trend that is there is one all the same."""
    passed, failed = (Verdict(claim="c", outcome=outcome, reason="r") for outcome in (Outcome.PASS, Outcome.FAIL))
    assert soak.cut_short(passed, None) is passed
    assert soak.cut_short(passed, "why").outcome is Outcome.INCONCLUSIVE
    assert soak.cut_short(failed, "why") is failed
    verdicts = soak.soak_claims(SOAK, SLO, healthy(500), planned_s=1400, ended="why")
    assert all(v.outcome is Outcome.INCONCLUSIVE for v in verdicts if "does not worsen" in v.claim)


def test_what_else_wears_out_is_judged_with_the_workers_memory() -> None:
    """Total and queue time, right answers, workers, and each worker's memory: one verdict each."""
    at = np.linspace(0.0, 59.0, 60) + 1_760_000_000
    memory: dict[str, tuple[Floats, Floats]] = {"w1": (at, np.full(60, 2e9)), "w2": (at, np.linspace(2e9, 4e9, 60))}
    found = soak.stable(SOAK, healthy(), memory=memory)
    outcomes = {verdict.claim.split(": ")[1].split(" does")[0]: verdict.outcome for verdict in found}
    assert outcomes["memory of w1"] is Outcome.PASS
    assert outcomes["memory of w2"] is not Outcome.PASS
    assert {"total_ms", "queue_ms", "right answers"} <= set(outcomes)
    assert not {"exec_ms", "tokens/s"} & set(outcomes)


def test_figures_are_made_when_they_are_looked_at() -> None:
    """The mapping knows its names and makes a series anew each time."""
    made = soak.Figures(soak.figures(SOAK, Table.of(healthy()), {}))
    assert len(made) == len(list(made)) == 5
    assert made["exec_ms"] is not made["exec_ms"]
