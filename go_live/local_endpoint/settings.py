"""What one local endpoint is: frozen, validated, and with a key that no repr shows."""

import secrets
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from go_live.errors import UsageError
from go_live.local_endpoint.management_double.settings import Described
from go_live.local_endpoint.scenarios import Known

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]

WORKER_COMMAND = (sys.executable, "-m", "worker")


def _new_key() -> str:
    return secrets.token_urlsafe(24)


def _new_directory() -> Path:
    return Path(tempfile.mkdtemp(prefix="golive-local-"))


class EndpointSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint. Times are seconds. Defaults are the platform's where the documentation names one."""

    endpoint_id: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]+$")] = "local"
    host: Literal["127.0.0.1"] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """0: any free port."""
    key: Annotated[str, msgspec.Meta(min_length=8)] = msgspec.field(default_factory=_new_key)
    """What clients and the ``/local`` routes must send."""
    worker_key: str = msgspec.field(default_factory=_new_key)
    """What this run's workers send; a worker of an earlier run is refused."""
    workers_min: Count = 1
    workers_max: Count = 1
    scaler_type: Literal["REQUEST_COUNT", "QUEUE_DELAY"] = "REQUEST_COUNT"
    scaler_value: Positive = 1.0
    """Requests per worker, or seconds a request may wait."""
    idle_timeout_s: Positive = 5.0
    scale_interval_s: Positive = 0.5
    """How often the autoscaler looks (undocumented on the platform)."""
    execution_timeout_s: Positive = 600.0
    ttl_s: Positive = 86400.0
    retention_run_s: Positive = 1800.0
    retention_runsync_s: Positive = 60.0
    rate_limits: bool = True
    """Whether the platform's documented request limits answer 429."""
    poll_hold_s: Positive = 20.0
    """How long an empty job-take or job-stop is held; the SDK gives up after 90."""
    stream_hold_s: Positive = 10.0
    """How long an empty /stream call is held."""
    ping_interval_s: Annotated[float, msgspec.Meta(ge=1)] = 10.0
    """Below one second the SDK's ping process dies of its own arithmetic."""
    stop_grace_s: Positive = 15.0
    """Between SIGTERM and SIGKILL of a worker."""
    backoff_s: Positive = 0.5
    """First pause before a worker that died while starting is replaced; doubles up to ``backoff_max_s``."""
    backoff_max_s: Positive = 30.0
    worker_command: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = WORKER_COMMAND
    worker_env: dict[str, str] = {}
    directory: Path = msgspec.field(default_factory=_new_directory)
    """Holds each worker's working folder, HOME and log."""
    engine: str = "worker"
    """A label for people and records: ``cpu``, ``cuda``, ``timed``, ..."""
    model: Annotated[str, msgspec.Meta(min_length=1)] = "worker"
    """What the OpenAI routes call the one model."""
    described: Described = Described()
    """What the double of the management API tells of this endpoint beyond how it runs."""
    spare_id: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]+$")] | None = None
    """Id of a second endpoint beside it, of the name ``golive-scratch``, which has no worker before the management API
    is told to start one: what the way back is rehearsed on."""
    scenario: Known | None = None
    """The known truth that this endpoint makes; its faults are on from the start."""

    def __post_init__(self) -> None:
        """Refuse values that are each fine alone and wrong together."""
        if self.workers_min > self.workers_max:
            raise UsageError(f"workers_min ({self.workers_min}) is above workers_max ({self.workers_max})")

    def __repr__(self) -> str:
        """Every field but the keys and the worker's environment, which may hold secrets."""
        hidden = {"key", "worker_key", "worker_env", "described"}
        shown = ((f, "'***'" if f in hidden else repr(getattr(self, f))) for f in self.__struct_fields__)
        return f"EndpointSettings({', '.join(f'{name}={value}' for name, value in shown)})"


def encode(settings: EndpointSettings) -> bytes:
    """The settings as one line of JSON, keys included: for a pipe or a 0600 file, never for argv."""
    return msgspec.json.encode(settings, enc_hook=str)


def decode(line: bytes) -> EndpointSettings:
    """The inverse of :func:`encode`.

    Raises:
        UsageError: the line is not valid; the message names the field.
    """
    try:
        return msgspec.json.decode(line, type=EndpointSettings, dec_hook=_path)
    except msgspec.MsgspecError as error:
        raise UsageError(f"endpoint settings: {error}") from error


def _path(_: type, value: Any) -> Path:
    return Path(value)
