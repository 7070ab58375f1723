"""What logs prove, and what they do not: silence in a part of a log is no "no errors"."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.judge.worker_log import GPU_TROUBLE, TIME_OUTS, Join, WorkerLog, free_of, headroom, logged_exec
from go_live.outcome import Outcome, Verdict
from tests.go_live.judge.builders import SLO

JOBS = [f"job-{n}" for n in range(124)]


def end(job: str, exec_ms: Any = 2800.0, **fields: Any) -> str:
    """The worker's last line of a job."""
    return json.dumps({"ts": "t", "event": "end", "request_id": job, "ok": True, "exec_ms": exec_ms, **fields}) + "\n"


HEALTHY = [end(job, 2700.0 + n) for n, job in enumerate(JOBS)]


def no_trouble(lines: list[str], kinds: dict[str, str] = GPU_TROUBLE, why: str = "") -> Verdict:
    """The verdict of LOG-1 (or another) on ``lines``."""
    read = WorkerLog.of(lines, why)
    return free_of(read, Join.of(JOBS, read), kinds, claim="no trouble")


def test_a_whole_log_without_trouble_passes_and_says_how_whole() -> None:
    """Every request found its line; the share is stated."""
    verdict = no_trouble(HEALTHY)
    assert verdict.outcome is Outcome.PASS
    assert verdict.reason == "none in 124 lines; 124 of 124 requests found their end line (100 %)"
    assert verdict.points == {"share_joined": 1.0}


def test_no_log_is_an_error_with_its_reason() -> None:
    """Never "no errors"; blank lines are no log."""
    for kinds in (GPU_TROUBLE, TIME_OUTS):
        verdict = no_trouble(["\n", ""], kinds, "GET /serverless/x/workers: HTTP 403")
        assert verdict.outcome is Outcome.ERROR
        assert verdict.reason == "not one line of the workers' log was read: GET /serverless/x/workers: HTTP 403"
    read = WorkerLog.of([])
    assert [one.outcome for one in logged_exec(read, Join.of(JOBS, read), SLO)] == [Outcome.ERROR]


def test_a_part_of_a_log_shows_no_absence_and_does_show_trouble() -> None:
    """Half of the lines: INCONCLUSIVE without trouble, FAIL with it."""
    half = HEALTHY[:62]
    verdict = no_trouble(half)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "only 62 of 124 requests found their end line (50 %)" in verdict.reason
    assert no_trouble([*half, "CUDA out of memory"]).outcome is Outcome.FAIL


def test_a_log_of_no_request_shows_no_absence() -> None:
    """Nothing was answered: no line can be missing, and none was shown to be there."""
    read = WorkerLog.of(["a line"])
    assert free_of(read, Join.of([], read), GPU_TROUBLE, claim="c").outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("CUDA out of memory", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."),
        ("a GPU error", "RuntimeError: CUDA error: an illegal memory access was encountered"),
        ("a GPU error", "NVRM: Xid (PCI:0000:65:00): 79, GPU has fallen off the bus."),
        ("an NCCL error", "[rank0] NCCL WARN Cuda failure 'out of memory'"),
        ("an NCCL error", "ncclUnhandledCudaError: Call to CUDA function failed."),
        ("a traceback", "Traceback (most recent call last):"),
        (
            "a traceback",
            '{"requestId": "x", "message": "oops\\nTraceback (most recent call last):\\n", "level": "ERROR"}',
        ),
        ("a dead engine", "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue."),
        ("a killed process", "Memory cgroup out of memory: Killed process 77 (python)"),
        ("a killed process", "worker exited with exit code 137"),
    ],
)
def test_each_kind_of_trouble_is_named_with_its_line(name: str, line: str) -> None:
    """Whatever else stands in the log."""
    verdict = no_trouble([*HEALTHY, f"{line}\n", f"{line}\n"])
    assert verdict.outcome is Outcome.FAIL
    assert f"{name}, 2 lines: {line[:40]!r}"[:-1] in verdict.reason
    assert (verdict.misses or 0) >= 2


