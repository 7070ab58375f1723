"""The typed client of the management API: REST v2, and GraphQL for what v2 lacks.

Reads are repeated where that is safe, writes are not (``retries``); a quota that is used up is waited for before it
refuses. One client lives on one event loop; its calls may overlap.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import msgspec

from go_live.errors import UsageError
from go_live.jobs.client import CONNECT_S, IDLE_CONNECTION_S, USER_AGENT
from go_live.jobs.transport import authorization, endpoint_url, proxy_for
from go_live.management import graphql
from go_live.management.errors import ManagementError, RateLimitedError
from go_live.management.exchange import EVENTS, Reply, Sender, decode
from go_live.management.models import (
    Endpoint,
    EndpointCreate,
    EndpointUpdate,
    GpuType,
    LegacyEndpoint,
    ReleaseList,
    Template,
    WorkerList,
    body,
)
from go_live.management.retries import Policy, asked_s, may_repeat, pause_s, used_up_s

TIMEOUT_S = 30.0
"""How long one call may take in all."""
CONNECTIONS = 64
"""At once: a worker's log stream holds one for as long as the worker lives."""

Kind = TypeVar("Kind")


class _Endpoints(msgspec.Struct, frozen=True):
    endpoints: tuple[Endpoint, ...]


class _Templates(msgspec.Struct, frozen=True):
    templates: tuple[Template, ...]


