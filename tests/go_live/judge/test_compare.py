"""Two runs side by side."""

import math

import pytest

from go_live.judge.compare import Run, compare, fastest_usual


def side(name: str, totals: list[float], tokens: list[int] | None = None, queues: list[float] | None = None) -> Run:
    """A run of answers of 150 tokens."""
    return Run(name=name, totals_ms=totals, tokens=tokens or [150] * len(totals), queues_ms=queues)


def test_percentiles_and_their_change() -> None:
    """Each point figure of both, and the relative difference."""
    found = compare(side("a", [1000.0, 2000.0, 3000.0]), side("b", [1000.0, 4000.0, 6000.0]))
    assert (found.totals["p50_ms"].ours, found.totals["p50_ms"].theirs) == (2000, 4000)
    assert found.totals["p95_ms"].change == pytest.approx(-0.5)


def test_the_queue_is_estimated_from_the_fastest_usual_answer() -> None:
    """Total minus the fastest answer of the usual length in either run; a short answer does not count."""
    ours = side("a", [3100.0, 6900.0, 7000.0, 1900.0], [150, 150, 150, 64])
    theirs = side("b", [5400.0, 13_700.0, 13_800.0])
    found = compare(ours, theirs)
    assert (found.queue_p50.ours, found.queue_p50.theirs) == (3100 - 3100, 13_700 - 3100)
    assert found.queue_how == "estimated: total minus 3100 ms, the fastest answer of the usual length in either"


def test_a_reported_queue_is_not_estimated() -> None:
    """Where both runs have delayTime, that is compared."""
    found = compare(side("a", [3.0], queues=[1.0]), side("b", [9.0], queues=[4.0]))
    assert found.queue_p50.change == pytest.approx(-0.75)
    assert "delayTime" in found.queue_how


def test_one_reported_queue_is_not_enough() -> None:
    """Like is compared with like: with one side unreported, both are estimated."""
    assert "estimated" in compare(side("a", [3.0], queues=[1.0]), side("b", [9.0])).queue_how


def test_infinite_figures_have_no_change() -> None:
    """A percentile that nobody reached is None, and so is its change; from zero nothing is relative."""
    found = compare(side("a", [3000.0, math.inf, math.inf]), side("b", [3000.0, 3000.0, 4000.0]))
    assert (found.totals["p50_ms"].ours, found.totals["p50_ms"].change) == (None, None)
    assert compare(side("a", [2.0]), side("b", [1.0])).queue_p50.change is None


def test_runs_without_an_answer_cannot_be_compared() -> None:
    """Nothing answered, nothing to estimate from."""
    with pytest.raises(ValueError, match="no request was answered"):
        fastest_usual([side("a", [math.inf])])
