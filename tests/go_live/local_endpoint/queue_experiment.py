"""The queue experiment: is queueing at c=4 the GPU's doing, or the SDK's taking one job at a time?

Two workers whose executions take 2.788 s, as the recorded ones do; closed loops at several concurrencies through the
local endpoint. Also: how many trivial jobs a second go through one worker, and how many the SDK takes by itself.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from go_live.local_endpoint.launch import LaunchedEndpoint, launched
from go_live.local_endpoint.settings import EndpointSettings
from go_live.local_endpoint.workers import Worker

EXEC_MS = 2788.0
"""The recorded execution p50 (readiness summary, load test table)."""
PROMPT = {"input": {"prompt": "How do I become a data engineer?"}}
TIMED_WORKER = (sys.executable, "-m", "rehearsal.timed_worker")


@dataclass(frozen=True)
class Level:
    """One closed loop; p50 in ms."""

    concurrency: int
    n: int
    queue_ms_p50: float
    exec_ms_p50: float
    total_ms_p50: float


@contextmanager
def timed_endpoint(
    *, workers: int, max_concurrency: int | None, exec_ms: float = EXEC_MS, rate_limits: bool = True
) -> Iterator[LaunchedEndpoint]:
    """An endpoint with timed workers, ready; ``max_concurrency`` None: the worker's own default."""
    env = {"TIMED_EXEC_MS": f"{exec_ms:g}"}
    env |= {} if max_concurrency is None else {"MAX_CONCURRENCY": str(max_concurrency)}
    with tempfile.TemporaryDirectory(prefix="golive-queue-") as folder:
        settings = EndpointSettings(
            directory=Path(folder),
            worker_command=TIMED_WORKER,
            worker_env=env,
            engine="timed",
            workers_min=workers,
            workers_max=workers,
            rate_limits=rate_limits,
        )
        with launched(settings, ready_timeout_s=60) as endpoint:
            yield endpoint


def queue_experiment(
    *, max_concurrency: int | None, concurrencies: tuple[int, ...], rounds: int = 3, exec_ms: float = EXEC_MS
) -> list[Level]:
    """Run closed loops on two timed workers.

    Args:
        max_concurrency: jobs a worker takes at a time; None: the worker's default.
        concurrencies: the levels.
        rounds: requests per client of a level.
        exec_ms: the timed engine's execution time.
    """
    with timed_endpoint(workers=2, max_concurrency=max_concurrency, exec_ms=exec_ms) as endpoint:
        return [asyncio.run(closed_loop(endpoint, level, rounds)) for level in concurrencies]


async def closed_loop(endpoint: LaunchedEndpoint, concurrency: int, rounds: int) -> Level:
    """``concurrency`` clients, each sending ``rounds`` requests one after the other."""
    async with _session(endpoint) as http:

        async def client() -> list[tuple[float, dict[str, Any]]]:
            answers = []
            for _ in range(rounds):
                began = time.perf_counter()
                async with http.post(_url(endpoint, "runsync"), json=PROMPT) as response:
                    body = await response.json()
                assert body["status"] == "COMPLETED", body
                answers.append(((time.perf_counter() - began) * 1000, body))
            return answers

        answers = [answer for part in await asyncio.gather(*(client() for _ in range(concurrency))) for answer in part]
    return Level(
        concurrency=concurrency,
        n=len(answers),
        queue_ms_p50=statistics.median_low(body["delayTime"] for _, body in answers),
        exec_ms_p50=statistics.median_low(body["executionTime"] for _, body in answers),
        total_ms_p50=statistics.median_low(total for total, _ in answers),
    )


@dataclass(frozen=True)
class Flood:
    """Many trivial jobs through one worker."""

    jobs: int
    completed: int
    """Distinct jobs that the API shows as COMPLETED."""
    started: int
    """``start`` lines in the worker's log; more than ``jobs``: some ran twice."""
    distinct: int
    """Distinct jobs among them."""
    jobs_per_s: float


def flood(jobs: int, max_concurrency: int = 512) -> Flood:
    """Send trivial jobs through the local endpoint and one timed worker, as many at once as the worker takes."""
    with timed_endpoint(workers=1, max_concurrency=max_concurrency, exec_ms=0, rate_limits=False) as endpoint:
        began = time.perf_counter()
        statuses = asyncio.run(_submit_all(endpoint, jobs, max_concurrency))
        elapsed = time.perf_counter() - began
        log = endpoint.log_paths()[0].read_text()
    started = [
        line.split('"request_id": "')[1].split('"')[0] for line in log.splitlines() if '"event": "start"' in line
    ]
    completed = [job for job, status in statuses.items() if status == "COMPLETED"]
    return Flood(jobs, len(completed), len(started), len(set(started)), jobs / elapsed)


async def _submit_all(endpoint: LaunchedEndpoint, jobs: int, at_once: int) -> dict[str, str]:
    statuses: dict[str, str] = {}
    left = iter(range(jobs))
    async with _session(endpoint) as http:

        async def client() -> None:
            for _ in left:
                async with http.post(_url(endpoint, "runsync"), json=PROMPT) as response:
                    body = await response.json()
                statuses[body["id"]] = body["status"]

        await asyncio.gather(*(client() for _ in range(at_once)))
    return statuses


async def sdk_alone(jobs: int, max_concurrency: int = 512) -> float:
    """Jobs per second that the SDK takes and reports when a bare server hands it as many as it asks for."""
    handed, done = 0, Counter[str]()
    finished = asyncio.Event()
    times: list[float] = []

    async def take(request: web.Request) -> web.Response:
        nonlocal handed
        limit = min(int(request.query.get("batch_size", "1")), jobs - handed)
        if limit == 0:
            await asyncio.sleep(5)
            return web.Response(status=204)
        times.append(time.perf_counter())
        batch = [{"id": f"job-{handed + n}", **PROMPT} for n in range(limit)]
        handed += limit
        return web.json_response(batch)

    async def report(request: web.Request) -> web.Response:
        await request.read()
        done[request.match_info["job"]] += 1
        if len(done) == jobs:
            finished.set()
        return web.Response()

    async def hold(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response(status=204)

    async def ping(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.add_routes(
        [
            *(web.get(f"/v2/local/{name}/{{worker}}", take) for name in ("job-take", "job-take-batch")),
            web.post("/v2/local/job-done/{worker}/{job}", report),
            web.get("/v2/local/job-stop/{worker}", hold),
            web.get("/v2/local/ping/{worker}", ping),
        ]
    )
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=75, max_line_size=1 << 19, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with tempfile.TemporaryDirectory(prefix="golive-alone-") as folder:
        settings = EndpointSettings(
            directory=Path(folder),
            worker_command=TIMED_WORKER,
            worker_env={"TIMED_EXEC_MS": "0", "MAX_CONCURRENCY": str(max_concurrency)},
        )
        worker = Worker("w1", settings, f"http://127.0.0.1:{runner.addresses[0][1]}")
        await worker.start()
        try:
            async with asyncio.timeout(100):
                await finished.wait()
            elapsed = time.perf_counter() - times[0]
        finally:
            worker.kill()
            await worker.wait()
            await runner.cleanup()
    return jobs / elapsed


def _session(endpoint: LaunchedEndpoint) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {endpoint.key}"},
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(None),
        trust_env=False,
    )


def _url(endpoint: LaunchedEndpoint, operation: str) -> str:
    return f"{endpoint.job_api}/{endpoint.endpoint_id}/{operation}"
