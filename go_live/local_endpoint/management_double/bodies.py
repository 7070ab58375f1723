"""What a write of REST v2 may hold, by the published specification and by what it was seen to refuse. Pure."""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

Version = Annotated[str, msgspec.Meta(pattern=r"^\d+\.\d+$")]
Body = TypeVar("Body", bound="Container")


class RefusedError(Exception):
    """The API answers with this status, and what is wrong."""

    def __init__(self, status: int, detail: str, *errors: str) -> None:
        """``errors`` are the single failures of a validation."""
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Part of a body; what is unknown is refused."""


class Workers(Part, frozen=True):
    """``workers``."""

    min: Annotated[int, msgspec.Meta(ge=0)] | UnsetType = UNSET
    max: Annotated[int, msgspec.Meta(ge=0)] | UnsetType = UNSET
    idle_timeout: Annotated[int, msgspec.Meta(ge=1, le=3600)] | UnsetType = UNSET


class QueueDelay(Part, frozen=True, tag_field="type", tag="QUEUE_DELAY"):
    """``scaling`` on waiting time."""

    queue_delay: Annotated[float, msgspec.Meta(ge=0.5)]


class RequestCount(Part, frozen=True, tag_field="type", tag="REQUEST_COUNT"):
    """``scaling`` on requests in flight."""

    request_count: Annotated[int, msgspec.Meta(ge=1)]


class Gpu(Part, frozen=True):
    """``gpu``."""

    pools: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | UnsetType = UNSET
    excluded_types: tuple[str, ...] | UnsetType = UNSET
    count: Annotated[int, msgspec.Meta(ge=1)] | UnsetType = UNSET
    allowed_cuda_versions: tuple[Version, ...] | UnsetType = UNSET
    min_cuda_version: Annotated[str, msgspec.Meta(pattern=r"^$|^\d+\.\d+$")] | UnsetType = UNSET


class Container(Part, frozen=True):
    """What creates and changes have in common."""

    image: str | UnsetType = UNSET
    args: str | UnsetType = UNSET
    disk: Annotated[int, msgspec.Meta(ge=1)] | UnsetType = UNSET
    env: dict[str, str] | UnsetType = UNSET
    ports: tuple[str, ...] | UnsetType = UNSET
    registry: str | UnsetType | None = UNSET
    template_id: str | UnsetType = UNSET
    gpu: Gpu | UnsetType = UNSET
    cpu: tuple[dict[str, Any], ...] | UnsetType = UNSET
    workers: Workers | UnsetType = UNSET
    timeout: int | UnsetType = UNSET
    flashboot: Literal["OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT"] | UnsetType = UNSET
    data_center_ids: tuple[str, ...] | UnsetType = UNSET
    network_volumes: tuple[str, ...] | UnsetType = UNSET


class Change(Container, frozen=True):
    """Body of a PATCH; the type cannot be changed."""

    name: Annotated[str, msgspec.Meta(min_length=1)] | UnsetType = UNSET
    scaling: QueueDelay | RequestCount | UnsetType = UNSET


class New(Container, frozen=True, kw_only=True):
    """Body of a create."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    type: Literal["QUEUE", "LOAD_BALANCER"]
    scaling: QueueDelay | RequestCount


def parse(content: bytes, kind: type[Body]) -> Body:
    """The body of a write.

    Raises:
        RefusedError: 400 for what is no JSON, 422 for what the schema refuses, 400 for what contradicts itself.
    """
    try:
        body = msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise RefusedError(422, "Request validation failed.", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(400, "the request body is no JSON") from error
    gpu = body.gpu
    if isinstance(gpu, Gpu):
        if gpu.excluded_types and gpu.pools is UNSET:
            raise RefusedError(422, "Request validation failed.", "$.gpu: excludedTypes requires pools")
        if gpu.allowed_cuda_versions and gpu.min_cuda_version:
            raise RefusedError(400, "allowedCudaVersions and minCudaVersion are mutually exclusive")
    return body


def parts(body: Container) -> dict[str, Any]:
    """The members that were sent, as JSON has them."""
    sent: dict[str, Any] = msgspec.to_builtins(body)
    return sent
