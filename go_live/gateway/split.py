"""Which arm a request goes to. Pure.

By request: an additive recurrence with the golden ratio. The n-th request's point is ``n * phi mod 1``, and it goes to
the candidate where that lies below the candidate's share. No other such sequence fills the interval more evenly (Knuth,
The Art of Computer Programming, vol. 3, section 6.4, theorem S), so any run of requests holds the share to within a
few; and unlike every k-th request they keep step with no caller who comes in a rhythm of his own.

By caller: the caller's point is a salted hash, and the same rule: who was moved at 10 % is still moved at 50 %.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from go_live.gateway.routing import ALL, Arm, RouteDecision

BITS = 64
WHOLE = 1 << BITS
STEP = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio, made odd (Knuth's multiplicative constant)."""


@dataclass(slots=True)
class Split:
    """The points of one route's requests, one after the other, whatever the share is at the time."""

    point: int = 0
    """Of the latest request, in units of 2^-64."""

    def pick(self, percent: int) -> Arm:
        """The arm of the next request, of which ``percent`` go to the candidate."""
        self.point = (self.point + STEP) % WHOLE
        return arm_of(self.point, percent)


def pick_for(caller: str, salt: str, percent: int) -> Arm:
    """The arm of ``caller``: the same for as long as ``salt`` is, but that a larger share moves more callers."""
    digest = hashlib.blake2b(caller.encode("utf-8", "surrogatepass"), digest_size=BITS // 8, key=_key(salt)).digest()
    return arm_of(int.from_bytes(digest, "big"), percent)


def arm_of(point: int, percent: int) -> Arm:
    """Below the share: the candidate. In whole numbers, so that 0 is nobody and 100 everybody."""
    return "candidate" if point * ALL < percent * WHOLE else "current"


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which endpoint a request goes to, and by which decision; by none where only ``endpoint`` is set."""

    endpoint: str
    route: str | None = None
    arm: Arm | None = None
    rollout: str | None = None
    serial: int | None = None


Choose = Callable[[str, str], Chosen]
"""Endpoint asked for, caller -> where the request goes."""


def straight(asked: str, _: str) -> Chosen:
    """Where nobody decides about routes: to the endpoint that was asked for."""
    return Chosen(endpoint=asked)


def chosen(decision: RouteDecision | None, asked: str, caller: str, split: Split, now: float) -> Chosen:
    """Where a request goes by the decision in force at ``now`` (Unix time), if that is about what was asked for."""
    if decision is None or asked != decision.current:
        return straight(asked, caller)
    percent = decision.percent_at(now)
    arm = pick_for(caller, decision.rollout, percent) if decision.sticky else split.pick(percent)
    return Chosen(
        endpoint=decision.endpoint(arm),
        route=asked,
        arm=arm,
        rollout=decision.rollout,
        serial=decision.serial,
    )


def _key(salt: str) -> bytes:
    """A key of the length that blake2b takes."""
    return hashlib.sha256(salt.encode("utf-8", "surrogatepass")).digest()
