"""Client-side faults applied to one request: what the job API does wrong when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from go_live.local_endpoint.faults import Faults, Scenario

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE_524 = """<!DOCTYPE html>
<html lang="en-US"><head><title>A timeout occurred</title></head>
<body><h1>Error 524</h1><p>The origin web server did not complete the request in time.</p></body></html>
"""
FAULT_ERROR = "fault: the job was made to fail"
FAULT_OUTPUT = b'{"error": "fault: the engine ran out of memory"}'
CUT = web.RequestKey("cut", Scenario)
"""What is to become of a stream of events, kept with its request: ``dropped`` or ``truncated``."""
BEGUN = web.RequestKey("begun", bool)
"""Whether a stream of events has begun, kept with its request."""


class Mishaps:
    """Wraps the job API's operations."""

    def __init__(self, faults: Faults) -> None:
        """Apply what ``faults`` says."""
        self._faults = faults

    async def around(self, operation: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The operation's answer, with whatever fault applies to it."""
        if fault := self._faults.use(Scenario.SLOW, operation):
            await asyncio.sleep(fault.delay_s)
        if self._faults.use(Scenario.RATE_LIMITED, operation):
            detail = {"status": 429, "title": "Too Many Requests", "detail": "fault: rate limited"}
            return web.json_response(detail, status=429)
        if self._faults.use(Scenario.ERROR, operation):
            detail = {"status": 500, "title": "Internal Server Error", "detail": "fault: internal error"}
            return web.json_response(detail, status=500)
        if fault := self._faults.use(Scenario.HTML_524, operation):
            return await _behind_a_proxy(request, handler, fault.delay_s)
        dropped = self._faults.use(Scenario.DROPPED, operation)
        truncated = None if dropped else self._faults.use(Scenario.TRUNCATED, operation)
        if dropped or truncated:
            request[CUT] = Scenario.DROPPED if dropped else Scenario.TRUNCATED
        response = await handler(request)
        if dropped:
            return _abort(request, response)
        return await _truncate(request, response) if truncated and not request.get(BEGUN) else response

    def runsync_hold_s(self) -> float | None:
        """How long /runsync keeps its job out of the queue before it answers IN_QUEUE; None: it does not."""
        fault = self._faults.use(Scenario.RUNSYNC_IN_QUEUE)
        return None if fault is None else fault.delay_s

    def job_error(self, operation: str) -> str | None:
        """The error with which the job just submitted by ``operation`` fails at once; None: it does not."""
        return None if self._faults.use(Scenario.FAILED, operation) is None else FAULT_ERROR

    def spoilt(self, operation: str) -> bytes | None:
        """What takes the place of the output of the job just submitted by ``operation``; None: nothing does."""
        return None if self._faults.use(Scenario.ERROR_IN_OUTPUT, operation) is None else FAULT_OUTPUT


async def _behind_a_proxy(request: web.Request, handler: Handler, delay_s: float) -> web.StreamResponse:
    """The proxy gives up; what it had passed on goes on."""
    behind = asyncio.ensure_future(handler(request))
    await asyncio.wait([behind], timeout=delay_s + 0.01)
    if request.get(BEGUN):  # a proxy that has passed on the beginning passes on the rest
        return await behind
    behind.cancel()
    return web.Response(status=524, reason="A Timeout Occurred", text=PAGE_524, content_type="text/html")


def _abort(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response


async def _truncate(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Half of the body under the whole one's Content-Length."""
    body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    half = web.StreamResponse(status=response.status, headers={"Content-Length": str(max(2, len(body)))})
    half.content_type = response.content_type
    half.force_close()
    await half.prepare(request)
    await half.write(body[: max(1, len(body) // 2)])
    if request.transport is not None:
        request.transport.close()
    return half
