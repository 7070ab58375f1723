"""Live progress of a load: one line that changes on a terminal, a plain line now and then elsewhere."""

import math
import time
from array import array
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from go_live.judge.percentiles import percentile
from go_live.records import Record

PLAIN_EVERY_S = 5.0
"""Plain lines come at most this often."""


class Tally:
    """Figures so far, over every request that ended: failures count as infinite latencies."""

    def __init__(self) -> None:
        """Nothing has ended yet."""
        self.failures = 0
        self._totals = array("d")

    def add(self, record: Record) -> None:
        """Count one record."""
        self.failures += not record.ok
        self._totals.append(record.total_ms)

    @property
    def n(self) -> int:
        """How many ended."""
        return len(self._totals)

    def percentile(self, q: int) -> float | None:
        """Nearest-rank percentile of the total time, ms; infinite if a failure stands at its rank; None for n = 0."""
        return percentile(np.frombuffer(self._totals), q) if self._totals else None


class Progress:
    """Shows one phase after another. Without ``start``, updates are counted nowhere and shown nowhere."""

    def __init__(
        self,
        console: Console | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        aside: Callable[[], str] | None = None,
    ) -> None:
        """Show on ``console`` (default: standard error).

        Args:
            console: where.
            clock: monotonic seconds.
            aside: what else ends each line, such as what was spent.
        """
        self._aside = aside
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._clock = clock
        self._live: Live | None = None
        self._tally: Tally | None = None
        self._phase = ""
        self._total: int | None = None
        self._duration_s: float | None = None
        self._begin = self._printed = clock()

    def start(self, phase: str, *, total: int | None = None, duration_s: float | None = None) -> None:
        """A phase begins, of ``total`` requests or ``duration_s`` seconds; one still shown is finished first."""
        self.finish()
        self._phase, self._total, self._duration_s = phase, total, duration_s
        self._begin = self._printed = self._clock()
        self._tally = Tally()
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._line, console=self._console, refresh_per_second=2, transient=True)
            self._live.start()

    def update(self, record: Record) -> None:
        """A request ended; the warm-up is not counted."""
        if self._tally is None or record.phase == "warmup":
            return
        self._tally.add(record)
        now = self._clock()
        if self._live is None and now - self._printed >= PLAIN_EVERY_S:
            self._printed = now
            self._console.print(self._line())

    def note(self, text: str) -> None:
        """Something worth a line of its own."""
        self._console.print(Text(text))

    def finish(self) -> None:
        """The phase ended: its last figures stay on the screen."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._tally is not None:
            self._console.print(self._line())
            self._tally = None

    def _line(self) -> Text:
        tally = self._tally or Tally()
        elapsed = self._clock() - self._begin
        of = f"/{self._total}" if self._total is not None else ""
        parts = [
            f"  {self._phase}: {tally.n}{of} requests",
            f"{_span(elapsed)} elapsed{_left(tally.n, elapsed, self._total, self._duration_s)}",
            f"p50 {_ms(tally.percentile(50))}, p95 {_ms(tally.percentile(95))} (n={tally.n})",
            f"{tally.failures} failed",
        ]
        if self._aside is not None:
            parts.append(self._aside())
        return Text(", ".join(parts))


def _left(n: int, elapsed: float, total: int | None, duration_s: float | None) -> str:
    """How long the phase will still take: by the clock when it has a duration, else by the pace so far."""
    if duration_s is not None:
        return f", {_span(max(0.0, duration_s - elapsed))} left"
    if total is None or not 0 < n < total:
        return ""
    return f", about {_span(elapsed * (total - n) / n)} left"


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f} ms" if math.isfinite(value) else "∞"
