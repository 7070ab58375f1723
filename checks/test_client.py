"""CLI: what every caller must keep to."""

import time
from typing import Any

import pytest

from checks.gateway import CALLERS, LEVEL, Through, through_gateway
from checks.target import Target
from checks.workload import job_input, open_prompts, shown
from go_live.config import Slo
from go_live.gate import Gate
from go_live.jobs.answer import Answer
from go_live.judge import claims
from go_live.load.runner import Prompt
from go_live.outcome import Outcome, Verdict
from go_live.pytest_plugin import Verdicts, item
from go_live.records import ErrorClass
from go_live.tuning.effective import effective_cap

DEADLINE_S = 0.05
"""Stands for the client's time-out, scaled so that no healthy worker can be in time for 256 tokens."""
GRACE_S = 2.0
ASKED = 3
"""Times that a request is asked which is answered all the same: on a machine that stalls, answer and deadline race."""
POLL_S = 0.2
TRIES = 50


@item("CLI-1")
def test_a_late_request_is_given_up_and_cancelled(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """A request that outlives its deadline is given up within two seconds, and its job is cancelled upstream."""
    long = job_input(open_prompts()[0].prompt, max_tokens=gate.config.guardrails.max_tokens_max, ignore_eos=True)
    answer, took = _asked(target, long)
    for _ in range(ASKED - 1):
        if answer.error is None:
            answer, took = _asked(target, long)
    problems = []
    if answer.error is not ErrorClass.DEADLINE:
        problems.append(f"it was not given up but ended as {answer.error or 'answered'}")
    if took > DEADLINE_S + GRACE_S:
        problems.append(f"it was given up after {took:.1f} s")
    if answer.job is not None and (status := _settled(target, answer.job)) != "CANCELLED":
        problems.append(f"its job is {status} and not CANCELLED")
    verdict(
        shown(f"a request is given up at its deadline ({DEADLINE_S:g} s here) and its job cancelled", problems, n=1)
    )


@item("CLI-1")
def test_the_client_waits_as_long_as_declared(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """The client's own time-out is the declared one."""
    declared, own = gate.config.client.timeout_s, target.endpoint.timeout_s
    problems = [] if own == declared else [f"the client waits {own:g} s"]
    verdict(shown(f"the client waits {declared:g} s and no longer", problems, n=1))


def _asked(target: Target, long: dict[str, Any]) -> tuple[Answer, float]:
    """What came of a request with the deadline, and after how many seconds."""
    began = time.monotonic()
    answer = target.complete_streaming(long, deadline_s=DEADLINE_S)
    return answer, time.monotonic() - began


@pytest.fixture(scope="module")
def through(target: Target, gate: Gate, prompts: tuple[Prompt, ...]) -> Through:
    """Many callers at once, through the gateway."""
    came: Through = target.call(lambda: through_gateway(target, gate, prompts))
    gate.fact({"through_gateway": {"most": came.most, "looks": came.looks, "turned_away": came.turned_away}})
    return came


@item("CLI-2")
def test_callers_together_keep_to_the_cap(through: Through, gate: Gate, verdict: Verdicts) -> None:
    """The endpoint itself, asked over and over, never has more jobs than the cap while many callers ask at once."""
    verdict(kept_to(effective_cap(gate.config), through))


@item("CLI-2")
def test_admitted_requests_are_quick(through: Through, slo: Slo, gate: Gate, verdict: Verdicts) -> None:
    """Requests that the gateway lets through meet the latency SLOs, from their sending to their answer."""
    for claim in (claims.total_p50, claims.total_p95, claims.exec_p50, claims.exec_p95):
        verdict(claim(slo, through.records, level=LEVEL, allow_timed=gate.allow_timed))


def kept_to(cap: int, through: Through) -> Verdict:
    """Whether the endpoint never had more than ``cap`` jobs; shown only where it had as many."""
    claim = f"{CALLERS} callers together never hold more than {cap} requests in flight"
    if through.before:
        outcome, reason = Outcome.ERROR, f"the endpoint already had {through.before} jobs that are none of ours"
    elif through.most > cap:
        outcome, reason = Outcome.FAIL, f"{through.most} requests were in flight"
    elif through.most < cap:
        outcome = Outcome.INCONCLUSIVE
        reason = f"no more than {through.most} were seen in flight in {through.looks} looks: the cap was never reached"
    else:
        outcome = Outcome.PASS
        reason = f"{through.most} were in flight at most, in {through.looks} looks; {through.turned_away} turned away"
    return Verdict(
        claim=claim,
        outcome=outcome,
        reason=reason,
        n=through.looks,
        misses=int(through.most > cap),
        measured=through.most,
        limit=cap,
        unit="requests",
    )


def _settled(target: Target, job: str) -> str:
    status = ""
    for _ in range(TRIES):
        status = str(target.status(job).data.get("status"))
        if status not in {"IN_QUEUE", "IN_PROGRESS"}:
            break
        time.sleep(POLL_S)
    return status
