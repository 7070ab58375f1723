"""Loki: pushed as JSON streams, found again with query_range.

Labels are the same for every line of a worker: what differs from request to request stands in the line alone, because
each set of labels is a stream of its own. Loki keeps one of two lines with the same labels, time and text, so that what
is sent twice stands there once.
"""

import base64
from collections.abc import Sequence
from typing import Any

import msgspec

from go_live.config import Logs
from go_live.shipping.batches import NS, Entry, Limits
from go_live.shipping.destination import LinesRefusedError, Refused
from go_live.shipping.payloads import labels_of, push
from go_live.shipping.sending import Web

LIMITS = Limits(most_bytes=2**20, most_entries=10_000, overhead_bytes=32)
"""Promtail's own batch size; Loki's default limits are 4 MiB a request and 256 KiB a line."""
MOST_FOUND = 100


class LokiDestination:
    """A Loki."""

    limits = LIMITS

    def __init__(self, logs: Logs, endpoint: str, token: str | None) -> None:
        """``token`` is None where Loki asks for none.

        Raises:
            DestinationError: the token would go over the network unencrypted.
        """
        self._labels = labels_of(logs, endpoint)
        self.name = f"Loki at {logs.loki.url}"
        headers: dict[str, str] = {}
        secrets: tuple[str, ...] = ()
        if logs.loki.tenant:
            headers["X-Scope-OrgID"] = logs.loki.tenant
        if token is not None:
            basic = base64.b64encode(f"{logs.loki.user}:{token}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}" if logs.loki.user else f"Bearer {token}"
            secrets = (token, basic)
        self._web = Web(logs.loki.url, headers, secrets=secrets, keys=logs.loki.token_env, ok=(200, 204))

    def payload(self, worker: str, entries: Sequence[Entry]) -> str:
        """The push, as JSON."""
        return msgspec.json.format(msgspec.json.encode(push(worker, entries, self._labels))).decode()

    async def send(self, worker: str, entries: Sequence[Entry]) -> Sequence[Refused]:
        """Push; Loki answers 204, or 400 when it did not keep some of it."""
        await self._web.post("/loki/api/v1/push", push(worker, entries, self._labels))
        return ()

    async def find(self, request_id: str, since_s: float, until_s: float) -> Sequence[str]:
        """Lines of this endpoint that hold the id."""
        selector = ",".join(f"{name}={_quoted(self._labels[name])}" for name in ("job", "endpoint"))
        query = {
            "query": f"{{{selector}}} |= {_quoted(request_id)}",
            "start": str(round(since_s * NS)),
            "end": str(round(until_s * NS)),
            "limit": str(MOST_FOUND),
            "direction": "forward",
        }
        return lines_in(await self._web.ask("/loki/api/v1/query_range", query=query))

    async def close(self) -> None:
        """Close every connection."""
        await self._web.close()


def lines_in(answer: bytes) -> list[str]:
    """The lines of an answer of query_range.

    Raises:
        LinesRefusedError: it is none.
    """
    try:
        told: Any = msgspec.json.decode(answer)
        return [str(value[1]) for stream in told["data"]["result"] for value in stream["values"]]
    except (msgspec.DecodeError, KeyError, TypeError, IndexError) as error:
        raise LinesRefusedError("the answer of query_range is not of the documented shape") from error


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
