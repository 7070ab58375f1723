"""Callers' own keys: who is calling, in constant time, from a file of salted hashes that is read again on change.

The keys are 256 random bits, so a fast hash is enough: there is nothing to guess. The file names each caller, and may
hold several keys of one caller at a time: a key is rotated by adding the new one before the old one is revoked.
"""

import hashlib
import hmac
import logging
import os
import re
import secrets
from pathlib import Path

import msgspec

from go_live.errors import UsageError
from go_live.evidence.run_directory import write_atomically

LOG = logging.getLogger("golive.gateway")
PREFIX = "glg_"
"""How every caller's key begins, so that secret scanners can know one."""
OPEN_TO_OTHERS = 0o077


class CallerKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key: whose, and what it is recognised by; never the key itself."""

    caller: str
    salt: str
    sha256: str
    """Hex digest of salt and key."""
    created: str
    """Day, as ISO 8601 writes it."""


Entries = tuple[CallerKey, ...]


def new_key(caller: str, created: str) -> tuple[str, CallerKey]:
    """A new key of ``caller``, and its entry."""
    key, salt = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(16)
    return key, CallerKey(caller, salt, _digest(salt, key), created)


def caller_of(entries: Entries, authorization: str) -> str | None:
    """Whose key the ``Authorization`` header carries, as a bearer token or bare; every entry is compared."""
    key = re.sub(r"^Bearer\s+", "", authorization, flags=re.IGNORECASE)
    found = None
    for entry in entries:
        if hmac.compare_digest(_digest(entry.salt, key), entry.sha256):
            found = entry.caller
    return found


def _digest(salt: str, key: str) -> str:
    return hashlib.sha256(f"{salt}:{key}".encode("utf-8", "surrogatepass")).hexdigest()


def read(path: Path) -> Entries:
    """The entries of ``path``; none where there is no such file.

    Raises:
        UsageError: it cannot be read, is open to other users, or is no such file.
    """
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    if mode & OPEN_TO_OTHERS:
        raise UsageError(f"{path} is open to other users: chmod 600 {path}")
    try:
        return msgspec.json.decode(content, type=Entries)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is no file of callers' keys: {error}; mend it, or remove it and add keys") from error


def write(path: Path, entries: Entries) -> None:
    """Write all entries at once, for the owner's eyes alone.

    Raises:
        UsageError: the folder cannot be written.
    """
    before = os.umask(OPEN_TO_OTHERS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.format(msgspec.json.encode(entries)) + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    finally:
        os.umask(before)


class Callers:
    """The callers, as the file says at this moment.

    A file that has become unreadable leaves the last good list in force, and says so in the log; one that is gone
    leaves nobody in.
    """

    def __init__(self, path: Path) -> None:
        """Read ``path``.

        Raises:
            UsageError: it cannot be used.
        """
        self._path = path
        self._seen = identity(path)
        self._entries = read(path)

    def caller_of(self, authorization: str) -> str | None:
        """Whose key this is, None: nobody's."""
        now = identity(self._path)
        if now != self._seen:
            self._seen = now
            self._read_again()
        return caller_of(self._entries, authorization)

    def _read_again(self) -> None:
        try:
            self._entries = read(self._path)
        except UsageError as error:
            LOG.error("%s; the keys known before stay in force", error)  # noqa: TRY400 - one line: it is no bug
        else:
            LOG.info("%d callers' keys are in force", len(self._entries))


def identity(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does; None: there is none."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns
