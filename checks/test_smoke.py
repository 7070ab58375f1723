"""SMK: does the endpoint answer at all."""

import secrets
import time

import pytest

from checks.target import Target
from checks.workload import is_right, job_input, open_prompts, shown
from go_live.gate import Gate
from go_live.jobs.answer import TERMINAL
from go_live.pytest_plugin import Verdicts, item

POLL_S = 0.2
TRIES = 200


@item("SMK-1")
def test_runsync_answers(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """A valid request on /runsync comes back COMPLETED with a text."""
    answer = target.complete(job_input(open_prompts()[0].prompt, max_tokens=gate.config.load.max_tokens))
    problems = [f"{answer.error}: {answer.detail}"] if answer.error else []
    verdict(shown("a valid request on /runsync is answered", problems, n=1))


@item("SMK-1")
def test_run_and_status_answer(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """A valid request on /run is COMPLETED when /status is asked often enough."""
    queued = target.run(job_input(open_prompts()[0].prompt, max_tokens=gate.config.load.max_tokens))
    job = queued.data.get("id")
    assert isinstance(job, str), f"/run answered HTTP {queued.http_status} without a job id"
    status = {}
    for _ in range(TRIES):
        status = target.status(job).data
        if status.get("status") in TERMINAL:
            break
        time.sleep(POLL_S)
    problems = [] if status.get("status") == "COMPLETED" else [f"job {job} is {status.get('status')}"]
    verdict(shown("a valid request on /run is COMPLETED on /status", problems, n=1))


@item("SMK-2")
def test_probe_names_this_commit(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """The probe echoes a nonce made just now, and names the commit that is being released."""
    nonce = secrets.token_hex(8)
    probe = target.probe(nonce)
    commit = gate.plan.repository.commit
    problems = []
    if probe.get("nonce") != nonce:
        problems.append("the nonce came back changed")
    if probe.get("commit") != commit:
        problems.append(f"the endpoint serves commit {probe.get('commit')}, not {commit}")
    verdict(shown(f"the endpoint serves commit {commit[:12]}", problems, n=1))


@item("SMK-3")
def test_health_reports_workers(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """/health reports at least the workers that are always on, and none unhealthy."""
    live = gate.plan.target.kind == "runpod"
    expected = gate.config.endpoint.expected.workers_min if live else gate.profile.workers
    workers = target.health().workers
    up = workers.idle + workers.ready + workers.running
    problems = []
    if up < expected:
        problems.append(f"{up} workers are up, {expected} are expected")
    if workers.unhealthy:
        problems.append(f"{workers.unhealthy} workers are unhealthy")
    verdict(shown(f"at least {expected} workers are up and none is unhealthy", problems, n=1))


@item("SMK-4")
@pytest.mark.usefixtures("meaning")
def test_golden_prompts_one_at_a_time(target: Target, gate: Gate, word_for_word: bool, verdict: Verdicts) -> None:  # noqa: FBT001 - a fixture
    """Each golden prompt, asked alone, gets its right answer."""
    prompts = open_prompts()
    problems = []
    for golden in prompts:
        answer = target.complete(job_input(golden.prompt, max_tokens=gate.config.load.max_tokens))
        if not is_right(golden, answer, word_for_word=word_for_word):
            problems.append(f"prompt {golden.id!r}: {answer.error or 'another answer than the golden one'}")
    verdict(shown("every golden prompt, asked alone, is answered rightly", problems, n=len(prompts)))
