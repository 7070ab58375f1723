"""One endpoint of the drill: a local endpoint with the timed engine, a gateway before it, and steady callers."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from go_live.config import Config
from go_live.errors import MeasurementError
from go_live.gateway import keys
from go_live.gateway.serving import Running, running, settings_from
from go_live.jobs import Endpoint, TransportError
from go_live.local_endpoint.launch import LaunchedEndpoint, launched
from go_live.local_endpoint.settings import EndpointSettings
from go_live.monitor.stack.programs import free_address

READY_S = 90.0
PROMPT = {"prompt": "How do I become a data engineer?"}
CALLER = "drill"
TRY_AGAIN_S = 0.2
WARM = 10
"""Requests that are answered before anything is watched."""
WAIT_MS = 30_000


class Dials(msgspec.Struct, frozen=True, kw_only=True):
    """What the drill's worker is told (rehearsal.drilled_worker)."""

    exec_ms: float
    memory: float


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What one station is."""

    endpoint_id: str
    dials: Dials
    jobs_at_once: int = 8
    """Of its worker: so many more than there are callers that nobody waits."""
    callers: int = 3
    probed: bool = False
    """Whether its gateway asks for the device's memory; where nobody needs that, it only adds jobs."""


class Station:
    """A running endpoint with its gateway and its traffic."""

    def __init__(self, kind: Kind, endpoint: LaunchedEndpoint, config: Config, folder: Path, probe_s: float) -> None:
        """Nothing runs yet but ``endpoint``; ``config`` is scaled, ``folder`` is the station's own."""
        self.kind, self.endpoint = kind, endpoint
        self.metrics_address = free_address()
        self.ended = 0
        """Requests of the traffic that were answered."""
        self._config, self._folder, self._probe_s = config, folder, probe_s
        self._address = free_address()
        self._key, entry = keys.new_key(CALLER, "")
        keys.write(folder / "callers.json", (entry,))
        self._callers: list[asyncio.Task[None]] = []
        self._gateway: tuple[AbstractAsyncContextManager[Running], Running] | None = None

    async def open_gateway(self) -> None:
        """Serve the gateway and its metrics, at the same addresses every time."""
        settings = settings_from(
            self._config,
            job_api=self.endpoint.job_api,
            endpoints=(self.kind.endpoint_id,),
            key=self.endpoint.key,
            callers=self._folder / "callers.json",
        )
        settings = msgspec.structs.replace(
            settings,
            port=int(self._address.rpartition(":")[2]),
            metrics_port=int(self.metrics_address.rpartition(":")[2]),
            probe_every_s=self._probe_s if self.kind.probed else None,
            locks=self._folder / "locks",
        )
        context = running(settings)
        self._gateway = context, await context.__aenter__()

    async def close_gateway(self) -> None:
        """End it, its metrics with it; what is under way is cancelled."""
        if self._gateway is not None:
            (context, gateway), self._gateway = self._gateway, None
            gateway.stop_now()
            await context.__aexit__(None, None, None)

    def surge(self, callers: int) -> None:
        """So many callers more, each with one request at a time."""
        self._callers += [asyncio.create_task(self._ask()) for _ in range(callers)]

    async def calm(self, callers: int | None = None) -> None:
        """End all callers but ``callers`` (default: those of a healthy time).

        Raises:
            MeasurementError: one had ended by itself.
        """
        keep = self.kind.callers if callers is None else callers
        self._callers, ending = self._callers[:keep], self._callers[keep:]
        for task in ending:
            task.cancel()
        for ended in await asyncio.gather(*ending, return_exceptions=True):
            if isinstance(ended, Exception):
                raise MeasurementError(f"the drill's own traffic broke off: {ended}") from ended

    async def _ask(self) -> None:
        """One caller: request after request, until cancelled; a gateway that is away is asked again."""
        async with Endpoint(f"http://{self._address}/v2", self.kind.endpoint_id, self._key, timeout_s=45) as endpoint:
            while True:
                try:
                    await endpoint.runsync(PROMPT, wait_ms=WAIT_MS)
                    self.ended += 1
                except TransportError:
                    await asyncio.sleep(TRY_AGAIN_S)

    async def warm(self) -> None:
        """Wait until the callers have had their first answers: those of a cold start are no healthy traffic.

        Raises:
            MeasurementError: they had none.
        """
        for _ in range(round(READY_S / TRY_AGAIN_S)):
            if self.ended >= WARM:
                return
            await asyncio.sleep(TRY_AGAIN_S)
        raise MeasurementError(f"{self.kind.endpoint_id}: {self.ended} requests were answered in {READY_S:g} s")

    def turn(self, dials: Dials) -> None:
        """Turn the worker's dials; the next answer and the next probe follow them."""
        write_dials(self._folder, dials)

    async def fault(self, scenario: str, **options: object) -> None:
        """Switch a fault of the local endpoint on."""
        await asyncio.to_thread(self.endpoint.switch_fault, scenario, **options)

    async def clear(self) -> None:
        """Switch every fault off."""
        await asyncio.to_thread(self.endpoint.clear_faults)


