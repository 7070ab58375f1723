"""A job API that answers probes and prompts as a live endpoint does, and a project that declares it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from rehearsal.golden import golden_prompts
from selftest.project import git
from tests.go_live.load.conftest import KEY, Service, unused_port
from tests.go_live.tuning.simulated import ROOT

ANSWERS = {golden.prompt: golden.answer for golden in golden_prompts()}


class Live(Service):
    """As many requests at a time as it is told; the rest wait for their turn, and say so."""

    def __init__(self) -> None:
        """Four at a time."""
        super().__init__()
        self.places = asyncio.Semaphore(4)
        self.max_concurrency: Any = 32
        self.pause_s = 0.01
        self.most, self.under_way = 0, 0
        self.dies_after: int | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one request."""
        dead = self.dies_after is not None and self.calls >= self.dies_after
        if dead or request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": "unauthorized"}, status=401)
        if not request.path.endswith("/runsync"):
            return await super().handle(request)
        asked = (await request.json())["input"]
        if "probe" in asked:
            told = {"nonce": asked["probe"]["nonce"], "worker": {"max_concurrency": self.max_concurrency}}
            return web.json_response({"id": "p", "status": "COMPLETED", "output": {"probe": told}})
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        came = asyncio.get_running_loop().time()
        try:
            async with self.places:
                waited = asyncio.get_running_loop().time() - came
                return await self._answer(ANSWERS[asked["prompt"]], waited)
        finally:
            self.under_way -= 1

    async def _answer(self, text: str, waited: float) -> web.StreamResponse:
        self.calls += 1
        await asyncio.sleep(self.pause_s)
        job = {"id": f"sync-{self.calls}", "delayTime": waited * 1000, "executionTime": 20 + self.calls / 1000}
        output = {"choices": [{"text": text}], "usage": {"input": 3, "output": 150, "total": 153}}
        return web.json_response({**job, "workerId": "w1", "status": "COMPLETED", "output": output})


@pytest.fixture
def live() -> Iterator[Live]:
    """The endpoint, listening."""
    service = Live()
    service.start()
    yield service
    service.stop()


@pytest.fixture
def project(tmp_path: Path, live: Live, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose golive.toml declares that endpoint; its key is in the environment."""
    text = (ROOT / "golive.toml").read_text(encoding="utf-8")
    text = text.replace('"https://api.runpod.ai/v2"', f'"{live.url}"')
    (tmp_path / "golive.toml").write_text(text, encoding="utf-8")
    (tmp_path / ".gitignore").write_text("/reports/\n")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "A project"]):
        git(tmp_path, *words)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    return tmp_path


__all__ = ["Live", "live", "project", "unused_port"]
