"""The parts put together: one endpoint on one loopback socket, for as long as a context lasts."""

import asyncio
import errno
import math
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass

import msgspec
from aiohttp import web

from go_live.errors import UsageError
from go_live.local_endpoint.admin import Admin
from go_live.local_endpoint.api import JobApi
from go_live.local_endpoint.exchange import Exchange
from go_live.local_endpoint.faults import Faults, Scenario
from go_live.local_endpoint.fleet import Fleet
from go_live.local_endpoint.limits import LIMITS, MAX_BODY_BYTES, Limiter
from go_live.local_endpoint.management_double.fleet_crew import FleetCrew, told_env
from go_live.local_endpoint.management_double.logs import WorkerLogs
from go_live.local_endpoint.management_double.rest import ManagementDouble
from go_live.local_endpoint.management_double.server import application
from go_live.local_endpoint.management_double.shapes import config_of
from go_live.local_endpoint.openai_api import OpenAiApi
from go_live.local_endpoint.protocol import WorkerProtocol
from go_live.local_endpoint.queue import Job
from go_live.local_endpoint.settings import EndpointSettings

KEEP_ALIVE_S = 75.0
"""The SDK pools idle connections for 15 s and never repeats a POST on one that was closed under it."""
SPARE = "golive-scratch"
"""Name of the second endpoint."""
MANAGEMENT = "/management"
"""Below it lies the double of the management API: ``/management/v2/serverless``, ``/management/graphql``."""
MAX_LINE_BYTES = 512 * 1024
"""A worker's ping names every job it holds in its URL; the SDK's own limit is 64 KiB before quoting."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running endpoint, in this process."""

    settings: EndpointSettings
    url: str
    exchange: Exchange
    fleet: Fleet
    faults: Faults
    management: ManagementDouble

    @property
    def management_api(self) -> str:
        """Base of the double of the management API: add ``/serverless/{endpoint_id}``."""
        return f"{self.url}{MANAGEMENT}/v2"

    @property
    def job_api(self) -> str:
        """Base of the job API: add ``/{endpoint_id}/run``."""
        return f"{self.url}/v2"


@asynccontextmanager
async def running(settings: EndpointSettings) -> AsyncIterator[Endpoint]:
    """Serve ``settings`` and its workers until the context ends; then none of them is left.

    Raises:
        UsageError: the port is taken, or the directory cannot be written.
    """
    faults = Faults()
    for fault in settings.scenario.faults if settings.scenario else ():
        faults.switch(fault)
    exchange = Exchange()
    fleet = Fleet(settings, exchange, faults)
    exchange.on_take = _Taken(fleet, faults)
    _make_directory(settings)
    management = _management(settings, fleet)
    spare = _spare(settings, management)
    runner = _runner(settings, exchange, fleet, faults, management, spare)
    await runner.setup()
    try:
        url = await _listen(runner, settings)
        management.job_api = f"{url}/v2"
        async with _scaling(fleet, url), _scaling(spare.fleet, url) if spare else nullcontext():
            yield Endpoint(settings, url, exchange, fleet, faults, management)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _scaling(fleet: Fleet, url: str) -> AsyncIterator[None]:
    """Let the fleet have its workers until the context ends; then none is left."""
    scaling = asyncio.create_task(fleet.run(url))
    try:
        yield
    finally:
        scaling.cancel()
        with suppress(asyncio.CancelledError):
            await scaling
        await fleet.stop()


@dataclass(frozen=True, slots=True)
class _Spare:
    """The second endpoint: its own queue and workers."""

    settings: EndpointSettings
    exchange: Exchange
    fleet: Fleet

    def routes(self, limiter: Limiter) -> list[web.RouteDef]:
        """What workers and clients call."""
        jobs = JobApi(self.settings, self.exchange, self.fleet, Faults(), limiter)
        protocol = WorkerProtocol(self.settings, self.exchange, self.fleet)
        return [*protocol.routes(), *jobs.routes(f"/v2/{{endpoint:{re.escape(self.settings.endpoint_id)}}}")]


