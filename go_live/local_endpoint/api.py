"""The public job API on ``/v2/{endpoint}``, as clients of the platform see it.

HTTP 200 carries every job status, FAILED included; other statuses are the API's own (400, 401, 404, 429, 500).
Bodies of errors follow the platform's edge (``status``, ``title``, ``detail``); the queue API's own are undocumented.
"""

import hmac
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from go_live.local_endpoint import wire
from go_live.local_endpoint.exchange import Exchange
from go_live.local_endpoint.faults import Faults
from go_live.local_endpoint.fleet import Fleet
from go_live.local_endpoint.limits import MAX_BODY_BYTES, Limiter, TooManyError
from go_live.local_endpoint.mishaps import Mishaps
from go_live.local_endpoint.queue import Job, NotRetryableError, Policy, Status, UnknownJobError
from go_live.local_endpoint.settings import EndpointSettings

DEFAULT_WAIT_MS = 90_000
MIN_WAIT_MS, MAX_WAIT_MS = 1_000, 300_000
MIN_TIMEOUT_MS, MIN_TTL_MS, MAX_POLICY_MS = 5_000, 10_000, 7 * 86_400_000
FORWARDED = ("input", "webhook", "policy", "s3Config")
"""Members of a request that reach the worker."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RefusedError(Exception):
    """The API answers with this status and reason."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.status = status


class PolicyBody(msgspec.Struct):
    """``policy`` of a request; times in ms."""

    executionTimeout: int | None = None  # noqa: N815 - the platform's name
    ttl: int | None = None
    lowPriority: bool = False  # noqa: N815 - the platform's name


def authorized(request: web.Request, key: str) -> bool:
    """Whether the request carries the key, as a bearer token or bare; compared in constant time."""
    sent = request.headers.get("Authorization", "")
    token = re.sub(r"^Bearer\s+", "", sent, flags=re.IGNORECASE)
    return hmac.compare_digest(token.encode("utf-8", "surrogateescape"), key.encode())


def problem(status: HTTPStatus | int, title: str, detail: str) -> web.Response:
    """An error as the platform's edge writes it."""
    return web.json_response({"status": int(status), "title": title, "detail": detail}, status=int(status))


def job_object(job: Job) -> bytes:
    """The job as clients see it: B4's fields, those that exist."""
    fields: dict[str, bytes] = {}
    if job.delay_ms is not None:
        fields["delayTime"] = wire.text(job.delay_ms)
    if job.error is not None:
        fields["error"] = job.error
    if job.execution_ms is not None:
        fields["executionTime"] = wire.text(job.execution_ms)
    fields["id"] = wire.text(job.id)
    if job.output is not None:
        fields["output"] = job.output
    if job.retries:
        fields["retries"] = wire.text(job.retries)
    fields["status"] = wire.text(job.status)
    if job.worker is not None:
        fields["workerId"] = wire.text(job.worker)
    return wire.join(fields)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


