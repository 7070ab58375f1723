"""What a drill shows while it goes on: what happens, and on a terminal how long it has taken and has left."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text


class Telling:
    """Writes to standard error, so that ``--json`` leaves standard output alone."""

    def __init__(
        self, expected_s: float, console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """The drill is expected to take ``expected_s``."""
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._clock, self._began, self._expected_s = clock, clock(), expected_s
        self._last = "starting"
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        """Something happened; may be called from any thread."""
        with self._lock:
            self._last = text.partition("  ")[2] or text
            self._console.print(Text(text))

    @contextmanager
    def going(self) -> Iterator[None]:
        """On a terminal a last line that counts, while the context lasts."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self.line, console=self._console, refresh_per_second=2, transient=True):
            yield

    def line(self) -> Text:
        """``1:12 of about 2:50``."""
        elapsed = self._clock() - self._began
        left = max(0.0, self._expected_s - elapsed)
        return Text(f"  {span(elapsed)} elapsed, about {span(left)} left", style="dim")


def span(seconds: float) -> str:
    """``1:05``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
