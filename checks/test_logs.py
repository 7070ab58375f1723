"""LOG: what the workers' logs say after load and soak, and how much of them was read."""

import pytest

from checks.levels import Measured, levels_up_to
from checks.target import Target
from go_live.config import Slo
from go_live.evidence.run_directory import requests
from go_live.gate import Gate
from go_live.judge import worker_log as claims
from go_live.judge.worker_log import Join, WorkerLog
from go_live.pytest_plugin import Verdicts, item
from go_live.tuning.effective import effective_cap

Joined = tuple[WorkerLog, Join]


@pytest.fixture(scope="session")
def joined(target: Target, measured: Measured, gate: Gate) -> Joined:
    """The workers' logs, read after load and soak, and joined with the requests that were answered."""
    assert len(measured.records)
    counted = levels_up_to(effective_cap(gate.config))
    # Job ids stand in the log alone: a million of them in memory would be all that is there.
    jobs = [
        record.job
        for record in requests(gate.directory)
        if record.ok and (record.phase == "soak" or (record.phase == "load" and record.level in counted))
    ]
    return target.log.joined(jobs)


@item("LOG-1")
def test_no_gpu_trouble_and_no_traceback(joined: Joined, verdict: Verdicts) -> None:
    """No CUDA out-of-memory, GPU or NCCL error, traceback, killed process or dead engine stands in the log."""
    verdict(claims.free_of(*joined, claims.GPU_TROUBLE, claim="the log tells of no GPU error and no traceback"))


@item("LOG-2")
def test_no_time_out(joined: Joined, verdict: Verdicts) -> None:
    """No time-out stands in the log."""
    verdict(claims.free_of(*joined, claims.TIME_OUTS, claim="the log tells of no time-out"))


@item("LOG-3")
def test_logged_exec_ms_meets_the_slo(joined: Joined, slo: Slo, verdict: Verdicts) -> None:
    """exec_ms of the end lines, joined by job id to the requests that succeeded, is within the execution limits."""
    verdict(*claims.logged_exec(*joined, slo))
