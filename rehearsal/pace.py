"""How fast and how rightly the timed engine answers: a known distribution, drawn in order from a seed. Pure.

An answer takes ``exec_ms``, give or take ``spread`` (uniform); a share ``slow_share`` takes ``slow_factor`` times that.
Whether an answer is slow, and whether it is wrong, are independent draws. All of it grows by ``growth_per_hour`` of the
beginning's value, in a straight line. The percentiles follow in closed form: :meth:`Pace.exec_ms_at`.
"""

import random
from dataclasses import dataclass
from typing import NamedTuple


class Draw(NamedTuple):
    """What one request gets."""

    exec_ms: float
    wrong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The distribution. Shares are of requests; an hour lasts ``hour_s`` seconds, so that a test's can be short."""

    exec_ms: float
    spread: float = 0.0
    """Half the width of the execution time's distribution, as a share of it; below 1."""
    slow_share: float = 0.0
    slow_factor: float = 1.0
    """At least so large that every slow answer is slower than every other."""
    wrong_share: float = 0.0
    growth_per_hour: float = 0.0
    leak_mib_per_hour: float = 0.0
    """Memory that the engine takes and never gives back, MiB."""
    hour_s: float = 3600.0
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what has no closed form.

        Raises:
            ValueError: the slow answers overlap with the others.
        """
        if self.slow_share and self.slow_factor * (1 - self.spread) < 1 + self.spread:
            raise ValueError("TIMED_SLOW_FACTOR is too small for TIMED_SPREAD: slow answers must be the slowest")

    def draws(self) -> random.Random:
        """The stream that :meth:`draw` takes its numbers from."""
        return random.Random(self.seed)  # noqa: S311 - a reproducible simulation, no secret

    def draw(self, stream: random.Random, elapsed_s: float) -> Draw:
        """The next request's answer, ``elapsed_s`` after the first one's beginning; three numbers of the stream."""
        slow, place, wrong = stream.random() < self.slow_share, stream.random(), stream.random() < self.wrong_share
        factor = self.slow_factor if slow else 1.0
        return Draw(self.exec_ms * factor * (1 + self.spread * (2 * place - 1)) * self._grown(elapsed_s), wrong)

    def _grown(self, elapsed_s: float) -> float:
        return 1 + self.growth_per_hour * elapsed_s / self.hour_s

    def leaked_bytes(self, elapsed_s: float) -> int:
        """Memory kept ``elapsed_s`` after the first request."""
        return int(self.leak_mib_per_hour * 2**20 * elapsed_s / self.hour_s)

    def exec_ms_at(self, q: float) -> float:
        """The execution time that a share ``q`` of the requests does not exceed, ms, at the beginning.

        A mixture of two uniform distributions that do not overlap: inverted piece by piece.

        Raises:
            ValueError: ``q`` is not in [0, 1].
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a share lies between 0 and 1, not at {q}")
        usual = 1 - self.slow_share
        if q <= usual and usual > 0:
            factor, place = 1.0, q / usual
        else:
            factor, place = self.slow_factor, (q - usual) / self.slow_share
        return self.exec_ms * factor * (1 + self.spread * (2 * place - 1))
