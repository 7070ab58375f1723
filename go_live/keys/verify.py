"""What the rotation is judged by: the keys of the environment, the API's answers, the last release's record."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec

from go_live.config import Config, Keys
from go_live.errors import UsageError
from go_live.keys.fingerprint import PREFIX, checked, matches
from go_live.keys.probe import Said, ask_health, refuse_foreign
from go_live.keys.rotation import Deployed, Facts, Previous
from go_live.release.git import Git
from go_live.release.metadata import METADATA_NAME

FIELD = "api_key_fingerprint"
"""Of DEPLOYMENT_METADATA.json: the fingerprint of the key that a release was measured with."""


class _Recorded(msgspec.Struct, frozen=True):
    """What is needed of a release's metadata, also of one that was made by a later or an earlier golive."""

    version: str
    deployed_at: str
    profile: str
    api_key_fingerprint: str | None = None


def gather(config: Config, root: Path, environment: Mapping[str, str], *, exposed: int, profile: str) -> Facts:
    """Find out about the rotation.

    Args:
        config: names the variables, the endpoint and the records branch.
        root: the project's root.
        environment: holds the keys and fingerprints.
        exposed: RunPod keys that the scan found.
        profile: whose releases count as earlier ones.

    Raises:
        UsageError: no key, an address that is not the platform's, or a fingerprint that is none.
        GitError: the records cannot be read.
    """
    keys, endpoint = config.keys, config.endpoint
    new = _key(environment, keys.api_key_env)
    if not new:
        raise UsageError(
            f"{keys.api_key_env} is not set: put the endpoint's new API key into it, or into a file of keys"
        )
    old = _key(environment, keys.old_api_key_env)
    refuse_foreign(endpoint.job_api)
    said = asyncio.run(_ask_both(endpoint.job_api, endpoint.id, new, old))
    last = last_release(Git(root), config, profile)
    return Facts(
        new=said[0],
        old=said[1],
        same=old == new,
        previous=last and _previous(last, new, old),
        first_release=config.release.first_release,
        exposed=exposed,
        deployed=deployed(keys, environment, new, root),
        old_env=keys.old_api_key_env,
    )


def _key(environment: Mapping[str, str], name: str) -> str:
    """The key in the variable ``name``, or in the file that ``<name>_FILE`` names; empty: neither is set.

    Raises:
        UsageError: the file cannot be read.
    """
    if key := environment.get(name, "").strip():
        return key
    return _read(Path(path), f"{name}_FILE") if (path := environment.get(f"{name}_FILE")) else ""


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the file that {what} names: {type(error).__name__}") from error


async def _ask_both(job_api: str, endpoint_id: str, new: str, old: str) -> tuple[Said, Said | None]:
    first = await ask_health(job_api, endpoint_id, new)
    return first, await ask_health(job_api, endpoint_id, old) if old else None


def deployed(keys: Keys, environment: Mapping[str, str], new: str, root: Path) -> dict[str, Deployed]:
    """Whether each caller uses ``new``, by its fingerprint or the file that holds it.

    Raises:
        UsageError: a fingerprint is none, or its file cannot be read.
    """
    found: dict[str, Deployed] = {}
    for caller, name in (("gateway", keys.gateway_fingerprint_env), ("CI", keys.ci_fingerprint_env)):
        given = environment.get(name, "").strip()
        if not given:
            found[caller] = "not yet" if caller.lower() in keys.not_deployed else "not given"
            continue
        text = given if given.startswith(PREFIX[:6]) else _read(root / given, name)
        try:
            found[caller] = "same" if matches(new, text) else "other"
        except UsageError as error:
            raise UsageError(f"{name}: {error}") from error
    return found


def last_release(git: Git, config: Config, profile: str) -> _Recorded | None:
    """The newest recorded release but the one that is being made; None: there is none.

    Raises:
        GitError: the records cannot be read.
        UsageError: a record is malformed.
    """
    wanted = config.release
    names = (f"refs/remotes/{wanted.remote}/{wanted.records_branch}", f"refs/heads/{wanted.records_branch}")
    branch = next((name for name in names if git.attempt("rev-parse", "--verify", "--quiet", name).code == 0), None)
    if branch is None:
        return None
    listed = git.raw("ls-tree", "-r", "-z", "--name-only", branch).decode(errors="surrogateescape").split("\0")
    paths = [path for path in listed if path.endswith(f"/{METADATA_NAME}")]
    records = [_recorded(git.raw("cat-file", "blob", f"{branch}:{path}"), path) for path in paths]
    earlier = [one for one in records if one.profile == profile and one.version != wanted.version]
    return max(earlier, key=lambda one: one.deployed_at, default=None)


def _recorded(content: bytes, path: str) -> _Recorded:
    try:
        return msgspec.json.decode(content, type=_Recorded)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"the record {path} cannot be read: {error}") from error


def _previous(last: _Recorded, new: str, old: str) -> Previous:
    recorded = last.api_key_fingerprint
    if recorded is None:
        return Previous(version=last.version, recorded=False, is_old=None, is_new=False)
    text = checked(recorded)
    is_old = matches(old, text) if old else None
    return Previous(version=last.version, recorded=True, is_old=is_old, is_new=matches(new, text))
