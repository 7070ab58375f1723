"""The line's asynchronous face: wait for a place, give it back."""

import asyncio
import math
import time
from collections.abc import Callable

from go_live.gateway.line import Line, Place, Ticket


class NotAdmittedError(Exception):
    """The request was never sent; it is safe to send it again after ``retry_after_s`` whole seconds."""

    def __init__(self, reason: str, retry_after_s: int) -> None:
        """Keep both."""
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Admission:
    """Places of one endpoint. All methods belong to one event loop."""

    def __init__(self, line: Line, *, service_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``service_s`` is the expected time of one request, seconds, until some have been seen."""
        self.line = line
        self._clock = clock
        self._service_s = service_s
        self._closed = False
        self._places: dict[Ticket, asyncio.Future[None]] = {}

    async def enter(self, caller: str, deadline: float) -> None:
        """Wait for a place until ``deadline`` (seconds on the clock). Whoever returns from here must call ``leave``.

        Raises:
            NotAdmittedError: the line is full, or the time is up.
        """
        if self._closed:
            raise self._ending()
        ticket = Ticket(caller, deadline)
        asked = self.line.ask(ticket)
        if asked.dropped is not None:
            self._settle(asked.dropped, self._full())
        if asked.place is Place.TURNED_AWAY:
            raise self._full()
        if asked.place is Place.WAITING:
            await self._wait(ticket)

    def leave(self, took_s: float | None = None) -> None:
        """Give a place back, which took ``took_s`` (None: says nothing about the next), and start who is next."""
        if took_s is not None:
            self._service_s += (took_s - self._service_s) / 8
        self.line.end()
        self._fill()

    def close(self) -> None:
        """Turn away whoever waits, and whoever comes from now on."""
        self._closed = True
        for ticket in tuple(self._places):
            if self.line.leave(ticket):
                self._settle(ticket, self._ending())

    def retry_after_s(self) -> int:
        """When a place in the line is likely to be free: whole seconds, 1 to 60."""
        turns = (self.line.waiting + 1) / self.line.cap
        return min(max(1, math.ceil(turns * self._service_s)), 60)

    async def _wait(self, ticket: Ticket) -> None:
        place = self._places[ticket] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ticket.deadline - self._clock()):
                await place
        except BaseException as error:
            if not self.line.leave(ticket) and place.done() and not place.cancelled() and place.exception() is None:
                # The place came in the very moment in which the caller gave up.
                self.line.end()
                self._fill()
            if isinstance(error, TimeoutError):
                raise self._late() from None
            raise
        finally:
            del self._places[ticket]

    def _fill(self) -> None:
        started, late = self.line.start(self._clock())
        for ticket in late:
            self._settle(ticket, self._late())
        gone = [ticket for ticket in started if not self._settle(ticket, None)]
        for _ in gone:
            self.line.end()
        if gone:
            self._fill()

    def _settle(self, ticket: Ticket, error: NotAdmittedError | None) -> bool:
        """Tell who waits; False: he has just gone, and will not look at it."""
        place = self._places[ticket]
        if place.done():
            return False
        if error is None:
            place.set_result(None)
        else:
            place.set_exception(error)
        return True

    def _full(self) -> NotAdmittedError:
        return NotAdmittedError("the waiting line is full", self.retry_after_s())

    def _ending(self) -> NotAdmittedError:
        return NotAdmittedError("the gateway is ending", self.retry_after_s())

    def _late(self) -> NotAdmittedError:
        return NotAdmittedError("no place became free within the client's time", self.retry_after_s())
