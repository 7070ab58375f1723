"""Signing: the key that the environment names, and a tag that is signed before any ref names it."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from go_live.config import Config, ProfileName, Signing
from go_live.errors import UsageError
from go_live.release.git import Git, GitError
from go_live.release.record import Stamp, tag_payload, write_tag
from go_live.release.repository import identity, open_work_tree
from go_live.release.signature import TagObject, check, parse_tag
from go_live.release.trust import ATTESTATIONS, Trust, ed25519_blob, find, fingerprint, load

_WITH_KEY = ("gpg.format=ssh", "gpg.ssh.program=ssh-keygen")
TRIAL = "golive-trial"
"""Name of the tag object that shows, before an hour's soak, that signing works; no ref ever names it."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A private key. It is never written anywhere, and its representation does not show it."""

    path: Path | None
    """Where it was read; None: made for one run, and gone with it."""
    private: Ed25519PrivateKey

    @property
    def blob(self) -> bytes:
        """The public key as SSH encodes it."""
        return ed25519_blob(self.private.public_key().public_bytes_raw())

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``."""
        return fingerprint(self.blob)


def load_key(signing: Signing, environment: Mapping[str, str]) -> Key | None:
    """The key that the environment names; None: it names none.

    Raises:
        UsageError: the file cannot be read, or is no unencrypted Ed25519 key as OpenSSH writes it.
    """
    name = environment.get(signing.key_env, "")
    if not name:
        return None
    path = Path(name).expanduser()
    try:
        private = load_ssh_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UsageError(f"cannot read the signing key {path} ({signing.key_env}): {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The library's own words could quote the file; its kind of trouble is told instead.
        told = "it is encrypted" if isinstance(error, TypeError) else "it is not a private key as OpenSSH writes it"
        raise UsageError(
            f"the signing key {path} ({signing.key_env}) cannot be used: {told}; make one with "
            "`ssh-keygen -t ed25519 -N ''` and keep it where only the pipeline reads it"
        ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(f"the signing key {path} ({signing.key_env}) is no Ed25519 key: `ssh-keygen -t ed25519`")
    return Key(path=path, private=private)


def key_of_this_run() -> Key:
    """A new key, for a rehearsal: nobody has to set one up, and nobody can trust it."""
    return Key(path=None, private=Ed25519PrivateKey.generate())


def make_tag(git: Git, signing: Signing, key: Key | None, *, name: str, commit: str, message: str, stamp: Stamp) -> str:
    """Write a tag object, signed when a key is configured, and return its id. No ref names it.

    Git does the signing, in a repository of its own that shares only the objects: it would otherwise write the ref.

    Raises:
        GitError: git or the signing program refused.
    """
    payload = tag_payload(name=name, commit=commit, message=message, stamp=stamp)
    settings = _settings(git, signing, key)
    if not settings:
        return write_tag(git, payload)
    objects = Path(git.text("rev-parse", "--path-format=absolute", "--git-path", "objects"))
    person, _, address = stamp.who.rpartition(" <")
    with tempfile.TemporaryDirectory() as folder:
        git.text("init", "--quiet", "--bare", "--template=", f"--object-format={_format(git)}", folder)
        env = {
            "GIT_DIR": folder,
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_COMMITTER_NAME": person,
            "GIT_COMMITTER_EMAIL": address.rstrip(">"),
            "GIT_COMMITTER_DATE": f"{stamp.when} +0000",
        }
        asked = [part for setting in settings for part in ("-c", setting)]
        text = f"{message.strip()}\n".encode()
        git.text(*asked, "tag", "--sign", "--cleanup=verbatim", "--file=-", name, commit, stdin=text, env=env)
        made = git.text("rev-parse", f"refs/tags/{name}", env=env)
    if parse_tag(git.raw("cat-file", "tag", made)).payload != payload:
        raise GitError(f"git signed another tag than it was given ({made}): nothing was pushed")
    return made


def signing_state(
    root: Path, config: Config, profile: ProfileName, *, environment: Mapping[str, str], commit: str, now: float
) -> list[str]:
    """What stands in the way of a signature that verifiers of ``profile`` believe, a line each.

    A trial tag of ``commit`` is signed and checked; no ref names it.

    Raises:
        UsageError: not in a git repository, no identity, no trust root, or the key cannot be used.
        MeasurementError: ssh-keygen is not installed.
    """
    git, trust = open_work_tree(root), load(config, root, profile=profile)
    key, stamp = load_key(config.signing, environment), Stamp(who=identity(git), when=int(now))
    if key is None and trust.required:
        return [
            f"the profile {trust.profile} has to be signed, and {config.signing.key_env} names no key: "
            "set it to the path of an Ed25519 key that is pinned in " + trust.source
        ]
    if key is None:
        return []
    try:
        trial = make_tag(git, config.signing, key, name=TRIAL, commit=commit, message=TRIAL, stamp=stamp)
        tag = parse_tag(git.raw("cat-file", "tag", trial))
    except GitError as error:
        return [f"the tag cannot be signed: {error}"]
    return [*_tag_trouble(git, trial, tag, trust, at=stamp.when), *_attestation_trouble(key, trust, at=stamp.when)]


def _tag_trouble(git: Git, trial: str, tag: TagObject, trust: Trust, *, at: float) -> list[str]:
    """Why the tag's signature would not be believed."""
    found = check(git, trial, tag, trust, at=at)
    return [f"nobody would believe the signature: {found.trouble}"] if found.trouble else []


def _attestation_trouble(key: Key, trust: Trust, *, at: float) -> list[str]:
    """Why the attestations' signatures would not be believed."""
    pinned = find(trust.signers, key.blob)
    refusals = [signer.refusal(ATTESTATIONS, at) for signer in pinned]
    if pinned and not all(refusals):
        return []
    why = refusals[0] if refusals else f"is not pinned in {trust.source}"
    return [f"nobody would believe the attestations: the key {key.fingerprint} {why}"]


def _settings(git: Git, signing: Signing, key: Key | None) -> list[str]:
    """Git's settings for signing: our key, or what the user has configured; none: unsigned."""
    if signing.tag == "key":
        return [*_WITH_KEY, f"user.signingKey={key.path}"] if key and key.path else []
    listed = git.attempt("config", "--null", "--get-regexp", r"^(gpg\..*|user\.signingkey)$").out.decode()
    pairs = [row.partition("\n") for row in listed.split("\0") if row]
    configured = any(name == "user.signingkey" for name, _, _ in pairs)
    return [f"{name}={value}" for name, _, value in pairs] if configured else []


def _format(git: Git) -> str:
    """The repository's hash: sha1 or sha256."""
    return git.text("rev-parse", "--show-object-format")


def required_key(config: Config, profile: ProfileName, environment: Mapping[str, str]) -> Key | None:
    """The key that signs a release of ``profile``; None where there is none, and none is required.

    Raises:
        UsageError: the profile has to be signed and there is no key, or it cannot be used.
    """
    key = load_key(config.signing, environment)
    if key is None and profile in config.signing.required:
        raise UsageError(
            f"a release of the profile {profile} has to be signed, and {config.signing.key_env} names no key "
            "(docs/releasing.md, Signatures)"
        )
    return key