@pytest.mark.parametrize("line", ["asyncio.exceptions.TimeoutError", "request timed out", "executionTimeout exceeded"])
def test_time_outs_are_their_own_claim(line: str) -> None:
    """FAIL of LOG-2, and none of LOG-1."""
    assert no_trouble([*HEALTHY, line], TIME_OUTS).outcome is Outcome.FAIL
    assert no_trouble([*HEALTHY, line]).outcome is Outcome.PASS


def test_logged_times_are_judged_on_the_joined_requests() -> None:
    """p50 and p95, with the share; other jobs' lines, failed ones and what is no time do not count."""
    foreign = [
        end("another", 99_000.0),
        end("failed", 99_000.0, ok=False),
        end("odd", "fast"),
        end("odd2", exec_ms=True),
    ]
    read = WorkerLog.of([*foreign, *HEALTHY, end(JOBS[0], 9e4, ok=False)])
    p50, p95 = logged_exec(read, Join.of(JOBS, read), SLO)
    assert (p50.outcome, p95.outcome) == (Outcome.PASS, Outcome.PASS)
    assert p50.measured == 2761.0
    assert "124 of 124 requests found their end line (100 %)" in p50.reason
    assert p95.points["share_joined"] == 1.0
    slow = WorkerLog.of([end(job, 6000.0 + n) for n, job in enumerate(JOBS)])
    assert [one.outcome for one in logged_exec(slow, Join.of(JOBS, slow), SLO)] == [Outcome.FAIL, Outcome.FAIL]


def test_too_few_lines_are_no_figure() -> None:
    """122 of 124 are below 99 %: what is missing may be what was slow."""
    read = WorkerLog.of(HEALTHY[:122])
    (verdict,) = logged_exec(read, Join.of(JOBS, read), SLO)
    assert verdict.outcome is Outcome.ERROR
    assert "only 122 of 124 requests found their end line" in verdict.reason


def test_requests_without_a_job_id_found_nothing() -> None:
    """They count among those that were asked."""
    read = WorkerLog.of(HEALTHY)
    assert Join.of([*JOBS, None, None], read).share == 124 / 126


@given(st.lists(st.text(max_size=60), max_size=20))
def test_any_line_can_be_read(lines: list[str]) -> None:
    """Foreign and broken lines raise nothing, and pass nothing by themselves."""
    assert no_trouble([f'{{"event": {line}' for line in lines] + lines).outcome is not Outcome.PASS


GIB = {"device_memory_used_mib": 22_000, "device_memory_total_mib": 24_564}


def test_the_fullest_device_decides() -> None:
    """One of three is above the limit."""
    full = {**GIB, "device_memory_used_mib": 24_500}
    verdict = headroom([("the probe", GIB), ("a ready line", full), ("a ready line", GIB)], 0.97, claim="c")
    assert (verdict.outcome, verdict.misses, verdict.n) == (Outcome.FAIL, 1, 3)
    assert verdict.reason == "24500 of 24564 MiB are in use, a ready line says (3 were told)"
    assert headroom([("the probe", GIB)], 0.97, claim="c").outcome is Outcome.PASS


@pytest.mark.parametrize("wrong", [None, True, "22000", float("nan"), float("inf")])
def test_what_tells_no_memory_is_an_error(wrong: Any) -> None:
    """Among any number of others."""
    broken = {**GIB, "device_memory_used_mib": wrong}
    assert headroom([("the probe", GIB), ("a ready line", broken)], 0.97, claim="c").outcome is Outcome.ERROR
    assert headroom([], 0.97, claim="c").outcome is Outcome.ERROR


def test_a_torn_line_tells_nothing() -> None:
    """A structured line that was cut off is read as text and counts as no end; the whole one behind it does."""
    whole = json.dumps({"event": "end", "request_id": "j", "ok": True, "exec_ms": 12.0})
    read = WorkerLog.of([whole[:-9], whole])
    assert (read.lines, read.ends) == (2, {"j": 12.0})


def test_what_a_worker_said_when_it_began_is_kept() -> None:
    """The ``ready`` line whole, and nothing of an event of another name."""
    lines = [json.dumps({"event": name, "max_concurrency": 30}) for name in ("ready", "start")]
    assert WorkerLog.of(lines).ready == [{"event": "ready", "max_concurrency": 30}]
