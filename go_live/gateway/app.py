"""The gateway over HTTP: an ASGI application whose ``/runsync`` is the platform's."""

import asyncio
import contextlib
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from go_live.gateway.health import health
from go_live.gateway.keys import Callers
from go_live.gateway.routes import Routes
from go_live.gateway.service import Gateway, Reply, problem
from go_live.gateway.tracing import traceparent

MAX_BODY_BYTES = 10_000_000
"""The platform's limit of ``/run`` (RunPod documentation, operation reference)."""
CLIENT_GONE = 499
"""nginx's status for a request whose client has gone; nobody reads it."""
MIN_WAIT_MS = 1000
OFFERED = "the gateway answers POST /v2/{endpoint}/runsync and GET /v2/{endpoint}/health"


class App:
    """The routes."""

    def __init__(self, gateway: Gateway, callers: Callers, routes: Routes | None = None) -> None:
        """Serve ``gateway`` to ``callers``; ``routes`` tells what a rollout has decided."""
        self._gateway, self._callers, self._routes = gateway, callers, routes
        self.asgi = Starlette(
            routes=[
                Route("/v2/{endpoint}/runsync", self._runsync, methods=["POST"]),
                Route("/v2/{endpoint}/health", self._health, methods=["GET"]),
                Route("/healthz", self._alive, methods=["GET"]),
            ],
            exception_handlers={HTTPException: _refused},
        )

    async def _runsync(self, request: Request) -> Response:
        caller, endpoint = self._admit(request)
        wait_s = _wait_s(request)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=CLIENT_GONE)
        trace = traceparent(request.headers.get("traceparent"))
        work = asyncio.create_task(self._gateway.ask(endpoint, caller, body, wait_s, trace))
        gone = asyncio.create_task(_until_gone(request))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not work.done():
                work.cancel()
        try:
            return _response(await work)
        except asyncio.CancelledError:
            return Response(status_code=CLIENT_GONE)

    async def _health(self, request: Request) -> Response:
        _, endpoint = self._admit(request)
        return _response(await health(self._gateway, self._routes, endpoint))

    async def _alive(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def _admit(self, request: Request) -> tuple[str, str]:
        """Whose request this is, and for which endpoint.

        Raises:
            HTTPException: nobody's (401), or for none that stands behind this gateway (404).
        """
        caller = self._callers.caller_of(request.headers.get("authorization", ""))
        if caller is None:
            sent = "authorization" in request.headers
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "invalid api key" if sent else "no token provided")
        endpoint = request.path_params["endpoint"]
        if endpoint not in self._gateway.upstreams:
            raise HTTPException(HTTPStatus.NOT_FOUND, "endpoint not found")
        return caller, endpoint


def _wait_s(request: Request) -> float | None:
    """``?wait=`` in seconds; None: not given.

    Raises:
        HTTPException: it is no whole number of at least ``MIN_WAIT_MS``.
    """
    asked = request.query_params.get("wait")
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 9 and int(asked) >= MIN_WAIT_MS):  # noqa: PLR2004
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"wait must be a number of ms, at least {MIN_WAIT_MS}")
    return int(asked) / 1000


async def _body(request: Request) -> bytes:
    """The request's body.

    Raises:
        HTTPException: it is larger than ``MAX_BODY_BYTES``.
        ClientDisconnect: the client has gone.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {MAX_BODY_BYTES // 1_000_000} MB"
            )
        parts.append(part)
    return b"".join(parts)


async def _until_gone(request: Request) -> None:
    """Return when the client's connection has ended."""
    with contextlib.suppress(ClientDisconnect):
        while (await request.receive())["type"] != "http.disconnect":
            pass


async def _refused(request: Request, error: Exception) -> Response:
    """Starlette's own errors and ours, in one shape."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    unknown = error.status_code == HTTPStatus.NOT_FOUND and "endpoint" not in request.path_params
    other = unknown or error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    return _response(problem(HTTPStatus(error.status_code), OFFERED if other else error.detail, error.headers))


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, headers=dict(reply.headers), media_type="application/json")
