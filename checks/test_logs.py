"""LOG: what the worker's log says after load and soak. Needs the log itself."""

import re

import pytest

from checks.levels import Measured, levels_up_to
from checks.target import Target
from checks.workload import shown
from go_live.config import Slo
from go_live.evidence.run_directory import requests
from go_live.gate import Gate
from go_live.judge.shares import at_most, cannot
from go_live.judge.tally import Rule
from go_live.pytest_plugin import Verdicts, item

GPU_TROUBLE = {
    "CUDA out of memory": re.compile(r"CUDA out of memory|OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY", re.IGNORECASE),
    "a GPU error": re.compile(
        r"CUDA error|cudaError|\bXid\b|ECC error|NCCL (?:error|WARN)|device-side assert", re.IGNORECASE
    ),
    "a traceback": re.compile(r"^Traceback \(most recent call last\)", re.MULTILINE),
    "a dead engine": re.compile(r"EngineDeadError|EngineCore (?:died|encountered)|\"class\": \"engine_dead\""),
}
TIME_OUTS = {"a time-out": re.compile(r"TimeoutError|timed out|executionTimeout exceeded|Read timed", re.IGNORECASE)}
SHARE_JOINED = 0.99


@pytest.fixture
def log_text(target: Target, measured: Measured) -> str:  # noqa: ARG001 - measured first: the log is read after the load
    """The workers' log after load and soak, if it can be read."""
    text = target.log_text()
    if not text:
        pytest.skip("the workers' log cannot be read here")
    return text


def found(text: str, patterns: dict[str, re.Pattern[str]]) -> list[str]:
    """Each kind of trouble that stands in ``text``, with the line that shows it."""
    problems = []
    for name, pattern in patterns.items():
        if match := pattern.search(text):
            start = text.rfind("\n", 0, match.start()) + 1
            line = text[start : text.find("\n", match.end())].strip()
            problems.append(f"{name}: {line[:160]!r}")
    return problems


@item("LOG-1")
def test_no_gpu_trouble_and_no_traceback(log_text: str, verdict: Verdicts) -> None:
    """No CUDA out-of-memory, GPU error, traceback or dead engine stands in the log."""
    verdict(
        shown("the log tells of no GPU error and no traceback", found(log_text, GPU_TROUBLE), n=log_text.count("\n"))
    )


@item("LOG-2")
def test_no_time_out(log_text: str, verdict: Verdicts) -> None:
    """No time-out stands in the log."""
    verdict(shown("the log tells of no time-out", found(log_text, TIME_OUTS), n=log_text.count("\n")))


@item("LOG-3")
def test_logged_exec_ms_meets_the_slo(
    log_text: str, target: Target, measured: Measured, gate: Gate, slo: Slo, verdict: Verdicts
) -> None:
    """exec_ms of the end lines, joined by job id to the requests that succeeded, is within the execution limits."""
    assert log_text
    assert len(measured.records)
    counted = levels_up_to(gate.config.client.concurrency_cap)
    logged = {
        event["request_id"]: event["exec_ms"] for event in target.events() if event["event"] == "end" and event["ok"]
    }
    # Job ids stand in the log alone: a million of them in memory would be all that is there.
    jobs = [
        record.job
        for record in requests(gate.directory)
        if record.ok and (record.phase == "soak" or (record.phase == "load" and record.level in counted))
    ]
    values = [logged[job] for job in jobs if job in logged]
    claim = "exec_ms in the log meets the execution limits"
    if not values or len(values) < SHARE_JOINED * len(jobs):
        verdict(cannot(claim, f"{len(values)} of {len(jobs)} requests found their end line", n=len(jobs)))
        return
    for q, limit in ((50, slo.exec_ms_p50), (95, slo.exec_ms_p95)):
        need = Rule(slo.confidence, family=2, anytime=True, burst_length=slo.burst_length)
        verdict(at_most(values, q=q, limit=limit, need=need, what="logged exec_ms", scope="levels and soak"))
