"""A real server on loopback that answers the job API exactly as a test scripts it."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from go_live.jobs import Endpoint

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
KEY = "rpa_" + "S3CRETKEYFORTESTS"


@dataclass
class Scripted:
    """What the server answers for each operation, and what it has seen."""

    base: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    """(operation, rest of the path or the body)."""
    headers: list[dict[str, str]] = field(default_factory=list)

    def script(self, operation: str, *answers: object) -> None:
        """Answer ``operation`` with these in turn, the last one for ever: handlers, or objects sent as JSON."""
        self.answers[operation] = list(answers)

    def endpoint(self, key: str = KEY, **options: Any) -> Endpoint:
        """A client of this server."""
        return Endpoint(self.base, "ep1", key, **options)

    def count(self, operation: str) -> int:
        """How often ``operation`` was called."""
        return sum(name == operation for name, _ in self.seen)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one request."""
        operation, _, rest = request.path.removeprefix("/v2/ep1/").partition("/")
        self.seen.append((operation, rest or request.query_string or (await request.text())))
        self.headers.append(dict(request.headers))
        planned = self.answers.get(operation, [{"error": "not scripted"}])
        answer = planned.pop(0) if len(planned) > 1 else planned[0]
        return await answer(request) if callable(answer) else web.json_response(answer)


def text_job(text: str = "Learn SQL.", **more: object) -> dict[str, object]:
    """A completed job with a text."""
    output = {"choices": [{"text": text}], "usage": {"input": 5, "output": 7, "total": 12}}
    times = {"delayTime": 12, "executionTime": 345, "workerId": "w1"}
    return {"id": "sync-1", "status": "COMPLETED", "output": output, **times, **more}


def page(status: int, body: str, content_type: str = "text/html") -> Handler:
    """A handler that answers with a foreign body."""

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=content_type)

    return handler


async def drop(request: web.Request) -> web.StreamResponse:
    """Close the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def truncate(request: web.Request) -> web.StreamResponse:
    """Promise more bytes than are sent."""
    body = json.dumps(text_job()).encode()
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[:20])
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.fixture
async def api() -> AsyncIterator[Scripted]:
    """The server, started on a free port and stopped afterwards."""
    scripted = Scripted()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", scripted.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.base = f"http://127.0.0.1:{runner.addresses[0][1]}/v2"
    yield scripted
    await runner.cleanup()


@pytest.fixture
def unused_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
