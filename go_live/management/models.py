"""The management API's objects (REST v2), as far as golive reads or writes them. Plain frozen types.

Names follow the API's, in Python's spelling. A member that the specification does not require has a default; members
that golive does not know are ignored in answers, because the platform may add some.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

FlashBoot = Literal["OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT"]
EndpointType = Literal["QUEUE", "LOAD_BALANCER"]
WorkerStatus = Literal["RUNNING", "IDLE", "INITIALIZING", "THROTTLED", "UNHEALTHY"]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Part of an answer."""


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Part of a request; a member that is not set is not sent, and is then left as it is."""


class QueueDelay(Body, frozen=True, tag_field="type", tag="QUEUE_DELAY"):
    """Scale on how long requests wait."""

    queue_delay: Annotated[float, msgspec.Meta(ge=0.5)]
    """Seconds."""


class RequestCount(Body, frozen=True, tag_field="type", tag="REQUEST_COUNT"):
    """Scale on requests in flight."""

    request_count: Annotated[int, msgspec.Meta(ge=1)]
    """Requests per worker."""


Scaling = QueueDelay | RequestCount


class Workers(Answer, frozen=True):
    """How many workers there may be."""

    min: Count
    max: Count
    idle_timeout: int | None = None
    """Seconds; None: the API does not tell it, as for a queue endpoint that scales on REQUEST_COUNT."""


class Gpu(Answer, frozen=True):
    """What workers may run on: every type of ``pools`` but ``excluded_types``."""

    pools: tuple[str, ...]
    excluded_types: tuple[str, ...] = ()
    count: int = 1
    allowed_cuda_versions: tuple[str, ...] = ()
    min_cuda_version: str | None = None


class Endpoint(Answer, frozen=True):
    """A serverless endpoint as it is configured now. ``env`` may hold secrets: never print it."""

    id: str
    name: str
    workers: Workers
    scaling: Scaling
    timeout: int
    """Execution timeout, ms; 0 where none was ever set."""
    flashboot: FlashBoot
    created_at: str
    data_center_ids: tuple[str, ...] = ()
    network_volumes: tuple[str, ...] = ()
    type: EndpointType = "QUEUE"
    image: str = ""
    args: str = ""
    disk: int | None = None
    env: dict[str, str] = {}
    ports: tuple[str, ...] = ()
    registry: str | None = None
    gpu: Gpu | None = None
    """None: it runs on CPUs."""

    def __repr__(self) -> str:
        """Without the environment, which may hold secrets."""
        return f"Endpoint(id={self.id!r}, image={self.image!r}, workers={self.workers!r}, env=<{len(self.env)} hidden>)"


class Template(Answer, frozen=True):
    """A template: container settings that can be applied to an endpoint once. ``env`` may hold secrets."""

    id: str
    name: str
    image: str
    serverless: bool
    args: str = ""
    disk: int | None = None
    env: dict[str, str] = {}
    ports: tuple[str, ...] = ()
    registry: str | None = None
    public: bool = False

    def __repr__(self) -> str:
        """Without the environment, which may hold secrets."""
        return f"Template(id={self.id!r}, name={self.name!r}, image={self.image!r}, serverless={self.serverless})"


class Worker(Answer, frozen=True):
    """One active worker; those that are scaled down are not listed."""

    id: str
    status: WorkerStatus
    is_stale: bool
    """Whether it runs an older configuration than the endpoint's."""
    gpu_count: int
    version: int | None = None
    image: str | None = None
    uptime_seconds: int | None = None
    gpu_type_id: str | None = None
    data_center_id: str | None = None
    started_at: str | None = None


class WorkerSummary(Answer, frozen=True):
    """Active workers counted by status."""

    running: Count
    idle: Count
    """Ready, and polling for jobs."""
    initializing: Count
    throttled: Count
    unhealthy: Count
    total: Count


class WorkerList(Answer, frozen=True):
    """``GET /serverless/{id}/workers``."""

    workers: tuple[Worker, ...]
    summary: WorkerSummary
    endpoint_version: int | None = None


