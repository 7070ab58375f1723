"""The client's requests and the double's answers against the published OpenAPI file of REST v2.

The file is not part of the project: GOLIVE_RUNPOD_OPENAPI names it, and without it these tests are skipped.
"""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from go_live.local_endpoint.management_double.crew import PretendCrew
from go_live.local_endpoint.management_double.mishaps import Mishap
from go_live.local_endpoint.management_double.rest import ManagementDouble
from go_live.local_endpoint.management_double.server import application, doubled
from go_live.local_endpoint.management_double.settings import Described, DescribedTemplate, Quirks
from go_live.management.client import ManagementClient
from go_live.management.errors import ManagementError
from go_live.management.models import (
    EndpointCreate,
    EndpointUpdate,
    GpuChange,
    QueueDelay,
    RequestCount,
    WorkersChange,
)
from go_live.management.retries import Policy
from tests.go_live.management.conftest import KEY, OTHER, READ_ONLY
from tests.go_live.management.contract import Contract

VARIABLE = "GOLIVE_RUNPOD_OPENAPI"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as they went over the socket."""

    method: str
    path: str
    query: dict[str, str]
    sent: dict[str, Any] | None
    status: int
    content_type: str
    headers: set[str]
    body: bytes


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The published specification."""
    path = os.environ.get(VARIABLE)
    if not path:
        pytest.skip(f"{VARIABLE} does not name the published OpenAPI file of REST v2")
    return Contract(Path(path))


