"""The device's memory, as a worker tells it: a probe now and then, within the cap like every other job."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from go_live.gateway.admission import NotAdmittedError
from go_live.gateway.service import limited
from go_live.gateway.telemetry import Metrics
from go_live.gateway.upstream import Job, Upstream
from go_live.jobs import TransportError

LOG = logging.getLogger("golive.gateway")
PROBE = {"probe": {"nonce": "gateway"}}
OURSELVES = "(gateway)"
"""The caller in whose name probes wait for their turn; no key can be his."""


async def keep_probing(
    upstreams: Mapping[str, Upstream], metrics: Metrics, *, every_s: float, timeout_s: float
) -> None:
    """Probe each endpoint now, and then every ``every_s`` in which it was sent a job, until cancelled.

    An endpoint that nobody uses is not kept awake.
    """
    seen = dict.fromkeys(upstreams, -1)
    while True:
        for endpoint_id, upstream in upstreams.items():
            if upstream.sent == seen[endpoint_id]:
                continue
            ratio = await probe(upstream, timeout_s)
            if ratio is not None:
                metrics.device_memory(endpoint_id, ratio)
            seen[endpoint_id] = upstream.sent
        await asyncio.sleep(every_s)


async def probe(upstream: Upstream, timeout_s: float) -> float | None:
    """Share of its device's memory that a worker uses; None: it did not say, or has no device."""
    deadline = time.monotonic() + timeout_s
    try:
        await upstream.admission.enter(OURSELVES, deadline)
        job = Job(sent=time.monotonic(), needs_text=False)
        await upstream.complete(job, limited(PROBE, timeout_s), deadline)
    except (NotAdmittedError, TransportError, TimeoutError) as error:
        LOG.warning("no worker could be probed for its device's memory: %s", type(error).__name__)
        return None
    return memory_ratio(job.answer.output if job.answer is not None else None)


def memory_ratio(output: Any) -> float | None:
    """``device_memory_used_mib`` over ``device_memory_total_mib`` of a probe's answer; None: not told."""
    told = output.get("probe") if isinstance(output, dict) else None
    if not isinstance(told, dict):
        return None
    used, total = told.get("device_memory_used_mib"), told.get("device_memory_total_mib")
    numbers = type(used) in {int, float} and type(total) in {int, float}
    return used / total if numbers and used >= 0 and total > 0 else None
