"""A job API of two endpoints on a real socket, which answers at once, or when a test says so."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

TEXT = "Learn SQL."


class TwoArms:
    """``blue`` and ``green``; counts what each was sent, and how many jobs it had at most."""

    def __init__(self) -> None:
        """Everything is answered."""
        self.sent: Counter[str] = Counter()
        self.live: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.silent: set[str] = set()
        """Endpoints that do not say how they are."""
        self.others = 0
        """Jobs in their queues that came from elsewhere."""
        self.asked_health = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.job_api = ""
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def served(self) -> AsyncIterator["TwoArms"]:
        """Listen on loopback."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/v2/{endpoint}/run", self._run),
                web.get("/v2/{endpoint}/status-sync/{job}", self._status),
                web.post("/v2/{endpoint}/cancel/{job}", self._cancel),
                web.get("/v2/{endpoint}/health", self._health),
            ]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self.job_api = f"http://127.0.0.1:{runner.addresses[0][1]}/v2"
        try:
            yield self
        finally:
            self.go_on.set()
            await runner.cleanup()

    async def _run(self, request: web.Request) -> web.Response:
        name = request.match_info["endpoint"]
        self.sent[name] += 1
        self.live[name] += 1
        self.peak[name] = max(self.peak[name], self.live[name])
        return web.json_response({"id": f"{name}-{next(self._numbers)}", "status": "IN_QUEUE"})

    async def _status(self, request: web.Request) -> web.Response:
        await self.go_on.wait()
        output = {"choices": [{"text": TEXT}], "usage": {"input": 3, "output": 2, "total": 5}}
        told = {"id": request.match_info["job"], "status": "COMPLETED", "output": output}
        self.live[request.match_info["endpoint"]] -= 1
        return web.json_response({**told, "delayTime": 1, "executionTime": 2, "workerId": "w"})

    async def _cancel(self, request: web.Request) -> web.Response:
        self.live[request.match_info["endpoint"]] -= 1
        return web.json_response({"id": request.match_info["job"], "status": "CANCELLED"})

    async def _health(self, request: web.Request) -> web.Response:
        name = request.match_info["endpoint"]
        self.asked_health += 1
        if name in self.silent:
            return web.Response(status=500)
        jobs = {"inQueue": self.others, "inProgress": self.live[name], "completed": self.sent[name] - self.live[name]}
        return web.json_response({"jobs": jobs, "workers": {"ready": 1}})
