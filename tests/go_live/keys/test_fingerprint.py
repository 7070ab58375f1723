"""A fingerprint tells whether a key is the same, and nothing else."""

import pytest

from go_live.errors import UsageError
from go_live.keys.fingerprint import PREFIX, fingerprint, matches, new_salt
from tests.go_live.keys.made_up import of_kind

KEY, OTHER = of_kind("runpod"), of_kind("runpod", seed=2)


def test_it_matches_its_own_key_alone() -> None:
    """A key matches its fingerprint, blanks around either do not matter, another key does not match."""
    text = fingerprint(KEY, new_salt())
    assert matches(f"{KEY}\n", f" {text}\n")
    assert not matches(OTHER, text)
    assert KEY[4:12] not in text


def test_two_fingerprints_of_one_key_differ() -> None:
    """Each record has its own salt: two releases with one key do not look alike."""
    assert fingerprint(KEY, new_salt()) != fingerprint(KEY, new_salt())


def test_it_is_scrypt_as_the_rfc_has_it() -> None:
    """The digest is the one that RFC 7914, section 12, gives for our costs (its first 32 bytes)."""
    known = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    assert fingerprint("pleaseletmein", b"SodiumChloride") == f"{PREFIX}{b'SodiumChloride'.hex()}${known}"


@pytest.mark.parametrize(
    "text", ["", "abc", "sha256$00$00", f"scrypt$2$8$1${'0' * 32}${'0' * 64}", f"{PREFIX}{'0' * 32}${'0' * 63}"]
)
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    """Another hash, other costs and a cut digest are refused, never compared."""
    with pytest.raises(UsageError, match="no fingerprint"):
        matches(KEY, text)


def test_an_empty_key_has_none() -> None:
    """An unset variable must not pass as a key."""
    with pytest.raises(UsageError, match="empty"):
        fingerprint(" ", new_salt())
