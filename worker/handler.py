"""Job -> response: the only place where the parts meet."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from worker import events, guardrails, identity
from worker.career import intents, prompts
from worker.career.intents import Intent
from worker.career.validation import Validation, validate
from worker.engine import Engine, EngineDead, EngineFailed
from worker.guardrails import Probe, Refused, Request
from worker.settings import Settings
from worker.streaming import Deltas

Json = dict[str, Any]
Entry = Callable[[Json], Awaitable[Json]] | Callable[[Json], AsyncGenerator[Json, None]]


class Handler:
    """Answers jobs. Each ends in one object: a response, a notice that it is blocked, a probe's answer or an error."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        write: events.Emit = events.emit,
        clock: events.Clock = time.monotonic,
    ) -> None:
        """``engine`` has been started; ``clock`` measures ``exec_ms`` and the window of deltas."""
        self._engine, self._settings, self._write, self._clock = engine, settings, write, clock
        self._closing: set[asyncio.Task[None]] = set()
        self.tasks: set[asyncio.Task[Any]] = set()
        """The SDK's task of each job in hand; it ends when the job's result has been posted."""

    def entry(self) -> Entry:
        """The function for the SDK, which asks ``inspect.isasyncgenfunction`` whether to serve ``/stream``."""

        async def stream(job: Json) -> AsyncGenerator[Json, None]:
            parts = self.answer(job)
            self._hold(parts)
            async for part in parts:
                yield part

        async def whole(job: Json) -> Json:
            last: Json = {}
            async with aclosing(self.answer(job)) as parts:
                self._hold(parts)
                async for part in parts:
                    last = part
            return last

        return stream if self._settings.enable_streaming else whole

    def _hold(self, parts: AsyncGenerator[Json, None]) -> None:
        """Keep the running task in ``tasks``, and close ``parts`` should the task end before them.

        The SDK abandons a generator whose job is cancelled while a delta is being posted, and would leave it to the
        garbage collector to find; until then the engine would go on.
        """
        task = asyncio.current_task()
        if task is None:
            return

        def ended(task: asyncio.Task[Any]) -> None:
            self.tasks.discard(task)
            if task.cancelled() or task.exception():
                closing = task.get_loop().create_task(parts.aclose())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)

        self.tasks.add(task)
        task.add_done_callback(ended)

    async def answer(self, job: Json) -> AsyncGenerator[Json, None]:
        """Deltas, where they are served and asked for, and then exactly one object that ends the job.

        The ``end`` line is written before that object is given away: whatever the SDK does with it then, no second
        line follows and ``exec_ms`` holds no POST of the result.
        """
        log = events.JobLog(str(job.get("id")), self._write, self._clock)
        try:
            async with aclosing(self._respond(job.get("input"), log)) as parts:
                async for part in parts:
                    yield part
        except Refused as refusal:
            log.failed("refused", refusal.logged)
            error = str(refusal)
        except EngineDead as death:
            error = f"engine dead: {death}; this worker ends and is replaced"
            log.failed("engine_dead", error)
        except EngineFailed as failure:
            error = f"engine failed: {failure}"
            log.failed("engine_failed", error)
        except Exception as bug:  # noqa: BLE001 - one job's bug must not take the other jobs' worker down
            # The text of an unforeseen error may quote the prompt: only its type is told.
            error = f"internal error: {type(bug).__name__}"
            log.failed("internal", error)
        except BaseException:  # cancelled by the SDK, or closed: whoever did it wants no answer
            log.failed("cancelled", "cancelled: the job was stopped before it had an answer")
            raise
        else:
            return
        yield {"error": error}

    async def _respond(self, payload: Any, log: events.JobLog) -> AsyncGenerator[Json, None]:
        request = guardrails.accept(payload)
        if isinstance(request, Probe):
            log.probed()
            yield identity.probe(request.nonce, self._engine, self._settings)
            return
        intent = intents.classify(request.prompt)
        blocked = request.block_low_trust_intents and intent in intents.LOW_TRUST
        tokens = [] if blocked else self._tokens(request, intent)
        log.start(
            prompt_len=len(request.prompt),
            max_tokens=request.max_tokens,
            stream=request.stream,
            validation_enabled=request.enable_validation,
        )
        if blocked:
            log.succeeded(tokens_generated=0, intent=intent.value, valid=None)
            yield self._marked({"blocked": True, "intent": intent.value, "message": intents.blocked_message(intent)})
            return
        async with aclosing(self._generate(request, intent, tokens, log)) as parts:
            async for part in parts:
                yield part

    def _tokens(self, request: Request, intent: Intent) -> list[int]:
        tokens = self._engine.render(prompts.messages(request.prompt, intent))
        guardrails.check_fits(len(tokens), request.max_tokens, self._settings.max_model_len)
        return tokens

    async def _generate(
        self, request: Request, intent: Intent, prompt: list[int], log: events.JobLog
    ) -> AsyncGenerator[Json, None]:
        live = request.stream and self._settings.enable_streaming
        deltas = Deltas(self._settings.stream_window_ms / 1000 if request.stream else None)
        generated = 0
        chunks = self._engine.generate(
            log.request_id, prompt, request.max_tokens, request.sampling, stream=request.stream
        )
        async with aclosing(chunks):
            async for chunk in chunks:
                generated += chunk.tokens
                delta = deltas.push(chunk.text, self._clock())
                if delta and live:
                    yield {"delta": delta}
        if (delta := deltas.finish()) and live:
            yield {"delta": delta}
        # An invalid answer is told and returned: generating again cost thirty times the throughput.
        validation = validate(deltas.text, intent, request.prompt) if request.enable_validation else None
        response = _response(request, intent, deltas, validation, (len(prompt), generated))
        log.succeeded(tokens_generated=generated, intent=intent.value, valid=validation.valid if validation else None)
        yield self._marked(response)

    def _marked(self, response: Json) -> Json:
        """Name an engine that is not the real one, so that its answers never pass for evidence."""
        return response if self._engine.kind == "vllm" else {**response, "engine": self._engine.kind}


def _response(
    request: Request, intent: Intent, deltas: Deltas, validation: Validation | None, tokens: tuple[int, int]
) -> Json:
    choice: Json = {"text": deltas.text}
    if request.stream:
        # ``tokens`` is the older name of ``deltas``.
        choice |= {"deltas": deltas.sent, "tokens": deltas.sent}
    prompt_tokens, generated = tokens
    return {
        "choices": [choice],
        "usage": {"input": prompt_tokens, "output": generated, "total": prompt_tokens + generated},
        "validation": {
            "valid": validation.valid if validation else None,
            "issues": list(validation.issues) if validation else [],
            "sanitized": deltas.sanitised,
            "intent": intent.value,
        },
        "streaming": request.stream,
    }
