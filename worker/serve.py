"""An engine behind the SDK's loop: warm-up, ``ready``, death."""

import asyncio
import os
import signal
from typing import Any

from worker import events
from worker.engine import Engine, batched_tokens
from worker.handler import Handler
from worker.settings import Settings

WATCH_S = 0.25
"""How often the engine is looked at."""
PICK_UP_S = 0.25
"""The SDK starts a job that it has taken within 0.1 s."""
POST_S = 60.0
"""How long the last results may take to be posted; the SDK tries three times within seconds."""
EXIT_ENGINE_DEAD = 1


class Keeper:
    """Opens the worker to jobs when the engine can answer, and ends it when the engine cannot any more.

    It lives in the SDK's ``concurrency_modifier``, the one hook that runs on the SDK's loop before each take
    (docs/decisions/0011): while it says 0, nothing is taken.
    """

    def __init__(
        self, engine: Engine, handler: Handler, settings: Settings, *, write: events.Emit = events.emit
    ) -> None:
        """Nothing happens before the SDK's loop asks for the first time."""
        self._engine, self._handler, self._settings, self._write = engine, handler, settings, write
        self._watch: asyncio.Task[None] | None = None
        self._ready = False

    def concurrency(self, _current: int) -> int:
        """Jobs to take at a time: none before ``ready``, a constant ever after (a change would stall intake)."""
        if self._watch is None:
            if self._engine.warm:
                self._open()
            self._watch = asyncio.get_running_loop().create_task(self._keep())
            # asyncio would report as lost what ends the loop: it is looked at, and nothing more.
            self._watch.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._settings.max_concurrency if self._ready else 0

    def _open(self) -> None:
        self._ready = True
        self._write("ready", **self._engine.facts(), max_concurrency=self._settings.max_concurrency)

    async def _keep(self) -> None:
        """Warm up, watch, and leave: ``SystemExit`` in a task ends the SDK's loop and ``start`` raises it."""
        if not self._ready:
            try:
                await self._engine.warm_up()
            except Exception as error:
                self._write("fatal", error=f"the engine cannot answer: {type(error).__name__}")
                end_loops()
                raise SystemExit(EXIT_ENGINE_DEAD) from error
            self._open()
        while self._engine.alive():  # noqa: ASYNC110 - vLLM offers a flag, not an event
            await asyncio.sleep(WATCH_S)
        await asyncio.sleep(PICK_UP_S)
        if self._handler.tasks:
            await asyncio.wait(self._handler.tasks, timeout=POST_S)
        self._write("fatal", error="the engine is dead; this worker ends so that it is replaced")
        end_loops()
        raise SystemExit(EXIT_ENGINE_DEAD)


def end_loops() -> None:
    """Tell the SDK's loops that the worker ends, by the handler that it has set for SIGTERM.

    ``SystemExit`` cancels them, once. A cancel that meets a take in the moment of its answer is lost in
    ``asyncio.wait_for`` (Python 3.11), and a loop that was not told would go on for ever, with its session closed.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        handler(signal.SIGTERM, None)


def quiet_sdk() -> None:
    """Keep the SDK from logging prompts and answers, which it does at DEBUG, its default. Before its import."""
    level = os.environ.get("RUNPOD_LOG_LEVEL", os.environ.get("RUNPOD_DEBUG_LEVEL", "")).upper()
    os.environ["RUNPOD_LOG_LEVEL"] = level if level in {"INFO", "WARN", "ERROR"} else "INFO"


def serve(engine: Engine, settings: Settings) -> None:
    """Start ``engine``, then answer jobs until SIGTERM (drained; returns) or until the engine dies.

    Raises:
        SystemExit: the engine cannot answer, or no more; the status is not zero.
    """
    for warning in settings.warnings:
        events.emit("warning", message=warning)
    asked, effective = settings.max_num_batched_tokens, batched_tokens(settings)
    if asked is not None and asked != effective:
        events.emit("adjusted", setting="MAX_NUM_BATCHED_TOKENS", asked=asked, effective=effective)
    try:
        engine.start()
        quiet_sdk()
        import runpod.serverless  # noqa: PLC0415 - it reads the environment when it is imported

        runpod.serverless.start(_config(engine, settings))
    finally:
        engine.shutdown()


def _config(engine: Engine, settings: Settings) -> dict[str, Any]:
    handler = Handler(engine, settings)
    return {
        "handler": handler.entry(),
        "concurrency_modifier": Keeper(engine, handler, settings).concurrency,
        "return_aggregate_stream": True,
    }
