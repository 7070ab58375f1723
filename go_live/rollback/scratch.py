"""The endpoint on which a rollback is rehearsed: found by its name or created, booted, and always scaled to zero.

It is kept, at zero workers, where it costs nothing: deleting an endpoint deletes the template that is bound to it, and
which template that is, the platform does not say.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from go_live.errors import GoliveError, MeasurementError
from go_live.management.client import ManagementClient
from go_live.management.errors import ManagementError
from go_live.management.models import (
    Endpoint,
    EndpointCreate,
    EndpointUpdate,
    GpuChange,
    RequestCount,
    WorkersChange,
)
from go_live.rollback.changes import Way
from go_live.rollback.rollout import Pace
from go_live.rollback.target import Target

NAME = "golive-scratch"
TRIES = 5
"""How often scaling to zero is tried: an endpoint that is left on costs money."""
ZERO_S = 120.0
"""How long its workers may take to end."""


@dataclass(kw_only=True)
class Scratch:
    """The scratch endpoint while it is booted."""

    id: str
    created: bool
    at_zero: bool = False
    """Whether it was seen without a worker afterwards."""
    trouble: str = ""
    """Why it could not be scaled to zero; empty: it was."""


@asynccontextmanager
async def booted(
    client: ManagementClient, live: Endpoint, target: Target, way: Way, *, say: Callable[[str], None], pace: Pace
) -> AsyncIterator[Scratch]:
    """The scratch endpoint with the target on it; scaled to zero when the context ends, however it ends.

    Args:
        client: of the management API.
        live: the live endpoint, whose GPU and registry serve the scratch endpoint too.
        target: what is booted.
        way: what is deployed for it.
        say: is told what happens.
        pace: clock and sleep of the end.

    Raises:
        ManagementError: it could not be made.
    """
    scratch = Scratch(id="", created=False)
    try:
        await _boot(client, live, target, way, scratch)
        say(f"scratch endpoint {scratch.id} {'created' if scratch.created else 'set'}: {way.how}, one worker at most")
        yield scratch
    finally:
        await _to_zero(client, live.id, scratch, say=say, pace=pace)


async def find(client: ManagementClient, live_id: str) -> Endpoint | None:
    """The scratch endpoint; None: there is none.

    Raises:
        ManagementError: the account could not be read.
        MeasurementError: the live endpoint bears its name, or several do.
    """
    named = [one for one in await client.endpoints() if one.name == NAME]
    if any(one.id == live_id for one in named):
        raise MeasurementError(f"the live endpoint {live_id} is named {NAME}: rename it, nothing was changed")
    if len(named) > 1:
        raise MeasurementError(f"{len(named)} endpoints are named {NAME}: leave one ({', '.join(o.id for o in named)})")
    return named[0] if named else None


async def _boot(client: ManagementClient, live: Endpoint, target: Target, way: Way, scratch: Scratch) -> None:
    found = await find(client, live.id)
    if found is not None:
        scratch.id = found.id
        await client.update(found.id, set_to(live, target, way))
        return
    scratch.created = True
    scratch.id = (await client.create(made_for(live, target, way))).id


def set_to(live: Endpoint, target: Target, way: Way) -> EndpointUpdate:
    """The write that puts the target on a scratch endpoint that is there. Pure."""
    template, image, args = _container(live, target, way)
    return EndpointUpdate(
        template_id=template,
        image=image,
        args=args,
        env=way.env,
        gpu=_gpu(live),
        workers=WorkersChange(min=0, max=1),
        timeout=live.timeout,
    )


def made_for(live: Endpoint, target: Target, way: Way) -> EndpointCreate:
    """The write that creates the scratch endpoint with the target on it. Pure."""
    template, image, args = _container(live, target, way)
    return EndpointCreate(
        name=NAME,
        type="QUEUE",
        scaling=RequestCount(request_count=1),
        template_id=template,
        image=image,
        args=args,
        env=way.env,
        gpu=_gpu(live),
        workers=WorkersChange(min=0, max=1),
        timeout=live.timeout,
        flashboot="OFF",
        registry=live.registry or UNSET,
        data_center_ids=live.data_center_ids or UNSET,
        network_volumes=live.network_volumes or UNSET,
    )


def _container(live: Endpoint, target: Target, way: Way) -> tuple[str | UnsetType, str | UnsetType, str | UnsetType]:
    """Template, image and arguments: a template brings the other two."""
    if way.how == "template":
        return target.template_id, UNSET, UNSET
    return UNSET, way.image, target.deployed.args if target.deployed else live.args


def _gpu(live: Endpoint) -> GpuChange | UnsetType:
    if live.gpu is None:
        return UNSET
    return GpuChange(pools=live.gpu.pools, excluded_types=live.gpu.excluded_types or UNSET)


async def _to_zero(
    client: ManagementClient, live_id: str, scratch: Scratch, *, say: Callable[[str], None], pace: Pace
) -> None:
    """Scale to zero and see it; what cannot be done is kept in ``scratch.trouble``, never raised over the reason."""
    for left in reversed(range(TRIES)):
        try:
            if not scratch.id:
                # A create whose answer was lost may have made it all the same.
                found = await find(client, live_id) if scratch.created else None
                if found is None:
                    return
                scratch.id = found.id
            await client.update(scratch.id, EndpointUpdate(workers=WorkersChange(min=0, max=0)))
            scratch.trouble = ""
            break
        except GoliveError as error:
            scratch.trouble = (
                f"the scratch endpoint {scratch.id or NAME} may still be on ({error}): set workersMax to 0"
            )
            say(scratch.trouble)
            if left:
                await pace.sleep(pace.poll_s)
    if not scratch.trouble:
        scratch.at_zero = await _empty(client, scratch.id, pace)
        seen = "no worker is left" if scratch.at_zero else "its workers were not seen to end: look at it"
        say(f"scratch endpoint {scratch.id} scaled to zero; {seen}")


async def _empty(client: ManagementClient, endpoint_id: str, pace: Pace) -> bool:
    deadline = pace.clock() + ZERO_S
    while pace.clock() < deadline:
        try:
            if not (await client.workers(endpoint_id)).workers:
                return True
        except ManagementError:
            pass
        await pace.sleep(pace.poll_s)
    return False


def cancel_on(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[object]", *signals: int) -> None:
    """Let these signals cancel ``task`` as Ctrl-C does, so that what has to be put back is put back."""
    for number in signals:
        loop.add_signal_handler(number, task.cancel)
