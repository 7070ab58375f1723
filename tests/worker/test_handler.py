"""Job -> response, and the lines that are logged on the way."""

import asyncio
import inspect
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.timed_worker import TimedEngine
from tests.worker.engines import ANSWER, ScriptedEngine
from worker.engine import Engine, EngineDead, EngineFailed
from worker.handler import Handler
from worker.settings import Settings

PROMPT = "How do I become a data engineer?"
SALARY = "What salary does a nurse earn in London?"


class Log:
    """The lines a handler wrote."""

    def __init__(self) -> None:
        """Empty."""
        self.lines: list[dict[str, Any]] = []

    def __call__(self, event: str, /, **fields: Any) -> None:
        """Take a line, as JSON would carry it."""
        self.lines.append(json.loads(json.dumps({"event": event, **fields}, allow_nan=False)))

    def only(self, event: str) -> dict[str, Any]:
        """The one line of that event."""
        (line,) = [line for line in self.lines if line["event"] == event]
        return line

    @property
    def names(self) -> list[str]:
        """Events in order."""
        return [line["event"] for line in self.lines]


class Clock:
    """A clock that moves by a tenth of a second at each look."""

    def __init__(self) -> None:
        """Start at nought."""
        self.now = 0.0

    def __call__(self) -> float:
        """The time, then a step."""
        self.now += 0.1
        return self.now


async def run(engine: Engine, payload: Any, *, streaming: bool = False, **fields: Any) -> tuple[list[Any], Log]:
    """Everything the handler gives for one job, and its log."""
    log = Log()
    handler = Handler(engine, Settings(enable_streaming=streaming, **fields), write=log, clock=Clock())
    return [part async for part in handler.answer({"id": "job-1", "input": payload})], log


async def test_the_response_has_exactly_the_documented_parts() -> None:
    """Text, usage, validation and streaming; and the log has one start and one end with the documented fields."""
    engine = ScriptedEngine(ANSWER[:40], ANSWER[40:])
    (response,), log = await run(engine, {"prompt": PROMPT, "sampling_params": {"max_tokens": 100, "temperature": 0}})
    assert response == {
        "choices": [{"text": ANSWER}],
        "usage": {"input": response["usage"]["input"], "output": 6, "total": response["usage"]["input"] + 6},
        "validation": {"valid": True, "issues": [], "sanitized": False, "intent": "career_guidance"},
        "streaming": False,
        "engine": "timed",
    }
    assert engine.asked == [("job-1", 100, {"temperature": 0})]
    start, end = log.lines
    assert start == {
        "event": "start",
        "request_id": "job-1",
        "prompt_len": len(PROMPT),
        "max_tokens": 100,
        "stream": False,
        "validation_enabled": True,
    }
    assert end.pop("exec_ms") > 0
    assert end == {
        "event": "end",
        "request_id": "job-1",
        "ok": True,
        "tokens_generated": 6,
        "intent": "career_guidance",
        "valid": True,
    }


async def test_the_real_engine_is_not_marked() -> None:
    """Only an engine of another kind than vLLM's is named in the response."""
    engine = ScriptedEngine()
    engine.kind = "vllm"
    (response,), _log = await run(engine, {"prompt": PROMPT})
    assert set(response) == {"choices", "usage", "validation", "streaming"}


async def test_exec_ms_is_the_clocks() -> None:
    """``exec_ms`` is milliseconds between the handler's first look at the clock and its last."""
    _parts, log = await run(ScriptedEngine(), {"prompt": PROMPT})
    assert log.only("end")["exec_ms"] == 200.0


async def test_an_invalid_answer_is_returned_as_it_is_and_never_asked_for_again() -> None:
    """One generation; the verdict stands in the response and in the log."""
    engine = ScriptedEngine("No.")
    (response,), log = await run(engine, {"prompt": PROMPT})
    assert response["choices"] == [{"text": "No."}]
    assert response["validation"]["valid"] is False
    assert response["validation"]["issues"]
    assert log.only("end")["valid"] is False
    assert log.only("end")["ok"] is True
    assert len(engine.asked) == 1


async def test_the_sanitiser_is_applied_and_told() -> None:
    """What is no part of the answer is taken out, and the response says so."""
    (response,), _log = await run(ScriptedEngine(f"Answer: {ANSWER}<|im_end|>"), {"prompt": PROMPT})
    assert response["choices"] == [{"text": ANSWER}]
    assert response["validation"]["sanitized"] is True


async def test_validation_can_be_switched_off() -> None:
    """Then nothing is said about validity; the intent stays."""
    (response,), log = await run(ScriptedEngine("No."), {"prompt": PROMPT, "enable_validation": False})
    expected: dict[str, Any] = {"valid": None, "issues": [], "sanitized": False, "intent": "career_guidance"}
    assert response["validation"] == expected
    assert log.only("start")["validation_enabled"] is False
    assert log.only("end")["valid"] is None