@asynccontextmanager
async def recorded(double: ManagementDouble) -> AsyncIterator[tuple[str, list[Exchange]]]:
    """The double on a socket, and all that goes over it but GraphQL."""
    seen: list[Exchange] = []

    @web.middleware
    async def record(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        sent = await request.read()
        response = await handler(request)
        if request.path != "/graphql":
            assert isinstance(response, web.Response)
            body = response.body or b""
            assert isinstance(body, bytes)
            seen.append(
                Exchange(
                    request.method,
                    request.path,
                    dict(request.query),
                    json.loads(sent) if sent else None,
                    response.status,
                    response.content_type,
                    set(response.headers),
                    body,
                )
            )
        return response

    app = application(double)
    app.middlewares.insert(0, record)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v2", seen
    finally:
        await runner.cleanup()


async def tried(call: Awaitable[Any]) -> None:
    """Make a call that may be refused."""
    try:
        await call
    except ManagementError:
        return


async def every_call(client: ManagementClient, crew: PretendCrew) -> None:
    """Each method, each member that a write can set, each scaler."""
    update = EndpointUpdate(
        name="renamed",
        image=OTHER,
        args="--x",
        disk=30,
        env={"MAX_MODEL_LEN": "4096"},
        ports=("8000/http",),
        registry=None,
        gpu=GpuChange(pools=("ADA_24",), excluded_types=("NVIDIA L4",), count=1),
        workers=WorkersChange(min=2, max=5),
        scaling=RequestCount(request_count=2),
        timeout=600_000,
        flashboot="FLASHBOOT",
    )
    create = EndpointCreate(
        name="scratch",
        type="QUEUE",
        scaling=RequestCount(request_count=1),
        image=OTHER,
        timeout=600_000,
        env={},
        gpu=GpuChange(pools=("ADA_24",)),
        workers=WorkersChange(min=0, max=1),
        data_center_ids=(),
        network_volumes=(),
        flashboot="OFF",
    )
    await client.update("local", update)
    await client.update("local", EndpointUpdate(template_id="tpl-old", registry="reg"))
    crew.roll(1)
    await client.update("local", EndpointUpdate(scaling=QueueDelay(queue_delay=4.0)))
    await client.update("local", EndpointUpdate(workers=WorkersChange(idle_timeout=180)))
    made = await client.create(create)
    for call in (client.endpoint, client.workers, client.releases):
        await call("local")
        await call(made.id)
        await tried(call("unknown"))
    await client.delete(made.id)
    await client.endpoints()
    await client.templates()
    await client.template("tpl-old")
    await client.gpu_types()
    await tried(client.template("unknown"))
    await tried(client.update("local", EndpointUpdate(template_id="tpl-pod")))
    await tried(client.update("local", EndpointUpdate(workers=WorkersChange(min=9, max=1))))


@pytest.mark.parametrize("headers", [True, False])
async def test_requests_and_answers_are_as_published(contract: Contract, headers: bool) -> None:  # noqa: FBT001 - a case
    """Each request of the client and each answer of the double satisfies the published schema of its operation."""
    templates = (
        DescribedTemplate(id="tpl-old", image=OTHER, env={"A": "1"}),
        DescribedTemplate(id="tpl-pod", image=OTHER, serverless=False),
    )
    quirks = Quirks(rate_limit_headers=headers, retry_after=headers)
    crew = PretendCrew()
    double = doubled(Described(templates=templates, quirks=quirks), KEY, crew=crew, read_only=READ_ONLY)
    async with recorded(double) as (base, seen):
        async with ManagementClient(base, KEY, policy=Policy(attempts=1)) as client:
            await every_call(client, crew)
            for status in (400, 422, 429, 500):
                double.mishaps.add(Mishap(kind="status", status=status))
                await tried(client.update("local", EndpointUpdate(timeout=1)))
        async with ManagementClient(base, "rpa_WRONG", policy=Policy(attempts=1)) as client:
            await tried(client.endpoints())
        async with ManagementClient(base, READ_ONLY, policy=Policy(attempts=1)) as client:
            await tried(client.delete("local"))
    statuses = {one.status for one in seen}
    assert statuses >= {200, 201, 204, 400, 401, 403, 404, 422, 429, 500}, statuses
    problems = [
        f"{one.method} {one.path} {one.status}: {problem}"
        for one in seen
        for problem in (
            *contract.request_problems(one.method, one.path, one.query, one.sent),
            *contract.answer_problems(one.method, one.path, one.status, one.content_type, one.body),
        )
    ]
    assert problems == []


@pytest.mark.parametrize(
    "body",
    [
        {"typo": 1},
        {"type": "QUEUE"},
        {"workers": {"maximum": 2}},
        {"workers": {"min": -1}},
        {"scaling": {"type": "QUEUE_DELAY", "queueDelay": 0.4}},
        {"scaling": {"type": "REQUEST_COUNT", "queueDelay": 4}},
        {"scaling": {"type": "REQUEST_COUNT", "requestCount": 0}},
        {"flashboot": True},
        {"gpu": {"excludedTypes": ["NVIDIA L4"]}},
        {"gpu": {"pools": []}},
        {"env": {"A": 1}},
        {"disk": 0},
        {"workers": {"idleTimeout": 3601}},
    ],
)
async def test_the_double_refuses_what_the_specification_does(contract: Contract, body: dict[str, Any]) -> None:
    """What the published schema of a PATCH refuses, the double answers with 422: it is no kinder than the platform."""
    assert contract.request_problems("PATCH", "/v2/serverless/local", {}, body)
    double = doubled(Described(), KEY)
    async with recorded(double) as (base, _), ManagementClient(base, KEY) as client:
        session = client._session
        assert session is not None
        async with session.patch(f"{base}/serverless/local", json=body) as response:
            assert response.status == 422
    assert double.writes == []


def test_the_contract_sees_what_is_wrong(contract: Contract) -> None:
    """An answer without a required member, of another type, and a request with an unknown one are found."""
    path = "/v2/serverless/local/workers"
    assert contract.answer_problems("GET", path, 200, "application/json", b'{"workers": []}')
    assert contract.answer_problems("GET", path, 200, "text/html", b"<html>")
    assert contract.request_problems("PATCH", "/v2/serverless/local", {"x": "1"}, {})
    assert contract.request_problems("DELETE", "/v2/serverless/local", {}, {})