class JobApi:
    """The routes that clients call."""

    def __init__(
        self, settings: EndpointSettings, exchange: Exchange, fleet: Fleet, faults: Faults, limiter: Limiter
    ) -> None:
        """Serve ``exchange``'s jobs."""
        self._settings = settings
        self._exchange = exchange
        self._store = exchange.store
        self._fleet = fleet
        self._limiter = limiter
        self._mishaps = Mishaps(faults)

    def routes(self, at: str = "/v2/{endpoint}") -> list[web.RouteDef]:
        """The API's routes below ``at``; another endpoint's id is 404."""
        job = "/{job}"
        return [
            web.post(f"{at}/run", self.operation("run", self._run)),
            web.post(f"{at}/runsync", self.operation("runsync", self._runsync)),
            *(web.route(m, f"{at}/status{job}", self.operation("status", self._status)) for m in ("GET", "POST")),
            web.get(f"{at}/status-sync{job}", self.operation("status-sync", self._status_sync)),
            *(web.route(m, f"{at}/stream{job}", self.operation("stream", self._stream)) for m in ("GET", "POST")),
            web.post(f"{at}/cancel{job}", self.operation("cancel", self._cancel)),
            web.post(f"{at}/retry{job}", self.operation("retry", self._retry)),
            web.get(f"{at}/health", self.operation("health", self._health)),
            web.post(f"{at}/purge-queue", self.operation("purge-queue", self._purge)),
        ]

    def operation(self, name: str, handler: Handler) -> Handler:
        """Key, endpoint, limits, then faults, then the operation; every refusal becomes its answer."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                self._admit(request)
                with self._limiter.admit(name):
                    return await self._mishaps.around(name, request, handler)
            except RefusedError as refusal:
                return problem(refusal.status, refusal.status.phrase, str(refusal))
            except TooManyError as error:
                return problem(429, "Too Many Requests", str(error))
            except UnknownJobError:
                return problem(404, "Not Found", "job not found")
            except (wire.BodyError, NotRetryableError) as error:
                return problem(400, "Bad Request", str(error))

        return answer

    def _admit(self, request: web.Request) -> None:
        if not authorized(request, self._settings.key):
            sent = "Authorization" in request.headers
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "invalid api key" if sent else "no token provided")
        if request.match_info["endpoint"] != self._settings.endpoint_id:
            raise RefusedError(HTTPStatus.NOT_FOUND, "endpoint not found")

    # Operations

    async def _run(self, request: web.Request) -> web.StreamResponse:
        job = await self._submit(request, sync=False)
        return _json(wire.join({"id": wire.text(job.id), "status": wire.text(Status.IN_QUEUE)}))

    async def _runsync(self, request: web.Request) -> web.StreamResponse:
        wait_s = _wait_s(request, DEFAULT_WAIT_MS)
        hold_s = self._mishaps.runsync_hold_s()
        job = await self._submit(request, sync=True, wait_s=wait_s, held=hold_s is not None)
        if hold_s is None:
            await self._exchange.wait_terminal(job, wait_s)
            return _json(job_object(job))
        try:
            await self._exchange.wait_terminal(job, hold_s)
            return _json(job_object(job))
        finally:
            self._exchange.release(job)

    async def _status(self, request: web.Request) -> web.StreamResponse:
        return _json(job_object(self._job(request)))

    async def _status_sync(self, request: web.Request) -> web.StreamResponse:
        job = self._job(request)
        await self._exchange.wait_terminal(job, _wait_s(request, DEFAULT_WAIT_MS))
        return _json(job_object(self._store.get(job.id)))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        job = self._job(request)
        await self._exchange.wait_chunk(job, _wait_s(request, round(self._settings.stream_hold_s * 1000)))
        chunks = [wire.join({"output": chunk}) for chunk in self._store.drain_chunks(job.id)]
        stream = b"[" + b",".join(chunks) + b"]"
        return _json(wire.join({"status": wire.text(job.status), "stream": stream}))

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        job = self._store.cancel(request.match_info["job"])
        return _json(wire.join({"id": wire.text(job.id), "status": wire.text(job.status)}))

    async def _retry(self, request: web.Request) -> web.StreamResponse:
        job = self._store.retry(request.match_info["job"])
        return _json(wire.join({"id": wire.text(job.id), "status": wire.text(Status.IN_QUEUE)}))

    async def _health(self, _: web.Request) -> web.StreamResponse:
        counts = self._store.counts
        jobs = {
            "completed": counts.completed,
            "failed": counts.failed,
            "inProgress": self._store.in_progress,
            "inQueue": self._store.queued,
            "retried": counts.retried,
        }
        return web.json_response({"jobs": jobs, "workers": self._fleet.counts()})

    async def _purge(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"removed": self._store.purge(), "status": "completed"})

    # Parts

    def _job(self, request: web.Request) -> Job:
        return self._store.get(request.match_info["job"])

    async def _submit(self, request: web.Request, *, sync: bool, wait_s: float = 0.0, held: bool = False) -> Job:
        operation = "runsync" if sync else "run"
        sent = wire.members(await self.body(request, MAX_BODY_BYTES[operation]))
        if "input" not in sent:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "the body has no input")
        forwarded = {name: sent[name] for name in FORWARDED if name in sent}
        return self.submit(forwarded, operation, policy=sent.get("policy"), wait_s=wait_s, held=held)

    async def body(self, request: web.Request, limit: int) -> bytes:
        """The request's body.

        Raises:
            RefusedError: it has more than ``limit`` bytes.
        """
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            body = b" " * (limit + 1)
        if len(body) > limit:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is larger than {limit // 1_000_000} MB")
        return body

    def submit(
        self,
        forwarded: dict[str, bytes],
        operation: str,
        *,
        policy: bytes | None = None,
        wait_s: float = 0.0,
        held: bool = False,
    ) -> Job:
        """Queue the job that ``operation`` asks for, with whatever fault applies to it.

        Raises:
            RefusedError: the policy is not one.
        """
        sync = operation != "run"
        job = self._exchange.submit(forwarded, self._policy(policy, sync=sync, wait_s=wait_s), sync=sync, held=held)
        job.spoilt = self._mishaps.spoilt(operation)
        if error := self._mishaps.job_error(operation):
            self._store.fail(job.id, error)
        return job

    def _policy(self, sent: bytes | None, *, sync: bool, wait_s: float) -> Policy:
        try:
            asked = msgspec.json.decode(sent or b"{}", type=PolicyBody)
        except msgspec.MsgspecError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"policy: {error}") from error
        settings = self._settings
        retention = max(settings.retention_runsync_s, wait_s) if sync else settings.retention_run_s
        return Policy(
            ttl_s=_bounded(asked.ttl, "ttl", MIN_TTL_MS, settings.ttl_s),
            execution_timeout_s=_bounded(
                asked.executionTimeout, "executionTimeout", MIN_TIMEOUT_MS, settings.execution_timeout_s
            ),
            retention_s=retention,
            low_priority=asked.lowPriority,
        )


def _bounded(asked_ms: int | None, name: str, lowest_ms: int, default_s: float) -> float:
    """A policy's time in seconds, or the default."""
    if asked_ms is None:
        return default_s
    if not lowest_ms <= asked_ms <= MAX_POLICY_MS:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"policy.{name} must be {lowest_ms} to {MAX_POLICY_MS} ms")
    return asked_ms / 1000


def _wait_s(request: web.Request, default_ms: int) -> float:
    """``?wait=`` in seconds, or the default."""
    asked = request.query.get("wait")
    if asked is None:
        return default_ms / 1000
    if not (asked.isascii() and asked.isdigit() and len(asked) < len(str(MAX_WAIT_MS)) + 1):
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"wait must be {MIN_WAIT_MS} to {MAX_WAIT_MS} ms")
    if not MIN_WAIT_MS <= int(asked) <= MAX_WAIT_MS:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"wait must be {MIN_WAIT_MS} to {MAX_WAIT_MS} ms")
    return int(asked) / 1000
