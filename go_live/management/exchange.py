"""One HTTP exchange with the management API: sent, read, and named when it breaks. Nothing is repeated here."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp
import msgspec

from go_live.jobs.classify import clean
from go_live.jobs.client import CONNECT_S
from go_live.management.errors import (
    BrokenConnectionError,
    HtmlError,
    ManagementError,
    RateLimitedError,
    ShapeError,
    TimedOutError,
    status_error,
)
from go_live.management.retries import asked_s

EVENTS = "text/event-stream"
MAX_PROBLEM_BYTES = 65536
SILENCE_S = 60.0
"""A log stream that says nothing for so long is opened anew: a connection may be dead and nobody tells."""
MAX_BODY_BYTES = 32 * 2**20
"""More than any documented answer; a body without end must not fill the memory."""


Kind = TypeVar("Kind")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole HTTP response."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_html(self) -> bool:
        """Whether it is a page."""
        return "html" in self.content_type or self.body.lstrip()[:1] == b"<"


class Sender:
    """Sends one request over an open session."""

    def __init__(self, session: aiohttp.ClientSession, *, proxy: str | None, hide: tuple[str, ...]) -> None:
        """``hide`` are secrets that no message may hold."""
        self._session = session
        self._proxy = proxy
        self._hide = hide

    async def send(self, method: str, url: str, *, what: str, write: bool, body: Any = None) -> Reply:
        """The answer, whatever its status.

        Raises:
            UnreachableError: no whole response arrived.
        """
        data = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            async with self._session.request(
                method, url, data=data, headers=headers, proxy=self._proxy, allow_redirects=False
            ) as response:
                content = await _read(response)
                return Reply(
                    status=response.status, content_type=response.content_type, headers=response.headers, body=content
                )
        except TimeoutError as error:
            raise TimedOutError(f"{what}: no whole answer in time: try again", maybe_applied=write) from error
        except aiohttp.ClientConnectorError as error:
            # Nothing was sent.
            raise BrokenConnectionError(f"{what}: cannot connect: {self._clean(error)}") from error
        except (aiohttp.ClientError, OSError) as error:
            text = f"{what}: the connection broke: {self._clean(error)}"
            raise BrokenConnectionError(text, maybe_applied=write) from error

    @asynccontextmanager
    async def stream(
        self, url: str, *, what: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """The body of a stream of events, as it comes; whatever breaks it is named.

        Raises:
            ManagementError: the API refused it, answered something else, or the connection broke.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        try:
            async with self._session.get(
                url, params=query, headers=headers, proxy=self._proxy, allow_redirects=False, timeout=limits
            ) as response:
                if response.status != HTTPStatus.OK or response.content_type != EVENTS:
                    raise await self._no_stream(response, what)
                yield response.content
        except TimeoutError as error:
            raise TimedOutError(f"{what}: the stream was silent for {SILENCE_S:.0f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenConnectionError(f"{what}: the stream broke: {self._clean(error)}") from error

    async def _no_stream(self, response: aiohttp.ClientResponse, what: str) -> ManagementError:
        """Why an answer is no stream of events."""
        reply = Reply(
            status=response.status,
            content_type=response.content_type,
            headers=response.headers,
            body=await response.content.read(MAX_PROBLEM_BYTES) if response.content_type != EVENTS else b"",
        )
        if reply.ok and not reply.is_html:
            return ShapeError(f"{what}: the answer is {reply.content_type}, not a stream of events")
        refused = self.refusal(reply, what=what, write=False)
        if isinstance(refused, RateLimitedError):
            refused.wait_s = asked_s(reply.headers, time.time())
        return refused

    def _clean(self, error: BaseException) -> str:
        return clean(f"{type(error).__name__}: {error}", self._hide) or type(error).__name__

    def refusal(self, reply: Reply, *, what: str, write: bool) -> ManagementError:
        """Why ``reply`` is no success."""
        failed = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        if reply.is_html:
            text = f"{what}: HTTP {reply.status} with a page instead of JSON: a proxy or the platform's edge answered"
            return HtmlError(f"{text}; try again", maybe_applied=write and (failed or reply.ok))
        return status_error(reply.status, what, self._detail(reply.body), maybe_applied=write and failed)

    def _detail(self, body: bytes) -> str:
        """What an RFC 9457 problem says, or the older ``message`` and ``error``; empty for anything else."""
        try:
            data = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        if not isinstance(data, dict):
            return ""
        said = [data.get(name) for name in ("detail", "message", "error", "title")]
        first = next((text for text in said if isinstance(text, str) and text), "")
        errors = data.get("errors")
        more = [str(one) for one in errors] if isinstance(errors, list) else []
        return clean(": ".join([first, *more]) if more else first, self._hide) or ""


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, of bounded size."""
    content = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise aiohttp.ClientPayloadError(f"the body is larger than {MAX_BODY_BYTES} bytes")
    return bytes(content)


def decode(reply: Reply, kind: type[Kind], *, what: str, write: bool = False) -> Kind:
    """The body as ``kind``.

    Raises:
        HtmlError: it is a page.
        ShapeError: no JSON, or not of the documented shape.
    """
    if reply.is_html:
        text = f"{what}: a page instead of JSON: a proxy or the platform's edge answered; try again"
        raise HtmlError(text, maybe_applied=write)
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        said = str(error) if isinstance(error, msgspec.ValidationError) else "no JSON"
        text = f"{what}: the answer is not of the documented shape: {said}: is golive older than the API?"
        raise ShapeError(text, maybe_applied=write) from error
