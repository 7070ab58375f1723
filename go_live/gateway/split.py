"""Which arm a request goes to. Pure.

By request: an additive recurrence with the golden ratio. The n-th request's point is ``n * phi mod 1``, and it goes to
the candidate where that lies below the candidate's share. No other such sequence fills the interval more evenly (Knuth,
The Art of Computer Programming, vol. 3, section 6.4, theorem S), so any run of requests holds the share to within a
few; and unlike every k-th request they keep step with no caller who comes in a rhythm of his own.

By caller: the caller's point is a salted hash, and the same rule: who was moved at 10 % is still moved at 50 %.
"""

import hashlib
from dataclasses import dataclass

from go_live.gateway.routing import ALL, Arm

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
        return arm(self.point, percent)


def pick_for(caller: str, salt: str, percent: int) -> Arm:
    """The arm of ``caller``: the same for as long as ``salt`` is, but that a larger share moves more callers."""
    digest = hashlib.blake2b(caller.encode("utf-8", "surrogatepass"), digest_size=BITS // 8, key=_key(salt)).digest()
    return arm(int.from_bytes(digest, "big"), percent)


def arm(point: int, percent: int) -> Arm:
    """Below the share: the candidate. In whole numbers, so that 0 is nobody and 100 everybody."""
    return "candidate" if point * ALL < percent * WHOLE else "current"


def _key(salt: str) -> bytes:
    """A key of the length that blake2b takes."""
    return hashlib.sha256(salt.encode("utf-8", "surrogatepass")).digest()
