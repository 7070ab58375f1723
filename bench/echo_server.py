"""A job API that answers every job after 20 ms and says how long it really took: what client overhead is measured on.

Run by the benches as a process of its own; prints its port and serves until it is killed.
"""

import asyncio
import sys
import time

import msgspec
from aiohttp import web

SERVICE_S = 0.020
OUTPUT = {"choices": [{"text": "word " * 150}], "usage": {"input": 20, "output": 150, "total": 170}}


async def answer(request: web.Request) -> web.Response:
    """One completed job; ``executionTime`` is this handler's own measured time, ms."""
    begin = time.perf_counter()
    await request.read()
    await asyncio.sleep(SERVICE_S)
    job = {"id": "sync-1", "status": "COMPLETED", "delayTime": 0, "workerId": "echo", "output": OUTPUT}
    job["executionTime"] = (time.perf_counter() - begin) * 1000
    return web.Response(body=msgspec.json.encode(job), content_type="application/json")


class Later:
    """The same jobs over ``/run`` and ``/status-sync``: a job is done ``SERVICE_S`` after it was queued."""

    def __init__(self) -> None:
        """No job yet."""
        self._queued: dict[str, float] = {}

    async def run(self, request: web.Request) -> web.Response:
        """Queue a job."""
        begin = time.perf_counter()
        await request.read()
        name = f"job-{len(self._queued)}"
        self._queued[name] = begin
        return web.Response(
            body=msgspec.json.encode({"id": name, "status": "IN_QUEUE"}), content_type="application/json"
        )

    async def status_sync(self, request: web.Request) -> web.Response:
        """The job, once it is done."""
        name = request.match_info["job"]
        begin = self._queued[name]
        await asyncio.sleep(begin + SERVICE_S - time.perf_counter())
        job = {"id": name, "status": "COMPLETED", "delayTime": 0, "workerId": "echo", "output": OUTPUT}
        job["executionTime"] = (time.perf_counter() - begin) * 1000
        return web.Response(body=msgspec.json.encode(job), content_type="application/json")


async def serve() -> None:
    """Listen on a free loopback port, print it, wait to be killed."""
    app = web.Application()
    app.router.add_post("/v2/echo/runsync", answer)
    later = Later()
    app.router.add_post("/v2/echo/run", later.run)
    app.router.add_get("/v2/echo/status-sync/{job}", later.status_sync)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
