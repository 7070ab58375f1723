"""When the next request is due. Pure: nothing here waits, reads a clock or draws a random number by itself.

Times are seconds since the phase began. A due time in the past means: send at once. A late pacer therefore catches up
and never quietly lowers the offered rate, and latencies are counted from the due time, so that a slow service cannot
hide its own queue (coordinated omission).

Closed loop: a fixed number of slots, and a slot's next request is due when the slot is free (``slot_free``).
Open loop: requests are due on a schedule (``constant``, ``poisson``), however many are in flight.
"""

import itertools
import math
from collections.abc import Callable, Iterator

import msgspec

from go_live.errors import UsageError

FAILURE_PAUSE_S = 0.1
"""A closed-loop slot whose request failed sends its next one no sooner than this after the failed one was due.

Without it, a dead server would be asked thousands of times a second. Short enough that an outage of one second still
leaves some ten failures a slot."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a phase lasts: a number of requests, a time, or whichever ends first."""

    requests: int | None = None
    duration_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse a phase without an end, and an empty one.

        Raises:
            UsageError: neither limit is given, or one is not positive and finite.
        """
        if self.requests is None and self.duration_s is None:
            raise UsageError("a load needs an end: a number of requests or a duration")
        if self.requests is not None and self.requests < 1:
            raise UsageError(f"a load has at least one request, not {self.requests}")
        if self.duration_s is not None:
            positive("a load's duration", self.duration_s)

    def allow(self, due: float, hits: int) -> bool:
        """Whether one more request, after ``hits``, still belongs to the phase when it is due at ``due``."""
        if self.requests is not None and hits >= self.requests:
            return False
        return self.duration_s is None or due < self.duration_s


def slot_free(due: float, done: float, *, ok: bool) -> float:
    """When a closed-loop slot is free again, after a request due at ``due`` and over at ``done``."""
    return done if ok else max(done, due + FAILURE_PAUSE_S)


def schedule(arrivals: Iterator[float], limits: Limits) -> Iterator[float]:
    """The due times of an open loop: those of ``arrivals`` that ``limits`` allow."""
    for hits, due in enumerate(arrivals):
        if not limits.allow(due, hits):
            return
        yield due


def constant(rate: float) -> Iterator[float]:
    """Arrivals at a constant ``rate`` (requests per second), the first at 0; each computed from its number, no drift.

    Raises:
        UsageError: the rate is not positive and finite.
    """
    positive("a rate", rate)
    return (hit / rate for hit in itertools.count())


def poisson(rate: float, uniform: Callable[[], float]) -> Iterator[float]:
    """Arrivals of a Poisson process of ``rate`` per second: independent exponential gaps, by inversion.

    Args:
        rate: mean requests per second.
        uniform: draws from [0, 1), for example ``random.Random(seed).random``; the same draws give the same arrivals.

    Raises:
        UsageError: the rate is not positive and finite.
    """
    positive("a rate", rate)
    return itertools.accumulate(-math.log1p(-uniform()) / rate for _ in itertools.count())


def wait(due: float, elapsed: float) -> float:
    """How long to wait for ``due``, seconds; not at all when it has passed."""
    return max(0.0, due - elapsed)


def positive(what: str, value: float) -> None:
    """Refuse what is no positive, finite number.

    Raises:
        UsageError: naming ``what``.
    """
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{what} is a positive number, not {value}")
