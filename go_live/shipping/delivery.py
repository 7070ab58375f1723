"""Sending until it has arrived: again after what passes, in halves after a refusal, and nothing dropped unsaid."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from go_live.errors import MeasurementError
from go_live.management.client import World
from go_live.management.retries import Policy, pause_s
from go_live.shipping.batches import NS, Entry, cut, timely
from go_live.shipping.destination import Destination, LinesRefusedError, PassingError, Refused

FIRST_PAUSE_S = 0.5
MOST_DOUBLINGS = 20
MOST_HALVES = 64
"""Requests that one refused request may become: what is refused in more pieces than that is refused as it is."""


class GaveUpError(MeasurementError):
    """The destination could not be reached for as long as was allowed. Nothing is lost: the next start sends it."""


@dataclass(slots=True)
class Counts:
    """What has happened so far."""

    shipped: int = 0
    """Lines that arrived; other lines count as the one that stands for them."""
    others: int = 0
    """Lines of the log that are counted and not sent."""
    bytes: int = 0
    """Of the lines that arrived, uncompressed."""
    requests: int = 0
    retries: int = 0
    refused: int = 0
    trouble: list[str] = field(default_factory=list)
    """What could not be read, and what was refused: the first that was said of each."""

    def say(self, trouble: str) -> None:
        """Keep it once, and not without end."""
        if trouble not in self.trouble and len(self.trouble) < MOST_TROUBLE:
            self.trouble.append(trouble)


MOST_TROUBLE = 20


@dataclass(frozen=True, slots=True)
class Lost:
    """Lines that never arrive."""

    lines: tuple[str, ...]
    reason: str


class Delivery:
    """Sends the batches of one shipper."""

    def __init__(
        self, destination: Destination, counts: Counts, *, most_pause_s: float, world: World, hurry: asyncio.Event
    ) -> None:
        """``hurry`` is set once this process is to end: then a destination that is down is given up soon."""
        self._destination = destination
        self._counts = counts
        self._policy = Policy(first_s=FIRST_PAUSE_S, most_s=most_pause_s)
        self._world = world
        self._hurry = hurry
        self.down: str | None = None
        """Why the last try failed; None: it did not."""

    async def deliver(self, worker: str, entries: Sequence[Entry], *, give_up_s: float | None) -> list[Lost]:
        """Send ``entries`` until all have arrived; those that never will.

        Args:
            worker: whose they are.
            entries: in any order.
            give_up_s: how long a destination that cannot be reached is waited for; None: for ever.

        Raises:
            GaveUpError: it could not be reached for so long.
            DestinationError: something has to be changed first.
        """
        limits = self._destination.limits
        sorted_out = timely(entries, limits, round(self._world.wall() * NS))
        lost = [self._lose(sorted_out.old, "older than the destination takes")] if sorted_out.old else []
        lost += [self._lose(sorted_out.ahead, "further ahead than the destination takes")] if sorted_out.ahead else []
        for request in cut(sorted_out.fresh, limits):
            lost += await self._send(worker, request, give_up_s, halves=[MOST_HALVES])
        return lost

    async def _send(
        self, worker: str, entries: Sequence[Entry], give_up_s: float | None, *, halves: list[int]
    ) -> list[Lost]:
        try:
            refused = await self._until_taken(worker, entries, give_up_s)
        except LinesRefusedError as error:
            if len(entries) == 1 or halves[0] <= 0:
                return [self._lose(entries, str(error))]
            halves[0] -= 2
            middle = len(entries) // 2
            first = await self._send(worker, entries[:middle], give_up_s, halves=halves)
            return first + await self._send(worker, entries[middle:], give_up_s, halves=halves)
        lost = [self._lose(one.entries, one.reason) for one in refused]
        kept = len(entries) - sum(len(one.lines) for one in lost)
        self._counts.shipped += kept
        self._counts.bytes += sum(one.size for one in entries)
        return lost

    async def _until_taken(self, worker: str, entries: Sequence[Entry], give_up_s: float | None) -> Sequence[Refused]:
        began, attempt = self._world.clock(), 0
        while True:
            try:
                self._counts.requests += 1
                taken = await self._destination.send(worker, entries)
            except PassingError as error:
                attempt += 1
                self.down = str(error)
                await self._pause(error, attempt, began, give_up_s)
            else:
                self.down = None
                return taken

    async def _pause(self, error: PassingError, attempt: int, began: float, give_up_s: float | None) -> None:
        """Wait before the next try.

        Raises:
            GaveUpError: it would be too late.
        """
        self._counts.retries += 1
        limit = give_up_s if give_up_s is not None else HURRIED_S if self._hurry.is_set() else None
        # Half of the pause is certain, so that a destination that is down is not asked at once again.
        drawn = 0.5 + self._world.draw() / 2
        wait_s = pause_s(self._policy, min(attempt, MOST_DOUBLINGS), drawn, error.wait_s)
        if limit is not None and self._world.clock() - began + wait_s > limit:
            raise GaveUpError(f"{error}; given up after {limit:g} s: nothing is lost, the next start sends it")
        await self.slept(wait_s)

    async def slept(self, seconds: float) -> None:
        """Sleep, but no longer than until this process is to end."""
        if self._hurry.is_set():
            await self._world.sleep(seconds)
            return
        sleeping = asyncio.ensure_future(self._world.sleep(seconds))
        hurry = asyncio.ensure_future(self._hurry.wait())
        try:
            await asyncio.wait({sleeping, hurry}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            hurry.cancel()
            await asyncio.gather(sleeping, hurry, return_exceptions=True)

    def _lose(self, entries: Sequence[Entry], reason: str) -> Lost:
        self._counts.refused += len(entries)
        self._counts.say(f"{len(entries)} lines refused: {reason}")
        return Lost(tuple(one.text for one in entries), reason)


HURRIED_S = 5.0
"""How long a process that is to end still tries."""
