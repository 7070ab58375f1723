"""A burst: more requests at once than the workers that are up can take, until the declared number has come up.

It is bounded by its time and by its number of requests, and ends as soon as it has shown what it is for: workers cost
money. ``/health`` is looked at meanwhile (:mod:`go_live.judge.burst` judges).
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from go_live.jobs.transport import Reply, TransportError
from go_live.jobs.workers import up, workers_of
from go_live.judge.burst import Look, Seen
from go_live.load.runner import Clock, Completes, LoadPlan, run_load
from go_live.records import Record

LOOK_EVERY_S = 1.0
"""A look is one small call; the time to capacity is known to a second."""


class Endpoint(Completes, Protocol):
    """What a burst needs of an endpoint; ``go_live.jobs.Endpoint`` is one."""

    async def get_raw(self, path: str) -> Reply:
        """GET ``path`` as it comes."""


class Burst:
    """One burst while it goes on."""

    def __init__(self, plan: LoadPlan, workers_max: int, clock: Clock | None = None) -> None:
        """``plan`` has the phase ``burst``, a duration and a number of requests; ``workers_max`` are wanted."""
        self._plan = plan
        self._wanted = workers_max
        self._clock = clock or Clock()
        self._looks: list[Look] = []
        self._answered: set[str] = set()

    async def run(
        self, endpoint: Endpoint, *, on_record: Callable[[Record], None], on_due: Callable[[Record], None]
    ) -> Seen:
        """Send the requests, look at ``/health`` before, meanwhile, and once after; what was seen.

        Raises:
            asyncio.CancelledError: the caller was cancelled.
        """
        began, wall = self._clock.now(), self._clock.wall()

        def keep(record: Record) -> None:
            if record.ok and record.worker is not None:
                self._answered.add(record.worker)
            on_record(record)

        await self._look(endpoint, began)
        watcher = asyncio.create_task(self._watch(endpoint, began))
        try:
            await run_load(endpoint, self._plan, on_record=keep, on_due=on_due, clock=self._clock, stop=self._shown)
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        return Seen(began=wall, looks=tuple(self._looks))

    def _shown(self) -> bool:
        """Whether both witnesses have told of enough workers."""
        return len(self._answered) >= self._wanted and any((look.up or 0) >= self._wanted for look in self._looks)

    async def _watch(self, endpoint: Endpoint, began: float) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            await self._look(endpoint, began)

    async def _look(self, endpoint: Endpoint, began: float) -> None:
        try:
            workers = workers_of(await endpoint.get_raw("health"))
        except TransportError:
            workers = None
        # Known when the answer is there, not when the question was asked.
        at_s = self._clock.now() - began
        if workers is None:
            self._looks.append(Look(at_s=at_s, up=None))
        else:
            self._looks.append(Look(at_s=at_s, up=up(workers), throttled=workers.throttled))


def as_seen(told: object) -> Seen:
    """What the log keeps of a burst, read back.

    Raises:
        msgspec.ValidationError: it is no such thing.
    """
    return msgspec.convert(told, Seen)
