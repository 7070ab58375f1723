"""Whose signature counts: the pinned signers of a profile, as OpenSSH's ``allowed_signers`` has them.

A line is ``principals [options] key-type base64-key [comment]``. Principals are patterns of addresses, separated by
commas. Of the options ``namespaces``, ``valid-after`` and ``valid-before`` are understood; a line with any other is
refused, because ignoring it would trust more than it says.
"""

import base64
import binascii
import datetime as dt
import fnmatch
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from go_live.config import Config, ProfileName
from go_live.errors import UsageError

TAGS = "git"
"""Namespace of a tag's signature, as git gives it to ssh-keygen."""
ATTESTATIONS = "golive"
"""Namespace that a signers file names for keys that sign attestations."""
ED25519 = "ssh-ed25519"
NOBODY = "signing.signers"
"""Where no signers were read, because golive.toml names no file."""

_LINE = re.compile(
    r"^(?P<principals>\S+)\s+(?:(?P<options>\S*=(?:\"[^\"]*\"|\S)*)\s+)?(?P<type>[a-z][\w@.-]*)\s+(?P<key>[A-Za-z0-9+/=]+)"
)
_OPTION = re.compile(r'(?P<name>[a-z-]+)="?(?P<value>[^"]*)"?(?:,|$)')
_TIME_FORMATS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """One pinned key."""

    principals: tuple[str, ...]
    """Patterns of the addresses in whose name it signs."""
    key_type: str
    key: bytes
    """The public key as SSH encodes it."""
    namespaces: tuple[str, ...] = ()
    """What it may sign; empty: anything."""
    valid_after: float | None = None
    """Unix time."""
    valid_before: float | None = None

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``, as ``ssh-keygen -l`` prints it."""
        return fingerprint(self.key)

    def signs_for(self, address: str) -> bool:
        """Whether it signs in the name of ``address``."""
        return any(fnmatch.fnmatchcase(address, pattern) for pattern in self.principals)

    def refusal(self, namespace: str, at: float) -> str:
        """Why it counts for nothing in ``namespace`` at ``at`` (Unix time), as half a sentence; empty: it counts."""
        if self.namespaces and not any(fnmatch.fnmatchcase(namespace, pattern) for pattern in self.namespaces):
            return f"is pinned for {', '.join(self.namespaces)}, not for {namespace}"
        if self.valid_before is not None and not at < self.valid_before:
            return f"was valid until {iso(self.valid_before)} only"
        if self.valid_after is not None and not at >= self.valid_after:
            return f"is valid from {iso(self.valid_after)} only"
        return ""


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What a verifier believes: fixed before it looks at what it verifies, and never read from that."""

    profile: ProfileName
    """Whose trust root it is; evidence of another profile is signed by other keys."""
    signers: tuple[Signer, ...]
    text: str
    """The signers file, as ssh-keygen reads it."""
    source: str
    """Where it was read."""
    required: bool
    """Whether an unsigned release is refused."""
    gpg_fingerprints: tuple[str, ...] = ()
    """OpenPGP primary keys (fingerprints, upper case) that may sign tags as well."""


def load(config: Config, root: Path, *, profile: ProfileName = "production", file: Path | None = None) -> Trust:
    """The trust root of ``profile``: ``file``, or the one that golive.toml names, relative to ``root``.

    A profile that needs no signature and names no file trusts nobody: what is signed there is refused.

    Raises:
        UsageError: the profile needs a signature and names no file, or the file cannot be read or is malformed.
    """
    signing = config.signing
    required = profile in signing.required
    gpg = tuple(one.upper() for one in signing.gpg_fingerprints)
    name = signing.signers.get(profile)
    path = file or (root / name if name else None)
    if path is None and required:
        raise UsageError(
            f"golive.toml names no signing.signers for the profile {profile}: nothing of it can be verified"
        )
    if path is None:
        return Trust(profile=profile, signers=(), text="", source=NOBODY, required=False, gpg_fingerprints=gpg)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the pinned signers {path}: {error}; name a file with --signers") from error
    return Trust(
        profile=profile,
        signers=parse(text, name=path.name),
        text=text,
        source=path.name,
        required=required,
        gpg_fingerprints=gpg,
    )


