"""Beside the local endpoint the double tells of its real workers, and what it is told they do."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from go_live.local_endpoint.management_double.settings import Described
from go_live.local_endpoint.server import Endpoint
from go_live.management.client import ManagementClient
from go_live.management.models import EndpointUpdate, WorkersChange
from tests.go_live.local_endpoint.conftest import Caller, Serving, eventually

OLD, NEW = (f"registry.example/worker@sha256:{digit * 64}" for digit in "12")
TELLS = (sys.executable, "-c", "import os, time; print(os.environ['IMAGE_DIGEST'], flush=True); time.sleep(1000)")
"""A worker that says which image it is."""
IMAGES = Described(image=OLD, images={OLD: {"IMAGE_DIGEST": "old"}, NEW: {"IMAGE_DIGEST": "new"}})


@asynccontextmanager
async def managed(serving: Serving, **options: Any) -> AsyncIterator[tuple[ManagementClient, Caller, Endpoint]]:
    """A served endpoint, and a client of the double beside it."""
    async with serving(**options) as caller:
        assert caller.endpoint is not None
        async with ManagementClient(caller.endpoint.management_api, caller.key) as client:
            yield client, caller, caller.endpoint


async def test_it_tells_how_the_endpoint_runs(serving: Serving) -> None:
    """Bounds, scaler, time-outs, worker settings and workers are the local endpoint's own."""
    env = {"MAX_MODEL_LEN": "4096", "TIMED_EXEC_MS": "20", "GIT_COMMIT": "abc"}
    async with managed(serving, worker_env=env, workers_max=3, execution_timeout_s=60) as (client, _, endpoint):
        told, workers = await client.endpoint("local"), await client.workers("local")
        running = list(endpoint.fleet.workers)
    assert (told.workers.min, told.workers.max, told.timeout) == (1, 3, 60_000)
    assert told.env == {"MAX_MODEL_LEN": "4096"}
    assert [one.id for one in workers.workers] == running
    assert workers.workers[0].status == "INITIALIZING"


async def test_more_workers_are_started_when_the_api_is_told_so(serving: Serving) -> None:
    """Raising workersMin from 1 to 2 starts a second process; it makes no release."""
    async with managed(serving, workers_max=2, scale_interval_s=0.05) as (client, _, endpoint):
        await client.update("local", EndpointUpdate(workers=WorkersChange(min=2)))

        async def two() -> bool:
            return sum(worker.pid is not None for worker in endpoint.fleet.workers.values()) == 2

        await eventually(two)
        assert (await client.releases("local")).endpoint_version == 1


async def test_a_new_image_replaces_the_worker_processes(serving: Serving) -> None:
    """After a PATCH of the image the workers are new processes with that image's environment, and none is stale."""
    async with managed(serving, described=IMAGES, worker_command=TELLS, scale_interval_s=0.05) as (client, _, endpoint):
        before = list(endpoint.fleet.workers)
        await client.update("local", EndpointUpdate(image=NEW))

        async def rolled() -> bool:
            return not (await client.releases("local")).rollout.in_progress and any(
                worker.log_tail() == ["new"] for worker in endpoint.fleet.workers.values()
            )

        await eventually(rolled)
        workers = (await client.workers("local")).workers
    assert {one.id for one in workers}.isdisjoint(before)
    assert [(one.image, one.is_stale, one.version) for one in workers] == [(NEW, False, 2)]


async def test_an_image_that_is_not_there_never_serves(serving: Serving) -> None:
    """Workers of an image that cannot be pulled are unhealthy; the API says so, as the platform does."""
    async with managed(serving, described=IMAGES, worker_command=TELLS, scale_interval_s=0.05) as (client, _, endpoint):
        await client.update("local", EndpointUpdate(image="registry.example/worker:gone"))

        async def unhealthy() -> bool:
            return (await client.workers("local")).summary.unhealthy > 0

        await eventually(unhealthy)
        assert "cannot be pulled" in endpoint.fleet.failures[-1].tail[-1]


async def test_a_worker_that_is_replaced_finishes_its_job(serving: Serving) -> None:
    """A busy worker of the old release is listed as stale and running until its job is done."""
    async with managed(serving, described=IMAGES, worker_command=TELLS, stop_grace_s=5.0) as (client, caller, _):
        job = await caller.run(x=1)
        await caller.take("w1")
        await client.update("local", EndpointUpdate(image=NEW))
        stale = [one for one in (await client.workers("local")).workers if one.is_stale]
        assert await caller.post("job-done", job, '{"output": 1}') == 200
    assert [(one.id, one.status, one.image) for one in stale] == [("w1", "RUNNING", OLD)]


async def test_both_apis_take_the_same_key(serving: Serving) -> None:
    """And the double's routes refuse another one."""
    async with managed(serving) as (_, caller, _):
        wrong = {"headers": {"Authorization": "Bearer wrong"}}
        assert (await caller.call("GET", "/management/v2/serverless/local", **wrong))[0] == 401
        assert (await caller.call("GET", "/management/v2/serverless/local"))[0] == 200
        assert (await caller.call("GET", "/management/v2/nothing"))[0] == 404
