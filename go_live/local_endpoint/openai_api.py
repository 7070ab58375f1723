"""``/v2/{endpoint}/openai/v1``: OpenAI's routes over the same jobs, queue, workers and faults as every other request.

On the platform the route and its body travel to the worker inside a job; this project's worker speaks its own language,
so here the endpoint translates (:mod:`go_live.local_endpoint.openai`). Answers are whole, or server-sent events.
"""

import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web

from go_live.local_endpoint import openai, wire
from go_live.local_endpoint.api import DEFAULT_WAIT_MS, JobApi
from go_live.local_endpoint.exchange import Exchange
from go_live.local_endpoint.faults import Scenario
from go_live.local_endpoint.limits import MAX_BODY_BYTES
from go_live.local_endpoint.mishaps import BEGUN, CUT
from go_live.local_endpoint.queue import TERMINAL, Job, Status
from go_live.local_endpoint.settings import EndpointSettings

HOLD_S = DEFAULT_WAIT_MS / 1000
"""How long a request is held for its answer; the platform's edge gives up after about 100 s."""
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}


class OpenAiApi:
    """The routes that OpenAI's clients call."""

    def __init__(self, settings: EndpointSettings, exchange: Exchange, jobs: JobApi) -> None:
        """Submit jobs through ``jobs``."""
        self._settings = settings
        self._exchange = exchange
        self._jobs = jobs

    def routes(self) -> list[web.RouteDef]:
        """The routes."""
        at = "/v2/{endpoint}/openai/v1"
        return [
            web.get(f"{at}/models", self._jobs.operation("openai-models", self._models)),
            web.post(f"{at}/completions", self._jobs.operation("openai", self._completions)),
            web.post(f"{at}/chat/completions", self._jobs.operation("openai", self._chat)),
        ]

    async def _models(self, _: web.Request) -> web.StreamResponse:
        return _json(openai.models(self._settings.model, int(time.time())))

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "text_completion")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, "chat.completion")

    async def _answer(self, request: web.Request, kind: openai.Kind) -> web.StreamResponse:
        try:
            asked = openai.asked(await self._jobs.body(request, MAX_BODY_BYTES["runsync"]), kind)
        except openai.RequestError as error:
            return _json(openai.error_body(str(error), 400), status=400)
        job = self._jobs.submit({"input": asked.input}, "openai", wait_s=HOLD_S)
        answers = openai.Answers(asked=asked, job=job.id, model=self._settings.model, created=int(time.time()))
        if asked.stream and request.get(CUT) is not Scenario.DROPPED:
            return await self._stream(request, job, answers)
        await self._exchange.wait_terminal(job, HOLD_S)
        return _failure(job) or _json(answers.whole(openai.result(job.output)))

    async def _stream(self, request: web.Request, job: Job, answers: openai.Answers) -> web.StreamResponse:
        """Events as the worker's chunks arrive; a job that fails before the first one has an HTTP status of its own."""
        await self._exchange.wait_chunk(job, HOLD_S)
        if not job.chunks and (failure := _failure(job)):
            return failure
        response = web.StreamResponse(headers=HEADERS)
        request[BEGUN] = True
        await response.prepare(request)
        async for event in self._events(job, answers):
            if request.get(CUT) is Scenario.TRUNCATED:
                await response.write(event[: len(event) // 2])
                if request.transport is not None:
                    request.transport.close()
                return response
            await response.write(event)
        await response.write_eof()
        return response

    async def _events(self, job: Job, answers: openai.Answers) -> AsyncIterator[bytes]:
        """Text as it comes, why it ended, the usage if it was asked for, and the end's own mark."""
        told = False
        while True:
            while job.chunks:
                if text := openai.delta(job.chunks.popleft()):
                    told = True
                    yield _event(answers.piece(text))
            if job.status in TERMINAL:
                break
            await self._exchange.wait_chunk(job, HOLD_S)
            if not job.chunks and job.status not in TERMINAL:
                break
        found = openai.result(job.output) if job.status is Status.COMPLETED else openai.Result(error=_reason(job))
        if found.error is not None:
            yield _event(openai.error_body(found.error, 500))
        else:
            yield _event(answers.piece("" if told else found.text, answers.finish(found)))
            if answers.asked.include_usage:
                yield _event(answers.usage(found))
        yield b"data: [DONE]\n\n"


def _failure(job: Job) -> web.Response | None:
    """The answer to a job that has no output, as HTTP tells it; None: it is COMPLETED."""
    if job.status is Status.COMPLETED:
        return None
    reason = _reason(job)
    status = 400 if openai.REFUSED in reason else 504 if job.status not in TERMINAL else 500
    return _json(openai.error_body(reason, status), status=status)


def _reason(job: Job) -> str:
    """Why a job has no output."""
    if job.status not in TERMINAL:
        return f"the job was still {job.status} after {HOLD_S:.0f} s"
    return openai.message_of(msgspec.json.decode(job.error or wire.text(f"the job is {job.status}")))


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(content) + b"\n\n"


def _json(content: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json", status=status)
