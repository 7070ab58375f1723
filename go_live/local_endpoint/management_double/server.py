"""The double alone, on a loopback socket of its own: for tests of what needs no worker."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from go_live.local_endpoint.management_double.crew import Crew, PretendCrew
from go_live.local_endpoint.management_double.rest import Handler, ManagementDouble
from go_live.local_endpoint.management_double.settings import Described
from go_live.local_endpoint.management_double.shapes import config_of

DECLARED = {
    "env": {},
    "workers_min": 1,
    "workers_max": 3,
    "scaler_type": "REQUEST_COUNT",
    "scaler_value": 1.0,
    "idle_timeout_s": 5,
    "execution_timeout_ms": 600_000,
}
"""What an endpoint is where its description leaves it open."""


def doubled(
    described: Described,
    key: str,
    *,
    endpoint_id: str = "local",
    crew: Crew | None = None,
    read_only: str | None = None,
) -> ManagementDouble:
    """An account with one endpoint, whose workers are pretended unless ``crew`` says otherwise."""
    double = ManagementDouble(described, key, read_only_key=read_only)
    double.add(config_of(described, endpoint_id, **DECLARED), crew or PretendCrew(), template_id=described.template_id)
    return double


@asynccontextmanager
async def serving(double: ManagementDouble) -> AsyncIterator[str]:
    """Serve ``double`` on any free port of loopback; its base, for example ``http://127.0.0.1:40123/v2``."""
    runner = web.AppRunner(application(double), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v2"
    finally:
        await runner.cleanup()


def application(double: ManagementDouble) -> web.Application:
    """The routes; what is none of them is a problem document too."""

    @web.middleware
    async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            return double.problem(error.status, error.reason)

    app = web.Application(middlewares=[problems])
    app.add_routes(double.routes())
    return app
