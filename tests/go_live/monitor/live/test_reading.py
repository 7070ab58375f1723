"""Reading metrics over sockets: what comes is kept, what does not come is said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from go_live.config import Config
from go_live.monitor.live.reading import MAX_BYTES, Reader
from go_live.monitor.live.serving import page
from tests.go_live.monitor.live.gateways import Told

Answer = Callable[[], web.StreamResponse]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """A server on loopback whose /metrics is ``answer``."""

    async def metrics(_: web.Request) -> web.StreamResponse:
        return answer()

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/metrics"
    finally:
        await runner.cleanup()


async def problem_of(url: str, config: Config) -> str:
    """What is said after one reading."""
    reader = Reader(url, config)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
        await reader.read_once(http)
    assert (reader.heard.at is None) is bool(reader.heard.problem)
    return reader.heard.problem


async def test_a_gateway_is_heard(config: Config) -> None:
    """Its metrics are kept, and nothing is wrong."""
    told = Told(config)
    async with serving(lambda: web.Response(text=told.text)) as url:
        assert await problem_of(url, config) == ""


ANSWERS: dict[str, tuple[Answer, str]] = {
    "web page": (lambda: web.Response(text="<h1>hi</h1>", content_type="text/html"), "what it serves are no metrics"),
    "error": (lambda: web.Response(status=503), "it answers 503"),
    "redirect": (lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}), "it answers 302"),
    "another exporter": (lambda: web.Response(text="up 1\n"), "what it serves are no metrics of a gateway"),
    "too much": (lambda: web.Response(body=b"x" * (MAX_BYTES + 1)), "what it serves is too large for metrics"),
    "no text": (lambda: web.Response(body=b"\xff\xfe"), "what it serves are no metrics"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_is_no_metrics_is_said(name: str, config: Config) -> None:
    """Whatever else answers there, it is named, and nothing is kept."""
    answer, said = ANSWERS[name]
    async with serving(answer) as url:
        assert await problem_of(url, config) == said


async def test_nobody_there(config: Config) -> None:
    """A gateway that does not run."""
    assert await problem_of("http://127.0.0.1:9/metrics", config) == "it cannot be reached"


async def test_the_page_tells_of_a_gateway_that_went_and_came_back(config: Config) -> None:
    """Over HTTP: heard, then not, then heard again; the address bar of another site is refused."""
    told, alive = Told(config), True

    def answer() -> web.Response:
        return web.Response(text=told.text) if alive else web.Response(status=500)

    async with serving(answer) as url, page(config, url, port=0) as (address, reader), aiohttp.ClientSession() as http:

        async def parts() -> dict[str, object]:
            await reader.read_once(http)
            async with http.get(f"{address}/parts") as response:
                assert response.headers["Cache-Control"] == "no-store"
                answered: dict[str, object] = await response.json()
            return answered

        await parts()
        told.ended(200)
        await asyncio.sleep(0.01)
        assert (await parts())["word"] == "WITHIN SLO"
        alive = False
        gone = await parts()
        assert (gone["word"], gone["stale"]) == ("UNKNOWN", True)
        alive = True
        assert (await parts())["stale"] is False
        async with http.get(f"{address}/parts", headers={"Host": "evil.example"}) as refused:
            assert refused.status == 400