class DiffEntry(Answer, frozen=True):
    """One field that a release changed. Values may hold secrets (``template.env``)."""

    field: str
    old: Any = None
    new: Any = None

    def __repr__(self) -> str:
        """The field alone."""
        return f"DiffEntry(field={self.field!r})"


class Release(Answer, frozen=True):
    """One version of an endpoint's configuration."""

    id: str
    source: Literal["GIT_BUILD", "MANUAL"]
    created_at: str
    worker_count: Count
    diff: tuple[DiffEntry, ...]
    version: int | None = None
    build_id: str | None = None


class Rollout(Answer, frozen=True):
    """How far the newest release has come."""

    in_progress: bool
    workers_on_latest: Count
    workers_total: Count
    percent_on_latest: Annotated[int, msgspec.Meta(ge=0, le=100)]
    """0 when there are no workers."""


class ReleaseList(Answer, frozen=True):
    """``GET /serverless/{id}/releases``; newest first."""

    rollout: Rollout
    releases: tuple[Release, ...]
    endpoint_version: int | None = None


class GpuType(Answer, frozen=True):
    """A GPU of the catalog, and the serverless pool that holds it."""

    id: str
    pool: str | None = None


class LegacyEndpoint(Answer, frozen=True):
    """What GraphQL tells of an endpoint; here because v2 has no word for some of it."""

    id: str
    idle_timeout: int | None = None
    """Seconds."""
    template_id: str | None = None
    scaler_type: str | None = None
    scaler_value: float | None = None
    workers_min: int | None = None
    workers_max: int | None = None
    gpu_ids: str | None = None
    version: int | None = None


class WorkersChange(Body, frozen=True):
    """New bounds of the number of workers."""

    min: Count | UnsetType = UNSET
    max: Count | UnsetType = UNSET
    idle_timeout: Annotated[int, msgspec.Meta(ge=1, le=3600)] | UnsetType = UNSET
    """Seconds; refused (422) for a queue endpoint that scales on REQUEST_COUNT."""


class GpuChange(Body, frozen=True):
    """New GPU selection; ``pools`` without ``excluded_types`` clears the exclusions."""

    pools: tuple[str, ...] | UnsetType = UNSET
    excluded_types: tuple[str, ...] | UnsetType = UNSET
    count: int | UnsetType = UNSET


class Container(Body, frozen=True):
    """Container settings of a write. Changing any makes a new release, which rolls out as workers cycle."""

    image: str | UnsetType = UNSET
    args: str | UnsetType = UNSET
    disk: int | UnsetType = UNSET
    env: dict[str, str] | UnsetType = UNSET
    """Replaces the endpoint's whole environment."""
    ports: tuple[str, ...] | UnsetType = UNSET
    registry: str | UnsetType | None = UNSET
    template_id: str | UnsetType = UNSET
    """Applies a serverless template's container settings once; no link to it is kept."""
    gpu: GpuChange | UnsetType = UNSET
    workers: WorkersChange | UnsetType = UNSET
    timeout: int | UnsetType = UNSET
    """Execution timeout, ms."""
    flashboot: FlashBoot | UnsetType = UNSET

    def __repr__(self) -> str:
        """The names of what is set: values may hold secrets."""
        names = [name for name in self.__struct_fields__ if getattr(self, name) is not UNSET]
        return f"{type(self).__name__}({', '.join(names)})"


class EndpointUpdate(Container, frozen=True):
    """Body of ``PATCH /serverless/{id}``: only what is set is changed."""

    name: str | UnsetType = UNSET
    scaling: Scaling | UnsetType = UNSET


class EndpointCreate(Container, frozen=True, kw_only=True):
    """Body of ``POST /serverless``. Needs ``image`` or ``template_id``; name ``timeout``, which else may end as 0."""

    name: str
    type: EndpointType
    scaling: Scaling
    data_center_ids: tuple[str, ...] | UnsetType = UNSET
    network_volumes: tuple[str, ...] | UnsetType = UNSET


def body(change: EndpointUpdate | EndpointCreate) -> dict[str, Any]:
    """The JSON object of a write, as it is sent."""
    sent: dict[str, Any] = msgspec.to_builtins(change)
    return sent
