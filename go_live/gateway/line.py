"""Who may be under way, who waits and who is turned away, as a state machine. Pure: no clock, no event loop.

At most ``cap`` are under way. At most ``room`` wait, one queue a caller, and callers take turns: whoever waits with one
request gets his turn after at most one request of each other caller, however many those have waiting. When the room is
full, the newest request of whoever waits with the most makes way for a caller who waits with fewer (longest queue
drop): a flood turns itself away and nobody else.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum


class Place(Enum):
    """Where a new request stands."""

    UNDER_WAY = "under way"
    WAITING = "waiting"
    TURNED_AWAY = "turned away"


@dataclass(slots=True, eq=False)
class Ticket:
    """One request: whose it is, and until when (seconds on the caller's clock) it may be started."""

    caller: str
    deadline: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Where the new ticket stands, and which waiting one had to make way for it."""

    place: Place
    dropped: Ticket | None = None


@dataclass(slots=True)
class Line:
    """The line of one endpoint."""

    cap: int
    """Most under way."""
    room: int
    """Most waiting."""
    under_way: int = 0
    waiting: int = 0
    _queues: dict[str, deque[Ticket]] = field(default_factory=dict)
    """Waiting tickets by caller, none of them empty, in the order of the callers' turns."""

    def ask(self, ticket: Ticket) -> Asked:
        """A request comes. Nobody overtakes: it starts at once only where a place is free and nobody waits."""
        if self.under_way < self.cap and not self.waiting:
            self.under_way += 1
            return Asked(Place.UNDER_WAY)
        dropped = None
        if self.waiting >= self.room:
            dropped = self._makes_way_for(ticket.caller)
            if dropped is None:
                return Asked(Place.TURNED_AWAY)
            self.leave(dropped)
        self._queues.setdefault(ticket.caller, deque()).append(ticket)
        self.waiting += 1
        return Asked(Place.WAITING, dropped)

    def leave(self, ticket: Ticket) -> bool:
        """A waiting request goes; whether it was waiting."""
        queue = self._queues.get(ticket.caller)
        if queue is None or ticket not in queue:
            return False
        queue.remove(ticket)
        self.waiting -= 1
        if not queue:
            del self._queues[ticket.caller]
        return True

    def end(self) -> None:
        """One that was under way has ended; call ``start`` next.

        Raises:
            ValueError: none was under way.
        """
        if not self.under_way:
            raise ValueError("nothing is under way that could end")
        self.under_way -= 1

    def start(self, now: float) -> tuple[list[Ticket], list[Ticket]]:
        """Fill the free places from the line: who starts, and who is taken out because his time is up."""
        started: list[Ticket] = []
        late: list[Ticket] = []
        while self.under_way < self.cap and self._queues:
            caller, queue = next(iter(self._queues.items()))
            ticket = queue.popleft()
            self.waiting -= 1
            in_time = ticket.deadline > now
            if in_time:
                self.under_way += 1
            (started if in_time else late).append(ticket)
            if not queue:
                del self._queues[caller]
            elif in_time:  # his turn is over; one that came too late costs him none
                self._queues[caller] = self._queues.pop(caller)
        return started, late

    def _makes_way_for(self, caller: str) -> Ticket | None:
        """The newest ticket of the longest queue, if that is longer by more than the newcomer; else None."""
        longest = max(self._queues.values(), key=len, default=None)
        own = len(self._queues.get(caller, ()))
        return longest[-1] if longest is not None and len(longest) > own + 1 else None
