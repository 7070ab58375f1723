"""What the gateway kept of a step's requests, as figures of two arms. Pure.

| a request | is |
|---|---|
| that got a usable answer | ok |
| that the endpoint failed, or did not end in the client's time | failed: infinitely slow, and without an answer |
| whose caller went before even a slow answer was due | gone: it says nothing, and is counted apart |
| that a guardrail refused | the caller's mistake; only the share of them is compared |
| that was rejected | never sent to an endpoint; counted apart |

A look meets some requests under way. Of those that came first all have ended once the client's time has passed since
they came: they are *settled*, and it is certain that no slow one is missing among them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from go_live.monitor.metrics import RequestOutcome
from go_live.records import ErrorClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from go_live.table import Bools, Floats

SETTLED_MARGIN_S = 1.0
"""A request that is given up at the end of the client's time is kept within so long after it."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Of a line of the gateway's record (``go_live.gateway.telemetry.Served``) what a rollout judges."""

    wall: float
    """Unix time of its receipt."""
    outcome: RequestOutcome
    total_ms: float
    caller: str = ""
    wait_ms: float | None = None
    delay_ms: float | None = None
    exec_ms: float | None = None
    tokens: int | None = None
    error: ErrorClass | None = None
    arm: Literal["current", "candidate"] | None = None
    rollout: str | None = None
    serial: int | None = None

    @property
    def ended(self) -> float:
        """Unix time of its end."""
        return self.wall + self.total_ms / 1000

    @property
    def service_ms(self) -> float:
        """From its sending to its end, ms; infinite where it was never sent."""
        return math.inf if self.wait_ms is None else self.total_ms - self.wait_ms


class Patience(msgspec.Struct, frozen=True):
    """How long requests may take."""

    gone_ms: float
    """A caller who goes earlier than this has said nothing about the endpoint."""
    timeout_s: float
    """The client's time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Arm:
    """One arm's requests that say something, in the order in which they came."""

    wall: Floats
    """When each came, Unix time."""
    ended: Floats
    ok: Bools
    service_ms: Floats
    """Infinite where it failed."""
    exec_ms: Floats
    """Infinite where it failed; NaN where an answer came and the platform did not tell it."""
    queue_ms: Floats
    """Likewise."""
    tokens: Floats
    """0 where it failed; NaN where an answer came and its length was not told."""
    refused: Floats
    """When each refused request came."""
    gone: int = 0
    rejected: int = 0

    @property
    def n(self) -> int:
        """Requests that say something."""
        return len(self.ok)

    @property
    def failures(self) -> int:
        """How many of them failed."""
        return int(np.count_nonzero(~self.ok))

    @property
    def exposed(self) -> int:
        """User requests that were given to this arm, whatever became of them."""
        return self.n + self.gone + self.rejected + len(self.refused)

    def until(self, wall: float) -> Arm:
        """The part that came by ``wall``."""
        n = int(np.searchsorted(self.wall, wall, side="right"))
        refused = int(np.searchsorted(self.refused, wall, side="right"))
        return replace(
            self,
            wall=self.wall[:n],
            ended=self.ended[:n],
            ok=self.ok[:n],
            service_ms=self.service_ms[:n],
            exec_ms=self.exec_ms[:n],
            queue_ms=self.queue_ms[:n],
            tokens=self.tokens[:n],
            refused=self.refused[:refused],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """Both arms over one interval."""

    candidate: Arm
    current: Arm
    until: float
    """The end of the request that ended last, on the gateway's clock; -inf without a request."""

    def arm(self, name: Literal["current", "candidate"]) -> Arm:
        """The arm of that name."""
        return self.candidate if name == "candidate" else self.current

    def settled(self, patience: Patience) -> Seen:
        """The requests that came so early that none of their time is still under way."""
        edge = self.until - patience.timeout_s - SETTLED_MARGIN_S
        return replace(self, candidate=self.candidate.until(edge), current=self.current.until(edge))


def see(requests: Iterable[Request], patience: Patience) -> Seen:
    """Sort the requests of one interval into arms; those of no arm are left out."""
    mine = sorted((one for one in requests if one.arm is not None), key=lambda one: one.wall)
    return Seen(
        candidate=_arm([one for one in mine if one.arm == "candidate"], patience),
        current=_arm([one for one in mine if one.arm == "current"], patience),
        until=max((one.ended for one in mine), default=-math.inf),
    )


def kind(request: Request, patience: Patience) -> Literal["ok", "failed", "gone", "refused", "rejected"]:
    """What a request is to the judge (module docstring)."""
    match request.outcome:
        case RequestOutcome.OK:
            return "ok"
        case RequestOutcome.REFUSED:
            return "refused"
        case RequestOutcome.REJECTED:
            return "rejected"
        case RequestOutcome.TIMEOUT if request.service_ms < patience.gone_ms:
            return "gone"
        case _:
            return "failed"


def _arm(requests: list[Request], patience: Patience) -> Arm:
    kinds = [kind(one, patience) for one in requests]
    said = [(one, what == "ok") for one, what in zip(requests, kinds, strict=True) if what in {"ok", "failed"}]

    def column(of: Iterable[float]) -> Floats:
        return np.fromiter(of, dtype=np.float64)

    return Arm(
        wall=column(one.wall for one, _ in said),
        ended=column(one.ended for one, _ in said),
        ok=np.fromiter((ok for _, ok in said), dtype=np.bool_),
        service_ms=column(one.service_ms if ok else math.inf for one, ok in said),
        exec_ms=column(_told(one.exec_ms) if ok else math.inf for one, ok in said),
        queue_ms=column(_told(one.delay_ms) if ok else math.inf for one, ok in said),
        tokens=column(_told(one.tokens) if ok else 0.0 for one, ok in said),
        refused=column(one.wall for one, what in zip(requests, kinds, strict=True) if what == "refused"),
        gone=kinds.count("gone"),
        rejected=kinds.count("rejected"),
    )


def _told(figure: float | None) -> float:
    return math.nan if figure is None else float(figure)
