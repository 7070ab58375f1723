"""Is a tag signed by whom we trust? OpenSSH and git do the arithmetic; whose key counts, and when, is decided here.

``git verify-tag`` alone says "Good" of too much: of any principal of the key, and of a key that has expired, if the tag
is dated back. So the key must be pinned, pinned for the tagger's address, and valid when the evidence was gathered, not
when the tag says it was made.
"""

import base64
import binascii
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from go_live.errors import MeasurementError
from go_live.release.git import LOCAL_S, Git
from go_live.release.trust import TAGS, Signer, Trust, find, fingerprint, iso

SSH, OPENPGP = "-----BEGIN SSH SIGNATURE-----", "-----BEGIN PGP SIGNATURE-----"
_ARMOUR = re.compile(r"-----(BEGIN|END) SSH SIGNATURE-----")
_MAGIC = b"SSHSIG\x00\x00\x00\x01"
_TAGGER = re.compile(r"^(?P<name>.*) <(?P<address>[^<>]*)> (?P<when>\d+) [+-]\d{4}$")

_OPENPGP_TROUBLE = ("BADSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NO_PUBKEY", "ERRSIG")


class TagObject(msgspec.Struct, frozen=True, kw_only=True):
    """An annotated tag, taken apart."""

    target: str
    target_type: str
    name: str
    tagger: str
    """``Name <address>``; empty where the object names none."""
    address: str
    when: float
    """Unix time that the tagger claims."""
    message: str
    """Without the signature."""
    payload: bytes
    """What was signed."""
    signature: str
    """Armoured; empty: unsigned."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What a tag's signature is worth."""

    trouble: str
    """Why it does not count, half a sentence; empty: it does."""
    key: str = ""
    """``SHA256:…``, or an OpenPGP fingerprint; empty where none can be told."""


def parse_tag(content: bytes) -> TagObject:
    """The parts of a tag object; missing ones are empty."""
    payload, signature = _split(content)
    head, _, message = payload.decode(errors="replace").partition("\n\n")
    fields = dict(line.partition(" ")[::2] for line in head.splitlines())
    tagger = _TAGGER.match(fields.get("tagger", ""))
    return TagObject(
        target=fields.get("object", ""),
        target_type=fields.get("type", ""),
        name=fields.get("tag", ""),
        tagger=f"{tagger['name']} <{tagger['address']}>" if tagger else "",
        address=tagger["address"] if tagger else "",
        when=float(tagger["when"]) if tagger else 0.0,
        message=message,
        payload=payload,
        signature=signature,
    )


def check(git: Git, tag_id: str, tag: TagObject, trust: Trust, *, at: float) -> Signature:
    """Whether ``tag`` is signed by a pinned key that was valid at ``at``, when its evidence was gathered (Unix time).

    Raises:
        MeasurementError: ssh-keygen is not installed.
    """
    if not tag.signature:
        return Signature(trouble=f"the tag {tag.name} is not signed")
    if tag.signature.startswith(SSH):
        return _check_ssh(git, tag, trust, at)
    return _check_openpgp(git, tag_id, trust)


def _split(content: bytes) -> tuple[bytes, str]:
    """Payload and signature; as git does, the signature begins at the last line that begins one."""
    starts = [found.start() for found in re.finditer(rb"^-----BEGIN (SSH|PGP) SIGNATURE-----", content, re.MULTILINE)]
    cut = starts[-1] if starts else len(content)
    return content[:cut], content[cut:].decode(errors="replace")


def _check_ssh(git: Git, tag: TagObject, trust: Trust, at: float) -> Signature:
    """An SSH signature: our own rules first, because they say why; then ssh-keygen, whose exit status decides."""
    key = _signing_key(tag.signature)
    if key is None:
        return Signature(trouble="the tag's signature is malformed")
    name = fingerprint(key)
    pinned = find(trust.signers, key)
    if not pinned:
        return Signature(key=name, trouble=f"the tag is signed by {name}, which is not pinned in {trust.source}")
    if refusal := _policy(tag, pinned, at) or _ssh_keygen(git, tag, trust, at):
        return Signature(key=name, trouble=refusal)
    return Signature(key=name, trouble="")


