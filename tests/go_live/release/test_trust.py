"""Pinned signers: read as OpenSSH reads them, and refused where something would be trusted more than it says."""

import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.config import Config, parse
from go_live.errors import UsageError
from go_live.release import trust
from go_live.release.trust import fingerprint, line
from tests.go_live.release.conftest import ROOT
from tests.go_live.release.releases import new_key, signed_by

KEY = trust.ed25519_blob(bytes(range(32)))
LINE = line("rae@example.org,*@example.com", KEY)


def test_a_line() -> None:
    """Principals are patterns, namespaces limit, and the fingerprint is the key's."""
    (signer,) = trust.parse(f"# comment\n\n{LINE}", name="signers")
    assert (signer.principals, signer.namespaces) == (("rae@example.org", "*@example.com"), ("git", "golive"))
    assert [signer.signs_for(one) for one in ("rae@example.org", "x@example.com", "x@example.org")] == [
        True,
        True,
        False,
    ]
    assert [signer.refusal(one, 0.0) for one in ("git", "golive")] == ["", ""]
    assert signer.refusal("file", 0.0) == "is pinned for git, golive, not for file"
    assert trust.ed25519_raw(signer.key) == bytes(range(32))
    assert trust.find([signer], KEY) == (signer,)
    assert trust.find([signer], KEY + b"x") == ()


def test_a_line_without_options() -> None:
    """No options: any namespace, at any time."""
    principal, _, kind, key = LINE.split()
    (signer,) = trust.parse(f"{principal} {kind} {key} a comment", name="signers")
    assert (signer.namespaces, signer.refusal("anything", 9e9)) == ((), "")


@given(st.integers(0, 4_000_000_000))
def test_times(when: int) -> None:
    """A key counts from its first second to the last before its end."""
    text = LINE.replace('golive"', 'golive",valid-after="20200101Z",valid-before="20300101120000Z"')
    (signer,) = trust.parse(text, name="signers")
    begins, ends = 1_577_836_800, 1_893_499_200
    assert (signer.refusal("git", when) == "") is (begins <= when < ends)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rae@example.org", "signers:1: write"),
        (LINE.replace("namespaces", "principals"), "principals is not understood"),
        ("rae@example.org cert-authority ssh-ed25519 AAAA", "signers:1: "),
        (LINE.replace('golive"', 'golive",valid-before="20270101"'), "in UTC"),
        (LINE.replace('golive"', 'golive",valid-before="20271301Z"'), "is no time"),
        (LINE.replace('golive"', 'golive",valid-before="tomorrow"'), "in UTC"),
        (LINE.replace("ssh-ed25519", "ssh-rsa"), "is no ssh-rsa key"),
        (LINE.replace("AAAA", "A%AA"), "signers:1: "),
    ],
)
def test_what_is_not_understood(text: str, told: str) -> None:
    """An option or a time that means something else elsewhere is refused, with its line."""
    with pytest.raises(UsageError) as caught:
        trust.parse(text, name="signers")
    assert told in str(caught.value)


def test_fingerprints_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    """Names of keys can be compared with what ssh-keygen prints, and our lines with what it reads."""
    key = new_key(tmp_path / "key")
    public = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(key.path)],  # noqa: S607 - the machine's OpenSSH
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert public.split()[:2] == signed_by(key).split()[2:]
    (tmp_path / "public").write_text(public)
    told = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(tmp_path / "public")],  # noqa: S607 - likewise
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.split()[1] == key.fingerprint == fingerprint(key.blob)


class TestLoad:
    """Which file is read, and when there need be none."""

    def test_shipped(self, config: Config) -> None:
        """Production's file pins nobody yet, and production needs a signature: nothing can be believed."""
        found = trust.load(config, ROOT)
        assert (found.signers, found.required, found.source) == ((), True, "release_signers")

    def test_a_profile_without_signers(self, config: Config) -> None:
        """A profile that needs none trusts nobody; one that needs one is refused."""
        assert trust.load(config, ROOT, profile="test").signers == ()
        signing = msgspec.structs.replace(config.signing, required=("test",))
        with pytest.raises(UsageError, match=r"no signing\.signers for the profile test"):
            trust.load(msgspec.structs.replace(config, signing=signing), ROOT, profile="test")

    def test_no_such_file(self, config: Config, tmp_path: Path) -> None:
        """A file that cannot be read is named."""
        with pytest.raises(UsageError, match="cannot read the pinned signers"):
            trust.load(config, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("first_release = true ", 'first_release = true\nprevious = "v0.9"', "either release.first_release"),
        ("first_release = true ", "first_release = false ", "either release.first_release"),
        ('signers = { production = "release_signers" }', 'signers = { rehearsal = "x" }', "pins rehearsal keys"),
        ('tag = "key"', 'tag = "yes"', "signing.tag"),
        ('key_env = "GOLIVE_SIGNING_KEY"', 'key_env = "/home/me/key"', "signing.key_env"),
    ],
)
def test_settings_that_contradict_themselves(old: str, new: str, told: str) -> None:
    """golive.toml says who signs and what is gone back to, or is refused by name."""
    text = (ROOT / "golive.toml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(UsageError) as caught:
        parse(text.replace(old, new))
    assert told in str(caught.value)
