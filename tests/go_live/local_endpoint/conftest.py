"""Endpoints on real loopback sockets: one whose worker is the test itself, and real workers under the SDK."""

import asyncio
import io
import sys
import tempfile
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from go_live.local_endpoint.launch import LaunchedEndpoint, launched
from go_live.local_endpoint.server import Endpoint, running
from go_live.local_endpoint.settings import EndpointSettings

KEY = "test-key-of-a-test-endpoint"
SILENT = ("sleep", "1000")
"""A worker that never speaks: the test speaks for it."""

SDK_WORKER = """
import asyncio, os, subprocess, sys, time
from pathlib import Path

{handler}

if __name__ == "__main__":
    import runpod.serverless
    runpod.serverless.start({{"handler": handler, {config}}})
"""


async def eventually(holds: Callable[[], Awaitable[bool]], timeout_s: float = 20) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(timeout_s):
        while not await holds():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.03)


@dataclass
class Caller:
    """A client of one endpoint, and one of its workers when a test says so."""

    url: str
    endpoint_id: str
    key: str
    http: aiohttp.ClientSession
    endpoint: Endpoint | None = None
    """The endpoint itself, where it runs in this process."""

    @property
    def base(self) -> str:
        """The job API of this endpoint."""
        return f"{self.url}/v2/{self.endpoint_id}"

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Status and JSON body of one call; ``path`` is below the endpoint, or absolute with a leading slash."""
        url = self.url + path if path.startswith("/") else f"{self.base}/{path}"
        options.setdefault("headers", {"Authorization": f"Bearer {self.key}"})
        async with self.http.request(method, url, **options) as response:
            return response.status, await response.json(content_type=None)

    async def run(self, **input_: Any) -> str:
        """Submit a job; its id."""
        status, body = await self.call("POST", "run", json={"input": input_})
        assert (status, body["status"]) == (200, "IN_QUEUE")
        return str(body["id"])

    async def runsync(self, **input_: Any) -> dict[str, Any]:
        """Submit a job and wait for it."""
        status, body = await self.call("POST", "runsync", json={"input": input_})
        assert status == 200
        return dict(body)

    async def status(self, job: str) -> dict[str, Any]:
        """The job as /status shows it."""
        status, body = await self.call("GET", f"status/{job}")
        assert status == 200
        return dict(body)

    async def until(self, job: str, *statuses: str, timeout_s: float = 20) -> dict[str, Any]:
        """The job, once it has one of the statuses."""
        seen: dict[str, Any] = {}

        async def there() -> bool:
            seen.update(await self.status(job))
            return seen["status"] in statuses

        await eventually(there, timeout_s)
        return await self.status(job)

    def worker_headers(self) -> dict[str, str]:
        """What this run's workers send."""
        assert self.endpoint is not None
        return {"Authorization": self.endpoint.settings.worker_key}

    def take_url(self, worker: str = "w1", batch: int | None = None) -> str:
        """The URL that the SDK polls for jobs."""
        assert self.endpoint is not None
        busy = int(bool(self.endpoint.exchange.store.held_by(worker)))
        if batch is None:
            return f"{self.base}/job-take/{worker}?gpu=x&job_in_progress={busy}"
        return f"{self.base}/job-take-batch/{worker}?gpu=x&batch_size={batch}&job_in_progress={busy}"

    async def take(self, worker: str = "w1", batch: int | None = None) -> Any:
        """Take as the SDK does; None: no job."""
        async with self.http.get(self.take_url(worker, batch), headers=self.worker_headers()) as response:
            assert response.status in {200, 204}
            return None if response.status == 204 else await response.json()

    async def post(self, kind: str, job: str, body: str | bytes, worker: str = "w1") -> int:
        """Post a result (``job-done``) or a chunk (``job-stream``) as the SDK does; the HTTP status."""
        headers = {**self.worker_headers(), "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self.base}/{kind}/{worker}/{job}?gpu=x&isStream=false"
        data = io.BytesIO(body.encode() if isinstance(body, str) else body)
        async with self.http.post(url, data=data, headers=headers) as response:
            return response.status


def client() -> aiohttp.ClientSession:
    """A client with as many connections as it is asked for, past every proxy."""
    return aiohttp.ClientSession(trust_env=False, connector=aiohttp.TCPConnector(limit=0))


Serving = Callable[..., AbstractAsyncContextManager[Caller]]
SdkWorker = Callable[..., tuple[str, ...]]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints without a folder of their own make theirs inside the test's."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    """Serve an endpoint in this process; its workers are started and silent unless told otherwise."""

    @asynccontextmanager
    async def serve(**options: Any) -> AsyncIterator[Caller]:
        given: dict[str, Any] = {
            "worker_command": SILENT,
            "stop_grace_s": 1.0,
            "poll_hold_s": 5.0,
            "stream_hold_s": 1.0,
        } | options
        settings = EndpointSettings(key=KEY, directory=tmp_path / "endpoint", **given)
        async with running(settings) as endpoint, client() as http:

            async def started() -> bool:
                return sum(w.pid is not None for w in endpoint.fleet.workers.values()) >= settings.workers_min

            await eventually(started)
            yield Caller(endpoint.url, settings.endpoint_id, KEY, http, endpoint)

    return serve


@pytest.fixture
async def bare(serving: Serving) -> AsyncIterator[Caller]:
    """An endpoint with one silent worker, ``w1``."""
    async with serving() as caller:
        yield caller


def write_worker(path: Path, handler: str, config: str) -> tuple[str, ...]:
    """Write a worker around the source of ``handler`` (or with any other source); its command."""
    path.write_text(SDK_WORKER.format(handler=textwrap.dedent(handler), config=config))
    return (sys.executable, str(path))


@pytest.fixture
def sdk_worker(tmp_path: Path) -> SdkWorker:
    """Write a worker that runs the source of ``handler`` under the unmodified SDK; its command."""

    def write(handler: str, config: str = "") -> tuple[str, ...]:
        return write_worker(tmp_path / "sdk_worker.py", handler, config)

    return write


HANDLER = '''
async def handler(job):
    """Do what the input says."""
    told = job["input"]
    if "sleep" in told:
        try:
            await asyncio.sleep(told["sleep"])
        except asyncio.CancelledError:
            Path(told["mark"]).write_text("cancelled")
            raise
        if "mark" in told:
            Path(told["mark"]).write_text("finished")
    if "raise" in told:
        raise ValueError(told["raise"])
    if "progress" in told:
        runpod.serverless.progress_update(job, told["progress"])
        await asyncio.sleep(0.6)
    if "environment" in told:
        return {"cwd": os.getcwd(), "pid": os.getpid(), "group": os.getpgid(0), "env": dict(os.environ)}
    if "refresh" in told:
        return {"refresh_worker": True, "pid": os.getpid()}
    return {"repr": repr(told), **({"error": told["error"]} if "error" in told else {})}
'''


@pytest.fixture(scope="module")
def sdk_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedEndpoint]:
    """A launched endpoint whose two workers run the unmodified SDK and do what a job's input says."""
    folder = tmp_path_factory.mktemp("sdk")
    command = write_worker(folder / "sdk_worker.py", HANDLER, '"concurrency_modifier": lambda _: 4')
    settings = EndpointSettings(
        key=KEY, directory=folder / "endpoint", worker_command=command, workers_min=2, workers_max=2, stop_grace_s=5.0
    )
    with launched(settings, ready_timeout_s=60) as endpoint:
        yield endpoint


@pytest.fixture
async def sdk(sdk_endpoint: LaunchedEndpoint) -> AsyncIterator[Caller]:
    """A client of :func:`sdk_endpoint`, all its workers ready and its faults off."""
    await asyncio.to_thread(sdk_endpoint.clear_faults)

    async def ready() -> bool:
        state = await asyncio.to_thread(sdk_endpoint.state)
        return bool(state["workers"]["ready"] == 2)

    await eventually(ready)
    async with client() as http:
        yield Caller(sdk_endpoint.url, sdk_endpoint.endpoint_id, sdk_endpoint.key, http)


Gone = Callable[[list[int]], list[int]]


@pytest.fixture
def left_of() -> Gone:
    """Which of the given processes are left; they get a few seconds to end."""

    def wait(pids: list[int]) -> list[int]:
        deadline = time.monotonic() + 10
        while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    return wait


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
