"""The reconstructed soak has exactly the published figures."""

from go_live.config import load
from go_live.demo import reconstruction
from go_live.judge.percentiles import percentile
from tests.go_live.test_judge_command import TOML


def test_the_figures_come_out_exactly() -> None:
    """2,000 requests, p50 3449, p95 6929, 452 over 6000 ms: 299 in the first 400 rows, 138 in rows 1400 to 1800."""
    values = reconstruction.latencies_ms()
    slow = [value > 6000 for value in values]
    assert len(values) == 2000
    assert (percentile(values, 50), percentile(values, 95)) == (3449, 6929)
    assert (sum(slow), sum(slow[:400]), sum(slow[1399:1800])) == (452, 299, 138)


def test_it_is_the_same_every_time() -> None:
    """Seeded: two calls give the same rows."""
    assert reconstruction.latencies_ms() == reconstruction.latencies_ms()


def test_no_row_repeats_another() -> None:
    """Times look like a clock's: hardly two are equal."""
    assert len(set(reconstruction.latencies_ms())) >= 1999


def test_the_records_are_a_closed_loop_at_c2() -> None:
    """Two requests are in flight at any time, numbered in due order, and keep the latencies."""
    records = reconstruction.records()
    assert [record.seq for record in records] == list(range(2000))
    assert [record.due for record in records] == sorted(record.due for record in records)
    ends = sorted(record.done or 0 for record in records)
    assert all(records[i + 2].due == ends[i] for i in range(1998))
    assert [round(record.total_ms, 3) for record in records] == [round(ms, 3) for ms in reconstruction.latencies_ms()]


def test_its_limits_are_the_projects_own() -> None:
    """The demonstration judges by the limits that golive.toml ships with."""
    config = load(TOML)
    assert (config.soak, config.slo) == (reconstruction.SOAK, reconstruction.SLO)
