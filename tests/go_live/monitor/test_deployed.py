"""Grafana's HTTP API, spoken by a server that answers as its documentation says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from go_live.config import Config
from go_live.errors import MeasurementError
from go_live.monitor import dashboard
from go_live.monitor.deployed import deployed
from tests.go_live.monitor.conftest import ROOT

TOKEN = "a-token-of-the-test"  # noqa: S105 - opens nothing
Answer = Callable[[web.Request], web.Response]


@asynccontextmanager
async def grafana(answer: Answer) -> AsyncIterator[str]:
    """A server on loopback; what it was asked is what Grafana is asked."""

    async def handle(request: web.Request) -> web.Response:
        assert request.path == "/api/dashboards/uid/golive"
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def holding(text: str) -> Answer:
    """A Grafana with one dashboard, for whoever has the token."""

    def answer(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"message": "Invalid API key"}, status=401)
        body = f'{{"meta": {{"type": "db", "version": 3}}, "dashboard": {text}}}'
        return web.Response(text=body, content_type="application/json")

    return answer


@pytest.fixture
def committed() -> str:
    """The committed dashboard."""
    return Path(ROOT / "monitoring" / "dashboard.json").read_text(encoding="utf-8")


async def test_the_same_dashboard_is_recognised(config: Config, committed: str) -> None:
    """As Grafana hands it out; and one that somebody edited there is told."""
    async with grafana(holding(committed)) as url:
        found = await deployed(url, TOKEN)
    assert found is not None
    assert dashboard.differences(found, config) == []
    async with grafana(holding(committed.replace('"value": 8.0', '"value": 80.0'))) as url:
        found = await deployed(url, TOKEN)
    assert found is not None
    assert dashboard.differences(found, config) == ["panel 'Total time': its limit is 80.0, golive.toml gives 8.0"]


async def test_none_there(committed: str) -> None:
    """Grafana's own 404 says that there is none; a proxy's says nothing of Grafana."""
    async with grafana(lambda _: web.json_response({"message": "Dashboard not found"}, status=404)) as url:
        assert await deployed(url, TOKEN) is None
    async with grafana(lambda _: web.Response(text="<h1>404</h1>", status=404, content_type="text/html")) as url:
        with pytest.raises(MeasurementError, match="answers 404"):
            await deployed(url, TOKEN)
    assert committed


ODD: dict[str, tuple[Answer, str]] = {
    "another token": (
        lambda _: web.json_response({"message": "Invalid API key"}, status=401),
        r"refuses the token \(401\)",
    ),
    "no permission": (
        lambda _: web.json_response({"message": "Access denied"}, status=403),
        r"refuses the token \(403\)",
    ),
    "login page": (lambda _: web.Response(text="<html>", content_type="text/html"), "is no dashboard"),
    "redirect": (lambda _: web.Response(status=302, headers={"Location": "/login"}), "answers 302"),
    "broken": (lambda _: web.Response(status=500), "answers 500"),
    "nothing in it": (lambda _: web.json_response({"meta": {}}), "is no dashboard"),
}


@pytest.mark.parametrize("name", ODD)
async def test_what_is_no_dashboard_could_not_be_measured(name: str) -> None:
    """Never a difference, never a pass, and the token in no message."""
    answer, said = ODD[name]
    async with grafana(answer) as url:
        with pytest.raises(MeasurementError, match=said) as caught:
            await deployed(url, TOKEN)
    assert TOKEN not in str(caught.value)


async def test_nobody_there() -> None:
    """Could not connect, and the token in no message."""
    with pytest.raises(MeasurementError, match="Grafana: cannot connect") as caught:
        await deployed("http://127.0.0.1:9", TOKEN)
    assert TOKEN not in str(caught.value)
