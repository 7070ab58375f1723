"""How many workers ``/health`` tells of. Pure; what it does not tell is None, never zero.

The platform's documentation shows ``idle`` and ``running`` alone; live endpoints tell ``ready``, ``initializing``,
``throttled`` and ``unhealthy`` as well. Whether ``ready`` holds the running ones too is not documented, so each figure
below is right either way.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from go_live.jobs.transport import HealthWorkers, Reply

OK = 200
TELLS = ("idle", "running", "ready")
"""One of these has to be there: else nothing was said of the workers that are up."""


def workers_of(reply: Reply) -> HealthWorkers | None:
    """The workers of a reply of ``/health``; None where it does not tell: an error, a page, another shape."""
    told = reply.data.get("workers") if reply.http_status == OK else None
    if not isinstance(told, Mapping) or not any(name in told for name in TELLS):
        return None
    return _counts(told)


def up(workers: HealthWorkers) -> int:
    """Workers whose container is up; their models may still be loading."""
    return max(workers.ready, workers.idle + workers.running)


def paid(workers: HealthWorkers) -> int:
    """The most workers that may be paid for: all but throttled ones, for whom there is no machine."""
    return up(workers) + workers.initializing + workers.unhealthy


def _counts(told: Mapping[str, Any]) -> HealthWorkers | None:
    try:
        workers = msgspec.convert(told, HealthWorkers)
    except msgspec.ValidationError:
        return None
    return workers if all(count >= 0 for count in msgspec.structs.astuple(workers)) else None
