"""REST v2 and GraphQL of the double: routes over a state. Errors are RFC 9457 problems, as specified."""

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from go_live.local_endpoint.management_double import graphql, shapes
from go_live.local_endpoint.management_double.bodies import Change, New, RefusedError, parse
from go_live.local_endpoint.management_double.crew import Crew, PretendCrew, Seen
from go_live.local_endpoint.management_double.endpoint import DoubledEndpoint, created
from go_live.local_endpoint.management_double.mishaps import Mishap, Mishaps, Quota
from go_live.local_endpoint.management_double.settings import Described

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ENDPOINTS = "/v2/serverless"
ONE = f"{ENDPOINTS}/{{id}}"
HANG_S = 3600.0
TOO_MANY = 429
TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
TITLES |= {422: "Unprocessable Entity", 429: "Too Many Requests"}


class ManagementDouble:
    """The account: its endpoints and templates, and the routes that tell of them."""

    def __init__(
        self,
        described: Described,
        key: str,
        *,
        read_only_key: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """An account without an endpoint.

        Args:
            described: quirks, templates and quota; ``add`` takes the endpoint.
            key: may do everything.
            read_only_key: may read.
            clock: monotonic seconds.
            wall: Unix time.
        """
        self.described = described
        self.endpoints: dict[str, DoubledEndpoint] = {}
        self.crews: dict[str, Crew] = {}
        self.mishaps = Mishaps()
        self.writes: list[str] = []
        """Every write that took effect: ``PATCH local``."""
        self.new_crew: Callable[[DoubledEndpoint], Crew] = lambda _: PretendCrew()
        """Makes the workers of an endpoint that a POST creates."""
        self.gone: Callable[[str], None] = lambda _: None
        """Hears of an endpoint that a DELETE removed."""
        self.job_api = "http://127.0.0.1/v2"
        """Base of the endpoints' ``requestUrls``."""
        self._key, self._read_only_key = key, read_only_key
        self._wall = wall
        self.quota = Quota(described.quota_per_minute, clock)
        self._templates = {one.id: shapes.template(one) for one in described.templates}

    def add(self, config: Json, crew: Crew, *, template_id: str = "") -> DoubledEndpoint:
        """Take an endpoint in: ``config`` in the API's shape, with ``workers.idleTimeout``."""
        endpoint = DoubledEndpoint({"createdAt": self.now(), **config}, now=self.now, template_id=template_id)
        endpoint.idle_for(self.described.idle_days)
        self.endpoints[endpoint.id], self.crews[endpoint.id] = endpoint, crew
        crew.released(endpoint.config, endpoint.version)
        crew.scaled(endpoint.config)
        return endpoint

    def routes(self) -> list[web.RouteDef]:
        """REST v2's routes, and GraphQL's. Worker logs come from another module, which wraps its handler likewise."""
        return [
            web.get(ENDPOINTS, self.guarded("GET /serverless", self._list)),
            web.post(ENDPOINTS, self.guarded("POST /serverless", self._create)),
            web.get(ONE, self.guarded("GET /serverless/{id}", self._get)),
            web.patch(ONE, self.guarded("PATCH /serverless/{id}", self._patch)),
            web.delete(ONE, self.guarded("DELETE /serverless/{id}", self._delete)),
            web.get(f"{ONE}/workers", self.guarded("GET /serverless/{id}/workers", self._workers)),
            web.get(f"{ONE}/releases", self.guarded("GET /serverless/{id}/releases", self._releases)),
            web.get("/v2/templates", self.guarded("GET /templates", self._list_templates)),
            web.get("/v2/templates/{id}", self.guarded("GET /templates/{id}", self._template)),
            web.get("/v2/catalog/gpus", self.guarded("GET /catalog/gpus", self._gpus)),
            web.post("/graphql", self.guarded("POST /graphql", self._graphql)),
        ]

    def guarded(self, operation: str, handler: Handler) -> Handler:
        """Key, quota, mishaps, then the operation; every refusal becomes a problem document."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                self._admit(request)
                mishap = self.mishaps.take(operation)
                if mishap is not None and not mishap.applied:
                    return await self._mishap(request, mishap)
                response = await handler(request)
                if mishap is not None:
                    return await self._mishap(request, mishap)
            except RefusedError as refused:
                response = self.problem(refused.status, refused.detail, *refused.errors)
                if refused.status == TOO_MANY and self.described.quirks.retry_after:
                    response.headers["Retry-After"] = str(self.quota.resets_s)
            if not response.prepared:
                response.headers.update(self._limits())
            return response

        return answer

    def problem(self, status: int, detail: str, *errors: str, headers: Mapping[str, str] | None = None) -> web.Response:
        """An RFC 9457 problem document."""
        body: Json = {"title": TITLES.get(status, "Internal Server Error"), "status": status, "detail": detail}
        body |= {"errors": list(errors)} if errors else {}
        return web.Response(
            status=status,
            body=json.dumps(body).encode(),
            content_type="application/problem+json",
            headers=dict(headers or {}),
        )

    def one(self, request: web.Request) -> DoubledEndpoint:
        """The endpoint that a request names.

        Raises:
            RefusedError: 404.
        """
        endpoint = self.endpoints.get(request.match_info["id"])
        if endpoint is None:
            raise RefusedError(404, "endpoint not found")
        return endpoint

    def now(self) -> str:
        """The wall clock as the API writes it."""
        return shapes.iso(self._wall())

    # Who may

    def _admit(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise RefusedError(401, "missing bearer token")
        sent = token.strip().encode("utf-8", "surrogateescape")
        full = hmac.compare_digest(sent, self._key.encode())
        reader = self._read_only_key is not None and hmac.compare_digest(sent, self._read_only_key.encode())
        if not full and not reader:
            raise RefusedError(401, "invalid bearer token")
        if not full and request.method not in {"GET", "HEAD"} and not request.path.endswith("/graphql"):
            raise RefusedError(403, "access denied")
        if not self.quota.admit():
            raise RefusedError(429, "rate limit exceeded for the minute window")

    def _limits(self) -> dict[str, str]:
        """The rate-limit headers, as far as the quirks have them."""
        quirks = self.described.quirks
        headers = {}
        if quirks.rate_limit_headers:
            headers["RateLimit"] = f'"minute";r={self.quota.left};t={self.quota.resets_s}'
            headers["RateLimit-Policy"] = f'"minute";q={self.quota.per_minute};w=60'
        return headers

    async def _mishap(self, request: web.Request, mishap: Mishap) -> web.StreamResponse:
        if mishap.kind == "hang":
            await asyncio.sleep(HANG_S)
        if mishap.kind == "html":
            page = "<html><head><title>524: A timeout occurred</title></head></html>"
            return web.Response(status=mishap.status, text=page, content_type="text/html", headers=mishap.headers)
        if mishap.kind == "garbage":
            return web.json_response({"unexpected": True})
        if mishap.kind == "cut":
            response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
            await response.prepare(request)
            await response.write(b'{"id": ')
            if request.transport is not None:
                request.transport.close()
            return response
        return self.problem(mishap.status, "injected", headers=mishap.headers)

    # What is

    async def _list(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"endpoints": [self._told(one) for one in self.endpoints.values()]})

    async def _get(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._told(self.one(request)))

    async def _workers(self, request: web.Request) -> web.StreamResponse:
        endpoint = self.one(request)
        told = shapes.workers(endpoint, self._seen(endpoint), gpu_type=self.described.gpu_type, now=self._wall())
        return web.json_response(told)

    async def _releases(self, request: web.Request) -> web.StreamResponse:
        endpoint = self.one(request)
        return web.json_response(shapes.releases(endpoint, self._seen(endpoint)))

    async def _list_templates(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"templates": list(self._templates.values())})

    async def _template(self, request: web.Request) -> web.StreamResponse:
        template = self._templates.get(request.match_info["id"])
        if template is None:
            raise RefusedError(404, "template not found")
        return web.json_response(template)

    async def _gpus(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"gpus": shapes.catalog()})

    async def _graphql(self, request: web.Request) -> web.StreamResponse:
        quirk = self.described.quirks.graphql
        if quirk == "retired":
            raise RefusedError(404, "this API has been retired")
        if quirk == "refused":
            raise RefusedError(403, "access denied")
        if quirk == "failing":
            return web.json_response({"errors": [{"message": "Something went wrong."}]})
        try:
            query = str((await request.json())["query"])
        except (ValueError, KeyError, TypeError):
            raise RefusedError(400, "the request body holds no query") from None
        return web.json_response(graphql.answer(query, self.endpoints.values(), silent=quirk == "silent"))

    # What is done

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = parse(await request.read(), New)
        endpoint_id = secrets.token_hex(7)
        made = {"id": endpoint_id, "createdAt": self.now()}
        omitted = self.described.quirks.omitted_timeout_ms
        config = created(body, self._templates, made=made, omitted_timeout_ms=omitted)
        endpoint = DoubledEndpoint(config, now=self.now, template_id=f"tpl-{endpoint_id}")
        crew = self.new_crew(endpoint)
        self.endpoints[endpoint.id], self.crews[endpoint.id] = endpoint, crew
        crew.released(endpoint.config, endpoint.version)
        crew.scaled(endpoint.config)
        self.writes.append(f"POST {endpoint.id}")
        return web.json_response(self._told(endpoint), status=201)

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        endpoint = self.one(request)
        body = parse(await request.read(), Change)
        released = endpoint.change(body, self._templates, idle_timeout=self._tells_idle_timeout)
        crew = self.crews[endpoint.id]
        crew.scaled(endpoint.config)
        if released:
            crew.released(endpoint.config, endpoint.version)
        self.writes.append(f"PATCH {endpoint.id}")
        return web.json_response(self._told(endpoint))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        endpoint = self.one(request)
        del self.endpoints[endpoint.id], self.crews[endpoint.id]
        self._templates.pop(endpoint.template_id, None)
        self.gone(endpoint.id)
        self.writes.append(f"DELETE {endpoint.id}")
        return web.Response(status=204)

    # Shapes

    def _seen(self, endpoint: DoubledEndpoint) -> list[Seen]:
        """The workers, the first of them as stale as they are described."""
        seen = self.crews[endpoint.id].seen()
        for one in seen[: self.described.stale_workers]:
            one.version -= 1
        return seen

    @property
    def _tells_idle_timeout(self) -> bool:
        return self.described.quirks.idle_timeout == "told"

    def _told(self, endpoint: DoubledEndpoint) -> Json:
        urls = shapes.urls(self.job_api, endpoint.id)
        return endpoint.told(idle_timeout=self._tells_idle_timeout) | {"requestUrls": urls}
