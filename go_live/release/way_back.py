"""What the way back needs to know of a release: what was deployed, how it was set, and what came before it. Pure.

The infrastructure checks note what the live endpoint runs as a fact of the run, under :data:`FACT`; of a rehearsal
nothing is known.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from go_live.errors import MeasurementError

FACT = "deployment"
"""Under this name the log keeps what the live endpoint runs: ``template_id``, ``environment_sha256``,
``endpoint_config``, as far as they are known."""
UNKNOWN = "unknown"
_NAMES = ("template_id", "environment_sha256", "endpoint_config")
_IMAGE = re.compile(r"sha256:[0-9a-f]{64}$")


class Previous(msgspec.Struct, frozen=True, kw_only=True):
    """The release to go back to."""

    version: str
    git_commit: str
    image: str


class WayBack(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known to come back to this release, or from it."""

    image: str = UNKNOWN
    """The image that was measured, by digest, as the worker's probe names it."""
    template_id: str = UNKNOWN
    environment_sha256: str = UNKNOWN
    """Digest of the worker's environment; the environment itself may hold secrets."""
    endpoint_config: dict[str, Any] | None = None
    """The settings of the endpoint that a rollback would have to restore: workers, scaler, time-outs, GPU."""
    previous: Previous | None = None
    """None: this is the first release."""


def way_back(told: Sequence[Mapping[str, Any]], *, image: str, previous: Previous | None) -> WayBack:
    """The way back, with what the facts of a run, entry by entry, say of the deployment; the newest counts.

    Raises:
        MeasurementError: the fact is malformed.
    """
    found: dict[str, Any] = {}
    for facts in told:
        found |= facts.get(FACT) or {}
    named = {name: found[name] for name in _NAMES if found.get(name) is not None}
    try:
        back = msgspec.convert(named | {"image": image}, WayBack)
    except msgspec.ValidationError as error:
        raise MeasurementError(f"the log's facts of the deployment are malformed: {error}") from error
    return msgspec.structs.replace(back, previous=previous)


def unknown(back: WayBack) -> tuple[str, ...]:
    """What a production release cannot be made without, and nobody has told."""
    missing = {
        "the image's digest": not _IMAGE.search(back.image),
        "the template": back.template_id == UNKNOWN,
        "the environment's digest": back.environment_sha256 == UNKNOWN,
        "the endpoint's configuration": not back.endpoint_config,
    }
    return tuple(name for name, gone in missing.items() if gone)
