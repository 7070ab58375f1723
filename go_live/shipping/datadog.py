"""Datadog: POST /api/v2/logs, found again with the logs search.

Datadog has no way to know a line that is sent twice: after a kill some of the last request may stand there twice. A log
that is older than 18 hours is taken and not kept, so none is sent.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from go_live.config import Logs
from go_live.shipping.batches import NS, Entry, Limits
from go_live.shipping.destination import DestinationError, LinesRefusedError, Refused
from go_live.shipping.payloads import intake, iso
from go_live.shipping.sending import Web

ENVELOPE_BYTES = 1024
"""Of one log, beside its line: source, tags, host and service, and what JSON adds to the line."""
LIMITS = Limits(
    # 5 MB uncompressed; a line's quotes become two characters each.
    most_bytes=2_500_000,
    most_entries=1000,
    overhead_bytes=ENVELOPE_BYTES,
    oldest_ns=18 * 3600 * NS,
)
MOST_FOUND = 100


class DatadogDestination:
    """Datadog's intake and its search."""

    limits = LIMITS

    def __init__(self, logs: Logs, endpoint: str, api_key: str, app_key: str | None) -> None:
        """``app_key`` is only needed to look for lines.

        Raises:
            DestinationError: a key would go over the network unencrypted.
        """
        self._labels, self._endpoint, self._app_env = dict(logs.labels), endpoint, logs.datadog.app_key_env
        self.name = f"Datadog at {logs.datadog.intake}"
        key = {"DD-API-KEY": api_key}
        self._intake = Web(logs.datadog.intake, key, secrets=(api_key,), keys=logs.datadog.api_key_env, ok=(200, 202))
        self._search = None
        if app_key is not None:
            self._search = Web(
                logs.datadog.api,
                {**key, "DD-APPLICATION-KEY": app_key},
                secrets=(api_key, app_key),
                keys=f"{logs.datadog.api_key_env} and {logs.datadog.app_key_env}",
                ok=(200,),
            )

    def payload(self, worker: str, entries: Sequence[Entry]) -> str:
        """The request, as JSON."""
        sent = intake(worker, entries, self._endpoint, self._labels)
        return msgspec.json.format(msgspec.json.encode(sent)).decode()

    async def send(self, worker: str, entries: Sequence[Entry]) -> Sequence[Refused]:
        """Send; Datadog answers 202 to all of it or nothing."""
        await self._intake.post("/api/v2/logs", intake(worker, entries, self._endpoint, self._labels))
        return ()

    async def find(self, request_id: str, since_s: float, until_s: float) -> Sequence[str]:
        """Lines of this service whose attribute ``request_id`` is the id."""
        if self._search is None:
            raise DestinationError(f"{self._app_env} is not set: Datadog's search asks for an application key")
        question = {
            "filter": {
                "query": f"service:{self._labels['service']} @request_id:{request_id}",
                "from": iso(since_s),
                "to": iso(until_s),
            },
            "page": {"limit": MOST_FOUND},
            "sort": "timestamp",
        }
        return lines_in(await self._search.ask("/api/v2/logs/events/search", body=question))

    async def close(self) -> None:
        """Close every connection."""
        await self._intake.close()
        if self._search is not None:
            await self._search.close()


def lines_in(answer: bytes) -> list[str]:
    """The lines of an answer of the search: the attributes that Datadog made of them, as JSON again.

    Raises:
        LinesRefusedError: it is none.
    """
    try:
        told: Any = msgspec.json.decode(answer)
        found = [one["attributes"] for one in told["data"]]
        return [msgspec.json.encode(_fields(one)).decode() for one in found]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise LinesRefusedError("the answer of the logs search is not of the documented shape") from error


def _fields(attributes: dict[str, Any]) -> dict[str, Any]:
    """A log's own fields: as attributes where Datadog read them, else in its message."""
    fields = attributes.get("attributes")
    if isinstance(fields, dict) and "event" in fields:
        return fields
    try:
        told: Any = msgspec.json.decode(str(attributes.get("message", "")))
    except msgspec.DecodeError:
        return {}
    return told if isinstance(told, dict) else {}
