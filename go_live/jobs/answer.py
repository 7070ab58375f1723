"""What came of one job, with everything a record needs. Pure."""

import hashlib
from typing import Any

import msgspec

from go_live.records import ErrorClass

TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"})
"""Job statuses that never change again (RunPod's job states)."""
PENDING = frozenset({"IN_QUEUE", "IN_PROGRESS", "RUNNING"})
"""Job statuses on the way to a terminal one."""


class Chunk(msgspec.Struct, frozen=True):
    """One piece of ``/stream``: when it arrived (monotonic seconds) and what it held."""

    at: float
    output: Any


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One job's end as the client saw it. ``error`` is None only for an answer that can be used.

    Times are seconds on the client's monotonic clock; ``classify`` leaves them None.
    """

    http_status: int | None = None
    job_status: str | None = None
    job: str | None = None
    output: Any = None
    """The response object; when the job's output is a list (a generator worker), its last element."""
    error: ErrorClass | None = None
    detail: str | None = None
    """At most 200 characters of what was wrong; never a key or a prompt."""
    delay_ms: float | None = None
    execution_ms: float | None = None
    worker: str | None = None
    output_tokens: int | None = None
    text: str | None = None
    blocked: bool = False
    """Whether the worker blocked a low-trust intent: a valid response without a text."""
    engine: str | None = None
    sent: float | None = None
    first_token: float | None = None
    done: float | None = None
    """When the terminal answer was complete, or the client gave up."""
    chunks: tuple[Chunk, ...] = ()

    @property
    def terminal(self) -> bool:
        """Whether the job has ended as far as the platform says."""
        return self.job_status in TERMINAL

    @property
    def digest(self) -> str | None:
        """First 16 hex digits of the sha256 of the text; None without a text."""
        if self.text is None:
            return None
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
