"""What the double describes. Frozen; the file of ``golive local serve --live`` has this shape."""

from typing import Annotated, Literal

import msgspec

from go_live.local_endpoint.autoscaler import ScalerType

Count = Annotated[int, msgspec.Meta(ge=0)]

DIGEST = "sha256:" + "0" * 64


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what can be described."""


class Quirks(Facts, frozen=True):
    """What the documentation leaves open or contradicts; each can be had both ways."""

    idle_timeout: Literal["omitted", "told"] = "omitted"
    """Of a queue endpoint that scales on REQUEST_COUNT: specification says omitted and refused."""
    omitted_timeout_ms: Count = 0
    """``timeout`` of a create that leaves it out: specified as 300000, seen as 0."""
    rate_limit_headers: bool = True
    """Whether answers carry RateLimit and RateLimit-Policy (specified as optional)."""
    retry_after: bool = True
    """Whether a 429 carries Retry-After."""
    graphql: Literal["served", "retired", "refused", "failing", "silent"] = "served"
    """``retired``: 404; ``refused``: 403; ``failing``: 200 and errors; ``silent``: no idleTimeout."""


class DescribedTemplate(Facts, frozen=True):
    """A template of the account."""

    id: str
    image: str
    name: str = ""
    env: dict[str, str] = {}
    args: str = ""
    serverless: bool = True


class Described(Facts, frozen=True):
    """One endpoint as the platform would tell it. None: as the local endpoint runs."""

    name: str = "local"
    image: str = f"registry.example/worker@{DIGEST}"
    env: dict[str, str] | None = None
    images: dict[str, dict[str, str]] = {}
    """What each image brings of environment (GIT_COMMIT, IMAGE_DIGEST); an image that is not here cannot be pulled."""
    gpu_pools: tuple[str, ...] = ("ADA_24",)
    gpu_excluded: tuple[str, ...] = ()
    gpu_type: str = "NVIDIA GeForce RTX 4090"
    """What its workers were placed on."""
    workers_min: Count | None = None
    workers_max: Count | None = None
    scaler_type: ScalerType | None = None
    scaler_value: float | None = None
    idle_timeout_s: int | None = None
    execution_timeout_ms: Count | None = None
    flashboot: Literal["OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT"] = "OFF"
    template_id: str = "tpl-bound"
    templates: tuple[DescribedTemplate, ...] = ()
    idle_days: float = 0
    """Days without a request: after 3 the platform sets workersMax to 2, after 7 to 0, silently."""
    stale_workers: Count = 0
    """Workers that still run the release before the newest."""
    quirks: Quirks = Quirks()
    quota_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 60
    """Requests a minute (the documented policy of a default account)."""
