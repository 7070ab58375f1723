"""What is swept, frozen before the first request: settings of the worker, levels of load, rounds, their order. Pure.

Each level of each setting is measured in :data:`ROUNDS` rounds. In a round every cell (a setting at a level) comes
once, in an order that the seed draws anew, so that a machine that becomes slower meanwhile slows all cells alike and
is not taken for the effect of one of them (randomised complete blocks; Fisher 1935).

The first ``concurrency`` requests of a round find an empty endpoint. They are sent and recorded, and not judged: with
short rounds they would make every level look better than it is.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from go_live.config import Config
from go_live.errors import UsageError
from go_live.judge.asked import of_level
from go_live.planning.needs import least_requests, workers_for

ROUNDS = 4
"""Fewest with which a paired comparison of throughput has a useful bound (3 degrees of freedom)."""
LEVEL_MAX, LEVELS_MAX, SETTINGS_MAX = 64, 16, 4
"""Bounds of one sweep: it is to end within an hour, and every setting has its own workers."""
DEFAULT, DEPLOYED = "default", "as deployed"
"""Settings that are no number: MAX_CONCURRENCY left out, and whatever a live endpoint has."""
HOUR_S = 3600.0

Kind = Literal["local", "runpod"]


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured."""

    kind: Kind
    endpoint_id: str
    job_api: str
    """Empty for a local endpoint, whose port nobody chose."""
    engine: str
    """``cpu``, ``cuda``, ``timed``, or ``live``: whatever is deployed."""
    workers: int
    """Workers from the start; of a live endpoint its declared workersMin."""
    workers_max: int
    """Workers at the most; of a live endpoint its declared workersMax."""
    exec_ms: float | None = None
    """Of the timed engine."""


class TuningPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep (plan.json)."""

    run_id: str
    created_at: str
    """UTC, ISO 8601."""
    where: Where
    settings: tuple[str, ...]
    """Values of MAX_CONCURRENCY; :data:`DEFAULT`: unset; :data:`DEPLOYED`: as the live endpoint has it."""
    levels: tuple[int, ...]
    """Requests in flight, rising."""
    requests: int
    """Judged of each cell, over all rounds."""
    warmup: int
    seed: int
    commit: str
    dirty: bool
    config: Config
    expected_dollars: float = 0.0
    max_dollars: float | None = None
    """None: it costs nothing."""

    @property
    def timed(self) -> bool:
        """Whether nothing of it is evidence."""
        return self.where.engine == "timed"

    @property
    def size(self) -> int:
        """Judged requests of one round of one cell."""
        return self.requests // ROUNDS

    def sent(self, level: int) -> int:
        """Requests of one round at ``level``: those that fill the endpoint, and those that are judged."""
        return self.size + level


class Cell(msgspec.Struct, frozen=True):
    """One setting at one level."""

    setting: str
    level: int


def order(plan: TuningPlan, number: int) -> list[Cell]:
    """The cells of round ``number`` (from 0), in the order in which they are measured."""

    def drawn(cell: Cell) -> bytes:
        return hashlib.sha256(f"{plan.seed}/{number}/{cell.setting}/{cell.level}".encode()).digest()

    return sorted((Cell(setting, level) for setting in plan.settings for level in plan.levels), key=drawn)


def checked_levels(levels: tuple[int, ...]) -> tuple[int, ...]:
    """Levels of a sweep, rising and each once.

    Raises:
        UsageError: none, too many, or one out of range.
    """
    found = tuple(sorted(set(levels)))
    if wrong := [level for level in found if not 1 <= level <= LEVEL_MAX]:
        raise UsageError(f"a level has 1 to {LEVEL_MAX} requests in flight, not {wrong[0]}: mend --concurrency")
    if not 1 <= len(found) <= LEVELS_MAX:
        raise UsageError(f"a sweep has 1 to {LEVELS_MAX} levels, not {len(found)}: mend --concurrency")
    return found


def checked_settings(settings: tuple[str, ...]) -> tuple[str, ...]:
    """Values of MAX_CONCURRENCY, each once.

    Raises:
        UsageError: too many, or one that the worker would refuse.
    """
    found = tuple(dict.fromkeys(settings))
    for one in found:
        if one != DEFAULT and not (one.isdecimal() and one.isascii() and one[0] != "0"):
            raise UsageError(f"--max-concurrency takes whole numbers from 1 and {DEFAULT!r}, not {one!r}")
    if not 1 <= len(found) <= SETTINGS_MAX:
        raise UsageError(f"a sweep has 1 to {SETTINGS_MAX} values of MAX_CONCURRENCY, not {len(found)}")
    return found


def checked_requests(requests: int, levels: tuple[int, ...], config: Config) -> int:
    """Judged requests of a cell, a whole number a round.

    Raises:
        UsageError: so few that no level could be shown to be good, or fewer in a round than are in flight.
    """
    least = max(least_requests(one) for one in of_level(config.slo))
    if requests < least:
        raise UsageError(f"--runs {requests}: a level takes {least} requests to be shown good, without a single miss")
    whole = -(-requests // ROUNDS) * ROUNDS
    if whole // ROUNDS <= levels[-1]:
        raise UsageError(
            f"--runs {requests}: at c={levels[-1]} each of {ROUNDS} rounds needs more than {levels[-1]} requests: give "
            f"at least {(levels[-1] + 1) * ROUNDS}, or leave the level out"
        )
    return whole


def expected_seconds(plan: TuningPlan, total_ms: float) -> float:
    """How long all of it takes without an early end, at so much a request."""
    return sum(seconds(plan, level, total_ms) * ROUNDS for level in plan.levels) * len(plan.settings)


def seconds(plan: TuningPlan, level: int, total_ms: float) -> float:
    """How long one round of one cell takes at so much a request."""
    return plan.sent(level) / level * total_ms / 1000


def expected_dollars(plan: TuningPlan, total_ms: float) -> float:
    """What all of it costs on a live endpoint: the workers' time under load; 0 for a local one."""
    if plan.where.kind == "local":
        return 0.0
    expected, price = plan.config.endpoint.expected, plan.config.price.dollars_per_worker_hour
    hours = sum(workers_for(c, expected) * seconds(plan, c, total_ms) * ROUNDS for c in plan.levels) / HOUR_S
    return hours * price * len(plan.settings)
