"""A loopback endpoint that answers the golden prompts, and the project's configuration with short levels."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

ROOT = Path(__file__).parents[3]
KEY = "rpa_" + "S3CRETKEYFORTESTS"


class Service:
    """A job API in a thread of its own: what ``golive load`` meets, without a worker."""

    def __init__(self) -> None:
        """Answer rightly and quickly until told otherwise."""
        self.url = ""
        self.text = "Learn SQL and Python."
        self.fail_every = 0
        self.health_status = 200
        self.pause_s = 0.002
        self.calls = 0
        self.connections: set[object] = set()
        self.cancelled = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._ready = threading.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one request."""
        if request.path.endswith("/health"):
            return web.json_response({"workers": {"ready": 1}}, status=self.health_status)
        if "/cancel/" in request.path:
            self.cancelled += 1
            return web.json_response({"id": "x", "status": "CANCELLED"})
        self.connections.add(request.transport)
        self.calls += 1
        call = self.calls
        await asyncio.sleep(self.pause_s)
        job = {"id": f"sync-{call}", "delayTime": 1, "executionTime": 2 + call / 1000, "workerId": "w1"}
        if self.fail_every and call % self.fail_every == 0:
            return web.json_response({**job, "status": "FAILED", "error": "engine died"})
        output = {"choices": [{"text": self.text}], "usage": {"input": 3, "output": 150, "total": 153}}
        return web.json_response({**job, "status": "COMPLETED", "output": output})

    def start(self) -> None:
        """Listen on a free port."""
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        """Stop listening and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v2"
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())


@pytest.fixture
def service() -> Iterator[Service]:
    """The endpoint, listening."""
    service = Service()
    service.start()
    yield service
    service.stop()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with golive.toml and a prompts file, and the key in the environment."""
    (tmp_path / "golive.toml").write_text((ROOT / "golive.toml").read_text(encoding="utf-8"), encoding="utf-8")
    lines = [json.dumps({"id": f"p{n}", "input": {"prompt": f"question {n}"}}) for n in range(3)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    return tmp_path


@pytest.fixture
def unused_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