class _Gpus(msgspec.Struct, frozen=True):
    gpus: tuple[GpuType, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the client takes from outside, so that a test can give it."""

    clock: Callable[[], float] = time.monotonic
    """Seconds."""
    wall: Callable[[], float] = time.time
    """Unix time."""
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep
    draw: Callable[[], float] = random.random
    """A number in [0, 1)."""


class ManagementClient:
    """The management API, as an async context manager.

    Every method raises a ``ManagementError`` (see ``errors``) when it cannot say what is true. The key goes into one
    header, never follows a redirect, and appears in no repr and no message.
    """

    def __init__(
        self,
        base: str,
        key: str,
        *,
        policy: Policy | None = None,
        timeout_s: float = TIMEOUT_S,
        trust_env: bool | None = None,
        world: World | None = None,
    ) -> None:
        """Check the arguments; nothing is sent before the first call.

        Args:
            base: for example ``https://api.runpod.io/v2``.
            key: API key.
            policy: how often and how patiently a call is repeated.
            timeout_s: longest that one call may take.
            trust_env: whether a proxy in the environment is used; None: not for loopback.
            world: clocks, sleep and chance; None: the real ones.

        Raises:
            UsageError: base or key cannot be used.
        """
        if not key.strip():
            raise UsageError("the management API needs an API key")
        self.base = endpoint_url(base, "serverless").removesuffix("/serverless")
        self.hide = (key.strip(),)
        self._headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **authorization(key)}
        self._policy = policy or Policy()
        self._timeout_s = timeout_s
        self._proxy = proxy_for(self.base, trust_env=trust_env)
        self._world = world or World()
        self._quota_at = float("-inf")
        self._session: aiohttp.ClientSession | None = None
        self._sender: Sender | None = None

    def __repr__(self) -> str:
        """The base, with the key masked."""
        return f"ManagementClient({self.base!r}, key=***)"

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_CONNECTION_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=CONNECT_S),
        )
        self._sender = Sender(self._session, proxy=self._proxy, hide=self.hide)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
        self._session = self._sender = None

    # What is

    async def endpoints(self) -> tuple[Endpoint, ...]:
        """Every serverless endpoint of the account."""
        return (await self._get("serverless", _Endpoints)).endpoints

    async def endpoint(self, endpoint_id: str) -> Endpoint:
        """An endpoint's configuration."""
        return await self._get(f"serverless/{_id(endpoint_id)}", Endpoint)

    async def workers(self, endpoint_id: str) -> WorkerList:
        """An endpoint's active workers."""
        return await self._get(f"serverless/{_id(endpoint_id)}/workers", WorkerList)

    async def releases(self, endpoint_id: str) -> ReleaseList:
        """An endpoint's releases, newest first, and how far the newest has come."""
        return await self._get(f"serverless/{_id(endpoint_id)}/releases", ReleaseList)

    async def templates(self) -> tuple[Template, ...]:
        """Every template of the account."""
        return (await self._get("templates", _Templates)).templates

    async def template(self, template_id: str) -> Template:
        """A template, own or public."""
        return await self._get(f"templates/{_id(template_id)}", Template)

    async def gpu_types(self) -> tuple[GpuType, ...]:
        """The catalog: which GPU is in which serverless pool."""
        return (await self._get("catalog/gpus", _Gpus)).gpus

    async def legacy_endpoint(self, endpoint_id: str) -> LegacyEndpoint | None:
        """What GraphQL tells of an endpoint, for what v2 has no word for; None: it knows no such endpoint.

        Raises:
            GraphQlError: GraphQL answered with errors (a retired or renamed field among them).
        """
        sent = {"query": graphql.ENDPOINTS}
        what = "GraphQL endpoints"
        reply = await self._call("POST", self.graphql_url, what=what, write=False, sent=sent)
        return graphql.pick(decode(reply, graphql.Answer, what=what), endpoint_id)

    @property
    def graphql_url(self) -> str:
        """GraphQL lives beside REST: ``https://api.runpod.io/graphql``."""
        return f"{self.base.rpartition('/')[0]}/graphql"

    @asynccontextmanager
    async def log_stream(
        self, endpoint_id: str, worker_id: str, *, query: Mapping[str, str], last_event_id: str | None = None
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """A worker's log as server-sent events, for as long as the worker is active. Never repeated here.

        Args:
            endpoint_id: its endpoint.
            worker_id: of the list of ``workers``.
            query: ``source``, ``tail``, ``since`` as specified.
            last_event_id: resumes behind this event, and makes ``tail`` and ``since`` count for nothing.

        Raises:
            ManagementError: it could not be opened, or broke; a silence of ``SILENCE_S`` is a break.
        """
        if self._sender is None:
            raise RuntimeError("use the client as an async context manager")
        path = f"serverless/{_id(endpoint_id)}/workers/{_id(worker_id)}/logs"
        headers = {"Accept": EVENTS} | ({"Last-Event-ID": last_event_id} if last_event_id is not None else {})
        async with self._sender.stream(
            f"{self.base}/{path}", what=f"GET /{path}", query=query, headers=headers
        ) as body:
            yield body

    # What is done

    async def update(self, endpoint_id: str, change: EndpointUpdate) -> Endpoint:
        """Change what ``change`` sets, and nothing else; the endpoint as it is then. Never repeated blindly."""
        path = f"serverless/{_id(endpoint_id)}"
        return await self._write("PATCH", path, Endpoint, body(change))

    async def create(self, new: EndpointCreate) -> Endpoint:
        """Create an endpoint. Never repeated blindly."""
        return await self._write("POST", "serverless", Endpoint, body(new))

    async def delete(self, endpoint_id: str) -> None:
        """Delete an endpoint, its workers, its jobs and its bound template. Never repeated blindly."""
        path = f"serverless/{_id(endpoint_id)}"
        await self._call("DELETE", f"{self.base}/{path}", what=f"DELETE /{path}", write=True)

    # How

    async def _get(self, path: str, kind: type[Kind]) -> Kind:
        what = f"GET /{path}"
        return decode(await self._call("GET", f"{self.base}/{path}", what=what, write=False), kind, what=what)

    async def _write(self, method: str, path: str, kind: type[Kind], sent: Mapping[str, Any]) -> Kind:
        what = f"{method} /{path}"
        reply = await self._call(method, f"{self.base}/{path}", what=what, write=True, sent=sent)
        return decode(reply, kind, what=what, write=True)

    async def _call(self, method: str, url: str, *, what: str, write: bool, sent: Any = None) -> Reply:
        """Send, and send again where that is safe; the first success.

        Raises:
            ManagementError: it failed for good.
        """
        attempt = 0
        while True:
            attempt += 1
            await self._wait_for_quota(what)
            failed, asked = await self._once(method, url, what=what, write=write, sent=sent)
            if isinstance(failed, Reply):
                return failed
            if attempt >= self._policy.attempts or not may_repeat(failed, write=write):
                raise failed
            if asked is not None and asked > self._policy.patience_s:
                raise failed
            await self._world.sleep(pause_s(self._policy, attempt, self._world.draw(), asked))

    async def _once(
        self, method: str, url: str, *, what: str, write: bool, sent: Any
    ) -> tuple[Reply | ManagementError, float | None]:
        """One exchange: the reply or the error, and the pause that the API asks for before another."""
        if self._sender is None:
            raise RuntimeError("use the client as an async context manager")
        try:
            reply = await self._sender.send(method, url, what=what, write=write, body=sent)
        except ManagementError as error:
            return error, None
        self._note_quota(reply)
        if reply.ok:
            return reply, None
        refused = self._sender.refusal(reply, what=what, write=write)
        asked = asked_s(reply.headers, self._world.wall())
        if isinstance(refused, RateLimitedError):
            refused.wait_s = asked
        return refused, asked

    def _note_quota(self, reply: Reply) -> None:
        """Remember until when a window is used up."""
        if reply.ok and (wait := used_up_s(reply.headers.get("RateLimit", ""))) is not None:
            self._quota_at = max(self._quota_at, self._world.clock() + wait)

    async def _wait_for_quota(self, what: str) -> None:
        """Wait until a window that is used up has ended.

        Raises:
            RateLimitedError: that is longer than golive waits.
        """
        wait = self._quota_at - self._world.clock()
        if wait <= 0:
            return
        if wait > self._policy.patience_s:
            text = f"{what}: the account's quota is used up for {wait:.0f} s more: wait and try again"
            error = RateLimitedError(text, status=429)
            error.wait_s = wait
            raise error
        await self._world.sleep(wait)


def _id(name: str) -> str:
    """An id that stays one segment of a path.

    Raises:
        UsageError: it would not.
    """
    if not name or not all(char.isalnum() or char in "-_" for char in name) or not name.isascii():
        raise UsageError(f"{name!r} is no id of the management API: letters, digits, '-' and '_' only")
    return name
