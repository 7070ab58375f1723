"""What a destination is to the shipper, and the three ways in which sending fails."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from go_live.errors import MeasurementError
from go_live.shipping.batches import Entry, Limits


class PassingError(Exception):
    """It passes by itself: no connection, too many requests, a server that failed. The same is sent again."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        """``wait_s`` is what the destination asked for."""
        super().__init__(message)
        self.wait_s = wait_s


class LinesRefusedError(Exception):
    """The destination will never take what was sent. Some of it may be taken alone: it is sent in halves."""


class DestinationError(MeasurementError):
    """Nothing is taken until somebody changes something: a key, an address, a right. The message says what."""


class Refused(NamedTuple):
    """Lines of an accepted request that the destination did not keep."""

    entries: Sequence[Entry]
    reason: str


class Destination(Protocol):
    """Where logs are kept."""

    @property
    def name(self) -> str:
        """``Loki at http://127.0.0.1:3100``."""

    @property
    def limits(self) -> Limits:
        """What it takes at once."""

    def payload(self, worker: str, entries: Sequence[Entry]) -> str:
        """What would be sent, for a reader."""

    async def send(self, worker: str, entries: Sequence[Entry]) -> Sequence[Refused]:
        """Send one request; what was not kept of it, although it was taken.

        Raises:
            PassingError: try again.
            LinesRefusedError: never.
            DestinationError: not before something is changed.
        """

    async def find(self, request_id: str, since_s: float, until_s: float) -> Sequence[str]:
        """The lines that hold ``request_id``, between two Unix times.

        Raises:
            PassingError: try again.
            LinesRefusedError: it does not take the question.
            DestinationError: not before something is changed.
        """

    async def close(self) -> None:
        """Give back what is open."""
