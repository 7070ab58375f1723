"""What a release ran on the endpoint, as its metadata keeps it: ``endpoint_config``. Pure.

Of the environment only the worker's own settings are kept in clear; of every other variable the name, because its value
may be a secret, and a secret that was rotated since must not come back.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from go_live.errors import UsageError
from go_live.management.models import Endpoint, LegacyEndpoint, RequestCount
from worker.settings import PARSERS

NO_TEMPLATE = "none"
"""The template where the platform tells of none: REST v2 keeps no link to one."""


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the live endpoint when a release was measured."""

    image: str
    """With its name and digest, as the endpoint was told to pull it."""
    args: str
    env: dict[str, str]
    """The worker's own settings."""
    other_env: tuple[str, ...]
    """Names of all other variables."""
    gpu_pools: tuple[str, ...]
    gpu_excluded: tuple[str, ...]
    workers_min: int
    workers_max: int
    scaler: str
    """``REQUEST_COUNT 1``."""
    timeout_ms: int
    flashboot: str


def deployed(endpoint: Endpoint) -> Deployed:
    """What ``endpoint`` runs now."""
    scaling, gpu = endpoint.scaling, endpoint.gpu
    counts = isinstance(scaling, RequestCount)
    value = scaling.request_count if isinstance(scaling, RequestCount) else scaling.queue_delay
    return Deployed(
        image=endpoint.image,
        args=endpoint.args,
        env={name: value for name, value in sorted(endpoint.env.items()) if name in PARSERS},
        other_env=tuple(sorted(name for name in endpoint.env if name not in PARSERS)),
        gpu_pools=gpu.pools if gpu else (),
        gpu_excluded=gpu.excluded_types if gpu else (),
        workers_min=endpoint.workers.min,
        workers_max=endpoint.workers.max,
        scaler=f"{'REQUEST_COUNT' if counts else 'QUEUE_DELAY'} {value:g}",
        timeout_ms=endpoint.timeout,
        flashboot=endpoint.flashboot,
    )


def environment_sha256(env: Mapping[str, str]) -> str:
    """Digest of a whole environment, whatever the order of its names."""
    text = json.dumps(dict(env), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def deployment_fact(endpoint: Endpoint, legacy: LegacyEndpoint | None) -> dict[str, Any]:
    """What a run notes of the live endpoint, so that its release can be gone back to (``release.way_back.FACT``).

    Args:
        endpoint: as REST v2 tells it.
        legacy: as GraphQL tells it, which alone knows the template; None: it knows no such endpoint, or is gone.
    """
    return {
        "template_id": (legacy.template_id if legacy else None) or NO_TEMPLATE,
        "environment_sha256": environment_sha256(endpoint.env),
        "endpoint_config": msgspec.to_builtins(deployed(endpoint)),
    }


def read_deployed(document: Mapping[str, Any] | None) -> Deployed | None:
    """The ``endpoint_config`` of a release's metadata; None: it has none.

    Raises:
        UsageError: it is of another shape than golive writes.
    """
    if not document:
        return None
    try:
        return msgspec.convert(document, Deployed)
    except msgspec.ValidationError as error:
        raise UsageError(f"the metadata's endpoint_config is not what golive writes: {error}") from error
