"""Envelopes: what is signed is what is read, and each way of proving nothing has a reason of its own."""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from go_live.evidence import dsse
from go_live.evidence.dsse import EnvelopeError, Fault
from go_live.release import record_verify

OURS, OTHER = Ed25519PrivateKey.from_private_bytes(b"1" * 32), Ed25519PrivateKey.from_private_bytes(b"2" * 32)
PINNED = {"ours": OURS.public_key().public_bytes_raw(), "other": OTHER.public_key().public_bytes_raw()}
BODY = b'{"a": 1}'


def edited(**changes: Any) -> bytes:
    """A good envelope with other fields."""
    envelope: dict[str, Any] = json.loads(dsse.seal(BODY, {"ours": OURS}))
    return json.dumps(envelope | changes).encode()


def fault(content: bytes) -> Fault:
    """The fault for which an envelope is refused."""
    with pytest.raises(EnvelopeError) as caught:
        dsse.unseal(content, PINNED)
    assert "\n" not in str(caught.value)
    return caught.value.fault


def signature(key: Ed25519PrivateKey, kind: str = dsse.PAYLOAD_TYPE) -> dict[str, str]:
    """A signature of BODY."""
    return {"keyid": "ours", "sig": base64.b64encode(key.sign(dsse.pae(kind, BODY))).decode()}


def another_signature(key: Ed25519PrivateKey, nonce: int = 12345) -> bytes:
    """A good signature of BODY that is not the one the standard would make: whoever signs may choose the nonce."""
    digest = hashlib.sha512(key.private_bytes_raw()).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    x, y, z, _ = record_verify.times(nonce, record_verify.BASE)
    inverse = pow(z, record_verify.P - 2, record_verify.P)
    x, y = x * inverse % record_verify.P, y * inverse % record_verify.P
    r = (y | (x & 1) << 255).to_bytes(32, "little")
    public, signed = key.public_key().public_bytes_raw(), dsse.pae(dsse.PAYLOAD_TYPE, BODY)
    h = int.from_bytes(hashlib.sha512(r + public + signed).digest(), "little")
    return r + ((nonce + h * scalar) % record_verify.ORDER).to_bytes(32, "little")


def test_the_protocol_s_own_example() -> None:
    """The test vector of the DSSE protocol's specification."""
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_count_bytes() -> None:
    """A payload type that is not ASCII is as long as its bytes."""
    assert dsse.pae("é", "ü".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"


@given(st.binary(max_size=200))
def test_round_trip(payload: bytes) -> None:
    """Any payload comes back byte by byte, with the names of the keys that signed it; twice gives the same envelope."""
    sealed = dsse.seal(payload, {"ours": OURS, "other": OTHER})
    assert sealed == dsse.seal(payload, {"ours": OURS, "other": OTHER})
    opened = dsse.unseal(sealed, PINNED)
    assert (opened.payload, opened.keys) == (payload, ("ours", "other"))


@given(st.data())
def test_any_edited_byte_is_found(data: st.DataObject) -> None:
    """A payload that differs in one byte is not what was signed."""
    at = data.draw(st.integers(0, len(BODY) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != BODY[at]))
    body = BODY[:at] + bytes([other]) + BODY[at + 1 :]
    assert fault(edited(payload=base64.b64encode(body).decode())) == "edited"


def test_the_key_s_name_decides_nothing() -> None:
    """A good signature under a wrong or missing name counts; a foreign one under ours does not."""
    good = json.loads(dsse.seal(BODY, {"whoever": OURS}))
    assert dsse.unseal(json.dumps(good).encode(), PINNED).keys == ("ours",)
    del good["signatures"][0]["keyid"]
    assert dsse.unseal(json.dumps(good).encode(), PINNED).keys == ("ours",)
    assert fault(edited(signatures=[signature(Ed25519PrivateKey.generate())])) == "edited"


def test_unknown_signer() -> None:
    """A stranger's envelope, and one whom nobody may sign for."""
    assert fault(dsse.seal(BODY, {"SHA256:stranger": Ed25519PrivateKey.generate()})) == "unknown signer"
    with pytest.raises(EnvelopeError, match=r"signed by SHA256:x, which is not pinned"):
        dsse.unseal(dsse.seal(BODY, {"SHA256:x": OURS}), {})


def test_strangers_beside_ours_are_passed_over() -> None:
    """A second signature that we cannot judge takes nothing away."""
    both = dsse.seal(BODY, {"stranger": Ed25519PrivateKey.generate(), "ours": OURS})
    assert dsse.unseal(both, PINNED).keys == ("ours",)


def test_duplicate_signer() -> None:
    """Two signatures by one key are one signer, whatever names they bear."""
    assert fault(edited(signatures=[signature(OURS), signature(OURS)])) == "duplicate signer"
    second = {"keyid": "other", "sig": base64.b64encode(another_signature(OURS)).decode()}
    assert second["sig"] != signature(OURS)["sig"]
    assert dsse.unseal(edited(signatures=[second]), PINNED).keys == ("ours",)
    assert fault(edited(signatures=[signature(OURS), second])) == "duplicate signer"


def test_wrong_payload_type() -> None:
    """Something else that our key signed is no statement; a type that was exchanged breaks the signature."""
    kind = "application/octet-stream"
    assert fault(edited(payloadType=kind, signatures=[signature(OURS, kind)])) == "wrong payload type"
    assert fault(edited(payloadType=kind)) == "edited"


def test_unsigned() -> None:
    """No signature at all."""
    assert fault(edited(signatures=[])) == "unsigned"


def test_both_alphabets() -> None:
    """Readers take standard and url-safe base64."""
    payload = bytes(range(256))
    envelope = json.loads(dsse.seal(payload, {"ours": OURS}))
    envelope["payload"] = envelope["payload"].replace("+", "-").replace("/", "_")
    assert dsse.unseal(json.dumps(envelope).encode(), PINNED).payload == payload


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{", b"null", b"\xff", b"[" * 100_000, edited(signatures=None), edited(signatures=[1]),
        edited(signatures=[{}]), edited(payload=1), edited(payload="%%%"), edited(payloadType=None),
        edited(signatures=[{"sig": "é"}]),
        b'{"payload": "", "payload": "", "payloadType": "x", "signatures": []}',
    ],
)  # fmt: skip
def test_malformed(content: bytes) -> None:
    """What is no envelope is refused as such, and never raises anything else."""
    assert fault(content) == "malformed"


@given(st.binary(max_size=80))
def test_anything_is_refused(content: bytes) -> None:
    """No bytes but an envelope of ours are accepted."""
    with pytest.raises(EnvelopeError):
        dsse.unseal(content, PINNED)
