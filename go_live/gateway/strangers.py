"""Does somebody send past this gateway? The endpoint's own count of jobs, compared with ours now and then.

The gateway knows its own jobs exactly: a place is given back when the endpoint has said that its job has ended. What
the endpoint has beyond them, and beyond the parts of other replicas, look after look, is somebody else's.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping

from go_live.errors import MeasurementError
from go_live.gateway.telemetry import Metrics
from go_live.gateway.upstream import Upstream

LOG = logging.getLogger("golive.gateway")
LOOKS = 3
"""Looks in a row that must agree: a job may end between the endpoint's count and ours."""


class Strangers:
    """What the latest looks at one endpoint have shown."""

    def __init__(self, allowed: int = 0) -> None:
        """``allowed`` are the places of other replicas: the cap without this gateway's part."""
        self._allowed = allowed
        self._seen: deque[int] = deque(maxlen=LOOKS)

    def looked(self, at_endpoint: int, own: int) -> int:
        """One more look: the endpoint's jobs, and the most that are ours.

        Returns:
            Jobs that somebody else has had there in each of the latest looks; 0 until there were ``LOOKS``.
        """
        self._seen.append(max(0, at_endpoint - own - self._allowed))
        return min(self._seen) if len(self._seen) == LOOKS else 0


async def keep_looking(upstreams: Mapping[str, Upstream], metrics: Metrics, *, every_s: float, allowed: int) -> None:
    """Ask each endpoint every ``every_s`` how many jobs it has, until cancelled; warn of those that are not ours."""
    known = {endpoint_id: Strangers(allowed) for endpoint_id in upstreams}
    before = dict.fromkeys(upstreams, 0)
    while True:
        for endpoint_id, upstream in upstreams.items():
            others = await look(upstream, known[endpoint_id])
            if others is None:
                continue
            metrics.strangers(endpoint_id, others)
            if bool(others) != bool(before[endpoint_id]):
                _tell(endpoint_id, others)
            before[endpoint_id] = others
        await asyncio.sleep(every_s)


async def look(upstream: Upstream, strangers: Strangers) -> int | None:
    """Jobs of somebody else at the endpoint; None: it did not say."""
    line = upstream.admission.line
    own = line.under_way
    try:
        jobs = (await upstream.endpoint.health()).jobs
    except MeasurementError:
        return None
    return strangers.looked(jobs.in_queue + jobs.in_progress, max(own, line.under_way))


def _tell(endpoint_id: str, others: int) -> None:
    if others:
        LOG.warning(
            "endpoint %s: %d of its jobs, look after look, are not of this gateway: somebody sends past it, "
            "or another gateway doubles the cap (docs/gateway.md, One cap, several gateways)",
            endpoint_id,
            others,
        )
    else:
        LOG.info("endpoint %s has no jobs of others any more", endpoint_id)
