"""What the local endpoint costs: ten thousand trivial jobs through it, beside a bare server that hands out jobs."""

import asyncio
import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.table import show
from tests.go_live.local_endpoint.queue_experiment import Flood, flood, sdk_alone

JOBS = 10_000
MAX_CONCURRENCY = 512
ROUNDS = 2
RATIO_MIN = 0.8
"""Least that the endpoint's throughput may be of what the SDK reaches alone."""


def take_turns() -> tuple[list[float], list[Flood]]:
    """Jobs per second of the SDK alone, and the floods through the endpoint, in turns."""
    turns = [(asyncio.run(sdk_alone(JOBS, MAX_CONCURRENCY)), flood(JOBS, MAX_CONCURRENCY)) for _ in range(ROUNDS)]
    return [alone for alone, _ in turns], [through for _, through in turns]


@pytest.mark.timeout(400)
def test_the_endpoint_keeps_up_with_the_sdk(benchmark: BenchmarkFixture) -> None:
    """10,000 jobs through one timed worker: none lost or doubled, at least 0.8 of the SDK's own throughput."""
    alone, floods = benchmark.pedantic(take_turns)  # type: ignore[no-untyped-call]  # the plugin is untyped
    through = [one.jobs_per_s for one in floods]
    medians = statistics.median(alone), statistics.median(through)
    ratio = medians[1] / medians[0]
    n = JOBS * ROUNDS
    benchmark.extra_info.update({"n": n, "ratio": ratio, "bar": RATIO_MIN})
    show(
        f"trivial jobs, one timed worker, MAX_CONCURRENCY={MAX_CONCURRENCY}",
        ("through", "n", "jobs/s", "rounds", "ratio", "bar"),
        [
            ("the SDK alone", n, medians[0], [round(one) for one in alone], "", ""),
            ("the local endpoint", n, medians[1], [round(one) for one in through], ratio, RATIO_MIN),
        ],
    )
    for one in floods:
        assert (one.completed, one.started, one.distinct) == (JOBS, JOBS, JOBS), one
    assert ratio >= RATIO_MIN
