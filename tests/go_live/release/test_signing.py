"""Signing: with the key that the environment names, or as git is configured; before any ref names the tag."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from go_live.config import Config
from go_live.errors import ReleaseIncompleteError, UsageError
from go_live.outcome import Outcome
from go_live.release import trust as trusts
from go_live.release.git import Git
from go_live.release.journal import NAME
from go_live.release.record import Stamp
from go_live.release.run import release_run
from go_live.release.signature import parse_tag
from go_live.release.signing import load_key, make_tag, signing_state
from go_live.release.verify import verify
from tests.go_live.release.conftest import WHEN, git, snapshot
from tests.go_live.release.releases import finished_run, new_key, pin, plan_of, settings, signed_by

STAMP = Stamp(who="Rae Lease <rae@example.org>", when=WHEN)
VERSION = "v1.0-production"


class TestKey:
    """The key that the environment names."""

    def test_none(self, config: Config) -> None:
        """No variable, no key."""
        assert load_key(config.signing, {}) is None

    def test_what_cannot_be_used(self, config: Config, tmp_path: Path) -> None:
        """A missing, encrypted, foreign or malformed file is refused; nothing of it is quoted."""
        good = new_key(tmp_path / "good")
        encrypted = good.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, BestAvailableEncryption(b"x"))
        other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        for name, content, told in (
            ("missing", None, "No such file"),
            ("encrypted", encrypted, "it is encrypted"),
            ("other", other, "no Ed25519 key"),
            ("broken", b"s3cret-words", "not a private key"),
        ):
            if content is not None:
                (tmp_path / name).write_bytes(content)
            with pytest.raises(UsageError) as caught:
                load_key(config.signing, {"GOLIVE_SIGNING_KEY": str(tmp_path / name)})
            assert told in str(caught.value)
            assert "s3cret" not in str(caught.value)

    def test_it_shows_nothing_of_itself(self, tmp_path: Path) -> None:
        """Its representation names the file, and holds no private byte."""
        key = new_key(tmp_path / "key")
        assert key.private.private_bytes_raw().hex() not in repr(key)


class TestTag:
    """Tag objects that no ref names."""

    def make(self, root: Path, config: Config, **changes: object) -> tuple[str, bytes]:
        """Id and content of a tag that is signed by a new key."""
        key = new_key(root.parent / "key")
        fields = {
            "name": VERSION,
            "commit": git(root, "rev-parse", "HEAD"),
            "message": "one\n\n# two\n",
            "stamp": STAMP,
        }
        made = make_tag(Git(root), config.signing, key, **fields | changes)  # type: ignore[arg-type]
        return made, Git(root).raw("cat-file", "tag", made)

    def test_nothing_but_objects(self, root: Path, config: Config) -> None:
        """Neither a ref nor a file of the work tree appears, and the same input gives the same id."""
        before = snapshot(root)
        key = new_key(root.parent / "key")
        commit = git(root, "rev-parse", "HEAD")
        fields = {"name": VERSION, "commit": commit, "message": "x"}
        ids = {make_tag(Git(root), config.signing, key, stamp=STAMP, **fields) for _ in range(3)}
        assert len(ids) == 1
        assert snapshot(root) == before

    def test_it_is_what_git_tag_would_make(self, root: Path, config: Config) -> None:
        """The message is kept as it is, comments and all, and ``git verify-tag`` takes the signature."""
        made, content = self.make(root, config)
        tag = parse_tag(content)
        assert (tag.name, tag.tagger, tag.when, tag.message) == (VERSION, STAMP.who, WHEN, "one\n\n# two\n")
        assert tag.signature.startswith("-----BEGIN SSH SIGNATURE-----")
        key = load_key(config.signing, {"GOLIVE_SIGNING_KEY": str(root.parent / "key")})
        assert key is not None
        git(root, "config", "gpg.ssh.allowedSignersFile", str(pin(root.parent / "signers", signed_by(key))))
        git(root, "verify-tag", made)

    def test_the_last_signature_counts(self) -> None:
        """A signature that stands in the message is text: what was signed goes on to the last one."""
        content = b"object x\ntype commit\ntag v\ntagger A <a@b> 1 +0000\n\n-----BEGIN SSH SIGNATURE-----\nfake\n"
        real = b"-----BEGIN SSH SIGNATURE-----\nreal\n"
        assert parse_tag(content + real).payload == content


class TestState:
    """The look before an hour's soak."""

    def state(self, root: Path, config: Config, **environment: str) -> list[str]:
        """What stands in the way of a production signature."""
        commit = git(root, "rev-parse", "HEAD")
        return signing_state(root, config, "production", environment=environment, commit=commit, now=WHEN)

    def test_fine(self, root: Path, config: Config) -> None:
        """A pinned key: nothing in the way, and looking changes nothing."""
        key = new_key(root.parent / "key")
        changed = settings(config, signers={"production": pin(root.parent / "signers", signed_by(key))})
        before = snapshot(root)
        assert self.state(root, changed, GOLIVE_SIGNING_KEY=str(key.path)) == []
        assert snapshot(root) == before

    def test_troubles(self, root: Path, config: Config) -> None:
        """No key, a stranger's, an expired one, one for others, one for tags alone: each is told beforehand."""
        key, file = new_key(root.parent / "key"), root.parent / "signers"
        pin(file, signed_by(key))
        changed = settings(config, signers={"production": file})
        assert "has to be signed" in self.state(root, changed)[0]
        for line, told in (
            (signed_by(new_key(root.parent / "other")), "not pinned in signers"),
            (signed_by(key, valid_before="20251101Z"), "was valid until"),
            (signed_by(key, principal="ada@example.org"), "not for the tagger"),
            (trusts.line("rae@example.org", key.blob, "git"), "believe the attestations"),
        ):
            pin(file, line)
            assert told in " ".join(self.state(root, changed, GOLIVE_SIGNING_KEY=str(key.path)))