def write_dials(folder: Path, dials: Dials) -> None:
    """Put the dials where the worker reads them, in one piece."""
    partial = folder / "dials.partial"
    partial.write_text(json.dumps({"exec_ms": dials.exec_ms, "memory": dials.memory}), encoding="utf-8")
    partial.replace(folder / "dials.json")


@asynccontextmanager
async def stations(kinds: Sequence[Kind], config: Config, folder: Path, probe_s: float) -> AsyncIterator[list[Station]]:
    """Run one station of each of ``kinds``, with traffic, until the context ends.

    Raises:
        MeasurementError: a worker did not start.
    """
    folders = [folder / kind.endpoint_id for kind in kinds]
    settings = [_endpoint_settings(kind, own) for kind, own in zip(kinds, folders, strict=True)]
    async with _all_launched(settings) as endpoints, AsyncExitStack() as stack:
        running_stations = []
        for kind, endpoint, own in zip(kinds, endpoints, folders, strict=True):
            station = Station(kind, endpoint, config, own, probe_s)
            await station.open_gateway()
            stack.push_async_callback(station.close_gateway)
            stack.push_async_callback(station.calm, 0)
            station.surge(kind.callers)
            running_stations.append(station)
        yield running_stations


def _endpoint_settings(kind: Kind, folder: Path) -> EndpointSettings:
    folder.mkdir(parents=True, mode=0o700)
    write_dials(folder, kind.dials)
    return EndpointSettings(
        endpoint_id=kind.endpoint_id,
        rate_limits=False,
        stop_grace_s=2.0,
        directory=folder / "endpoint",
        worker_command=(sys.executable, "-m", "rehearsal.drilled_worker"),
        worker_env={"DRILL_DIALS": str(folder / "dials.json"), "MAX_CONCURRENCY": str(kind.jobs_at_once)},
        engine="timed",
    )


@asynccontextmanager
async def _all_launched(settings: Sequence[EndpointSettings]) -> AsyncIterator[list[LaunchedEndpoint]]:
    """Every endpoint, started side by side and ended side by side, in threads; none is left, whatever happens."""
    contexts = [launched(one, ready_timeout_s=READY_S) for one in settings]
    entering = [asyncio.create_task(asyncio.to_thread(context.__enter__)) for context in contexts]
    try:
        yield await asyncio.gather(*(asyncio.shield(one) for one in entering))
    finally:
        ending = asyncio.create_task(_all_ended(contexts, entering))
        while not ending.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(ending)


async def _all_ended(
    contexts: Sequence[contextlib.AbstractContextManager[LaunchedEndpoint]],
    entering: Sequence[asyncio.Task[LaunchedEndpoint]],
) -> None:
    await asyncio.wait(entering)
    there = [
        context
        for context, task in zip(contexts, entering, strict=True)
        if not task.cancelled() and task.exception() is None
    ]
    await asyncio.gather(*(asyncio.to_thread(context.__exit__, None, None, None) for context in there))
