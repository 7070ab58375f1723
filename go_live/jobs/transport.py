"""One HTTP exchange with the job API: what goes out, what came back, and how a broken exchange is named."""

import ipaddress
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from go_live.errors import MeasurementError, UsageError
from go_live.jobs.classify import classify, clean
from go_live.records import ErrorClass


class TransportError(MeasurementError):
    """No whole HTTP response arrived."""

    def __init__(self, error: ErrorClass, message: str) -> None:
        """Keep the class beside the message."""
        super().__init__(message)
        self.error = error


class JobApiError(MeasurementError):
    """The job API answered, but not with what was asked for."""

    def __init__(self, error: ErrorClass, message: str) -> None:
        """Keep the class beside the message."""
        super().__init__(message)
        self.error = error


class Reply(msgspec.Struct, frozen=True):
    """A whole HTTP response."""

    http_status: int
    content_type: str
    body: bytes
    at: float | None = None
    """When the last byte had come, on the endpoint's clock."""

    @property
    def data(self) -> dict[str, Any]:
        """The body's JSON object; empty when the body is none."""
        try:
            data = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}

    @property
    def error(self) -> ErrorClass | None:
        """Why the reply is no completed job with a text, or None."""
        return classify(self.http_status, self.content_type, self.body).error


class HealthJobs(msgspec.Struct, frozen=True, rename="camel"):
    """Jobs by state; a key that the platform leaves out is 0."""

    completed: int = 0
    failed: int = 0
    in_progress: int = 0
    in_queue: int = 0
    retried: int = 0


class HealthWorkers(msgspec.Struct, frozen=True, rename="camel"):
    """Workers by state; ``ready`` means the container is up, not that the model is loaded."""

    idle: int = 0
    initializing: int = 0
    ready: int = 0
    running: int = 0
    throttled: int = 0
    unhealthy: int = 0


class Health(msgspec.Struct, frozen=True):
    """``GET /health``."""

    jobs: HealthJobs = HealthJobs()
    workers: HealthWorkers = HealthWorkers()


def transport_error(error: BaseException, url: str, hide: tuple[str, ...]) -> TransportError:
    """Name what aiohttp or the operating system raised; the text holds no header and no key."""
    if isinstance(error, TimeoutError):
        kind, what = ErrorClass.DEADLINE, "no whole response in time"
    elif isinstance(error, aiohttp.ClientPayloadError):
        kind, what = ErrorClass.TRUNCATED, "the body ended early"
    elif isinstance(error, aiohttp.ClientResponseError):
        kind, what = ErrorClass.NOT_JSON, "the response is not HTTP, or its header is broken"
    else:
        kind, what = ErrorClass.CONNECTION, clean(f"{type(error).__name__}: {error}", hide) or type(error).__name__
    return TransportError(kind, f"{what} ({clean(url, hide)})")


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def proxy_for(url: str, *, trust_env: bool | None) -> str | None:
    """The environment's proxy for ``url``, or None.

    Resolved here rather than by aiohttp's ``trust_env``, which also reads ``~/.netrc`` at every request and then
    refuses our Authorization header beside it.

    Args:
        url: where requests go.
        trust_env: whether to obey HTTPS_PROXY and friends; None: only when ``url`` is not on loopback, because a proxy
            in the environment must not swallow loopback traffic.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    trusted = not is_loopback(host) if trust_env is None else trust_env
    if not trusted or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def endpoint_url(job_api: str, endpoint_id: str) -> str:
    """``{job_api}/{endpoint_id}``, checked.

    Raises:
        UsageError: ``job_api`` is no plain http(s) URL, or ``endpoint_id`` would change the path.
    """
    try:
        parts = urlsplit(job_api)
        well_formed = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        well_formed = False
        parts = urlsplit("")
    if not well_formed or parts.query or parts.fragment:
        shown = job_api.rpartition("@")[2]
        raise UsageError(f"the job API's base must look like https://api.runpod.ai/v2, not {shown!r}")
    if parts.username or parts.password:
        raise UsageError("the job API's base holds credentials; leave them out and put the key into the environment")
    if not endpoint_id or not all(char.isalnum() or char in "-_." for char in endpoint_id) or endpoint_id[0] == ".":
        raise UsageError(f"{endpoint_id!r} is no endpoint id: letters, digits, '-', '_' and '.' only")
    return f"{job_api.rstrip('/')}/{endpoint_id}"


def authorization(key: str) -> dict[str, str]:
    """The Authorization header; none for an empty key.

    Raises:
        UsageError: the key holds a character that no header can carry.
    """
    key = key.strip()
    if not key:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise UsageError("the API key holds a line break or a character outside ASCII; copy it again")
    return {"Authorization": f"Bearer {key}"}
