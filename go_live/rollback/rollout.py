"""Waiting until every worker runs the newest release: bounded, told, and believed only where workers are seen."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from go_live.errors import MeasurementError
from go_live.management.client import ManagementClient
from go_live.management.errors import ManagementError, UnauthorizedError
from go_live.management.models import ReleaseList, WorkerList

POLL_S = 3.0
LIMIT_S = 900.0
"""How long a rollout may take: a worker may start for 7 minutes before the platform calls it unhealthy (RunPod)."""
QUIET_S = 30.0
"""How often the same state is told again."""
UP = frozenset({"RUNNING", "IDLE"})


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Time, as the wait sees it."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep
    limit_s: float = LIMIT_S
    poll_s: float = POLL_S


async def wait_for_rollout(
    client: ManagementClient,
    endpoint_id: str,
    *,
    say: Callable[[str], None],
    wake: Callable[[], Awaitable[None]],
    pace: Pace | None = None,
) -> str:
    """Wait until at least one worker is up and all of them run the newest release; what was seen then.

    A call that fails is no reason to give up: the next look may succeed.

    Args:
        client: of the management API.
        endpoint_id: the endpoint.
        say: is told what changes.
        wake: starts a worker where the endpoint has none; called once.
        pace: clock, sleep and bound.

    Raises:
        MeasurementError: not within the bound, or the key is refused; the message says what was seen last.
    """
    pace = pace or Pace()
    deadline = pace.clock() + pace.limit_s
    last, told_at, woken = "", float("-inf"), False
    while True:
        try:
            releases, workers = await client.releases(endpoint_id), await client.workers(endpoint_id)
            seen, done = state(releases, workers)
            if not workers.workers and not woken:
                woken = True
                await wake()
        except UnauthorizedError:
            raise
        except ManagementError as error:
            seen, done = f"could not look: {error}", False
        if done:
            return seen
        now = pace.clock()
        if seen != last or now - told_at >= QUIET_S:
            say(seen)
            last, told_at = seen, now
        if now >= deadline:
            raise MeasurementError(f"the rollout was not complete after {pace.limit_s:.0f} s: {seen}")
        await pace.sleep(pace.poll_s)


def state(releases: ReleaseList, workers: WorkerList) -> tuple[str, bool]:
    """The rollout in half a sentence, and whether it is complete. Pure.

    Releases and workers are read one after the other; where they speak of different versions, nothing is complete.
    """
    listed, rollout = workers.workers, releases.rollout
    newest = releases.endpoint_version
    fresh = [one for one in listed if not one.is_stale and (newest is None or one.version in {None, newest})]
    up = [one for one in fresh if one.status in UP]
    seen = f"{len(up)} of {len(listed)} workers run release {newest or 'the newest'}"
    broken = [one for one in fresh if one.status in {"UNHEALTHY", "THROTTLED"}]
    if broken:
        seen += f", {len(broken)} {broken[0].status.lower()}"
    whole = not rollout.in_progress and rollout.workers_on_latest >= rollout.workers_total
    same = workers.endpoint_version in {None, newest}
    return seen, bool(up) and len(up) == len(listed) and whole and same
