"""The worker protocol, as the unmodified SDK speaks it: take, stop, done, stream, ping.

A take counts only once it is written to a living connection. Results arrive as raw JSON under a form's content type.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

from go_live.local_endpoint import wire
from go_live.local_endpoint.exchange import Exchange
from go_live.local_endpoint.fleet import Fleet
from go_live.local_endpoint.limits import MAX_BODY_BYTES
from go_live.local_endpoint.queue import Job
from go_live.local_endpoint.settings import EndpointSettings

NOTHING = frozenset({b"null", b'""', b"false", b"0", b"[]", b"{}"})
"""Values of ``error`` that are no error."""

Handler = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class WorkerProtocol:
    """The routes that workers call."""

    def __init__(self, settings: EndpointSettings, exchange: Exchange, fleet: Fleet) -> None:
        """Serve the workers of ``fleet`` from ``exchange``."""
        self._settings = settings
        self._exchange = exchange
        self._fleet = fleet

    def routes(self) -> list[web.RouteDef]:
        """The protocol's routes under ``/v2/{endpoint}``."""
        base = f"/v2/{self._settings.endpoint_id}"
        return [
            web.get(base + "/job-take/{worker}", self._known(self._take)),
            web.get(base + "/job-take-batch/{worker}", self._known(self._take)),
            web.get(base + "/job-stop/{worker}", self._known(self._stop)),
            web.post(base + "/job-done/{worker}/{job}", self._known(self._done)),
            web.post(base + "/job-stream/{worker}/{job}", self._known(self._chunk)),
            web.get(base + "/ping/{worker}", self._known(self._ping)),
        ]

    def _known(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Let only this run's own workers in."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            sent = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(sent, self._settings.worker_key.encode()):
                return web.json_response({"error": "not a worker of this run"}, status=401)
            worker = request.match_info["worker"]
            if not self._fleet.knows(worker):
                return web.json_response({"error": "unknown worker"}, status=404)
            return await handler(request, worker)

        return guarded

    async def _take(self, request: web.Request, worker: str) -> web.StreamResponse:
        self._fleet.polled(worker)
        if request.query.get("job_in_progress") == "0":
            self._exchange.empty_handed(worker)
        batch = "/job-take-batch/" in request.path
        limit = _positive(request.query.get("batch_size", "1")) if batch else 1
        jobs = await self._exchange.take(worker, limit, self._settings.poll_hold_s)
        if not jobs:
            return web.Response(status=204)
        try:
            response = await _write(request, _offer(jobs, batch=batch))
        except (OSError, asyncio.CancelledError):
            self._exchange.untake(worker, jobs)
            raise
        self._exchange.on_take(worker, jobs)
        return response

    async def _stop(self, request: web.Request, worker: str) -> web.StreamResponse:
        ids = await self._exchange.stop_signals(worker, self._settings.poll_hold_s)
        if not ids:
            return web.Response(status=204)
        response = await _write(request, wire.text({"jobsToStop": ids}))
        self._exchange.stopped(worker, ids)
        return response

    async def _done(self, request: web.Request, worker: str) -> web.StreamResponse:
        job_id = request.match_info["job"]
        limit = MAX_BODY_BYTES["runsync" if job_id.startswith("sync-") else "run"]
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            body = b" " * (limit + 1)
        store = self._exchange.store
        if len(body) > limit:  # as observed: the result is lost, the client sees COMPLETED without output
            store.done(worker, job_id)
            return web.json_response({"error": "result too large"}, status=400)
        try:
            result = wire.members(body)
        except wire.BodyError as error:
            return web.json_response({"error": str(error)}, status=400)
        if result.get("status") == b'"IN_PROGRESS"':
            store.progress(worker, job_id, result.get("output"))
            return web.Response()
        failure = result.get("error")
        store.done(worker, job_id, output=result.get("output"), error=None if failure in NOTHING else failure)
        self._fleet.worked(worker)
        if result.get("stopPod") == b"true":
            self._fleet.recycle(worker)
        return web.Response()

    async def _chunk(self, request: web.Request, worker: str) -> web.StreamResponse:
        try:
            output = wire.members(await request.read()).get("output", b"null")
        except wire.BodyError as error:
            return web.json_response({"error": str(error)}, status=400)
        self._exchange.store.chunk(worker, request.match_info["job"], output)
        return web.Response()

    async def _ping(self, _: web.Request, worker: str) -> web.StreamResponse:
        self._fleet.pinged(worker)
        return web.Response()


def _positive(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() else 1


def _offer(jobs: list[Job], *, batch: bool) -> bytes:
    """The take's answer: a list for a batch poll, one object for a single one."""
    offers = [wire.join({"id": wire.text(job.id), **job.request}) for job in jobs]
    return b"[" + b",".join(offers) + b"]" if batch else offers[0]


async def _write(request: web.Request, body: bytes) -> web.Response:
    """Write the whole answer now.

    Raises:
        ConnectionResetError: the other side is gone; nothing was delivered.
    """
    response = web.Response(body=body, content_type="application/json")
    await response.prepare(request)
    await response.write_eof()
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError("the worker's connection is closed")
    return response