@pytest.fixture
def gnupg(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A keyring of its own with one key; its fingerprint."""
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    # The agent's socket has to fit into 108 characters.
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        monkeypatch.setenv("GNUPGHOME", home)
        gpg = ["gpg", "--batch", "--quiet", "--passphrase", ""]
        subprocess.run([*gpg, "--quick-gen-key", STAMP.who, "ed25519", "sign", "0"], check=True, capture_output=True)
        listed = subprocess.run(
            [*gpg, "--with-colons", "--fingerprint"], check=True, capture_output=True, text=True
        ).stdout
        yield next(row.split(":")[9] for row in listed.splitlines() if row.startswith("fpr"))
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)  # noqa: S607 - gpg's own


class TestAsGitIsConfigured:
    """``signing.tag = "git"``: the user's own key signs the tag, the pipeline's the attestations."""

    def release(self, root: Path, config: Config, **gpg: object) -> tuple[Config, Path]:
        """Release; the configuration, and the run's directory."""
        key = new_key(root.parent / "key")
        line = trusts.line("pipeline@example.org", key.blob, "golive")
        changed = settings(config, signers={"production": pin(root.parent / "signers", line)})
        signing = msgspec.structs.replace(changed.signing, tag="git", **gpg)
        changed = msgspec.structs.replace(changed, signing=signing)
        directory, data = finished_run(root, plan_of(root, changed, "production"))
        environment = {**os.environ, "GOLIVE_SIGNING_KEY": str(key.path)}
        release_run(data, root, directory, lambda: WHEN, environment=environment)
        return changed, directory

    def test_openpgp(self, root: Path, remote: Path, config: Config, gnupg: str) -> None:
        """Signed by GnuPG, verified by the pinned fingerprint; another fingerprint is refused."""
        git(root, "config", "user.signingKey", gnupg)
        changed, directory = self.release(root, config, gpg_fingerprints=(gnupg,))
        assert "BEGIN PGP SIGNATURE" in git(remote, "cat-file", "tag", VERSION)
        trust = trusts.load(changed, root)
        found = verify(root, VERSION, trust=trust, remote="origin", records_branch="releases")
        assert (found.outcome, found.key) == (Outcome.PASS, gnupg)
        other = msgspec.structs.replace(trust, gpg_fingerprints=("A" * 40,))
        refused = verify(root, VERSION, trust=other, remote="origin", records_branch="releases")
        assert f"{gnupg}, which is not in signing.gpg_fingerprints" in refused.reason
        assert (directory / NAME).is_file()

    def test_openpgp_without_the_public_key(
        self, monkeypatch: pytest.MonkeyPatch, root: Path, remote: Path, config: Config, gnupg: str
    ) -> None:
        """A machine that lacks the public key cannot vouch: refused, with git's reason."""
        assert remote.exists()
        git(root, "config", "user.signingKey", gnupg)
        changed, _ = self.release(root, config, gpg_fingerprints=(gnupg,))
        with tempfile.TemporaryDirectory(prefix="gpg-") as empty:
            monkeypatch.setenv("GNUPGHOME", empty)
            trust = trusts.load(changed, root)
            refused = verify(root, VERSION, trust=trust, remote="origin", records_branch="releases")
        assert refused.outcome is Outcome.FAIL
        assert "does not vouch for the tag's OpenPGP signature (ERRSIG" in refused.reason

    def test_an_openpgp_tag_is_not_signed_twice(self, root: Path, remote: Path, config: Config, gnupg: str) -> None:
        """After a cut the tag that was signed is pushed, not another one: GnuPG's signatures differ each time."""
        git(root, "config", "user.signingKey", gnupg)
        key = new_key(root.parent / "key")
        line = trusts.line("pipeline@example.org", key.blob, "golive")
        changed = settings(config, signers={"production": pin(root.parent / "signers", line)})
        signing = msgspec.structs.replace(changed.signing, tag="git", gpg_fingerprints=(gnupg,))
        changed = msgspec.structs.replace(changed, signing=signing)
        directory, data = finished_run(root, plan_of(root, changed, "production"))
        environment = {**os.environ, "GOLIVE_SIGNING_KEY": str(key.path)}

        class CutError(Exception):
            """The end, at a certain step."""

        def cut(step: str) -> None:
            if step == "approved":
                raise CutError

        with pytest.raises(CutError):
            release_run(data, root, directory, lambda: WHEN, environment=environment, step=cut)
        made = msgspec.json.decode((directory / NAME).read_bytes())["tag"]
        release_run(data, root, directory, lambda: WHEN + 60, environment=environment)
        assert git(remote, "rev-parse", VERSION) == made

    def test_ssh(self, root: Path, remote: Path, config: Config) -> None:
        """The user's SSH key, as ``git tag -s`` would take it; here it is not pinned, and so nothing is pushed."""
        user = new_key(root.parent / "user-key")
        git(root, "config", "gpg.format", "ssh")
        git(root, "config", "user.signingKey", str(user.path))
        with pytest.raises(ReleaseIncompleteError, match=re.escape(f"signed by {user.fingerprint}")):
            self.release(root, config)
        assert git(remote, "tag") == ""

    def test_nothing_configured(self, root: Path, config: Config) -> None:
        """Without ``user.signingKey`` the tag would be unsigned, which production refuses."""
        with pytest.raises(ReleaseIncompleteError, match="is not signed"):
            self.release(root, config)
