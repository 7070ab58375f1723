"""One HTTP exchange with Loki or Datadog: JSON, gzip, and each failure as what is to be done about it."""

import gzip
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from go_live.jobs.classify import clean
from go_live.jobs.client import CONNECT_S, USER_AGENT
from go_live.jobs.transport import is_loopback, proxy_for
from go_live.management.retries import asked_s
from go_live.shipping.destination import DestinationError, LinesRefusedError, PassingError

TIMEOUT_S = 30.0
MAX_BODY_BYTES = 8 * 2**20
"""Of an answer: far more than a hundred lines."""
CONTENT = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})
"""Statuses that are about the lines."""
PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
REMEDIES = {
    HTTPStatus.UNAUTHORIZED: "the key is missing or not valid: put a valid one into {keys}",
    HTTPStatus.FORBIDDEN: "the key may not do this, or is not valid: give it the right, or put another into {keys}",
    HTTPStatus.NOT_FOUND: "there is no such API at this address: correct it in golive.toml, [logs]",
}
ELSE = "this address does not take it: correct it in golive.toml, [logs]"


class Web:
    """A session with one server."""

    def __init__(
        self, base: str, headers: Mapping[str, str], *, secrets: tuple[str, ...], keys: str, ok: tuple[int, ...]
    ) -> None:
        """Nothing is opened before the first call.

        Args:
            base: the server's address.
            headers: with every request; the keys among them.
            secrets: that no message may hold.
            keys: the variables that a message may name.
            ok: statuses that mean done.

        Raises:
            DestinationError: a key would go over the network unencrypted.
        """
        host = urlsplit(base).hostname or ""
        if secrets and base.startswith("http:") and not is_loopback(host):
            raise DestinationError(f"{base} is not encrypted, and {keys} would be readable on the way: use https")
        self._base, self._keys, self._secrets, self._ok = base, keys, secrets, ok
        self._headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **headers}
        self._proxy = proxy_for(base, trust_env=None)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: Any) -> bytes:
        """POST ``body`` as gzipped JSON; the answer's body.

        Raises:
            PassingError: try again.
            LinesRefusedError: the server will never take it.
            DestinationError: something has to be changed first.
        """
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        data = gzip.compress(msgspec.json.encode(body), compresslevel=5, mtime=0)
        return await self._exchange(lambda session: session.post(f"{self._base}{path}", data=data, headers=headers))

    async def ask(self, path: str, *, query: Mapping[str, str] | None = None, body: Any = None) -> bytes:
        """GET with ``query``, or POST with a ``body`` that is not compressed.

        Raises:
            PassingError: try again.
            LinesRefusedError: the server does not understand it.
            DestinationError: something has to be changed first.
        """
        if body is None:
            return await self._exchange(lambda session: session.get(f"{self._base}{path}", params=query or {}))
        data, headers = msgspec.json.encode(body), {"Content-Type": "application/json"}
        return await self._exchange(lambda session: session.post(f"{self._base}{path}", data=data, headers=headers))

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, send: Callable[[aiohttp.ClientSession], Any]) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                proxy=self._proxy,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=CONNECT_S),
                requote_redirect_url=False,
            )
        try:
            async with send(self._session) as response:
                body = await _read(response)
                self._check(response, body)
                return body
        except TimeoutError as error:
            raise PassingError(f"{self._base}: no whole answer within {TIMEOUT_S:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            told = clean(f"{type(error).__name__}: {error}", self._secrets)
            raise PassingError(f"{self._base}: {told}") from error

    def _check(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        """Raise what an answer asks for."""
        status = response.status
        if status in self._ok:
            return
        said = clean(body[:2000].decode("utf-8", "replace"), self._secrets)
        told = f"{self._base}: HTTP {status}" + (f" ({said})" if said else "")
        if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PassingError(told, asked_s(response.headers, time.time()))
        if status in CONTENT:
            raise LinesRefusedError(told)
        remedy = REMEDIES.get(HTTPStatus(status), ELSE) if status in set(HTTPStatus) else ELSE
        raise DestinationError(f"{told}: {remedy.format(keys=self._keys)}")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, of bounded size."""
    content = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise aiohttp.ClientPayloadError(f"the answer is larger than {MAX_BODY_BYTES} bytes")
    return bytes(content)
