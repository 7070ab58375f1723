"""A gateway on real sockets, in front of the local endpoint with the timed engine or of a scripted job API."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from go_live import config as configuration
from go_live.config import Config
from go_live.gateway import keys
from go_live.gateway.serving import GatewaySettings, Running, running
from go_live.gateway.telemetry import Served
from go_live.local_endpoint.launch import LaunchedEndpoint, launched
from go_live.local_endpoint.server import Endpoint
from go_live.local_endpoint.server import running as endpoint_running
from go_live.local_endpoint.settings import EndpointSettings
from go_live.monitor.metrics import buckets_s

ROOT = Path(__file__).parents[3]
EXEC_MS = 30
PROMPT = {"prompt": "How do I become a data engineer?"}


@pytest.fixture(scope="session")
def config() -> Config:
    """The project's own golive.toml."""
    return configuration.load(ROOT / "golive.toml")


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedEndpoint]:
    """A local endpoint whose one worker takes up to eight jobs at a time: it caps nothing by itself."""
    settings = EndpointSettings(
        directory=tmp_path_factory.mktemp("gateway") / "endpoint",
        worker_command=(sys.executable, "-m", "rehearsal.timed_worker"),
        worker_env={"TIMED_EXEC_MS": str(EXEC_MS), "MAX_CONCURRENCY": "8"},
        engine="timed",
    )
    with launched(settings, ready_timeout_s=60) as endpoint:
        yield endpoint


class Behind:
    """A gateway, its callers' keys, and what it has kept."""

    def __init__(self, gateway: Running, endpoint_id: str, http: aiohttp.ClientSession, kept: list[Served]) -> None:
        """``http`` has no limit of its own."""
        self.gateway, self.endpoint_id, self.http, self.kept = gateway, endpoint_id, http, kept
        self.keys: dict[str, str] = {}
        self.callers = Path()

    @property
    def url(self) -> str:
        """The endpoint, as callers see it."""
        return f"{self.gateway.job_api}/{self.endpoint_id}"

    def let_in(self, *names: str) -> None:
        """Give each a key of its own."""
        made = [keys.new_key(name, "2026-11-24") for name in names]
        self.keys |= {name: key for name, (key, _) in zip(names, made, strict=True)}
        keys.write(self.callers, (*keys.read(self.callers), *(entry for _, entry in made)))

    async def ask(self, caller: str = "web", wait_ms: int | None = None, **job_input: Any) -> tuple[int, Any, Any]:
        """One request: status, body, headers."""
        query = "" if wait_ms is None else f"?wait={wait_ms}"
        headers = {"Authorization": f"Bearer {self.keys[caller]}"}
        body = {"input": job_input or PROMPT}
        async with self.http.post(f"{self.url}/runsync{query}", json=body, headers=headers) as response:
            return response.status, await response.json(), response.headers


Fronted = Callable[..., Any]


@pytest.fixture
def fronted(tmp_path: Path, config: Config) -> Fronted:
    """Put a gateway in front of an endpoint."""

    @asynccontextmanager
    async def front(job_api: str, endpoint_id: str, key: str, **options: Any) -> AsyncIterator[Behind]:
        callers = tmp_path / "callers.json"
        given: dict[str, Any] = {"cap": 3, "room": 300, "timeout_s": 45.0, "service_s": 0.1} | options
        given.setdefault("endpoints", (endpoint_id,))
        settings = GatewaySettings(
            job_api=job_api,
            key=key,
            callers=callers,
            buckets=buckets_s(config),
            metrics_port=0,
            record=tmp_path / "gateway.jsonl",
            locks=tmp_path / "locks",
            **given,
        )
        kept: list[Served] = []
        connector = aiohttp.TCPConnector(limit=0)
        async with running(settings, kept.append) as gateway, aiohttp.ClientSession(connector=connector) as http:
            behind = Behind(gateway, endpoint_id, http, kept)
            behind.callers = callers
            behind.let_in("web")
            yield behind

    return front


@pytest.fixture
async def gateway(timed: LaunchedEndpoint, fronted: Fronted) -> AsyncIterator[Behind]:
    """A gateway in front of the timed endpoint."""
    async with fronted(timed.job_api, timed.endpoint_id, timed.key) as behind:
        yield behind


@pytest.fixture
async def silent(tmp_path: Path) -> AsyncIterator[Endpoint]:
    """An endpoint in this process whose worker never takes a job: whatever is sent stays under way."""
    settings = EndpointSettings(
        directory=tmp_path / "silent", worker_command=("sleep", "1000"), stop_grace_s=1.0, poll_hold_s=5.0
    )
    async with endpoint_running(settings) as endpoint:
        yield endpoint


async def eventually(holds: Callable[[], Awaitable[bool]], timeout_s: float = 20) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(timeout_s):
        while not await holds():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.02)
