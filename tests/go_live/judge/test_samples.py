"""The claims on samples of the recorded format."""

import math

import pytest

from go_live.judge.samples import Sample, load_verdicts, soak_verdicts
from go_live.outcome import Outcome
from tests.go_live.judge.builders import SLO, SOAK


def kept(n: int, *, bad: int = 0, ms: float = 3450.0) -> list[Sample]:
    """``n`` rows, the first ``bad`` of them without an answer."""
    return [Sample(i + 1, i >= bad, ms + i % 7, 150) for i in range(n)]


def test_a_long_healthy_file_passes() -> None:
    """400 good rows pass what such a file can answer."""
    assert {verdict.outcome for verdict in load_verdicts(SLO, kept(400))} == {Outcome.PASS}
    assert {verdict.outcome for verdict in soak_verdicts(SOAK, SLO, kept(400))} == {Outcome.PASS}


def test_what_ok_means_is_said() -> None:
    """The success claim says that HTTP 200 is all the file knows."""
    success = load_verdicts(SLO, kept(400))[2]
    assert "ok means HTTP 200 with output here; the job's status was not kept" in success.reason


def test_a_row_without_an_answer_is_infinite() -> None:
    """Not ok: infinitely slow, and no tokens."""
    row = Sample(1, ok=False, latency_ms=3.0, tokens=150)
    assert (row.total_ms, row.tokens_per_s) == (math.inf, 0)


def test_failures_count_in_every_claim() -> None:
    """A third of the rows without an answer fails p95, success and nothing by accident of speed."""
    rows = [row for pair in zip(kept(130), kept(130), kept(130, bad=130), strict=True) for row in pair]
    outcomes = [verdict.outcome for verdict in load_verdicts(SLO, rows)]
    assert outcomes == [Outcome.PASS, Outcome.FAIL, Outcome.FAIL, Outcome.PASS]


def test_a_slow_stretch_is_located_by_row() -> None:
    """The failed p95 of a soak names rows of the file, also when only a part of it is judged."""
    rows = [
        Sample(i + 1, ok=True, latency_ms=9000.0 + i if i < 300 else 3450.0 + i % 7, tokens=150) for i in range(900)
    ]
    p95 = soak_verdicts(SOAK, SLO, rows[200:])[1]
    assert p95.outcome is Outcome.FAIL
    assert p95.reason.endswith("requests 201-300 hold 100 of them")


@pytest.mark.parametrize("rows", [[], [Sample(i, ok=True, latency_ms=3450.0, tokens=150) for i in range(400)]])
def test_what_is_no_measurement_is_an_error(rows: list[Sample]) -> None:
    """No rows, or times that are all equal: no claim on times passes."""
    for verdicts in (load_verdicts(SLO, rows), soak_verdicts(SOAK, SLO, rows)):
        assert {verdict.outcome for verdict in verdicts if "total" in verdict.claim} == {Outcome.ERROR}
        assert Outcome.FAIL not in {verdict.outcome for verdict in verdicts}
