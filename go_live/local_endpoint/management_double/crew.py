"""Who an endpoint's workers are: pretended ones, or the local endpoint's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Seen:
    """One active worker."""

    id: str
    status: str
    """``RUNNING``, ``IDLE``, ``INITIALIZING``, ``THROTTLED`` or ``UNHEALTHY``."""
    version: int
    """Of the configuration it was started with."""
    started_at: float | None
    """Unix time."""


class Crew(Protocol):
    """The workers of one endpoint, and what a write does to them."""

    def seen(self) -> list[Seen]:
        """The active workers."""

    def scaled(self, config: Mapping[str, Any]) -> None:
        """New bounds, scaler or time-outs: followed promptly, without a release."""

    def released(self, config: Mapping[str, Any], version: int) -> None:
        """A new release: workers are replaced as they cycle."""


class PretendCrew:
    """Workers that exist only here; a test says when one is replaced."""

    def __init__(self, *, now: float = 0.0) -> None:
        """None yet; ``now`` is when they will have started."""
        self.workers: list[Seen] = []
        self._now = now
        self._made = 0
        self._version = 0

    def seen(self) -> list[Seen]:
        """All there are."""
        return [replace(one) for one in self.workers]

    def scaled(self, config: Mapping[str, Any]) -> None:
        """As many as are always on."""
        wanted = int(config["workers"]["min"])
        del self.workers[wanted:]
        while len(self.workers) < wanted:
            self.workers.append(self._new())

    def released(self, config: Mapping[str, Any], version: int) -> None:
        """The workers stay as they are until they are rolled."""
        self._version = version
        self.scaled(config)

    def roll(self, count: int = 1) -> None:
        """Replace up to ``count`` workers of an older release."""
        old = [index for index, one in enumerate(self.workers) if one.version != self._version]
        for index in old[:count]:
            self.workers[index] = self._new()

    def _new(self) -> Seen:
        self._made += 1
        return Seen(id=f"pretend{self._made}", status="IDLE", version=self._version, started_at=self._now)
