"""A whole job with a deadline: send, wait, poll, and never leave it running upstream when nobody waits for it."""

import asyncio
import contextlib
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from go_live.errors import UsageError
from go_live.jobs.answer import PENDING, Answer, Chunk
from go_live.jobs.classify import delta_text
from go_live.jobs.transport import JobApiError, Reply, TransportError
from go_live.records import ErrorClass

if TYPE_CHECKING:
    from go_live.jobs.client import Endpoint, Page

HOLD_S = 10
"""How long ``/runsync`` is held: above every latency limit that is judged, so that polling decides no verdict, and
short enough that an abandoned job's id is soon known and the job can be cancelled."""
POLL_FIRST_S, POLL_MAX_S = 0.1, 0.5
"""Pause between status polls, growing by half each time."""
TROUBLE_MAX_S = 4.0
"""Longest pause after status polls that failed, doubling each time."""
PASSING = frozenset(
    {
        ErrorClass.CONNECTION,
        ErrorClass.TRUNCATED,
        ErrorClass.NOT_JSON,
        ErrorClass.RATE_LIMITED,
        ErrorClass.SERVER,
        ErrorClass.DEADLINE,
    }
)
"""What a status poll may meet and try again: the job itself is not affected."""


@dataclass
class _Job:
    """One job under way: how it is asked about, and what is known of it."""

    endpoint: "Endpoint"
    deadline_s: float
    needs_text: bool
    hide: tuple[str, ...]
    sent: float
    last: Answer = field(default_factory=Answer)
    """The latest answer; its ``job`` is the id once known."""
    whole_at: float | None = None
    """When the latest reply's last byte had come."""

    def judge(self, reply: Reply) -> Answer:
        """Classify a reply and remember it; an id once known stays known."""
        answer = self.endpoint.judge(reply, needs_text=self.needs_text, hide=self.hide)
        self.whole_at = reply.at
        self.last = msgspec.structs.replace(answer, job=answer.job or self.last.job, sent=self.sent)
        return self.last

    def failed(self, error: ErrorClass, detail: str) -> Answer:
        """An answer for what ended without a terminal state."""
        return msgspec.structs.replace(self.last, error=error, detail=detail, sent=self.sent, text=None)

    def expired(self) -> Answer:
        """The answer at the deadline."""
        seen = self.last.detail or self.last.job_status or "nothing"
        text = f"no terminal state within {self.deadline_s:g} s; last seen: {seen}"
        return self.failed(ErrorClass.DEADLINE, text[:200])


async def complete(
    endpoint: "Endpoint",
    job_input: Mapping[str, Any],
    *,
    deadline_s: float,
    needs_text: bool,
    top_level: Mapping[str, Any],
) -> Answer:
    """``Endpoint.complete``."""
    job = _start(endpoint, job_input, deadline_s=deadline_s, needs_text=needs_text)
    wait_ms = round(min(HOLD_S, deadline_s) * 1000)
    told = _launch(endpoint, endpoint.runsync(job_input, wait_ms, **top_level))
    answer = None
    try:
        async with asyncio.timeout(deadline_s):
            answer = job.judge(await told)
            if answer.job_status in PENDING and answer.job:
                answer = await _poll(job, answer.job)
    except TransportError as error:
        answer = job.failed(error.error, str(error))
    except TimeoutError:
        answer = job.expired()
    finally:
        if answer is None or not answer.terminal:
            _let_go(job, told)
    return _ended(job, answer)


async def complete_streaming(
    endpoint: "Endpoint",
    job_input: Mapping[str, Any],
    *,
    deadline_s: float,
    needs_text: bool,
    top_level: Mapping[str, Any],
) -> Answer:
    """``Endpoint.complete_streaming``."""
    job = _start(endpoint, job_input, deadline_s=deadline_s, needs_text=needs_text)
    told = _launch(endpoint, endpoint.run(job_input, **top_level))
    pages: list[Page] = []
    answer = None
    try:
        async with asyncio.timeout(deadline_s):
            answer = job.judge(await told)
            if answer.job_status in PENDING and answer.job:
                await _read_stream(endpoint, answer.job, pages)
                answer = await _final(job, answer.job, pages)
    except (TransportError, JobApiError) as error:
        answer = job.failed(error.error, str(error))
    except TimeoutError:
        answer = job.expired()
    finally:
        if answer is None or not answer.terminal:
            _let_go(job, told)
    return _with_chunks(_ended(job, answer), pages)


