"""A server that takes logs as Datadog's API reference documents it, and refuses what it refuses."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

MOST_BYTES, MOST_LOGS, MOST_LOG = 5_000_000, 1000, 1_000_000
TEXTS = {"ddsource", "ddtags", "hostname", "message", "service", "timestamp"}


@dataclass
class DatadogDouble:
    """What came, and the keys that it knows."""

    api_key: str
    app_key: str
    logs: list[dict[str, str]] = field(default_factory=list)
    requests: list[list[dict[str, str]]] = field(default_factory=list)
    failing: list[int] = field(default_factory=list)
    questions: list[dict[str, Any]] = field(default_factory=list)

    async def intake(self, request: web.Request) -> web.Response:  # noqa: PLR0911 - one for each refusal
        """POST /api/v2/logs."""
        if self.failing:
            return web.json_response({"errors": [{"status": "x"}]}, status=self.failing.pop(0))
        if request.headers.get("DD-API-KEY") != self.api_key:
            return web.json_response({"errors": [{"status": "403", "title": "Forbidden"}]}, status=403)
        raw = await request.read()
        if request.headers["Content-Type"] != "application/json" or request.headers["Content-Encoding"] != "gzip":
            return web.Response(status=400, text="no gzipped JSON")
        body = gzip.decompress(raw)
        if len(body) > MOST_BYTES:
            return web.Response(status=413)
        logs = json.loads(body)
        if not isinstance(logs, list) or not 0 < len(logs) <= MOST_LOGS:
            return web.Response(status=400, text=f"{len(logs)} logs")
        for log in logs:
            if set(log) != TEXTS or not all(isinstance(text, str) for text in log.values()):
                return web.Response(status=400, text=f"not the documented fields: {log}")
            if len(json.dumps(log)) > MOST_LOG:
                return web.Response(status=400, text="it would be truncated")
        self.requests.append(logs)
        self.logs += logs
        return web.json_response({}, status=202)

    async def search(self, request: web.Request) -> web.Response:
        """POST /api/v2/logs/events/search; understands the query that golive asks."""
        known = request.headers.get("DD-API-KEY"), request.headers.get("DD-APPLICATION-KEY")
        if known != (self.api_key, self.app_key):
            return web.json_response({"errors": ["Forbidden"]}, status=403)
        question = await request.json()
        self.questions.append(question)
        service, job = (part.split(":", 1)[1] for part in question["filter"]["query"].split(" "))
        found = [
            {"id": str(number), "type": "log", "attributes": _attributes(log)}
            for number, log in enumerate(self.logs)
            if log["service"] == service
            and json.loads(log["message"]).get("request_id") == job
            and question["filter"]["from"] <= log["timestamp"] <= question["filter"]["to"]
        ]
        return web.json_response({"data": found[: question["page"]["limit"]], "meta": {"status": "done"}})


def _attributes(log: dict[str, str]) -> dict[str, Any]:
    """A JSON message becomes attributes, as the reference's example shows them."""
    shown = {"host": log["hostname"], "service": log["service"], "tags": log["ddtags"].split(",")}
    return {**shown, "timestamp": log["timestamp"], "message": log["message"], "attributes": json.loads(log["message"])}


@asynccontextmanager
async def serving(double: DatadogDouble) -> AsyncIterator[str]:
    """The double's address, while the block runs; on loopback."""
    app = web.Application(client_max_size=8 * 2**20)
    app.add_routes([web.post("/api/v2/logs", double.intake), web.post("/api/v2/logs/events/search", double.search)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
