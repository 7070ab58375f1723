"""The live endpoint, read once: everything that is compared."""

from go_live.management.client import ManagementClient
from go_live.management.errors import (
    BadRequestError,
    ForbiddenError,
    GraphQlError,
    ManagementError,
    NotFoundError,
    ShapeError,
    StatusError,
    UnauthorizedError,
    UnprocessableError,
)
from go_live.management.models import LegacyEndpoint, ReleaseList, WorkerList
from go_live.management.table import Live, Told

LOOKS = 3
"""How often releases and workers are read until they speak of the same version."""
GONE = 410
ANSWERED = (
    BadRequestError,
    UnauthorizedError,
    ForbiddenError,
    NotFoundError,
    UnprocessableError,
    GraphQlError,
    ShapeError,
)
"""GraphQL was reached and does not tell: it is retired, does not know the field, or the key may not ask."""


async def look(client: ManagementClient, endpoint_id: str) -> Live:
    """Read the endpoint.

    Raises:
        ManagementError: what v2 must tell could not be read.
    """
    endpoint = await client.endpoint(endpoint_id)
    releases, workers = await _of_one_moment(client, endpoint_id)
    legacy, idle = await _legacy(client, endpoint_id)
    return Live(
        endpoint=endpoint,
        workers=workers,
        releases=releases,
        pools=await _pools(client),
        idle=idle,
        legacy=legacy,
    )


async def _of_one_moment(client: ManagementClient, endpoint_id: str) -> tuple[ReleaseList, WorkerList]:
    """Releases and workers that name the same version, or the last that were read."""
    for left in reversed(range(LOOKS)):
        releases, workers = await client.releases(endpoint_id), await client.workers(endpoint_id)
        agree = releases.endpoint_version == workers.endpoint_version
        if not left or (agree and releases.rollout.workers_total == len(workers.workers)):
            return releases, workers
    raise AssertionError("LOOKS is at least 1")


async def _pools(client: ManagementClient) -> dict[str, str | None]:
    """The catalog; empty where it is not to be had: golive then goes by what it knows."""
    try:
        return {gpu.id: gpu.pool for gpu in await client.gpu_types()}
    except (ForbiddenError, NotFoundError, ShapeError):
        return {}


async def _legacy(client: ManagementClient, endpoint_id: str) -> tuple[LegacyEndpoint | None, Told]:
    """What GraphQL tells, the idle timeout above all, which v2 leaves out for some endpoints."""
    try:
        legacy = await client.legacy_endpoint(endpoint_id)
    except ManagementError as error:
        gone = isinstance(error, ANSWERED) or (isinstance(error, StatusError) and error.status == GONE)
        return None, Told(trouble=str(error), asked=gone)
    if legacy is None:
        return None, Told(trouble="it knows no such endpoint")
    return legacy, Told(seconds=legacy.idle_timeout, trouble="" if legacy.idle_timeout is not None else "it tells null")
