"""What the queue is made of: two timed workers of 2.788 s, one job at a time against the worker's default concurrency.

The same clients, endpoint and execution time; only MAX_CONCURRENCY differs (docs/decisions/0010).
"""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.table import show
from tests.go_live.local_endpoint.queue_experiment import Level, queue_experiment

CONCURRENCIES = (4, 8, 16)
ONE_AT_A_TIME_MS_MIN = 2500.0
"""Least queue p50 at c=4 when a worker takes one job at a time, as the original measured."""
DEFAULT_MS_MAX = 100.0
"""Most queue p50 at the worker's default."""
TOTAL_RATIO_MAX = 1.10
"""Most that the total p50 may be of the execution p50 at the worker's default."""

COLUMNS = ("a worker takes", "c", "n", "queue p50 ms", "exec p50 ms", "total p50 ms", "total/exec", "bar")


def row(takes: str, level: Level, bar: str) -> tuple[object, ...]:
    """One line of the table."""
    ratio = level.total_ms_p50 / level.exec_ms_p50
    return (takes, level.concurrency, level.n, level.queue_ms_p50, level.exec_ms_p50, level.total_ms_p50, ratio, bar)


def measure() -> tuple[list[Level], list[Level]]:
    """The levels of one job at a time (two requests a client: each waits long), and of the default."""
    single = queue_experiment(max_concurrency=1, concurrencies=CONCURRENCIES, rounds=2)
    return single, queue_experiment(max_concurrency=None, concurrencies=CONCURRENCIES, rounds=3)


@pytest.mark.timeout(300)
def test_one_job_at_a_time_makes_the_queue(benchmark: BenchmarkFixture) -> None:
    """One at a time: queue p50 above 2.5 s at c=4. Default: at most 100 ms, total within 1.10 times the execution."""
    single, default = benchmark.pedantic(measure)  # type: ignore[no-untyped-call]  # the plugin is untyped
    bars = {4: f"queue > {ONE_AT_A_TIME_MS_MIN:g}"}
    show(
        "queue experiment, 2 timed workers",
        COLUMNS,
        [
            *(row("one job", level, bars.get(level.concurrency, "")) for level in single),
            *(row("its default", level, f"queue <= {DEFAULT_MS_MAX:g}, <= {TOTAL_RATIO_MAX}") for level in default),
        ],
    )
    assert single[0].queue_ms_p50 > ONE_AT_A_TIME_MS_MIN
    for level in default:
        assert level.queue_ms_p50 <= DEFAULT_MS_MAX, level
        assert level.total_ms_p50 <= TOTAL_RATIO_MAX * level.exec_ms_p50, level
