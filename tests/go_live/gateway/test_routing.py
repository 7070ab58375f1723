"""A decision in its envelope: what is signed is what is acted on, and nothing else is believed."""

import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from go_live.errors import UsageError
from go_live.evidence import dsse
from go_live.gateway.routing import PAYLOAD_TYPE, ROLLOUTS, open_decision, sign
from go_live.release.trust import ATTESTATIONS, Signer, ed25519_raw, parse
from tests.go_live.gateway.decisions import NOW, PINNED, STRANGER, decision, pin


def signers(*lines: str) -> tuple[Signer, ...]:
    """Pinned signers; by default PINNED, for rollouts."""
    return parse("".join(lines or (pin(PINNED),)), name="signers")


def sealed(payload: bytes, kind: str = PAYLOAD_TYPE, key: Ed25519PrivateKey = PINNED) -> bytes:
    """Any payload, well signed."""
    return dsse.seal(payload, {"key": key}, payload_type=kind)


def test_a_decision_comes_out_as_it_went_in() -> None:
    """What one signs the other reads, and the same decision has the same bytes."""
    told = decision(50, 7, sticky=True)
    assert open_decision(sign(told, PINNED), signers()) == told
    assert sign(told, PINNED) == sign(told, PINNED)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no DSSE envelope"),
        (b"{}", "no DSSE envelope"),
        (sign(decision(), STRANGER), "not pinned"),
        (json.dumps(json.loads(sign(decision(), PINNED)) | {"signatures": []}).encode(), "no signature"),
        (
            json.dumps(json.loads(sign(decision(), PINNED)) | {"payload": "e30="}).encode(),
            "edited",
        ),
        (sealed(b"{}"), "no decision about a route"),
        (sealed(b"[" * 9999), "no decision about a route"),
        (sealed(msgspec.json.encode(decision()), dsse.PAYLOAD_TYPE), "holds 'application/vnd.in-toto"),
    ],
)
def test_what_proves_nothing_is_refused(content: bytes, why: str) -> None:
    """Unsigned, edited, a stranger's, another kind of payload: each refused in one line that says why."""
    with pytest.raises(UsageError, match=why) as caught:
        open_decision(content, signers())
    assert "\n" not in str(caught.value)


def test_a_decision_is_no_attestation() -> None:
    """Who reads attestations refuses a decision, whoever signed it."""
    (signer,) = signers()
    raw = ed25519_raw(signer.key)
    assert raw is not None
    with pytest.raises(dsse.EnvelopeError, match="route-decision"):
        dsse.unseal(sign(decision(), PINNED), {signer.fingerprint: raw})


def test_a_key_of_releases_signs_no_rollouts() -> None:
    """A key that is pinned for tags and attestations alone is refused, and so is one whose time was over."""
    content = sign(decision(), PINNED)
    with pytest.raises(UsageError, match="not for golive-rollout"):
        open_decision(content, signers(pin(PINNED, "git", ATTESTATIONS)))
    over = pin(PINNED).replace(f'"{ROLLOUTS}"', f'"{ROLLOUTS}",valid-before="20200101Z"')
    with pytest.raises(UsageError, match="was valid until 2020"):
        open_decision(content, signers(over))
    assert open_decision(content, signers(over, pin(PINNED))) == decision()


@pytest.mark.parametrize(
    "changes",
    [
        {"candidate": "blue"},
        {"candidate_percent": 101},
        {"candidate_percent": -1},
        {"candidate_percent": 10, "valid_until": None},
        {"serial": 0},
        {"serial": 2**60},
        {"decided_at": -1.0},
        {"valid_until": 1e300},
        {"outcome": "maybe"},
        {"sticky": 1},
        {"extra": 1},
        {"current": ""},
    ],
)
def test_values_that_cannot_be_meant(changes: dict[str, Any]) -> None:
    """A share beyond 0 to 100 %, one without an end, a route to itself: refused even when well signed."""
    told = json.loads(msgspec.json.encode(decision())) | changes
    with pytest.raises(UsageError, match="no decision about a route"):
        open_decision(sealed(json.dumps(told).encode()), signers())


def test_no_time_that_is_no_number() -> None:
    """NaN would be written as null, which means "for ever": it cannot be signed."""
    for moment in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="no time"):
            decision(valid_until=moment)


def test_an_end() -> None:
    """Up to its last moment the share holds; from then on the candidate has none. Without an end it holds on."""
    told = decision(10)
    assert [told.percent_at(NOW + after) for after in (-5, 59.9, 60, 9e9)] == [10, 10, 0, 0]
    assert decision(100, valid_until=None).percent_at(9e12) == 100
