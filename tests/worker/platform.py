"""The worker's side of the platform on loopback: hands out jobs, takes results, for a worker under the real SDK."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import web

ROOT = Path(__file__).parents[2]
HOLD_S = 0.5
"""How long a poll is held; short, because a draining worker waits for the one it has sent."""


class Platform:
    """Queue, results and streamed parts of one worker."""

    def __init__(self) -> None:
        """Nothing is queued and nothing is known."""
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.stops: asyncio.Queue[str] = asyncio.Queue()
        self.results: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.streamed: dict[str, list[Any]] = {}
        self.stream_gate = asyncio.Event()
        self.stream_gate.set()
        self.posting = asyncio.Event()

    def submit(self, job_id: str, payload: Any) -> asyncio.Future[dict[str, Any]]:
        """Queue a job; the future is its posted result."""
        self.results[job_id] = asyncio.get_running_loop().create_future()
        self.queue.put_nowait({"id": job_id, "input": payload})
        return self.results[job_id]

    async def run(self, job_id: str, payload: Any) -> dict[str, Any]:
        """Queue a job and wait for its result."""
        return await asyncio.wait_for(self.submit(job_id, payload), 30)

    async def _take(self, request: web.Request) -> web.Response:
        try:
            job = await asyncio.wait_for(self.queue.get(), HOLD_S)
        except TimeoutError:
            return web.Response(status=204)
        if "batch_size" not in request.query:
            return web.json_response(job)
        jobs = [job]
        while len(jobs) < int(request.query["batch_size"]) and not self.queue.empty():
            jobs.append(self.queue.get_nowait())
        return web.json_response(jobs)

    async def _stop(self, _request: web.Request) -> web.Response:
        try:
            job_id = await asyncio.wait_for(self.stops.get(), HOLD_S)
        except TimeoutError:
            return web.Response(status=204)
        return web.json_response({"jobsToStop": [job_id]})

    async def _done(self, request: web.Request) -> web.Response:
        self.results[request.match_info["job"]].set_result(json.loads(await request.text()))
        return web.Response()

    async def _stream(self, request: web.Request) -> web.Response:
        self.streamed.setdefault(request.match_info["job"], []).append(json.loads(await request.text())["output"])
        self.posting.set()
        await self.stream_gate.wait()
        return web.Response()

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response()

    def app(self) -> web.Application:
        """The routes of the worker protocol."""
        app = web.Application()
        app.router.add_get("/v2/ep/job-take/{worker}", self._take)
        app.router.add_get("/v2/ep/job-take-batch/{worker}", self._take)
        app.router.add_get("/v2/ep/job-stop/{worker}", self._stop)
        app.router.add_post("/v2/ep/job-done/{worker}/{job}", self._done)
        app.router.add_post("/v2/ep/job-stream/{worker}/{job}", self._stream)
        app.router.add_get("/v2/ep/ping/{worker}", self._ping)
        return app


class Worker:
    """A worker process and what it wrote to standard output."""

    def __init__(self, process: asyncio.subprocess.Process, platform: Platform, output: Path) -> None:
        """``output`` receives standard output."""
        self.process, self.platform, self._output = process, platform, output

    def log(self) -> str:
        """Everything written so far."""
        return self._output.read_text()

    def events(self, *names: str) -> list[dict[str, Any]]:
        """The worker's own events with one of ``names`` (all without), in order."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if "event" in line and (not names or line["event"] in names)]

    async def seen(self, event: str) -> None:
        """Wait for an event's first line."""
        async with asyncio.timeout(150):
            while not self.events(event):
                assert self.process.returncode is None, self.log()
                await asyncio.sleep(0.05)

    async def end(self) -> int:
        """Ask the worker to stop, as the platform does, and wait for its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)


def environment(base: str, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """A worker's environment as the platform injects it."""
    ours = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "RUNPOD_WEBHOOK_GET_JOB": f"{base}/v2/ep/job-take/$ID?gpu=none",
        "RUNPOD_WEBHOOK_POST_OUTPUT": f"{base}/v2/ep/job-done/$RUNPOD_POD_ID/$ID?gpu=none",
        "RUNPOD_WEBHOOK_POST_STREAM": f"{base}/v2/ep/job-stream/$RUNPOD_POD_ID/$ID?gpu=none",
        "RUNPOD_WEBHOOK_PING": f"{base}/v2/ep/ping/$RUNPOD_POD_ID?gpu=none",
        "RUNPOD_PING_INTERVAL": "10000",
        "RUNPOD_AI_API_KEY": "rpa_not_a_real_key",
        "RUNPOD_POD_ID": "worker-1",
        "RUNPOD_ENDPOINT_ID": "ep",
        # The platform sets DEBUG, at which the SDK would log whole prompts and answers.
        "RUNPOD_DEBUG_LEVEL": "DEBUG",
        "RUNPOD_SKIP_AUTO_SYSTEM_CHECKS": "true",
        "RUNPOD_SKIP_GPU_CHECK": "true",
    }
    return {**ours, **extra}


@asynccontextmanager
async def running(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Worker]:
    """A timed worker process under the unmodified SDK, ready for jobs; killed with its children at the end."""
    platform = Platform()
    runner = web.AppRunner(platform.app(), keepalive_timeout=75)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    output = folder / "stdout"
    with output.open("wb") as out, (folder / "stderr").open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rehearsal.timed_worker"),
            cwd=folder,
            env=environment(base, folder, settings),
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    worker = Worker(process, platform, output)
    try:
        await worker.seen("ready")
        yield worker
    finally:
        platform.stream_gate.set()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await runner.cleanup()