def _launch(endpoint: "Endpoint", call: Coroutine[Any, Any, Reply]) -> asyncio.Future[Reply]:
    """Start the call that queues the job, in a task of its own: it outlives a caller that gives up."""
    told: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    endpoint.in_background(_first(endpoint, call, told))
    return told


async def _first(endpoint: "Endpoint", call: Coroutine[Any, Any, Reply], told: asyncio.Future[Reply]) -> None:
    """Tell the caller the first reply; when nobody waits for it any more, cancel the job that it names."""
    try:
        reply = await call
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller is told
        if not told.done():
            told.set_exception(error)
        return
    if not told.done():
        told.set_result(reply)
        return
    answer = endpoint.judge(reply)
    if answer.job is not None and not answer.terminal:
        await _cancel(endpoint, answer.job)


def _let_go(job: _Job, told: asyncio.Future[Reply]) -> None:
    """Nobody waits for this job any more: cancel it now if its id is known; if not, ``_first`` does so later."""
    if job.last.job is None and told.done() and not told.cancelled() and told.exception() is None:
        # The reply came in the very moment in which the caller was cancelled.
        job.judge(told.result())
    if job.last.job is not None and not job.last.terminal:
        job.endpoint.in_background(_cancel(job.endpoint, job.last.job))


async def _cancel(endpoint: "Endpoint", job_id: str) -> None:
    """Cancel a job upstream: best effort, once."""
    with contextlib.suppress(TransportError, UsageError):
        await endpoint.cancel(job_id)


def _start(endpoint: "Endpoint", job_input: Mapping[str, Any], *, deadline_s: float, needs_text: bool) -> _Job:
    prompt = job_input.get("prompt")
    hide = (prompt,) if isinstance(prompt, str) else ()
    return _Job(endpoint, deadline_s, needs_text, hide, sent=endpoint.clock())


def _ended(job: _Job, answer: Answer) -> Answer:
    """With its times: an answer is done when its last byte had come, a failure when it was noticed."""
    done = job.whole_at if answer.terminal and job.whole_at is not None else job.endpoint.clock()
    return msgspec.structs.replace(answer, sent=job.sent, done=done)


async def _poll(job: _Job, job_id: str) -> Answer:
    """Poll ``/status`` until the job has ended, or an error that will not pass; the caller's deadline ends it."""
    pause, trouble = POLL_FIRST_S, POLL_FIRST_S
    while True:
        try:
            answer = job.judge(await job.endpoint.status(job_id))
        except TransportError as error:
            answer = job.last = job.failed(error.error, str(error))
        if answer.terminal or answer.error not in PASSING:
            return answer
        if answer.job_status in PENDING and answer.error is ErrorClass.DEADLINE:
            wait, pause, trouble = pause, min(pause * 1.5, POLL_MAX_S), POLL_FIRST_S
        else:
            wait, trouble = trouble, min(trouble * 2, TROUBLE_MAX_S)
        await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret


async def _read_stream(endpoint: "Endpoint", job_id: str, pages: "list[Page]") -> None:
    async with contextlib.aclosing(endpoint.stream_pages(job_id)) as stream:
        async for page in stream:
            pages.append(page)


async def _final(job: _Job, job_id: str, pages: "list[Page]") -> Answer:
    """The job's end by ``/status``; the streamed outputs stand in where the platform kept no aggregate."""
    answer = await _poll(job, job_id)
    outputs = [output for page in pages for output in page.outputs]
    if answer.error is not ErrorClass.EMPTY or not outputs:
        return answer
    reply = Reply(200, "application/json", msgspec.json.encode({"status": answer.job_status, "output": outputs}))
    streamed = job.endpoint.judge(reply, needs_text=job.needs_text, hide=job.hide)
    facts = {name: getattr(answer, name) for name in ("http_status", "job", "delay_ms", "execution_ms", "worker")}
    return msgspec.structs.replace(streamed, **facts)


def _with_chunks(answer: Answer, pages: "list[Page]") -> Answer:
    """Add what was streamed. A streamed job is done when its last chunk or its end arrived, whichever was later."""
    chunks = tuple(Chunk(page.at, output) for page in pages for output in page.outputs)
    first = next((chunk.at for chunk in chunks if delta_text(chunk.output)), None)
    ends = [page.at for page in pages if page.status not in PENDING]
    lasts = [chunk.at for chunk in chunks[-1:]]
    done = max(ends[:1] + lasts) if ends and answer.terminal else answer.done
    return msgspec.structs.replace(answer, chunks=chunks, first_token=first, done=done)