@pytest.mark.parametrize("streaming", [False, True])
async def test_low_trust_intents_are_blocked_unless_asked_for(streaming: bool) -> None:  # noqa: FBT001 - parametrised
    """Blocked without a generation, with one start and one end; asked for, it is answered."""
    engine = ScriptedEngine()
    (blocked,), log = await run(engine, {"prompt": SALARY}, streaming=streaming)
    assert blocked.pop("message")
    assert blocked == {"blocked": True, "intent": "salary_intelligence", "engine": "timed"}
    assert log.names == ["start", "end"]
    assert (log.only("end")["ok"], log.only("end")["tokens_generated"]) == (True, 0)
    assert engine.asked == []
    (answered,), _log = await run(engine, {"prompt": SALARY, "block_low_trust_intents": False})
    assert answered["validation"]["intent"] == "salary_intelligence"
    assert len(engine.asked) == 1


async def test_stream_without_the_streaming_endpoint_aggregates() -> None:
    """The deltas are in the response, which is all there is."""
    (response,), _log = await run(ScriptedEngine(ANSWER[:30], ANSWER[30:]), {"prompt": PROMPT, "stream": True})
    (choice,) = response["choices"]
    assert choice["deltas"] == choice["tokens"]
    assert len(choice["deltas"]) == 2
    assert "".join(choice["deltas"]) == choice["text"] == ANSWER
    assert response["streaming"] is True


async def test_streaming_yields_deltas_and_then_the_response() -> None:
    """What was yielded as deltas is what the response lists, and it ends with the response."""
    engine = ScriptedEngine(*(f" {word}" for word in ANSWER.split()))
    (*deltas, response), _log = await run(engine, {"prompt": PROMPT, "stream": True}, streaming=True)
    assert [delta["delta"] for delta in deltas] == response["choices"][0]["deltas"]
    assert "".join(response["choices"][0]["deltas"]) == response["choices"][0]["text"] == ANSWER
    assert len(deltas) > 3


async def test_what_the_window_kept_back_comes_with_the_last_delta() -> None:
    """The text that was still waiting when the answer ended is yielded before the response."""
    parts, _log = await run(
        *(ScriptedEngine(ANSWER[:30], ANSWER[30:50], ANSWER[50:]), {"prompt": PROMPT, "stream": True}),
        streaming=True,
        stream_window_ms=10_000,
    )
    assert parts[:-1] == [{"delta": ANSWER[:30]}, {"delta": ANSWER[30:]}]


async def test_a_request_that_does_not_stream_gets_one_part_from_the_streaming_endpoint() -> None:
    """Unless it asks for a stream, it is answered with the response alone."""
    (response,), _log = await run(ScriptedEngine(), {"prompt": PROMPT}, streaming=True)
    assert response["choices"] == [{"text": ANSWER}]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (None, "input must be an object"),
        ({"prompt": ""}, "prompt is blank"),
        ({"prompt": "x", "sampling_params": {"max_tokens": float("nan")}}, "max_tokens must be an integer"),
    ],
)
async def test_a_refusal_is_one_error_and_one_end(payload: Any, said: str) -> None:
    """No start: nothing was accepted. One end of class ``refused``; the engine hears nothing."""
    engine = ScriptedEngine()
    (response,), log = await run(engine, payload)
    assert set(response) == {"error"}
    assert response["error"].startswith("refused: ")
    assert said in response["error"]
    assert log.names == ["end"]
    assert (log.only("end")["ok"], log.only("end")["class"]) == (False, "refused")
    assert engine.asked == []


async def test_too_many_tokens_are_refused() -> None:
    """A prompt within its characters whose tokens do not fit is refused before it is started."""
    (response,), log = await run(ScriptedEngine(), {"prompt": "x" * 1000}, max_model_len=300)
    assert "too many tokens" in response["error"]
    assert log.names == ["end"]


@pytest.mark.parametrize(
    ("failure", "kind", "said"),
    [
        (EngineDead("gone"), "engine_dead", "engine dead: gone"),
        (EngineFailed("no memory"), "engine_failed", "engine failed: no memory"),
        (ValueError(f"cannot do {PROMPT}"), "internal", "internal error: ValueError"),
    ],
)
@pytest.mark.parametrize("streaming", [False, True])
async def test_a_failure_is_one_error_and_one_end(
    failure: Exception,
    kind: str,
    said: str,
    streaming: bool,  # noqa: FBT001 - parametrised
) -> None:
    """Whenever it happens, the job ends once, with an error that quotes nothing of the request."""
    engine = ScriptedEngine(ANSWER, failure)
    parts, log = await run(engine, {"prompt": PROMPT, "stream": streaming}, streaming=streaming)
    assert parts[-1]["error"].startswith(said)
    assert log.names == ["start", "end"]
    assert (log.only("end")["ok"], log.only("end")["class"]) == (False, kind)
    assert PROMPT not in json.dumps([parts[-1], log.lines])
    assert engine.closed == 1


