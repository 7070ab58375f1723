"""When a call may be made again, and how long to wait before. Pure.

Reads are repeated after what passes by itself: a broken connection, a time-out, 429, 500, 502, 503, 504 or a proxy's
page. A write is repeated only after 429, which says that nothing was done. The pause doubles and is drawn at random
from its whole range ("full jitter"), so that many clients do not come back together; a pause that the API asks for is
kept to.
"""

import email.utils
import re
from collections.abc import Mapping

import msgspec

from go_live.management.errors import (
    HtmlError,
    ManagementError,
    RateLimitedError,
    ServerError,
    UnreachableError,
)

PASSING = frozenset({500, 502, 503, 504, 520, 521, 522, 523, 524})
"""5xx that pass by themselves; 520 to 524 are the platform's edge (Cloudflare)."""

_MEMBER = re.compile(r'"(?P<name>[^"]*)"(?P<parameters>(?:\s*;\s*[a-z]\s*=\s*\d+)*)')
_PARAMETER = re.compile(r"([a-z])\s*=\s*(\d+)")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and how patiently."""

    attempts: int = 4
    """Calls in all."""
    first_s: float = 0.5
    """Upper bound of the first pause; it doubles."""
    most_s: float = 8.0
    """Upper bound of any pause that golive chooses."""
    patience_s: float = 90.0
    """Longest pause that the API may ask for: its shortest window is a minute. Longer is an error that says so."""


def may_repeat(error: ManagementError, *, write: bool) -> bool:
    """Whether the same call may be made again after ``error``."""
    if isinstance(error, RateLimitedError):
        return True
    if write:
        return False
    if isinstance(error, ServerError):
        return error.status in PASSING
    return isinstance(error, UnreachableError | HtmlError)


def pause_s(policy: Policy, attempt: int, drawn: float, asked_s: float | None) -> float:
    """Seconds to wait after failed call number ``attempt`` (from 1).

    Args:
        policy: the bounds.
        attempt: how many calls have failed.
        drawn: a random number in [0, 1).
        asked_s: what the API asked for; None: it did not.
    """
    if asked_s is not None:
        # A little later than asked, and not all at once.
        return asked_s + drawn * policy.first_s
    return drawn * float(min(policy.most_s, policy.first_s * 2 ** (attempt - 1)))


def asked_s(headers: Mapping[str, str], now: float) -> float | None:
    """The pause that an answer asks for: ``Retry-After``, or the windows of ``RateLimit`` that are used up.

    Args:
        headers: of the answer; names in any case where the mapping allows it.
        now: Unix time, for a Retry-After that is a date.
    """
    after = headers.get("Retry-After", "").strip()
    if after.isascii() and after.isdigit():
        return float(after)
    if after:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - now)
        except ValueError:
            pass
    return used_up_s(headers.get("RateLimit", ""))


def used_up_s(header: str) -> float | None:
    """Seconds until no window of a ``RateLimit`` header is used up; None: there is none that is.

    The header is a list of ``"minute";r=0;t=12`` (remaining requests, seconds until the window ends).
    """
    waits = []
    for member in _MEMBER.finditer(header):
        values = dict(_PARAMETER.findall(member["parameters"]))
        if values.get("r") == "0" and "t" in values:
            waits.append(float(values["t"]))
    return max(waits, default=None)
