"""A rollout's directory: where it stands, every decision it signed, and for each part what it was judged by.

| file | holds |
|---|---|
| ``state.json`` | where it stands |
| ``decisions.jsonl`` | every decision, signed, one a line, before it is acted on |
| ``step-10.jsonl.gz`` … | the gateway's lines about the part's requests |
| ``step-10.json`` … | the judgement on them, signed |
| ``held.json`` | a person holds the weight |
| ``lock``, ``lease.json`` | who may write |
"""

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from go_live.errors import UsageError
from go_live.evidence.dsse import seal, unseal
from go_live.evidence.run_directory import encode, write_atomically
from go_live.gateway.routing import ROLLOUTS, RouteDecision, open_decision
from go_live.release.trust import Signer, ed25519_blob, ed25519_raw, fingerprint
from go_live.rollout.judging import Judged
from go_live.rollout.state import Part, State

STATE, DECISIONS, HELD = "state.json", "decisions.jsonl", "held.json"
JUDGEMENT_TYPE = "application/vnd.golive.rollout-judgement+json"
"""Of a judgement's envelope: it is neither a decision nor an attestation."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A person holds the weight."""

    by: str
    at: float
    """Unix time."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found of one part, signed by whoever decides."""

    rollout: str
    version: str
    current: str
    candidate: str
    name: str
    percent: int
    began_at: float
    ended_at: float
    first_serial: int
    last_serial: int
    judged: Judged
    evidence: str
    """sha256 of the lines it was judged by, unpacked."""


def read_state(directory: Path) -> State | None:
    """Where the rollout in ``directory`` stands; None: there is none.

    Raises:
        UsageError: it cannot be read.
    """
    path = directory / STATE
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"the rollout's state {path} cannot be read: {error}") from error


def write_state(directory: Path, state: State) -> None:
    """Keep ``state``; call it while acting."""
    write_atomically(directory / STATE, encode(state))


def keep_decision(directory: Path, envelope: bytes) -> None:
    """Keep a signed decision, before it is acted on."""
    with (directory / DECISIONS).open("ab") as file:
        file.write(envelope.strip() + b"\n")
        file.flush()


def decisions(directory: Path, signers: Iterable[Signer]) -> list[tuple[RouteDecision, bytes]]:
    """The decisions that were kept and prove something, with their envelopes, in order."""
    pinned = tuple(signers)
    found = []
    for line in _lines(directory / DECISIONS):
        try:
            found.append((open_decision(line, pinned), line))
        except UsageError:
            continue
    return found


def keep_part(directory: Path, state: State, part: Part, lines: Iterable[bytes], key: Ed25519PrivateKey) -> str:
    """Keep what an ended part was judged by, and the judgement, signed; the sha256 of the lines.

    Raises:
        ValueError: the part has not ended.
    """
    if part.judged is None or part.ended_at is None or part.last_serial is None:
        raise ValueError(f"{part.name} has not ended")
    content = b"".join(lines)
    digest = hashlib.sha256(content).hexdigest()
    judgement = Judgement(
        rollout=state.rollout,
        version=state.version,
        current=state.current,
        candidate=state.candidate,
        name=part.name,
        percent=part.percent,
        began_at=part.began_at,
        ended_at=part.ended_at,
        first_serial=part.first_serial,
        last_serial=part.last_serial,
        judged=part.judged,
        evidence=digest,
    )
    name = fingerprint(ed25519_blob(key.public_key().public_bytes_raw()))
    write_atomically(directory / f"{part.name}.jsonl.gz", gzip.compress(content, mtime=0))
    sealed = seal(msgspec.json.encode(judgement), {name: key}, payload_type=JUDGEMENT_TYPE)
    write_atomically(directory / f"{part.name}.json", sealed)
    return digest


def open_judgement(content: bytes, signers: Iterable[Signer]) -> Judgement:
    """The judgement in an envelope that one of ``signers`` signed.

    Raises:
        UsageError: it proves nothing.
    """
    pinned = tuple(signers)
    keys: Mapping[str, bytes] = {one.fingerprint: raw for one in pinned if (raw := ed25519_raw(one.key)) is not None}
    opened = unseal(content, keys, payload_type=JUDGEMENT_TYPE)
    try:
        judgement = msgspec.json.decode(opened.payload, type=Judgement)
    except msgspec.MsgspecError as error:
        raise UsageError(f"what was signed is no judgement of a rollout: {error}") from error
    refusals = [one.refusal(ROLLOUTS, judgement.ended_at) for one in pinned if one.fingerprint in opened.keys]
    if all(refusals):
        raise UsageError(f"its key {refusals[0]}")
    return judgement


def evidence(directory: Path, name: str) -> bytes:
    """The lines that the part ``name`` was judged by.

    Raises:
        UsageError: they are not there, or cannot be unpacked.
    """
    path = directory / f"{name}.jsonl.gz"
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def held(directory: Path) -> Held | None:
    """Who holds the weight; None: nobody.

    Raises:
        UsageError: the file cannot be read.
    """
    path = directory / HELD
    try:
        return msgspec.json.decode(path.read_bytes(), type=Held)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}; `golive rollout resume` removes it") from error


def hold(directory: Path, by: str, at: float) -> None:
    """Hold the weight from now on."""
    write_atomically(directory / HELD, encode(Held(by=by, at=at)))


def let_go(directory: Path) -> bool:
    """Hold it no longer; whether it was held."""
    path = directory / HELD
    was = path.exists()
    path.unlink(missing_ok=True)
    return was


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
