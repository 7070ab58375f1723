"""Failures that can be injected into the double, and the quota of requests. Pure; injected clock."""

from collections.abc import Callable
from typing import Literal

import msgspec

WINDOW_S = 60.0


class Mishap(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong with the next ``times`` requests of an operation."""

    kind: Literal["status", "html", "hang", "cut", "garbage"]
    """``status``: a problem document; ``html``: a page of the edge; ``hang``: no answer; ``cut``: half an answer;
    ``garbage``: JSON of another shape."""
    operation: str = "*"
    """``GET /serverless/{id}``, or any."""
    status: int = 503
    times: int = 1
    applied: bool = False
    """Whether a write takes effect before it goes wrong."""
    headers: dict[str, str] = {}


class Mishaps:
    """What is to go wrong, in the order it was asked for."""

    def __init__(self) -> None:
        """Nothing."""
        self._waiting: list[Mishap] = []

    def add(self, mishap: Mishap) -> None:
        """Let this happen too."""
        self._waiting += [msgspec.structs.replace(mishap, times=1)] * mishap.times

    def take(self, operation: str) -> Mishap | None:
        """What goes wrong with this request; None: nothing."""
        for index, mishap in enumerate(self._waiting):
            if mishap.operation in {"*", operation}:
                return self._waiting.pop(index)
        return None


class Quota:
    """So many requests in a fixed window of a minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        """Begin with a fresh window; ``clock`` is monotonic seconds."""
        self.per_minute = per_minute
        self._clock = clock
        self._began = clock()
        self._used = 0

    def admit(self) -> bool:
        """Count a request; whether it is within the quota."""
        now = self._clock()
        if now - self._began >= WINDOW_S:
            self._began, self._used = now, 0
        self._used += 1
        return self._used <= self.per_minute

    @property
    def left(self) -> int:
        """Requests that are left in the window."""
        return max(0, self.per_minute - self._used)

    @property
    def resets_s(self) -> int:
        """Whole seconds until the window ends."""
        return max(0, round(self._began + WINDOW_S - self._clock()))
