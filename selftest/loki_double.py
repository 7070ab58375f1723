"""A server that takes and gives logs as Loki's HTTP API documents it, and refuses what Loki refuses.

    python -m selftest.loki_double         prints its address, and serves until its standard input ends

It is no Loki: it keeps everything in memory and understands one form of query. It is strict where Loki is: times are
strings of nanoseconds, labels have their form and their number, lines their length; what is too old or in the future is
refused with 400 while the rest is kept; and of two lines of one stream with the same time and text it keeps one.
"""

import asyncio
import gzip
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
MOST_LABELS, MOST_LINE = 15, 256 * 1024
"""Loki's defaults: max_label_names_per_series, max_line_size."""
OLDEST_S, AHEAD_S = 7 * 24 * 3600, 600
"""reject_old_samples_max_age, creation_grace_period."""
SELECTOR = re.compile(r"\{(?P<labels>[^}]*)\} \|= (?P<text>\".*\")")
MATCHER = re.compile(r"(?P<name>[a-z_]+)=(?P<value>\"[^\"]*\")")

Stream = frozenset[tuple[str, str]]


@dataclass
class LokiDouble:
    """What was pushed, and what is to go wrong."""

    token: str | None = None
    """Bearer token it asks for."""
    tenant: str | None = None
    """The only tenant; None: there are no tenants."""
    wall: Callable[[], float] = time.time
    streams: dict[Stream, list[tuple[int, str]]] = field(default_factory=dict)
    pushes: list[dict[str, Any]] = field(default_factory=list)
    """Every push that was well formed, as it came."""
    failing: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status and headers of the next pushes, before one is looked at."""
    dropped: int = 0
    """So many next pushes are taken, and their answer never arrives."""

    def routes(self) -> list[web.RouteDef]:
        """Push and query."""
        return [web.post("/loki/api/v1/push", self._push), web.get("/loki/api/v1/query_range", self._query)]

    @property
    def lines(self) -> list[str]:
        """Every line that is kept, in order of time."""
        return [line for _, line in sorted(one for stream in self.streams.values() for one in stream)]

    async def _push(self, request: web.Request) -> web.Response:
        if self.failing:
            status, headers = self.failing.pop(0)
            return web.Response(status=status, headers=headers, text="told to fail\n")
        if (refused := self._stranger(request)) is not None:
            return refused
        try:
            pushed = _pushed(await request.read(), request.headers)
        except ValueError as error:
            return web.Response(status=400, text=f"{error}\n")
        self.pushes.append(pushed)
        problems = [problem for stream in pushed["streams"] for problem in self._keep(stream)]
        if self.dropped:
            self.dropped -= 1
            if request.transport is not None:
                request.transport.close()
        if problems:
            return web.Response(status=400, text="; ".join(problems[:3]) + "\n")
        return web.Response(status=204)

    def _keep(self, stream: dict[str, Any]) -> list[str]:
        """Keep what Loki would; why it would not keep the rest."""
        kept = self.streams.setdefault(frozenset(stream["stream"].items()), [])
        now, problems = self.wall(), []
        for at, line, *_ in stream["values"]:
            age_s = now - int(at) / 1e9
            if age_s > OLDEST_S:
                problems.append(f"entry for stream has timestamp too old: {at}")
            elif age_s < -AHEAD_S:
                problems.append(f"entry for stream has timestamp too new: {at}")
            elif (int(at), line) not in kept:
                kept.append((int(at), line))
        return problems

    def _stranger(self, request: web.Request) -> web.Response | None:
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401, text="authentication error: invalid token\n")
        if self.tenant is not None and request.headers.get("X-Scope-OrgID") != self.tenant:
            return web.Response(status=401, text="no org id\n")
        return None

    async def _query(self, request: web.Request) -> web.Response:
        if (refused := self._stranger(request)) is not None:
            return refused
        asked = SELECTOR.fullmatch(request.query.get("query", ""))
        if asked is None:
            return web.Response(status=400, text="parse error: unexpected query\n")
        wanted = {found["name"]: json.loads(found["value"]) for found in MATCHER.finditer(asked["labels"])}
        text, begin, end = json.loads(asked["text"]), int(request.query["start"]), int(request.query["end"])
        result = []
        for stream, entries in self.streams.items():
            labels = dict(stream)
            values = [[str(at), line] for at, line in sorted(entries) if begin <= at < end and text in line]
            if values and wanted.items() <= labels.items():
                result.append({"stream": labels, "values": values[: int(request.query.get("limit", "100"))]})
        return web.json_response({"status": "success", "data": {"resultType": "streams", "result": result}})


def _pushed(raw: bytes, headers: Any) -> dict[str, Any]:
    """A push as documented.

    Raises:
        ValueError: it is none.
    """
    if headers.get("Content-Type") != "application/json":
        raise ValueError("snappy: corrupt input")  # any other type is read as protobuf
    told = json.loads(gzip.decompress(raw) if headers.get("Content-Encoding") == "gzip" else raw)
    streams = told.get("streams") if isinstance(told, dict) else None
    if not isinstance(streams, list) or not streams:
        raise ValueError("error at least one valid stream is required for ingestion")
    for stream in streams:
        _check_labels(stream["stream"])
        for value in stream["values"]:
            if not isinstance(value[0], str) or not value[0].isdigit() or not isinstance(value[1], str):
                raise ValueError(
                    "loghttp.PushRequest.Streams: Value looks like Number/Boolean/None, but can't find its end"
                )
            if len(value[1].encode()) > MOST_LINE:
                raise ValueError("max entry size exceeded for stream")
    return dict(told)


def _check_labels(labels: dict[str, Any]) -> None:
    if not labels or len(labels) > MOST_LABELS:
        raise ValueError(f"stream has {len(labels)} label names; limit {MOST_LABELS}, at least one")
    for name, value in labels.items():
        if LABEL.fullmatch(name) is None or not isinstance(value, str):
            raise ValueError(f"error parsing labels: {name}")


@asynccontextmanager
async def serving(double: LokiDouble, port: int = 0) -> AsyncIterator[str]:
    """The double's address, while the block runs; on loopback."""
    app = web.Application(client_max_size=4 * 2**20)
    # aiohttp would unpack by itself; the double wants to see what came.
    app.add_routes(double.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _main() -> None:
    async with serving(LokiDouble()) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
