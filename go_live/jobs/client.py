"""The asynchronous client of the job API: one exchange a method, and whole jobs with a deadline.

No exchange is ever repeated behind the caller's back: a measured request is one record. Only polling a job's status is
tried again, within the deadline.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from go_live import __version__
from go_live.errors import UsageError
from go_live.jobs import whole
from go_live.jobs.answer import TERMINAL, Answer, Chunk
from go_live.jobs.classify import classify
from go_live.jobs.transport import (
    Health,
    JobApiError,
    Reply,
    authorization,
    endpoint_url,
    proxy_for,
    transport_error,
)
from go_live.records import ErrorClass

USER_AGENT = f"golive/{__version__}"
"""Said openly: the platform's edge refuses some libraries' default names."""
IDLE_CONNECTION_S = 4
"""How long an idle connection is kept: below the shortest common server keep-alive (uvicorn's 5 s), because a POST on a
connection that the server has just closed fails and is not repeated."""
CONNECT_S = 10
CONTROL_S = 10
"""How long status, cancel, health and other small calls may take."""
STREAM_S = 30
"""How long one ``/stream`` call may take; the platform holds an empty one for about 10 s."""
WAIT_MIN_MS, WAIT_MAX_MS = 1000, 300_000
"""Bounds of ``/runsync?wait=`` (RunPod operation reference)."""
GRACE_S = 10
"""How long a ``/runsync`` reply may lag behind its wait (RunPod: client timeout at least the wait + 10 s)."""
ENCODER = json.JSONEncoder(allow_nan=False)
CLOSE_S = 15
"""How long closing waits for cancels of abandoned jobs."""


class Page(msgspec.Struct, frozen=True):
    """One reply of ``/stream``: when it was whole (monotonic seconds), the job's status, and what had come since."""

    at: float
    status: str
    outputs: tuple[Any, ...]


class Endpoint:
    """One serverless endpoint, as an async context manager.

    ``sent``, ``first_token`` and ``done`` of an answer are readings of ``clock``. The key goes into one header, never
    follows a redirect, and appears in no repr, exception or detail.
    """

    def __init__(
        self,
        job_api: str,
        endpoint_id: str,
        key: str,
        *,
        connections: int = 100,
        timeout_s: float = 45,
        trust_env: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Check the arguments; nothing is sent before the first call.

        Args:
            job_api: base, for example ``https://api.runpod.ai/v2``.
            endpoint_id: as in the console.
            key: API key; empty sends no Authorization header.
            connections: how many may be open at once; keep it above the concurrency offered. 0: no limit.
            timeout_s: default deadline of a whole job, seconds.
            trust_env: whether a proxy in the environment is used; None: not for loopback targets.
            clock: monotonic seconds.

        Raises:
            UsageError: base, id, key or deadline cannot be used.
        """
        if not timeout_s > 0:
            raise UsageError(f"the deadline must be above 0 s, not {timeout_s}")
        self.url = endpoint_url(job_api, endpoint_id)
        self.timeout_s = timeout_s
        self.clock = clock
        self.hide = (key.strip(),)
        self._headers = {"User-Agent": USER_AGENT, **authorization(key)}
        self._connections = connections
        self._proxy = proxy_for(self.url, trust_env=trust_env)
        self._session: aiohttp.ClientSession | None = None
        self._background: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        """The URL, with the key masked."""
        return f"Endpoint({self.url!r}, key=***)"

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=IDLE_CONNECTION_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            auto_decompress=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let cancels of abandoned jobs finish (at most ``CLOSE_S``), then close every connection."""
        try:
            if self._background:
                await asyncio.wait(self._background, timeout=CLOSE_S)
        finally:
            for task in self._background:
                task.cancel()
            if self._session is not None:
                await self._session.close()
                self._session = None

    async def run(self, job_input: Mapping[str, Any], **top_level: Any) -> Reply:
        """``POST /run``: queue a job. ``top_level`` goes beside ``input`` (webhook, policy, s3Config)."""
        return await self._exchange("POST", "run", body=_body(job_input, top_level), limit_s=CONTROL_S)

    async def runsync(self, job_input: Mapping[str, Any], wait_ms: int = 90_000, **top_level: Any) -> Reply:
        """``POST /runsync``: queue a job and hold the call for up to ``wait_ms``; the reply may still be IN_QUEUE."""
        wait = min(max(wait_ms, WAIT_MIN_MS), WAIT_MAX_MS)
        body = _body(job_input, top_level)
        return await self._exchange("POST", f"runsync?wait={wait}", body=body, limit_s=wait / 1000 + GRACE_S)

    async def status(self, job: str) -> Reply:
        """``GET /status/{job}``."""
        return await self._exchange("GET", f"status/{_job(job)}", limit_s=CONTROL_S)

    async def status_sync(self, job: str, wait_ms: int) -> Reply:
        """``GET /status-sync/{job}``: as ``status``, held until the job has ended, at most ``wait_ms``.

        RunPod's own JavaScript client calls it; its documentation does not name it.
        """
        wait = min(max(wait_ms, WAIT_MIN_MS), WAIT_MAX_MS)
        return await self._exchange("GET", f"status-sync/{_job(job)}?wait={wait}", limit_s=wait / 1000 + GRACE_S)

    async def cancel(self, job: str) -> Reply:
        """``POST /cancel/{job}``."""
        return await self._exchange("POST", f"cancel/{_job(job)}", limit_s=CONTROL_S)

    async def retry(self, job: str) -> Reply:
        """``POST /retry/{job}``: queue a FAILED or TIMED_OUT job once more under the same id."""
        return await self._exchange("POST", f"retry/{_job(job)}", limit_s=CONTROL_S)

    async def post_raw(self, path: str, body: bytes) -> Reply:
        """POST these very bytes to ``path`` (``run``, ``runsync``): for what no JSON library would send."""
        return await self._exchange("POST", path.lstrip("/"), body=body, limit_s=self.timeout_s)

    async def get_raw(self, path: str) -> Reply:
        """GET ``path`` (``health``, ``stream/{job}``) as it comes, whatever the status."""
        return await self._exchange("GET", path.lstrip("/"), limit_s=STREAM_S)

    async def health(self) -> Health:
        """``GET /health``.

        Raises:
            TransportError: no whole response.
            JobApiError: not a health object (wrong key, unknown endpoint, HTML).
        """
        reply = await self._exchange("GET", "health", limit_s=CONTROL_S)
        if reply.http_status == 200 and reply.data:  # noqa: PLR2004 - HTTP's own number
            try:
                return msgspec.convert(reply.data, Health)
            except msgspec.ValidationError as error:
                raise JobApiError(ErrorClass.MALFORMED, f"{self.url}/health: {error}") from None
        raise self._refused("health", reply)

    async def purge_queue(self) -> int:
        """``POST /purge-queue``: drop pending jobs; how many were dropped.

        Raises:
            TransportError: no whole response.
            JobApiError: the endpoint did not say how many.
        """
        reply = await self._exchange("POST", "purge-queue", limit_s=CONTROL_S)
        removed = reply.data.get("removed")
        if reply.http_status != 200 or type(removed) is not int:  # noqa: PLR2004 - HTTP's own number
            raise self._refused("purge-queue", reply)
        return removed

    async def stream(self, job: str) -> AsyncIterator[Chunk]:
        """``GET /stream/{job}`` until the job has ended and every chunk is drained.

        Raises:
            TransportError: no whole response.
            JobApiError: the endpoint answered with no stream (unknown job, HTML, 429).
        """
        async with contextlib.aclosing(self.stream_pages(job)) as pages:
            async for page in pages:
                for output in page.outputs:
                    yield Chunk(page.at, output)

    async def stream_pages(self, job: str) -> AsyncGenerator[Page, None]:
        """The replies of ``/stream`` one by one, the last of them terminal and empty; raises as ``stream`` does."""
        drained = False
        while not drained:
            reply = await self._exchange("GET", f"stream/{_job(job)}", limit_s=STREAM_S)
            page = _page(self.clock(), reply)
            if page is None:
                raise self._refused("stream", reply)
            yield page
            drained = page.status in TERMINAL and not page.outputs

    async def complete(
        self,
        job_input: Mapping[str, Any],
        *,
        deadline_s: float | None = None,
        needs_text: bool = True,
        **top_level: Any,
    ) -> Answer:
        """Send one job and see it to its end.

        ``/runsync`` first; when its wait ends before the job does, ``/status`` is polled. At the deadline, and when the
        caller is cancelled, the job is cancelled upstream in the background.

        Args:
            job_input: the job's ``input``.
            deadline_s: seconds from now; default ``timeout_s``.
            needs_text: False for jobs whose answer is no text (the probe).
            top_level: further keys of the request beside ``input``.

        Returns:
            An answer, whatever happens; its ``error`` says what went wrong.
        """
        return await whole.complete(
            self, job_input, deadline_s=deadline_s or self.timeout_s, needs_text=needs_text, top_level=top_level
        )

    async def complete_streaming(
        self,
        job_input: Mapping[str, Any],
        *,
        deadline_s: float | None = None,
        needs_text: bool = True,
        **top_level: Any,
    ) -> Answer:
        """As ``complete``, over ``/run`` and ``/stream``: ``chunks`` and ``first_token`` are filled in."""
        return await whole.complete_streaming(
            self, job_input, deadline_s=deadline_s or self.timeout_s, needs_text=needs_text, top_level=top_level
        )

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` in a task that closing the endpoint waits for (at most ``CLOSE_S``)."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def judge(self, reply: Reply, *, needs_text: bool = True, hide: tuple[str, ...] = ()) -> Answer:
        """Classify a reply, keeping the key and ``hide`` out of the detail."""
        hidden = (*self.hide, *hide)
        return classify(reply.http_status, reply.content_type, reply.body, needs_text=needs_text, hide=hidden)

    def _refused(self, what: str, reply: Reply) -> JobApiError:
        answer = self.judge(reply)
        return JobApiError(answer.error or ErrorClass.MALFORMED, f"{self.url}/{what}: {answer.detail or 'no answer'}")

    async def _exchange(self, method: str, path: str, *, limit_s: float, body: bytes | None = None) -> Reply:
        """One request and its whole response.

        Raises:
            TransportError: no whole response arrived.
        """
        if self._session is None:
            raise UsageError("use the endpoint inside `async with Endpoint(...)`")
        headers = {"Content-Type": "application/json"} if body is not None else None
        try:
            async with (
                asyncio.timeout(limit_s),
                self._session.request(
                    method,
                    f"{self.url}/{path}",
                    data=body,
                    headers=headers,
                    proxy=self._proxy,
                    allow_redirects=False,
                ) as response,
            ):
                content_type = response.headers.get("Content-Type", "")
                body = await response.read()
                return Reply(response.status, content_type, body, self.clock())
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise transport_error(error, f"{self.url}/{path}", self.hide) from None


def _page(at: float, reply: Reply) -> Page | None:
    """A ``/stream`` reply as a page; None when it is no such reply."""
    pieces, status = reply.data.get("stream"), reply.data.get("status")
    if reply.http_status != 200 or not isinstance(status, str):  # noqa: PLR2004 - HTTP's own number
        return None
    listed = pieces if isinstance(pieces, list) else []
    return Page(at, status, tuple(piece.get("output") if isinstance(piece, dict) else piece for piece in listed))


def _body(job_input: Mapping[str, Any], top_level: Mapping[str, Any]) -> bytes:
    """The request's JSON. Not msgspec's, which writes NaN as null and refuses lone surrogates.

    Raises:
        UsageError: the input is empty (the platform then hands the job out for ever), or no JSON can say it.
    """
    if not job_input:
        raise UsageError("the job's input is empty; RunPod's workers refuse such a job over and over")
    try:
        return ENCODER.encode({"input": dict(job_input), **top_level}).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"the job's input cannot be written as JSON ({type(error).__name__})") from None


def _job(job: str) -> str:
    """A job id that is safe in a path.

    Raises:
        UsageError: it is not.
    """
    if not job or not all(char.isalnum() or char in "-_" for char in job):
        raise UsageError(f"{job[:80]!r} is no job id")
    return job