def parse(text: str, *, name: str) -> tuple[Signer, ...]:
    """The signers of an ``allowed_signers`` file; none where it holds only comments.

    Raises:
        UsageError: a line is malformed or has an option that is not understood; the line is named.
    """
    rows = enumerate((line.strip() for line in text.splitlines()), start=1)
    return tuple(_signer(line, f"{name}:{number}") for number, line in rows if line and not line.startswith("#"))


def find(signers: Iterable[Signer], key: bytes) -> tuple[Signer, ...]:
    """Every line that pins ``key``."""
    return tuple(signer for signer in signers if signer.key == key)


def fingerprint(key: bytes) -> str:
    """``SHA256:…`` of a public key as SSH encodes it."""
    return f"SHA256:{base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip('=')}"


def ed25519_blob(raw: bytes) -> bytes:
    """The 32 bytes of an Ed25519 public key, as SSH encodes it."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in (ED25519.encode(), raw))


def ed25519_raw(blob: bytes) -> bytes | None:
    """The 32 bytes of an Ed25519 public key in SSH's encoding; None for any other key."""
    head = ed25519_blob(b"\0" * 32)[:-32]
    return blob[len(head) :] if blob.startswith(head) and len(blob) == len(head) + 32 else None


def iso(seconds: float) -> str:
    """Unix time as UTC, to the second."""
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def line(principal: str, key: bytes, *namespaces: str) -> str:
    """The line that pins an Ed25519 ``key``."""
    options = f'namespaces="{",".join(namespaces or (TAGS, ATTESTATIONS))}"'
    return f"{principal} {options} {ED25519} {base64.b64encode(key).decode()}\n"


def _signer(line: str, where: str) -> Signer:
    """One line."""
    found = _LINE.match(line)
    if found is None:
        raise UsageError(f'{where}: write `address namespaces="git,golive" ssh-ed25519 AAAA…`')
    options = _options(found["options"] or "", where)
    try:
        key = base64.b64decode(found["key"], validate=True)
    except binascii.Error as error:
        raise UsageError(f"{where}: the key is not base64: {error}") from error
    if not key.startswith(len(found["type"]).to_bytes(4, "big") + found["type"].encode()):
        raise UsageError(f"{where}: the key is no {found['type']} key")
    return Signer(
        principals=tuple(found["principals"].strip('"').split(",")),
        key_type=found["type"],
        key=key,
        namespaces=tuple(filter(None, options.get("namespaces", "").split(","))),
        valid_after=_time(options.get("valid-after"), where),
        valid_before=_time(options.get("valid-before"), where),
    )


def _options(text: str, where: str) -> dict[str, str]:
    """Options by name."""
    options = {found["name"]: found["value"] for found in _OPTION.finditer(text)}
    if strangers := sorted(set(options) - {"namespaces", "valid-after", "valid-before"}):
        raise UsageError(f"{where}: the option {strangers[0]} is not understood; remove it or the line")
    if text and not options:
        raise UsageError(f"{where}: the options {text} are not understood")
    return options


def _time(text: str | None, where: str) -> float | None:
    """A time as ssh-keygen writes it: ``YYYYMMDD[HHMM[SS]]``, UTC when it ends in Z.

    Times without Z are local to ssh-keygen; here they are refused, because they mean something else on each machine.
    """
    if text is None:
        return None
    digits = text.removesuffix("Z")
    if not text.endswith("Z") or len(digits) not in _TIME_FORMATS or not digits.isdigit():
        raise UsageError(f"{where}: write the time {text!r} in UTC, as 20270101Z or 202701011200Z")
    try:
        moment = dt.datetime.strptime(digits, _TIME_FORMATS[len(digits)]).replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise UsageError(f"{where}: {text!r} is no time: {error}") from error
    return moment.timestamp()
