"""What the queue is made of, shown on timed workers; and that a flood of jobs comes through whole."""

import pytest

from tests.go_live.local_endpoint.queue_experiment import EXEC_MS, flood, queue_experiment


@pytest.mark.slow
@pytest.mark.alone
def test_taking_one_job_at_a_time_makes_the_queue() -> None:
    """Two workers, 2.788 s, one job at a time: at c=4 half of the requests wait for more than 2.5 s."""
    (level,) = queue_experiment(max_concurrency=1, concurrencies=(4,))
    assert level.queue_ms_p50 > 2500
    assert level.exec_ms_p50 >= EXEC_MS


@pytest.mark.slow
@pytest.mark.alone
def test_the_workers_default_concurrency_unmakes_it() -> None:
    """At c=4, 8 and 16: queue p50 at most 100 ms, total p50 within 1.10 times the execution p50."""
    for level in queue_experiment(max_concurrency=None, concurrencies=(4, 8, 16)):
        assert level.queue_ms_p50 <= 100, level
        assert level.total_ms_p50 <= 1.10 * level.exec_ms_p50, level


@pytest.mark.slow
@pytest.mark.alone
def test_ten_thousand_jobs_are_neither_lost_nor_doubled() -> None:
    """Through one timed worker at MAX_CONCURRENCY=512: each COMPLETED, each started exactly once."""
    seen = flood(10_000)
    assert (seen.completed, seen.started, seen.distinct) == (10_000, 10_000, 10_000)
