"""The fingerprint of a key: says later whether a key is the same, and gives nothing away when it is committed. Pure.

A slow, salted hash (scrypt, RFC 7914): each record has its own salt, so two records of one key do not look alike, and
guessing a weak secret costs 16 MiB and tens of milliseconds a guess.
"""

import hashlib
import hmac
import re
import secrets

from go_live.errors import UsageError

COST, BLOCK, LANES = 2**14, 8, 1
"""scrypt's N, r and p: OWASP's password storage figures for 16 MiB."""
SALT_BYTES, DIGEST_BYTES = 16, 32
PREFIX = f"scrypt${COST}${BLOCK}${LANES}$"
PATTERN = rf"^scrypt\${COST}\${BLOCK}\${LANES}\$[0-9a-f]{{{2 * SALT_BYTES}}}\$[0-9a-f]{{{2 * DIGEST_BYTES}}}$"
"""What a fingerprint looks like: ``scrypt$N$r$p$salt$digest`` in hex. Other costs are refused, cheap or ruinous."""


def new_salt() -> bytes:
    """A salt for one record."""
    return secrets.token_bytes(SALT_BYTES)


def fingerprint(key: str | bytes, salt: bytes) -> str:
    """``key``'s fingerprint under ``salt``.

    Raises:
        UsageError: the key is empty; nothing could be told by it.
    """
    secret = (key.encode() if isinstance(key, str) else key).strip()
    if not secret:
        raise UsageError("an empty key has no fingerprint")
    digest = hashlib.scrypt(secret, salt=salt, n=COST, r=BLOCK, p=LANES, dklen=DIGEST_BYTES)
    return f"{PREFIX}{salt.hex()}${digest.hex()}"


def matches(key: str | bytes, recorded: str) -> bool:
    """Whether ``recorded`` is a fingerprint of ``key``; compared in constant time.

    Raises:
        UsageError: ``recorded`` is no fingerprint, or the key is empty.
    """
    text = checked(recorded)
    salt = bytes.fromhex(text.split("$")[4])
    return hmac.compare_digest(fingerprint(key, salt), text)


def checked(text: str) -> str:
    """``text`` without surrounding blanks, if it is a fingerprint.

    Raises:
        UsageError: it is none.
    """
    text = text.strip()
    if not re.match(PATTERN, text):
        raise UsageError(
            f"no fingerprint: it must look like {PREFIX}<salt>$<digest> (make it: golive keys fingerprint)"
        )
    return text
