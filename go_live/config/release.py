"""Tables of golive.toml about the release itself: what, by whom, with which keys and profiles."""

from typing import Annotated, Literal

import msgspec

from go_live.config.values import Amount, EnvName, Positive, ProfileName, Section, Text


class Release(Section, frozen=True):
    """What is being released, and where it is recorded."""

    version: Text
    branch: Text
    remote: Text
    records_branch: Text
    first_release: bool
    """True: there is no version to roll back to, and the report says so."""
    watch_after_push_s: Amount
    """How long the live endpoint is watched, after the tag's push, for a rebuild that the push set off."""
    previous: Text | None = None
    """The release to roll back to; needed unless this is the first."""


class Signing(Section, frozen=True):
    """Who signs a release, and whom a verifier believes."""

    key_env: EnvName
    """Names the environment variable that holds the path of the private key (OpenSSH, Ed25519); never the key."""
    tag: Literal["key", "git"]
    """``key``: that key signs the tag, too. ``git``: the tag is signed as git is configured (SSH or OpenPGP)."""
    required: tuple[ProfileName, ...]
    """Profiles whose release is refused without a signature."""
    signers: dict[ProfileName, Text]
    """Profile -> file of its pinned signers (OpenSSH allowed_signers), relative to golive.toml's folder."""
    gpg_fingerprints: tuple[Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{40}$")], ...] = ()
    """OpenPGP keys that may sign tags; OpenSSH's format has no place for them."""


class Keys(Section, frozen=True):
    """Where secrets come from: names of environment variables, never the secrets."""

    api_key_env: EnvName
    old_api_key_env: EnvName
    gateway_fingerprint_env: EnvName
    """Holds the fingerprint of the key that the gateway uses, or the path of a file with it."""
    ci_fingerprint_env: EnvName
    """Likewise of the key that CI uses."""
    not_deployed: tuple[Literal["gateway", "ci"], ...]
    """Callers that do not exist yet; only a first release may declare them."""
    baseline: Text
    """Findings of the secret scan that somebody answers for."""


class Attestations(Section, frozen=True):
    """Manual items' statements."""

    file: Text


class Profile(Section, frozen=True):
    """How a profile differs: its target and how long the soak lasts."""

    target: Literal["local", "runpod"]
    device: Literal["cpu", "cuda", "timed", "live"]
    """What the worker runs on; ``timed`` is the timed engine (never evidence), ``live`` whatever is deployed."""
    soak_minutes: Amount
    worker_command: tuple[Text, ...] = ("python", "-m", "worker")
    """Starts a local worker; ``python`` is the interpreter that runs golive."""
    worker_env: dict[EnvName, str] = msgspec.field(default_factory=dict)
    """Environment of the local worker; only for local targets."""
    workers: Positive = 1
    """How many local workers run, from the start to the end."""
    assumed_total_ms: Amount = 3453
    """Mean total time of a request that ``golive plan`` reckons with. Readiness summary: total p50 at c=2."""
    clean_tree: bool = False
    """Whether a dirty tree is refused (true) or only reported."""