def _policy(tag: TagObject, pinned: Sequence[Signer], at: float) -> str:
    """Why a pinned key does not count for this tag; empty: it does. ``pinned`` are the lines of one key."""
    name = f"the key {pinned[0].fingerprint}"
    if all(refusals := [signer.refusal(TAGS, at) for signer in pinned]):
        dated = f", and the tag is dated back to {iso(tag.when)}" if not pinned[0].refusal(TAGS, tag.when) else ""
        return f"{name} {refusals[0]}, and its evidence is of {iso(at)}{dated}"
    if all(refusals := [signer.refusal(TAGS, at) or signer.refusal(TAGS, tag.when) for signer in pinned]):
        return f"{name} {next(filter(None, refusals))}, and the tag is dated {iso(tag.when)}"
    if not any(signer.signs_for(tag.address) for signer in pinned):
        return f"{name} signs for {', '.join(pinned[0].principals)}, not for the tagger {tag.address}"
    return ""


def _signing_key(armoured: str) -> bytes | None:
    """The public key in an SSH signature; None where it is malformed."""
    try:
        blob = base64.b64decode("".join(_ARMOUR.sub("", armoured).split()), validate=True)
    except binascii.Error:
        return None
    if not blob.startswith(_MAGIC):
        return None
    length = int.from_bytes(blob[len(_MAGIC) : len(_MAGIC) + 4], "big")
    key = blob[len(_MAGIC) + 4 : len(_MAGIC) + 4 + length]
    return key if len(key) == length else None


def _ssh_keygen(git: Git, tag: TagObject, trust: Trust, at: float) -> str:
    """Why ssh-keygen does not accept the signature; empty: it does."""
    revoked = git.attempt("config", "--type=path", "--get", "gpg.ssh.revocationFile").out.decode().strip()
    with tempfile.TemporaryDirectory() as folder:
        signers, signature = Path(folder) / "signers", Path(folder) / "signature"
        signers.write_text(trust.text, encoding="utf-8")
        signature.write_text(tag.signature, encoding="utf-8")
        when = iso(at).translate(str.maketrans("", "", "-:TZ"))
        asked = ["-f", str(signers), "-I", tag.address, "-O", f"verify-time={when}", "-n", TAGS, "-s", str(signature)]
        if _run(["ssh-keygen", "-Y", "verify", *asked, *(["-r", revoked] if revoked else [])], tag.payload) == 0:
            return ""
        if _run(["ssh-keygen", "-Y", "check-novalidate", "-n", TAGS, "-s", str(signature)], tag.payload) != 0:
            return "the tag is not what was signed: it was edited, or the signature is another's"
    return "ssh-keygen does not accept the signature" + (f" (revoked keys: {revoked})" if revoked else "")


def _run(command: list[str], payload: bytes) -> int:
    """The exit status of ssh-keygen, whose times are UTC."""
    try:
        done = subprocess.run(
            command, input=payload, capture_output=True, check=False, env=os.environ | {"TZ": "UTC"}, timeout=LOCAL_S
        )
    except FileNotFoundError as error:
        raise MeasurementError("ssh-keygen is not installed: without OpenSSH no signature can be checked") from error
    return done.returncode


def _check_openpgp(git: Git, tag_id: str, trust: Trust) -> Signature:
    """An OpenPGP signature: git's exit status decides, and the primary key must be pinned."""
    done = git.attempt("verify-tag", "--raw", tag_id)
    rows = [line.split() for line in done.err.splitlines() if line.startswith("[GNUPG:] VALIDSIG ")]
    key = rows[0][-1].upper() if rows else ""
    if done.code or not key:
        known = [line.removeprefix("[GNUPG:] ") for line in done.err.splitlines() if line.startswith("[GNUPG:] ")]
        why = next((line for line in known if line.startswith(_OPENPGP_TROUBLE)), done.reason)
        return Signature(key=key, trouble=f"git does not vouch for the tag's OpenPGP signature ({why})")
    if key not in trust.gpg_fingerprints:
        return Signature(key=key, trouble=f"the tag is signed by {key}, which is not in signing.gpg_fingerprints")
    return Signature(key=key, trouble="")
