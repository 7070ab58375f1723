"""Records: one line for each request that was due. Pure."""

import math
from enum import StrEnum

import msgspec


class ErrorClass(StrEnum):
    """Why a due request is not ok. Each is recognised and named; none is ever counted as a success."""

    CONNECTION = "connection"
    """Refused, reset or dropped before a whole answer arrived."""
    TRUNCATED = "truncated"
    """The body ended early, or is not the JSON it promised to be."""
    NOT_JSON = "not_json"
    """A proxy's HTML page or other foreign body (Cloudflare's 524 among them)."""
    UNAUTHORIZED = "unauthorized"
    """401 or 403."""
    NOT_FOUND = "not_found"
    """404: unknown endpoint, or a job whose retention ended."""
    RATE_LIMITED = "rate_limited"
    """429."""
    BAD_REQUEST = "bad_request"
    """Another 4xx."""
    SERVER = "server"
    """5xx with a JSON body."""
    DEADLINE = "deadline"
    """No terminal state within the client's deadline."""
    REFUSED = "refused"
    """A guardrail refused the request: the caller's mistake in traffic, a failure in a load test."""
    FAILED = "failed"
    """HTTP 200 with job status FAILED (not a refusal)."""
    TIMED_OUT = "timed_out"
    """Job status TIMED_OUT, or FAILED with an exceeded executionTimeout."""
    CANCELLED = "cancelled"
    """Job status CANCELLED."""
    INTERRUPTED = "interrupted"
    """The run was killed when the request had been open for longer than its limit allows."""
    ERROR_IN_OUTPUT = "error_in_output"
    """COMPLETED, with an ``error`` in the output."""
    EMPTY = "empty"
    """COMPLETED, without output or with a blank answer."""
    WRONG = "wrong"
    """COMPLETED, with an answer that is not the right one."""
    MALFORMED = "malformed"
    """COMPLETED, but not of the documented shape."""


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One due request. Times are seconds on one monotonic clock; ``wall`` is Unix time of ``due``."""

    seq: int
    """Number of the request within its phase and level, from 0, in due order."""
    phase: str
    """``warmup``, ``load``, ``soak`` or ``smoke``."""
    level: str
    """``c=2``, or ``rate=5`` for an open loop."""
    due: float
    wall: float
    sent: float | None = None
    first_token: float | None = None
    done: float | None = None
    """When a terminal answer was complete, or the request was given up; None if it never ended."""
    http_status: int | None = None
    job_status: str | None = None
    error: ErrorClass | None = None
    """None: ok."""
    detail: str | None = None
    """At most 200 characters of what was seen; never a key, a prompt or an answer."""
    job: str | None = None
    """RunPod job id."""
    delay_ms: float | None = None
    """``delayTime``."""
    execution_ms: float | None = None
    """``executionTime``."""
    worker: str | None = None
    """``workerId``."""
    output_tokens: int | None = None
    prompt: str | None = None
    """Id of the prompt (never its text)."""
    answer: str | None = None
    """sha256 of the answer, first 16 hex digits."""
    engine: str | None = None
    """``timed`` when the answer came from the timed engine: never evidence."""

    @property
    def ok(self) -> bool:
        """Whether a right answer came."""
        return self.error is None and self.done is not None

    @property
    def total_ms(self) -> float:
        """Latency from the due time, ms; infinite unless ok."""
        return (self.done - self.due) * 1000 if self.ok and self.done is not None else math.inf

    @property
    def exec_ms(self) -> float:
        """Execution time as the platform reports it, ms; infinite unless ok and reported."""
        return self.execution_ms if self.ok and self.execution_ms is not None else math.inf

    @property
    def queue_ms(self) -> float:
        """``delayTime``, ms; infinite unless ok and reported."""
        return self.delay_ms if self.ok and self.delay_ms is not None else math.inf

    @property
    def lag_ms(self) -> float:
        """Client lag (sent - due), ms; infinite if never sent."""
        return (self.sent - self.due) * 1000 if self.sent is not None else math.inf
