"""Structured log lines: one JSON object a line on stdout. No prompt, no answer and no key ever enters one."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

Clock = Callable[[], float]
"""Seconds on a monotonic clock."""


class Emit(Protocol):
    """Writes one event."""

    def __call__(self, event: str, /, **fields: Any) -> None:
        """Write ``event`` with ``fields``."""


def emit(event: str, /, **fields: Any) -> None:
    """Write one line: ``ts`` (UTC, ISO 8601), ``event``, then ``fields``."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # One write for line and end of line: lines of other threads and processes stay apart.
    sys.stdout.write(json.dumps({"ts": stamp, "event": event, **fields}) + "\n")
    sys.stdout.flush()


class JobLog:
    """The lines of one job: at most one ``start``, exactly one ``end``."""

    def __init__(self, request_id: str, write: Emit, clock: Clock) -> None:
        """Begin to measure ``exec_ms`` now."""
        self.request_id, self._write, self._clock = request_id, write, clock
        self._began = clock()
        self._ended = False

    def start(self, *, prompt_len: int, max_tokens: int, stream: bool, validation_enabled: bool) -> None:
        """The job is accepted; ``prompt_len`` is in characters."""
        self._write(
            "start",
            request_id=self.request_id,
            prompt_len=prompt_len,
            max_tokens=max_tokens,
            stream=stream,
            validation_enabled=validation_enabled,
        )

    def probed(self) -> None:
        """The job asked about the worker itself: one ``probe`` line, no ``start`` and no ``end``."""
        self._ended = True
        self._write("probe", request_id=self.request_id)

    def succeeded(self, *, tokens_generated: int, intent: str, valid: bool | None) -> None:
        """The job has its answer; ``valid`` is None where nothing was validated."""
        self._end(ok=True, tokens_generated=tokens_generated, intent=intent, valid=valid)

    def failed(self, kind: str, error: str) -> None:
        """The job has no answer; says nothing when it has ended already."""
        if not self._ended:
            self._end(ok=False, error=error, **{"class": kind})

    def _end(self, *, ok: bool, **fields: Any) -> None:
        self._ended = True
        exec_ms = round((self._clock() - self._began) * 1000, 1)
        self._write("end", request_id=self.request_id, ok=ok, exec_ms=exec_ms, **fields)
