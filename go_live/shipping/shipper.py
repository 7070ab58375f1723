"""The pipeline: tail, cut down, gather, send, and only then move the position.

One loop, one batch at a time: while the destination is down nothing is read, so that memory stays bounded and the files
keep what waits. A process that is killed at any point has lost nothing: what it had not ticked off is read again, and
what had arrived meanwhile arrives twice.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from go_live.management.client import World
from go_live.shipping.allowed import AllowList
from go_live.shipping.batches import NS, Entry, joined, others, stamped, told_ns
from go_live.shipping.delivery import Counts, Delivery
from go_live.shipping.destination import Destination
from go_live.shipping.files import Place, Tail, places
from go_live.shipping.positions import Position, Positions

LOOK_S = 0.5
"""How often the files are looked at."""
MOST_LINES = 20_000
MOST_RAW_BYTES = 8 * 2**20
"""Of one batch as it is read; what is sent of it is less."""


@dataclass(slots=True)
class Waiting:
    """What was read of one file and has not arrived."""

    entries: list[Entry] = field(default_factory=list)
    lines: int = 0
    raw: int = 0
    position: Position | None = None
    since: float = 0.0
    """When the first of it was read."""


class Source:
    """One file, and what waits of it."""

    def __init__(self, place: Place, position: Position | None, allow: AllowList, world: World) -> None:
        """Read on from ``position``."""
        self.place = place
        self.tail = Tail(place, position)
        self.waiting = Waiting()
        self.last_ns = position.last_ns if position is not None else 0
        self._allow = allow
        self._world = world

    def is_full(self) -> bool:
        """Whether it makes a batch."""
        return self.waiting.lines >= MOST_LINES or self.waiting.raw >= MOST_RAW_BYTES

    def fill(self) -> None:
        """Read what is there, up to a batch."""
        waiting = self.waiting
        if self.is_full():
            return
        for line in self.tail.read():
            if not waiting.lines:
                waiting.since = self._world.clock()
            waiting.lines += 1
            waiting.raw += len(line.text) + 1
            if clean := self._allow.clean(line.text):
                now_ns = self.last_ns or round(self._world.wall() * NS)
                entry = stamped(clean, told_ns=told_ns(line.ts), last_ns=now_ns)
                self.last_ns = entry.ns
                waiting.entries.append(entry)
            waiting.position = msgspec.structs.replace(line.after, last_ns=self.last_ns)
            if self.is_full():
                return

    def taken(self) -> None:
        """What waited has arrived."""
        self.waiting = Waiting()


class Shipper:
    """Ships a folder."""

    def __init__(
        self,
        folder: Path,
        destination: Destination,
        positions: Positions,
        allow: AllowList,
        *,
        max_age_s: float,
        most_pause_s: float,
        shorten_bytes: int | None = None,
        world: World | None = None,
    ) -> None:
        """Nothing is read before :meth:`run`; files that are longer than ``shorten_bytes`` are shortened once sent."""
        self.counts = Counts()
        self.stop = asyncio.Event()
        """Set it, and what is there is sent before the end."""
        self._folder = folder
        self._positions = positions
        self._allow = allow
        self._max_age_s = max_age_s
        self._shorten_bytes = shorten_bytes
        self._world = world or World()
        self._sources: dict[Path, Source] = {}
        self.delivery = Delivery(
            destination, self.counts, most_pause_s=most_pause_s, world=self._world, hurry=self.stop
        )

    async def once(self, *, give_up_s: float) -> None:
        """Send what is there.

        Raises:
            GaveUpError: the destination could not be reached for ``give_up_s``.
            DestinationError: something has to be changed first.
        """
        while await self._round(flush=True, give_up_s=give_up_s):
            pass

    async def run(self) -> None:
        """Send what is there and what comes, until ``stop`` is set; then what is left.

        Raises:
            GaveUpError: after ``stop``: the destination could not be reached any more.
            DestinationError: something has to be changed first.
        """
        while not self.stop.is_set():
            moved = await self._round(flush=False, give_up_s=None)
            if not moved and not self.stop.is_set():
                await self.delivery.slept(LOOK_S)
        while await self._round(flush=True, give_up_s=None):
            pass

    def behind(self) -> int:
        """Bytes that have not arrived."""
        return sum(source.tail.behind() + source.waiting.raw for source in self._look())

    def waiting(self) -> Iterable[tuple[str, list[Entry]]]:
        """What the next round would send, for each worker; nothing is ticked off."""
        for source in self._look():
            source.fill()
            if source.waiting.entries:
                yield source.place.worker, joined(source.waiting.entries)

    def close(self) -> None:
        """Give back every file."""
        for source in self._sources.values():
            source.tail.close()

    async def _round(self, *, flush: bool, give_up_s: float | None) -> bool:
        """Look at every file once; whether anything was sent."""
        moved = False
        for source in self._look():
            source.fill()
            if source.tail.trouble:
                self.counts.say(source.tail.trouble)
            waiting = source.waiting
            if not waiting.lines:
                self._leave(source)
                self._shorten(source)
                continue
            if flush or source.is_full() or self._world.clock() - waiting.since >= self._max_age_s:
                await self._deliver(source, give_up_s)
                moved = True
        return moved

    async def _deliver(self, source: Source, give_up_s: float | None) -> None:
        waiting = source.waiting
        entries = joined(waiting.entries)
        lost = await self.delivery.deliver(source.place.worker, entries, give_up_s=give_up_s)
        for one in lost:
            self._positions.refuse(list(one.lines), one.reason)
        self.counts.others += others(entries)
        if waiting.position is not None:
            self._positions.move(source.place.path, waiting.position)
        source.taken()

    def _look(self) -> list[Source]:
        """Every file that is there or was."""
        for place in places(self._folder, self._positions.paths()):
            if place.path in self._sources:
                continue
            position = self._positions.of(place.path)
            source = self._sources[place.path] = Source(place, position, self._allow, self._world)
            # A file that was seen is known from then on: it may be renamed before anything of it arrives.
            if position is None and (first := source.tail.start()) is not None:
                self._positions.move(place.path, first)
        return list(self._sources.values())

    def _shorten(self, source: Source) -> None:
        """Drop what has arrived of a file that is ours and has grown long."""
        before = source.tail.position
        if self._shorten_bytes is None or before is None or before.offset <= self._shorten_bytes:
            return
        if (now := source.tail.shorten(self._shorten_bytes // 8)) is not None:
            self._positions.move(source.place.path, msgspec.structs.replace(now, last_ns=source.last_ns))

    def _leave(self, source: Source) -> None:
        """Forget a file that is gone and of which nothing waits."""
        if source.tail.gone():
            source.tail.close()
            self._positions.forget(source.place.path)
            del self._sources[source.place.path]