@pytest.mark.parametrize("streaming", [False, True])
async def test_cancelling_ends_the_job_and_the_engines_work(streaming: bool) -> None:  # noqa: FBT001 - parametrised
    """The cancellation goes on to the SDK, the generation is closed, and there is one end."""
    log, engine = Log(), ScriptedEngine(ANSWER, None)
    handler = Handler(engine, Settings(enable_streaming=streaming), write=log)

    async def sdk() -> None:
        result = handler.entry()({"id": "job-1", "input": {"prompt": PROMPT}})
        if isinstance(result, AsyncGenerator):
            async for _ in result:
                pass
        else:
            await result

    task = asyncio.create_task(sdk())
    await engine.begun.wait()
    assert handler.tasks == {task}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log.names == ["start", "end"]
    assert log.only("end")["class"] == "cancelled"
    assert engine.closed == 1
    assert handler.tasks == set()


@pytest.mark.parametrize("failure", [asyncio.CancelledError(), TimeoutError()])
async def test_a_generator_that_the_sdk_abandons_is_closed(failure: BaseException) -> None:
    """A job that ends while one of its deltas is posted leaves nothing running, though nobody closes the generator."""
    log, engine = Log(), ScriptedEngine(ANSWER, None)
    handler = Handler(engine, Settings(enable_streaming=True), write=log)
    kept: list[Any] = []

    async def sdk() -> None:
        parts = handler.entry()({"id": "job-1", "input": {"prompt": PROMPT, "stream": True}})
        kept.append(parts)  # as a traceback would keep it
        assert isinstance(parts, AsyncGenerator)
        async for _ in parts:
            raise failure

    await asyncio.gather(asyncio.create_task(sdk()), return_exceptions=True)
    await asyncio.wait_for(engine.ended.wait(), 5)
    await asyncio.gather(*handler._closing)
    assert log.names == ["start", "end"]
    assert log.only("end")["class"] == "cancelled"
    assert engine.closed == 1


async def test_the_sdk_sees_the_right_kind_of_function() -> None:
    """An async generator function where ``/stream`` is served, else a coroutine function."""
    streaming = Handler(ScriptedEngine(), Settings(enable_streaming=True)).entry()
    plain = Handler(ScriptedEngine(), Settings()).entry()
    assert inspect.isasyncgenfunction(streaming)
    assert inspect.iscoroutinefunction(plain)


async def test_a_probe_is_answered_without_the_engine() -> None:
    """Nonce, build and effective settings; one line of its own, no start and no end."""
    engine = ScriptedEngine()
    payload = {"probe": {"nonce": "n-1"}}
    (response,), log = await run(engine, payload, git_commit="c0ffee", image_digest="sha256:1")
    probe = response["probe"]
    assert (probe["nonce"], probe["commit"], probe["image"]) == ("n-1", "c0ffee", "sha256:1")
    assert probe["engine"]["kind"] == "timed"
    assert probe["engine"]["max_num_batched_tokens"] == 4096
    assert set(probe["versions"]) >= {"python", "runpod"}
    assert log.names == ["probe"]
    assert engine.asked == []


JOBS = st.lists(
    st.sampled_from(
        [
            {"prompt": PROMPT},
            {"prompt": PROMPT, "stream": True},
            {"prompt": SALARY},
            {"prompt": ""},
            {"probe": {"nonce": "n"}},
            None,
        ]
    ),
    min_size=1,
    max_size=8,
)


@given(JOBS, st.booleans(), st.integers(0, 3))
def test_every_start_has_exactly_one_end(jobs: list[Any], streaming: bool, dies_at: int) -> None:  # noqa: FBT001
    """Whatever mixture of jobs runs at once, and wherever the engine dies, each job ends exactly once."""
    log = Log()
    chosen = Settings(enable_streaming=streaming)
    handler = Handler(TimedEngine(chosen, exec_ms=0, dies_at_job=dies_at), chosen, write=log)

    async def one(number: int, payload: Any) -> list[Any]:
        return [part async for part in handler.answer({"id": f"job-{number}", "input": payload})]

    async def all_of_them() -> list[list[Any]]:
        return await asyncio.gather(*(one(number, payload) for number, payload in enumerate(jobs)))

    for outputs in asyncio.run(all_of_them()):
        assert len([part for part in outputs if "delta" not in part]) == 1
        assert "delta" not in outputs[-1]
    for number, payload in enumerate(jobs):
        names = [line["event"] for line in log.lines if line["request_id"] == f"job-{number}"]
        if payload and "probe" in payload:
            assert names == ["probe"]
        elif payload and payload["prompt"]:
            assert names == ["start", "end"]
        else:
            assert names == ["end"]
