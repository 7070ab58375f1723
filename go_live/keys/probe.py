"""What an API says to a key: one GET that changes nothing, and each answer by its own name."""

from enum import StrEnum
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from go_live.errors import MeasurementError, UsageError
from go_live.jobs.client import Endpoint
from go_live.jobs.transport import Reply, TransportError, is_loopback
from go_live.keys.findings import Found
from go_live.keys.rules import RUNPOD

PLATFORM = frozenset({"api.runpod.ai", "api.runpod.io"})
"""The hosts to which a RunPod key may be sent."""
_HTML = (b"<!doctype", b"<html")


class Answer(StrEnum):
    """How a key was met."""

    WORKS = "works (HTTP 200)"
    REFUSED = "refused (HTTP 401)"
    FORBIDDEN = "forbidden (HTTP 403)"
    NOT_FOUND = "not found (HTTP 404)"
    THROTTLED = "throttled (HTTP 429)"
    BROKEN = "a server error (HTTP 5xx)"
    NOT_THE_API = "an answer that is not the API's"
    UNREACHABLE = "not reached"
    OTHER = "another answer"


class Said(msgspec.Struct, frozen=True):
    """An answer, and what it rests on."""

    answer: Answer
    detail: str
    """``HTTP 200``, or why there is none; holds no key."""


def read_answer(reply: Reply) -> Said:
    """What ``reply`` says about the key. A page of HTML is a proxy's or the edge's, whatever its status."""
    status = reply.http_status
    detail = f"HTTP {status}"
    if "html" in reply.content_type.lower() or reply.body.lstrip()[:16].lower().startswith(_HTML):
        return Said(Answer.NOT_THE_API, f"{detail} with a page of HTML")
    if status == HTTPStatus.OK:
        return Said(Answer.WORKS, detail) if _is_json(reply.body) else Said(Answer.NOT_THE_API, f"{detail}, not JSON")
    named = {401: Answer.REFUSED, 403: Answer.FORBIDDEN, 404: Answer.NOT_FOUND, 429: Answer.THROTTLED}
    if status in named:
        return Said(named[status], detail)
    return Said(Answer.BROKEN if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Answer.OTHER, detail)


def _is_json(body: bytes) -> bool:
    """Whether the body is a JSON object or list with something in it: health and lists of endpoints are."""
    try:
        return isinstance(msgspec.json.decode(body), dict | list) and len(body.strip()) > len(b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


async def ask_health(job_api: str, endpoint_id: str, key: str) -> Said:
    """``GET /health`` of the endpoint with ``key``.

    Raises:
        UsageError: the address cannot be used.
    """
    return await _ask(job_api, endpoint_id, "health", key)


async def ask_platform(management_api: str, key: str) -> Said:
    """The management API's list of endpoints with ``key``; what it lists is thrown away.

    Raises:
        UsageError: the address cannot be used.
    """
    base, _, last = management_api.rstrip("/").rpartition("/")
    return await _ask(base, last, "serverless", key)


async def _ask(base: str, name: str, path: str, key: str) -> Said:
    try:
        async with Endpoint(base, name, key) as endpoint:
            return read_answer(await endpoint.get_raw(path))
    except TransportError as error:
        return Said(Answer.UNREACHABLE, str(error))


async def live_runpod_keys(
    found: tuple[Found, ...], *, job_api: str, endpoint_id: str, management_api: str
) -> frozenset[bytes]:
    """Those of the RunPod keys in ``found`` that work. No other secret is sent, and to no other host.

    Raises:
        UsageError: an address is not the platform's.
        MeasurementError: it cannot be told of a key whether it works.
    """
    for address in (job_api, management_api):
        refuse_foreign(address)
    keys = {one.secret: one.finding for one in found if one.finding.rule == RUNPOD}
    live = set()
    for secret, finding in keys.items():
        key = secret.decode("ascii", "replace")
        said = [await ask_health(job_api, endpoint_id, key), await ask_platform(management_api, key)]
        answers = {one.answer for one in said}
        if Answer.WORKS in answers:
            live.add(secret)
        elif answers != {Answer.REFUSED}:
            unclear = next(one for one in said if one.answer is not Answer.REFUSED)
            raise MeasurementError(
                f"whether the key at {finding.where} works cannot be told: {unclear.answer} ({unclear.detail})"
            )
    return frozenset(live)


def refuse_foreign(address: str) -> None:
    """Refuse to send a RunPod key anywhere but to the platform, or to this machine.

    Raises:
        UsageError: ``address`` is another host's, or not encrypted.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    if not (is_loopback(host) or (host in PLATFORM and parts.scheme == "https")):
        raise UsageError(f"no key is sent to {host or 'nowhere'}: keys go to https://api.runpod.ai and .io alone")
