"""One job upstream, from its sending to its certain end: nobody's job is left running, and no place is free too early.

``/run`` first, because only its reply names the job while it can still be cancelled; then ``/status-sync``, held until
the job has ended, or ``/status`` where that is not known. A place is given back when the job is known to have ended.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from go_live.gateway.admission import Admission
from go_live.jobs import Answer, Endpoint, Reply, TransportError
from go_live.jobs.answer import PENDING
from go_live.jobs.whole import PASSING

LOG = logging.getLogger("golive.gateway")
HOLD_MS = 30_000
"""How long one ``/status-sync`` is held: well below the 100 s at which edges cut connections."""
POLL_S = 0.25
"""Pause between polls of ``/status``, and after a poll that failed."""
CANCEL_TRIES = 5


@dataclass(slots=True)
class Job:
    """A job under way; what is known of it so far."""

    sent: float
    """Seconds on the gateway's clock."""
    id: str | None = None
    reply: Reply | None = None
    """The latest reply of the endpoint."""
    answer: Answer | None = None
    """What that reply means."""
    needs_text: bool = True
    """Whether an answer without a text is an error."""
    abandoned: bool = False


class Upstream:
    """One endpoint, and the places there are in it."""

    def __init__(self, endpoint: Endpoint, admission: Admission, clock: Callable[[], float]) -> None:
        """``endpoint`` is open for as long as this is used; only here is its key known."""
        self.endpoint, self.admission = endpoint, admission
        self.sent = 0
        """Jobs sent so far."""
        self._clock = clock
        self._under_way: dict[asyncio.Task[None], Job] = {}
        self._held = True
        """Whether the endpoint knows ``/status-sync``."""

    async def complete(self, job: Job, body: bytes, deadline: float) -> None:
        """Send ``body`` for a caller who has a place, and fill ``job`` until it has ended or ``deadline`` is there.

        At the deadline, and when this call is cancelled, the job is cancelled upstream; the place is kept until that
        is certain, and this call does not wait for it.

        Raises:
            TransportError: the endpoint could not be reached.
            TimeoutError: the deadline came first.
        """
        self.sent += 1
        task = asyncio.create_task(self._see_through(job, body))
        self._under_way[task] = job
        task.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(deadline - self._clock()):
                await asyncio.shield(task)
        except (TimeoutError, asyncio.CancelledError):
            self._abandon(task, job)
            raise

    async def close(self) -> None:
        """Let nobody in any more, abandon what is still under way, and wait until it has ended upstream."""
        self.admission.close()
        for task, job in self._under_way.items():
            self._abandon(task, job)
        if self._under_way:
            await asyncio.wait(tuple(self._under_way))

    def _abandon(self, task: asyncio.Task[None], job: Job) -> None:
        """Nobody waits for it any more; told once, because a second time would disturb the cancelling upstream."""
        if not job.abandoned:
            job.abandoned = True
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        if not task.cancelled():
            task.exception()  # its caller has been told, or is gone

    async def _see_through(self, job: Job, body: bytes) -> None:
        sending = asyncio.create_task(self.endpoint.post_raw("run", body))
        try:
            self._note(job, await asyncio.shield(sending))
            while self._pending(job):
                await self._ask(job)
        finally:
            try:
                await self._make_sure(job, sending)
            finally:
                took = None if job.abandoned else self._clock() - job.sent
                self.admission.leave(took)

    async def _ask(self, job: Job) -> None:
        """Ask once how the job is; what passes by itself is asked again after a pause."""
        assert job.id is not None  # noqa: S101 - pending jobs have one
        try:
            asking = self.endpoint.status_sync(job.id, HOLD_MS) if self._held else self.endpoint.status(job.id)
            reply = await asking
        except TransportError:
            await asyncio.sleep(POLL_S)
            return
        if self._held and reply.http_status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            self._held = False  # an unknown job is found out by /status as well
        elif not self._note(job, reply) or (not self._held and self._pending(job)):
            await asyncio.sleep(POLL_S)

    def _note(self, job: Job, reply: Reply) -> bool:
        """Keep what a reply says of the job; False: it says nothing of it, and asking again may help."""
        answer = self.endpoint.judge(reply, needs_text=job.needs_text)
        if job.id is not None and answer.job_status is None and answer.error in PASSING:
            return False
        job.reply, job.answer = reply, answer
        job.id = answer.job or job.id
        return True

    def _pending(self, job: Job) -> bool:
        return job.id is not None and job.answer is not None and job.answer.job_status in PENDING

    async def _make_sure(self, job: Job, sending: asyncio.Task[Reply]) -> None:
        """Leave no job running: hear which one it is, and cancel it until the endpoint has said that it ended."""
        try:
            if job.reply is None:
                self._note(job, await sending)
        except TransportError:
            return  # whether there is a job nobody knows; its time to live ends it (see ``service.py``)
        for _ in range(CANCEL_TRIES):
            if not self._pending(job):
                return
            try:
                told = self._note(job, await self.endpoint.cancel(job.id or ""))
            except TransportError:
                told = False
            if not told:
                await asyncio.sleep(POLL_S)
        if self._pending(job):
            LOG.error("job %s could not be cancelled; its time to live will end it", job.id)
