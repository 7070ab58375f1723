"""The pace of a run, and the time that the run which would decide takes at it."""

import msgspec
import pytest

from go_live.judge import pace
from go_live.outcome import Outcome, Verdict
from go_live.records import Record
from go_live.table import Table
from tests.go_live.judge.builders import record, records


def healthy(n: int) -> list[Record]:
    """A healthy soak."""
    return records(n, phase="soak")


def served(records: list[Record]) -> float:
    """Seconds under load."""
    return pace.served_s(Table.of(records))


def test_the_pause_between_kill_and_resume_does_not_count() -> None:
    """Two halves with an hour between them, on two monotonic clocks, are two halves."""
    first, second = healthy(400)[:200], healthy(400)[200:]
    resumed = [
        msgspec.structs.replace(one, wall=one.wall + 3600, due=one.due - 350, done=(one.done or 0) - 350)
        for one in second
    ]
    assert served([*first, *resumed]) == pytest.approx(served(first) + served(resumed))
    assert served(healthy(400)) == pytest.approx(served(first) + 350, abs=0.1)


def test_requests_in_flight_together_count_once() -> None:
    """Ten requests over the same second are one second under load; one that never ended adds none."""
    together = [record(seq, due=0.0, wall=0.0, done=1.0) for seq in range(10)]
    assert served([*together, record(10, due=0.5, wall=0.5, done=None)]) == pytest.approx(1)


def test_short_pauses_are_part_of_the_soak() -> None:
    """At c=1 nothing is in flight between an answer and the next request; that is no interruption."""
    run = [record(seq, due=seq * 4.0, wall=seq * 4.0, done=seq * 4.0 + 3.5) for seq in range(10)]
    assert served(run) == pytest.approx(39.5)


def open_verdict(needed: int | None) -> Verdict:
    """A verdict that names a run of ``needed`` requests."""
    return Verdict(claim="c", outcome=Outcome.INCONCLUSIVE, reason="a run would decide", needed=needed)


def test_what_would_decide_is_told_in_minutes() -> None:
    """The healthy level has a request every 1.75 s: 124 of them take nearly four minutes."""
    due = Table.of(records(200))
    assert pace.timed(open_verdict(124), due).reason == "a run would decide, about 4 minutes"


@pytest.mark.parametrize(
    "verdict", [open_verdict(None), msgspec.structs.replace(open_verdict(9), outcome=Outcome.PASS)]
)
def test_only_an_open_verdict_with_a_size_has_a_time(verdict: Verdict) -> None:
    """Everything else is handed back as it is."""
    assert pace.timed(verdict, Table.of(records(20))) is verdict


@pytest.mark.parametrize("run", [[], [record(0, done=None)]])
def test_without_a_pace_there_is_no_time(run: list[Record]) -> None:
    """No request, or one that never ended, tells no rate."""
    assert pace.timed(open_verdict(124), Table.of(run)).reason == "a run would decide"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 second"),
        (20, "about 20 seconds"),
        (60, "about 1 minute"),
        (5000, "about 83 minutes"),
        (8 * 3600, "about 8 hours"),
    ],
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    """In the unit that a person would use, never zero of it."""
    assert pace.about(seconds) == words
