"""What a rollout decides about a route, and the signed envelope in which the gateway is told. Pure.

A route is the endpoint id that callers ask for. A decision says what share of its requests goes to the candidate, and
until when: the judge decides and signs, the gateway does what was signed and nothing else.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from go_live.errors import UsageError
from go_live.evidence.dsse import seal, unseal
from go_live.release.trust import Signer, ed25519_blob, ed25519_raw, fingerprint

PAYLOAD_TYPE = "application/vnd.golive.route-decision+json"
"""Of a decision's envelope. It is part of what is signed: a decision is no attestation, nor the reverse."""
ROLLOUTS = "golive-rollout"
"""Namespace that a signers file names for keys that sign decisions; a key of releases is not one by itself."""
ALL = 100
LAST_MOMENT = 253_402_300_799.0
"""Unix time of the end of the year 9999: calendars end there."""
LARGEST = 2**53
"""Up to here a metric can tell one serial from the next."""

Arm = Literal["current", "candidate"]
RouteOutcome = Literal["begin", "pass", "fail", "inconclusive", "operator"]
"""What the decision follows from: a rollout's beginning, a verdict of its judge, or a person."""
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class DecisionError(UsageError):
    """A decision that the gateway does not act on; the text is one line."""


class RouteDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rollout has decided about a route.

    Raises:
        ValueError: its values contradict each other (decoding makes a ``msgspec.ValidationError`` of it).
    """

    rollout: Name
    """Id of the rollout."""
    serial: Annotated[int, Meta(ge=1, le=LARGEST)]
    """Grows with every decision about this route; the gateway never goes back to an older one."""
    current: Name
    """Endpoint id, the one that callers ask for."""
    candidate: Name
    """Endpoint id."""
    candidate_percent: Annotated[int, Meta(ge=0, le=ALL)]
    sticky: bool
    """By caller."""
    outcome: RouteOutcome
    reason: str
    decided_at: float
    """Unix time."""
    valid_until: float | None
    """Unix time; after it the gateway sends nothing to the candidate: nobody judges any more. None: until the next
    decision, which only 0 % and a finished 100 % may say."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.current == self.candidate:
            raise ValueError("current and candidate are the same endpoint")
        if not all(0 <= moment <= LAST_MOMENT for moment in (self.decided_at, self.valid_until or 0.0)):
            raise ValueError("a time is no time")
        if self.valid_until is None and 0 < self.candidate_percent < ALL:
            raise ValueError(f"{self.candidate_percent} % needs an end (valid_until): nobody would judge it for ever")

    def percent_at(self, now: float) -> int:
        """The candidate's share at ``now`` (Unix time), percent: none once the decision has expired."""
        return 0 if self.expired(now) else self.candidate_percent

    def expired(self, now: float) -> bool:
        """Whether nobody stands behind it any more."""
        return self.valid_until is not None and now >= self.valid_until

    def endpoint(self, arm: Arm) -> str:
        """The endpoint of an arm."""
        return self.candidate if arm == "candidate" else self.current


def sign(decision: RouteDecision, key: Ed25519PrivateKey) -> bytes:
    """The envelope of ``decision``, one line: the same decision and key give the same bytes."""
    name = fingerprint(ed25519_blob(key.public_key().public_bytes_raw()))
    return seal(msgspec.json.encode(decision), {name: key}, payload_type=PAYLOAD_TYPE)


def open_decision(content: bytes, signers: Iterable[Signer]) -> RouteDecision:
    """The decision in an envelope that one of ``signers`` signed, who was pinned for rollouts when it was made.

    Raises:
        DecisionError: it is no decision, or its key was not pinned for rollouts at that time.
        EnvelopeError: the envelope proves nothing (unsigned, unknown signer, edited, another payload type, malformed).
    """
    pinned = tuple(signers)
    keys = {one.fingerprint: raw for one in pinned if (raw := ed25519_raw(one.key)) is not None}
    opened = unseal(content, keys, payload_type=PAYLOAD_TYPE)
    try:
        decision = msgspec.json.decode(opened.payload, type=RouteDecision)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecisionError(f"what was signed is no decision about a route: {error}") from error
    refusals = [
        f"the key {one.fingerprint} {told}" if (told := one.refusal(ROLLOUTS, decision.decided_at)) else ""
        for one in pinned
        if one.fingerprint in opened.keys
    ]
    if all(refusals):
        raise DecisionError(refusals[0])
    return decision
