"""The documented request limits of the job API: so many in ten seconds, so many at once. Pure; injected clock."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WINDOW_S = 10.0

LIMITS: dict[str, tuple[int, int | None]] = {
    "run": (1000, 200),
    "runsync": (2000, 400),
    "status": (2000, 400),
    "stream": (2000, 400),
    "openai": (2000, 400),
    "cancel": (100, 20),
    "purge-queue": (2, None),
}
"""Operation -> (requests per 10 s, requests at once), per user and endpoint (RunPod, "operation reference")."""


MAX_BODY_BYTES = {"run": 10_000_000, "runsync": 20_000_000}
"""What /run and /runsync take in, and a worker may post for their jobs."""


class TooManyError(Exception):
    """Beyond a limit; the text names it."""


class Limiter:
    """Counts requests per operation; operations without a documented limit are not limited."""

    def __init__(self, clock: Callable[[], float], limits: dict[str, tuple[int, int | None]] | None = None) -> None:
        """Start with nothing counted."""
        self._clock = clock
        self._limits = LIMITS if limits is None else limits
        self._recent: dict[str, deque[float]] = {name: deque() for name in self._limits}
        self._running = dict.fromkeys(self._limits, 0)

    @contextmanager
    def admit(self, operation: str) -> Iterator[None]:
        """Count one request while it runs.

        Raises:
            TooManyError: it is beyond a limit, and is not counted.
        """
        if operation not in self._limits:
            yield
            return
        self._check(operation)
        self._recent[operation].append(self._clock())
        self._running[operation] += 1
        try:
            yield
        finally:
            self._running[operation] -= 1

    def _check(self, operation: str) -> None:
        rate, at_once = self._limits[operation]
        recent = self._recent[operation]
        while recent and recent[0] <= self._clock() - WINDOW_S:
            recent.popleft()
        if len(recent) >= rate:
            raise TooManyError(f"more than {rate} {operation} requests in {WINDOW_S:.0f} s")
        if at_once is not None and self._running[operation] >= at_once:
            raise TooManyError(f"more than {at_once} {operation} requests at once")
