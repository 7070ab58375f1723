"""How many workers there should be. Pure; a model of the platform's autoscaler, not the platform's.

The two formulas are those of RunPod's documentation ("endpoint configurations"). The evaluation period, and one step
per evaluation for QUEUE_DELAY, are assumptions: neither is documented.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ScalerType = Literal["REQUEST_COUNT", "QUEUE_DELAY"]


@dataclass(frozen=True, slots=True)
class Scaler:
    """The endpoint's scaling settings."""

    type: ScalerType
    value: float
    """Requests per worker (REQUEST_COUNT), or seconds a request may wait (QUEUE_DELAY)."""
    workers_min: int
    workers_max: int
    idle_timeout_s: float


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of the endpoint."""

    queued: int
    in_progress: int
    oldest_wait_s: float


def desired(scaler: Scaler, demand: Demand, *, workers: int, starting: int) -> int:
    """The number of workers that the demand asks for, within [workers_min, workers_max].

    Args:
        scaler: the settings.
        demand: queued and running requests, and the longest wait.
        workers: how many there are, starting ones included, draining ones not.
        starting: how many of them are not ready yet.
    """
    if scaler.type == "REQUEST_COUNT":
        wanted = math.ceil((demand.queued + demand.in_progress) / scaler.value)
    else:
        late = demand.queued > 0 and demand.oldest_wait_s > scaler.value
        wanted = workers + (late and starting == 0)
    return max(scaler.workers_min, min(scaler.workers_max, wanted))


def surplus(scaler: Scaler, wanted: int, idle_s: Sequence[float], *, workers: int) -> int:
    """How many idle workers to stop: those past the idle timeout, as long as enough remain.

    Args:
        scaler: the settings.
        wanted: what :func:`desired` asks for; REQUEST_COUNT keeps an idle worker that is still wanted.
        idle_s: how long each idle worker has had no job, seconds.
        workers: how many workers there are in all.
    """
    floor = wanted if scaler.type == "REQUEST_COUNT" else scaler.workers_min
    floor = min(floor, scaler.workers_max)
    past = sum(idle >= scaler.idle_timeout_s for idle in idle_s)
    return max(0, min(past, workers - floor))
