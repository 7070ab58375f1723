"""The gateway's cap for a Python program that needs no gateway: one process, one caller, the same promises."""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import msgspec

from go_live.gateway.admission import Admission, NotAdmittedError
from go_live.gateway.line import Line
from go_live.gateway.service import limited
from go_live.gateway.upstream import Job, Upstream
from go_live.jobs import Answer, Endpoint, TransportError
from go_live.records import ErrorClass

SERVICE_S = 3.0
"""What a request is taken to need until some have been seen: the recorded execution time, rounded up."""


class Capped:
    """``Endpoint`` with at most ``cap`` jobs in flight, as an async context manager; the rest wait in order.

    The cap holds for this object: several processes share the endpoint's cap by dividing it.
    """

    def __init__(
        self, endpoint: Endpoint, cap: int, *, room: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``endpoint`` must be open for as long as this is; ``room`` is how many may wait."""
        self._endpoint, self._clock = endpoint, clock
        self._upstream = Upstream(endpoint, Admission(Line(cap=cap, room=room), service_s=SERVICE_S), clock)

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cancel what is still under way, upstream too."""
        await self._upstream.close()

    async def complete(
        self, job_input: Mapping[str, Any], *, deadline_s: float | None = None, needs_text: bool = True
    ) -> Answer:
        """Wait for a place, send one job, see it to its end.

        At the deadline, and when the caller is cancelled, the job is cancelled upstream; its place is free again when
        that is certain.

        Args:
            job_input: the job's ``input``.
            deadline_s: seconds from now, waiting included; default the endpoint's ``timeout_s``.
            needs_text: False for jobs whose answer is no text.

        Returns:
            An answer, whatever happens; its ``error`` says what went wrong. One without ``sent`` was never sent.
        """
        limit_s = self._endpoint.timeout_s if deadline_s is None else deadline_s
        deadline = self._clock() + limit_s
        try:
            await self._upstream.admission.enter("", deadline)
        except NotAdmittedError as error:
            return Answer(error=ErrorClass.DEADLINE, detail=str(error), done=self._clock())
        job = Job(sent=self._clock(), needs_text=needs_text)
        try:
            await self._upstream.complete(job, limited(dict(job_input), limit_s), deadline)
        except TransportError as error:
            answer = Answer(error=error.error, detail=str(error))
        except TimeoutError:
            answer = Answer(job=job.id, error=ErrorClass.DEADLINE, detail=f"no terminal state within {limit_s:g} s")
        else:
            answer = job.answer or Answer(error=ErrorClass.MALFORMED)
        return msgspec.structs.replace(answer, sent=job.sent, done=self._clock())
