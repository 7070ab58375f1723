"""When jobs are taken, and when the worker ends."""

import asyncio
import contextlib
import os
from typing import Any

import pytest

from tests.worker.engines import ColdEngine, ScriptedEngine
from worker import serve
from worker.handler import Handler
from worker.serve import Keeper, quiet_sdk
from worker.settings import Settings


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps without their pauses."""
    monkeypatch.setattr(serve, "WATCH_S", 0)
    monkeypatch.setattr(serve, "PICK_UP_S", 0)


class Worker:
    """A keeper over an engine, and the events it wrote."""

    def __init__(self, engine: ScriptedEngine) -> None:
        """As ``serve`` puts them together."""
        self.events: list[str] = []
        settings = Settings(max_concurrency=30)
        self.handler = Handler(engine, settings, write=self._write)
        self.keeper = Keeper(engine, self.handler, settings, write=self._write)

    def _write(self, event: str, /, **_fields: Any) -> None:
        self.events.append(event)

    async def asked(self) -> int:
        """What the SDK is told at its next take."""
        for _ in range(5):
            await asyncio.sleep(0)
        return self.keeper.concurrency(1)


async def test_nothing_is_taken_before_the_engine_has_answered_once() -> None:
    """No jobs while it warms up, the constant ever after, and one ``ready``."""
    engine = ColdEngine()
    worker = Worker(engine)
    assert [await worker.asked() for _ in range(3)] == [0, 0, 0]
    assert worker.events == []
    engine.go.set()
    await worker.asked()
    assert [await worker.asked() for _ in range(3)] == [30, 30, 30]
    assert worker.events == ["ready"]


async def test_a_warm_engine_is_ready_at_once() -> None:
    """An engine without a warm-up costs no waiting."""
    worker = Worker(ScriptedEngine())
    assert worker.keeper.concurrency(1) == 30
    assert worker.events == ["ready"]


def ends_with(worker: Worker, engine: ColdEngine, steps: Any) -> int | str | None:
    """Run the keeper in a loop of its own, as the SDK does; the status with which it ends."""

    async def loop() -> None:
        await worker.asked()
        await steps(engine)
        await asyncio.wait_for(asyncio.Event().wait(), 5)

    with pytest.raises(SystemExit) as caught:
        asyncio.run(loop())
    return caught.value.code


def test_an_engine_that_cannot_answer_ends_the_worker() -> None:
    """A failed warm-up is fatal: no job is ever taken."""

    async def steps(engine: ColdEngine) -> None:
        engine.go.set()

    engine = ColdEngine(fails=True)
    worker = Worker(engine)
    assert ends_with(worker, engine, steps) == 1
    assert worker.events == ["fatal"]


def test_a_dead_engine_ends_the_worker_even_when_idle() -> None:
    """Death is seen without any job."""

    async def steps(engine: ColdEngine) -> None:
        engine.go.set()
        await asyncio.sleep(0.01)
        engine.die()

    engine = ColdEngine()
    worker = Worker(engine)
    assert ends_with(worker, engine, steps) == 1
    assert worker.events == ["ready", "fatal"]


def test_a_dead_engine_waits_for_the_results_to_be_posted() -> None:
    """The SDK's tasks, which post the results of the jobs in flight, end before the worker does."""
    posted: list[str] = []
    engine = ColdEngine()
    worker = Worker(engine)

    async def job() -> None:
        worker.handler._hold(worker.handler.answer({"id": "job-1", "input": None}))
        await asyncio.sleep(0.05)
        posted.append("job-1")

    async def steps(engine: ColdEngine) -> None:
        engine.go.set()
        task = asyncio.create_task(job())
        await asyncio.sleep(0.01)
        engine.die()
        await task

    assert ends_with(worker, engine, steps) == 1
    assert posted == ["job-1"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("fails", [False, True], ids=["dies", "cannot answer"])
def test_a_take_that_swallows_its_cancel_does_not_keep_the_worker(
    fails: bool,  # noqa: FBT001 - a parameter
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK's take can lose the cancel that ends it; it was told to end before, and does."""
    told = asyncio.Event()
    monkeypatch.setattr("signal.getsignal", lambda _: lambda *_: told.set())

    async def takes() -> None:
        while not told.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)

    async def steps(engine: ColdEngine) -> None:
        taking = asyncio.create_task(takes())
        engine.go.set()
        await asyncio.sleep(0.01)
        engine.die()
        await taking

    engine = ColdEngine(fails=fails)
    assert ends_with(Worker(engine), engine, steps) == 1


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, "INFO"),
        ({"RUNPOD_DEBUG_LEVEL": "DEBUG"}, "INFO"),
        ({"RUNPOD_LOG_LEVEL": "trace"}, "INFO"),
        ({"RUNPOD_LOG_LEVEL": "1"}, "INFO"),
        ({"RUNPOD_LOG_LEVEL": "error"}, "ERROR"),
        ({"RUNPOD_DEBUG_LEVEL": "WARN"}, "WARN"),
    ],
)
def test_the_sdk_never_logs_at_a_level_that_quotes_jobs(
    environ: dict[str, str], level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the platform asks for, the SDK logs at INFO or above."""
    for name in ("RUNPOD_LOG_LEVEL", "RUNPOD_DEBUG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    quiet_sdk()
    assert os.environ["RUNPOD_LOG_LEVEL"] == level
