"""Progress is readable on a terminal and in a log file."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from go_live.judge.percentiles import percentile
from go_live.load.progress import Progress, Tally
from go_live.records import ErrorClass, Record


def record(seq: int, seconds: float | None, phase: str = "load") -> Record:
    """A record that took so long; None: it failed."""
    error = None if seconds is not None else ErrorClass.FAILED
    return Record(seq=seq, phase=phase, level="c=1", due=0.0, wall=0.0, done=seconds or 1.0, error=error)


class Screen:
    """A progress display on a clock that the test moves."""

    def __init__(self, *, terminal: bool) -> None:
        """Write into memory."""
        self.now = 0.0
        self.out = io.StringIO()
        console = Console(file=self.out, force_terminal=terminal, width=160, soft_wrap=True, highlight=False)
        self.progress = Progress(console, clock=lambda: self.now)

    @property
    def lines(self) -> list[str]:
        """What was printed."""
        return self.out.getvalue().splitlines()


def test_plain_lines_come_at_most_every_five_seconds() -> None:
    """100 requests in 20 s are told in four lines and a last one, each with n and the failures so far."""
    screen = Screen(terminal=False)
    screen.progress.start("load c=1", total=100)
    for seq in range(100):
        screen.now += 0.2
        screen.progress.update(record(seq, None if seq == 3 else 0.2))
    screen.progress.finish()
    assert 4 <= len(screen.lines) <= 5
    assert "load c=1: 100/100 requests" in screen.lines[-1]
    assert "p50 200 ms, p95 200 ms (n=100), 1 failed" in screen.lines[-1]
    assert "\x1b" not in screen.out.getvalue()


def test_a_soak_tells_what_is_left() -> None:
    """With a duration, the time left is by the clock; with a number, by the pace so far."""
    screen = Screen(terminal=False)
    screen.progress.start("soak", duration_s=3600)
    screen.now = 600
    screen.progress.update(record(0, 1.0))
    assert "10:00 elapsed, 50:00 left" in screen.lines[0]
    screen.progress.start("load", total=4)
    screen.now += 60
    screen.progress.update(record(0, 1.0))
    assert "1:00 elapsed, about 3:00 left" in screen.lines[-1]


def test_failures_count_as_infinite() -> None:
    """When every second request fails, the p95 so far is infinite, and said so."""
    screen = Screen(terminal=False)
    screen.progress.start("load", total=4)
    for seq in range(4):
        screen.progress.update(record(seq, 1.0 if seq % 2 else None))
    screen.progress.finish()
    assert "p50 1000 ms, p95 ∞ (n=4), 2 failed" in screen.lines[-1]


def test_the_warm_up_and_what_comes_outside_a_phase_are_not_counted() -> None:
    """Warm-up requests, and records before ``start`` or after ``finish``, change no figure and raise nothing."""
    screen = Screen(terminal=False)
    screen.progress.update(record(0, 1.0))
    screen.progress.finish()
    screen.progress.start("load", total=4)
    screen.progress.update(record(0, 1.0, "warmup"))
    screen.progress.note("a [bold]note[/bold]")
    screen.progress.finish()
    assert screen.lines == ["a [bold]note[/bold]", "  load: 0/4 requests, 0:00 elapsed, p50 -, p95 - (n=0), 0 failed"]


def test_a_terminal_shows_a_live_line_and_keeps_the_last() -> None:
    """On a terminal the line is live; when the phase ends, its last figures stay."""
    screen = Screen(terminal=True)
    screen.progress.start("load", total=2)
    screen.progress.update(record(0, 1.0))
    screen.progress.update(record(1, 2.0))
    screen.progress.finish()
    assert "2/2 requests" in screen.lines[-1]
    assert "p50 1000 ms, p95 2000 ms (n=2), 0 failed" in screen.lines[-1]


@given(st.lists(st.none() | st.floats(0.001, 100), min_size=1, max_size=60))
def test_the_running_percentiles_are_the_judges(seconds: list[float | None]) -> None:
    """The figures shown are nearest-rank over every request, as they are judged later."""
    tally = Tally()
    records = [record(seq, value) for seq, value in enumerate(seconds)]
    for one in records:
        tally.add(one)
    totals = [one.total_ms for one in records]
    assert (tally.percentile(50), tally.percentile(95)) == (percentile(totals, 50), percentile(totals, 95))