def _spare(settings: EndpointSettings, management: ManagementDouble) -> _Spare | None:
    """The second endpoint, off, if there is to be one."""
    if settings.spare_id is None:
        return None
    own = msgspec.structs.replace(
        settings, endpoint_id=settings.spare_id, spare_id=None, directory=settings.directory / "spare"
    )
    exchange = Exchange()
    fleet = Fleet(own, exchange, Faults())
    config = config_of(
        msgspec.structs.replace(settings.described, name=SPARE),
        own.endpoint_id,
        env={},
        workers_min=0,
        workers_max=0,
        scaler_type="REQUEST_COUNT",
        scaler_value=1.0,
        idle_timeout_s=1,
        execution_timeout_ms=round(settings.execution_timeout_s * 1000),
    )
    off = {"workers": {"min": 0, "max": 0, "idleTimeout": 1}}
    management.add({**config, **off}, FleetCrew(fleet, own), template_id="tpl-spare")
    return _Spare(own, exchange, fleet)


class _Taken:
    """A delivered take: the worker is busy, and perhaps doomed."""

    def __init__(self, fleet: Fleet, faults: Faults) -> None:
        self._fleet = fleet
        self._faults = faults

    def __call__(self, worker: str, _: list[Job]) -> None:
        self._fleet.worked(worker)
        if fault := self._faults.use(Scenario.KILL_WORKER):
            asyncio.get_running_loop().call_later(fault.delay_s, self._fleet.kill, worker)


def _make_directory(settings: EndpointSettings) -> None:
    try:
        settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"cannot write to {settings.directory}: {error.strerror}; choose another folder") from error


def _management(settings: EndpointSettings, fleet: Fleet) -> ManagementDouble:
    """The double of the management API, about this endpoint and its workers."""
    double = ManagementDouble(settings.described, settings.key)
    config = config_of(
        settings.described,
        settings.endpoint_id,
        env=told_env(settings.described, settings),
        workers_min=settings.workers_min,
        workers_max=settings.workers_max,
        scaler_type=settings.scaler_type,
        scaler_value=settings.scaler_value,
        idle_timeout_s=math.ceil(settings.idle_timeout_s),
        execution_timeout_ms=round(settings.execution_timeout_s * 1000),
    )
    double.add(config, FleetCrew(fleet, settings), template_id=settings.described.template_id)
    return double


def _runner(
    settings: EndpointSettings,
    exchange: Exchange,
    fleet: Fleet,
    faults: Faults,
    management: ManagementDouble,
    spare: _Spare | None,
) -> web.AppRunner:
    limiter = Limiter(time.monotonic, LIMITS if settings.rate_limits else {})
    app = web.Application(client_max_size=max(MAX_BODY_BYTES.values()))
    if spare is not None:
        app.add_routes(spare.routes(limiter))  # before the others, which answer 404 for its id
    app.add_routes(WorkerProtocol(settings, exchange, fleet).routes())
    jobs = JobApi(settings, exchange, fleet, faults, limiter)
    app.add_routes(jobs.routes())
    app.add_routes(OpenAiApi(settings, exchange, jobs).routes())
    app.add_routes(Admin(settings, exchange, fleet, faults).routes())
    doubled = application(management)
    doubled.add_routes(WorkerLogs(management, fleet.log_of).routes())
    app.add_subapp(MANAGEMENT, doubled)
    return web.AppRunner(
        app,
        handler_cancellation=True,  # a poll whose connection broke must stop waiting for a job
        keepalive_timeout=KEEP_ALIVE_S,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        access_log=None,
        shutdown_timeout=1.0,
    )


async def _listen(runner: web.AppRunner, settings: EndpointSettings) -> str:
    site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {settings.port} is taken; choose another, or 0 for any free one") from error
        raise UsageError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
