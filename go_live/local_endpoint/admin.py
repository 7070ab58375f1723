"""The operator's routes under ``/local``: faults, workers, state. Same key as the job API, loopback only."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from go_live.local_endpoint.api import authorized, problem
from go_live.local_endpoint.exchange import Exchange
from go_live.local_endpoint.faults import Fault, Faults, Scenario
from go_live.local_endpoint.fleet import Fleet
from go_live.local_endpoint.settings import EndpointSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Admin:
    """What only the endpoint's owner may see and do."""

    def __init__(self, settings: EndpointSettings, exchange: Exchange, fleet: Fleet, faults: Faults) -> None:
        """Watch and disturb the given parts."""
        self._settings = settings
        self._exchange = exchange
        self._fleet = fleet
        self._faults = faults
        self._started_at = time.time()

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/local/state", self._guard(self._state)),
            web.get("/local/workers", self._guard(self._workers)),
            web.get("/local/scenario", self._guard(self._scenario)),
            web.get("/local/faults", self._guard(self._list)),
            web.post("/local/faults", self._guard(self._switch)),
            web.delete("/local/faults", self._guard(self._clear)),
        ]

    def _guard(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not authorized(request, self._settings.key):
                return problem(401, "Unauthorized", "invalid api key")
            return await handler(request)

        return guarded

    async def _state(self, _: web.Request) -> web.StreamResponse:
        store, settings = self._exchange.store, self._settings
        return _answer(
            {
                "endpoint_id": settings.endpoint_id,
                "engine": settings.engine,
                "started_at": self._started_at,
                "directory": str(settings.directory),
                "scaler": {"type": settings.scaler_type, "value": settings.scaler_value},
                "workers_min": settings.workers_min,
                "workers_max": settings.workers_max,
                "workers": self._fleet.counts(),
                "jobs": {"queued": store.queued, "in_progress": store.in_progress, **_counted(store.counts)},
                "failures": self._fleet.failures,
                "faults": self._faults.active(),
            }
        )

    async def _workers(self, _: web.Request) -> web.StreamResponse:
        return _answer(await self._fleet.describe())

    async def _scenario(self, _: web.Request) -> web.StreamResponse:
        known = self._settings.scenario
        if known is None:
            return problem(404, "Not Found", "this endpoint serves no scenario")
        return _answer({"scenario": known, "truth": known.truth})

    async def _list(self, _: web.Request) -> web.StreamResponse:
        return _answer({"active": self._faults.active(), "applied": self._faults.applied})

    async def _switch(self, request: web.Request) -> web.StreamResponse:
        try:
            fault = msgspec.json.decode(await request.read(), type=Fault)
        except msgspec.MsgspecError as error:
            return problem(400, "Bad Request", f"fault: {error}; one of {', '.join(Scenario)}")
        self._faults.switch(fault)
        return await self._list(request)

    async def _clear(self, request: web.Request) -> web.StreamResponse:
        name = request.query.get("scenario")
        if name is not None and name not in set(Scenario):
            return problem(400, "Bad Request", f"no scenario {name!r}; one of {', '.join(Scenario)}")
        self._faults.clear(None if name is None else Scenario(name))
        return await self._list(request)


def _counted(counts: Any) -> dict[str, int]:
    return {name: getattr(counts, name) for name in ("completed", "failed", "retried", "peak")}


def _answer(content: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")
