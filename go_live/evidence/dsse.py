"""Signed envelopes: DSSE with Ed25519 (github.com/secure-systems-lab/dsse, protocol version 1). Pure.

The signature covers type and bytes of the payload (PAE). It is verified first, then the type is compared, then the very
bytes that were verified are handed out; nothing is read from an envelope before that.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from go_live.errors import UsageError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""Of every attestation that golive makes or accepts: an in-toto Statement."""

Fault = Literal["malformed", "unsigned", "unknown signer", "duplicate signer", "edited", "wrong payload type"]


class EnvelopeError(UsageError):
    """An envelope proves nothing; ``fault`` says in one word why."""

    def __init__(self, fault: Fault, text: str) -> None:
        """``text`` is the whole message."""
        super().__init__(text)
        self.fault = fault


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What a good envelope holds."""

    payload: bytes
    """The bytes that were signed."""
    keys: tuple[str, ...]
    """Names of the keys whose signatures count; each once."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of type and payload. Lengths count bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, keys: Mapping[str, Ed25519PrivateKey], *, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The envelope of ``payload``, signed by each of ``keys`` (name -> key): the same input gives the same bytes."""
    signed = pae(payload_type, payload)
    signatures = [{"keyid": name, "sig": base64.b64encode(key.sign(signed)).decode()} for name, key in keys.items()]
    envelope = {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": signatures,
    }
    return json.dumps(envelope).encode() + b"\n"


def unseal(content: bytes, keys: Mapping[str, bytes], *, payload_type: str = PAYLOAD_TYPE) -> Opened:
    """The payload of an envelope that is signed by one of ``keys`` at least.

    Every key is tried on every signature: ``keyid`` is a hint for people and decides nothing. Signatures by keys that
    are not ours are passed over.

    Args:
        content: the envelope's JSON.
        keys: name -> the 32 bytes of the public key.
        payload_type: what it must hold; an envelope of anything else is refused, however well it is signed.

    Raises:
        EnvelopeError: it proves nothing; each reason has a ``fault`` of its own.
    """
    told_type, payload, signatures = _parts(content)
    if not signatures:
        raise EnvelopeError("unsigned", "the envelope has no signature")
    if len(set(signatures)) < len(signatures):
        raise EnvelopeError("duplicate signer", "the envelope has the same signature twice")
    signed = pae(told_type, payload)
    found = [name for signature in signatures for name, key in keys.items() if _good(key, signature, signed)]
    if not found:
        raise EnvelopeError(*_nothing_good(content, keys))
    if len(set(found)) < len(found):
        raise EnvelopeError("duplicate signer", f"{found[0]} signed the envelope more than once")
    if told_type != payload_type:
        raise EnvelopeError("wrong payload type", f"the envelope holds {told_type!r}, not {payload_type}")
    return Opened(payload=payload, keys=tuple(found))


def keyids(content: bytes) -> tuple[str, ...]:
    """What the envelope's signatures say of their keys: hints, to be shown to people.

    Raises:
        EnvelopeError: it is no envelope.
    """
    return tuple(str(one.get("keyid", "")) for one in _object(content)["signatures"])


def _nothing_good(content: bytes, keys: Mapping[str, bytes]) -> tuple[Fault, str]:
    """Why no signature counts: by a key of ours and wrong, or by a key that is not ours."""
    told = keyids(content)
    ours = [name for name in told if name in keys]
    if ours:
        return "edited", f"the payload is not what {ours[0]} signed: it was edited, or the signature is another's"
    return "unknown signer", f"signed by {', '.join(filter(None, told)) or 'an unnamed key'}, which is not pinned"


def _good(key: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether ``signature`` is by ``key``."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _parts(content: bytes) -> tuple[str, bytes, list[bytes]]:
    """Type, payload and signatures of an envelope."""
    envelope = _object(content)
    if not isinstance(envelope["payloadType"], str):
        raise EnvelopeError("malformed", "the envelope's payloadType is no text")
    return (
        envelope["payloadType"],
        _bytes(envelope["payload"]),
        [_bytes(one["sig"]) for one in envelope["signatures"]],
    )


def _object(content: bytes) -> dict[str, Any]:
    """The envelope as JSON has it, of the right shape."""
    try:
        envelope = json.loads(content, object_pairs_hook=_no_duplicates)
        signatures = envelope["signatures"]
        whole = {"payload", "payloadType", "signatures"} <= set(envelope) and isinstance(signatures, list)
        whole = whole and all(isinstance(one, dict) and "sig" in one for one in signatures)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise EnvelopeError("malformed", f"it is no DSSE envelope: {error}") from error
    if not whole:
        raise EnvelopeError("malformed", "it is no DSSE envelope: it needs payloadType, payload and signatures")
    result: dict[str, Any] = envelope
    return result


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name that stands twice would mean one thing to us and another to somebody else."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a name stands in it twice")
    return dict(pairs)


def _bytes(text: object) -> bytes:
    """Base64, of either alphabet, as the protocol demands of readers."""
    if not isinstance(text, str):
        raise EnvelopeError("malformed", "the envelope holds what is no base64")
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise EnvelopeError("malformed", f"the envelope holds what is no base64: {error}") from error
