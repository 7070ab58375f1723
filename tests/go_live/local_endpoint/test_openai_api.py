"""OpenAI's routes on a real socket, the test being the worker: the same jobs, limits and faults as everywhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.go_live.local_endpoint.conftest import Caller, Serving, eventually

CHAT = {"messages": [{"role": "user", "content": "How?"}], "max_tokens": 100}
ANSWER = {"choices": [{"text": "Learn SQL."}], "usage": {"input": 7, "output": 3, "total": 10}}


@asynccontextmanager
async def worker(caller: Caller, *chunks: Any, done: str | None = None) -> AsyncIterator[list[dict[str, Any]]]:
    """Be a worker that streams ``chunks`` and ends each job with ``done``; yields the inputs it was given."""
    seen: list[dict[str, Any]] = []
    final = json.dumps({"output": [*chunks, ANSWER]}) if done is None else done

    async def work() -> None:
        while True:
            for job in await caller.take(batch=9) or ():
                seen.append(job["input"])
                for chunk in chunks:
                    await caller.post("job-stream", job["id"], json.dumps({"output": chunk}))
                await caller.post("job-done", job["id"], final)

    task = asyncio.create_task(work())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def fault(caller: Caller, scenario: str) -> None:
    """Switch a fault on for the next request."""
    assert (await caller.call("POST", "/local/faults", json={"scenario": scenario, "count": 1}))[0] == 200


async def sse(caller: Caller, route: str = "chat/completions", **fields: Any) -> tuple[int, str, str]:
    """Status, content type and text of a streamed answer."""
    request = {**CHAT, "prompt": "How?", "stream": True, **fields}
    headers = {"Authorization": f"Bearer {caller.key}"}
    async with caller.http.post(f"{caller.base}/openai/v1/{route}", json=request, headers=headers) as response:
        return response.status, response.content_type, await response.text()


def events(text: str) -> list[Any]:
    """The events of a stream, parsed; the last must be its end's mark."""
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


async def test_a_chat_is_a_job_like_every_other(bare: Caller) -> None:
    """It reaches the worker in its own language, is counted, and comes back in OpenAI's."""
    async with worker(bare) as seen:
        status, body = await bare.call("POST", "openai/v1/chat/completions", json=CHAT)
    assert (status, body["object"], body["model"]) == (200, "chat.completion", "worker")
    assert body["choices"][0]["message"]["content"] == "Learn SQL."
    assert body["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    assert seen == [{"prompt": "How?", "sampling_params": {"max_tokens": 100}}]
    assert (await bare.call("GET", "health"))[1]["jobs"]["completed"] == 1


async def test_a_completion(bare: Caller) -> None:
    """The older route, with its older shape."""
    async with worker(bare):
        status, body = await bare.call("POST", "openai/v1/completions", json={"prompt": "How?"})
    assert (status, body["object"], body["choices"][0]["text"]) == (200, "text_completion", "Learn SQL.")


async def test_models_lists_the_one_model(serving: Serving) -> None:
    """By the name that the settings give."""
    async with serving(model="qwen") as caller:
        status, body = await caller.call("GET", "openai/v1/models")
    assert (status, [model["id"] for model in body["data"]]) == (200, ["qwen"])


@pytest.mark.parametrize("route", ["chat/completions", "completions"])
async def test_deltas_become_events(bare: Caller, route: str) -> None:
    """Each as it comes, then why it ended, then the usage, then the end's mark."""
    async with worker(bare, {"delta": "Learn"}, {"delta": " SQL."}) as seen:
        status, kind, text = await sse(bare, route, stream_options={"include_usage": True})
    *pieces, end, usage = events(text)
    said = [piece["choices"][0].get("delta", piece["choices"][0]) for piece in pieces]
    assert (status, kind) == (200, "text/event-stream")
    assert "".join(part.get("content", part.get("text")) for part in said) == "Learn SQL."
    assert (end["choices"][0]["finish_reason"], usage["usage"]["completion_tokens"]) == ("stop", 3)
    assert seen[0]["stream"] is True


async def test_a_worker_that_does_not_stream_answers_in_one_event(bare: Caller) -> None:
    """The whole text, once; without include_usage no usage."""
    async with worker(bare, done=json.dumps({"output": ANSWER})):
        _, _, text = await sse(bare)
    (only,) = events(text)
    assert only["choices"][0]["delta"]["content"] == "Learn SQL."


@pytest.mark.parametrize(
    ("error", "status"), [("refused: prompt is blank", 400), ("engine dead", 500), ({"type": "oom"}, 500)]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_failed_job_is_an_http_error(bare: Caller, error: Any, status: int, *, stream: bool) -> None:
    """The caller's mistake is 400, the worker's failure 500, streamed or not."""
    async with worker(bare, done=json.dumps({"error": error})):
        got, body = await bare.call("POST", "openai/v1/chat/completions", json={**CHAT, "stream": stream})
    assert (got, body["error"]["code"]) == (status, status)


async def test_a_job_that_fails_in_the_middle_of_its_stream_says_so(bare: Caller) -> None:
    """HTTP 200 has been sent by then: an event with the error."""
    async with worker(bare, {"delta": "Learn"}, done='{"error": "engine dead"}'):
        status, _, text = await sse(bare)
    piece, error = events(text)
    assert (status, piece["choices"][0]["delta"]["content"]) == (200, "Learn")
    assert error["error"]["message"] == "engine dead"


async def test_requests_that_are_none_are_400(bare: Caller) -> None:
    """With a reason, and no job."""
    status, body = await bare.call("POST", "openai/v1/chat/completions", json={"messages": []})
    assert (status, "user message" in body["error"]["message"]) == (400, True)
    assert (await bare.call("GET", "health"))[1]["jobs"]["inQueue"] == 0


async def test_the_key_and_the_endpoint_are_looked_at(bare: Caller) -> None:
    """401 and 404, as everywhere."""
    wrong = {"Authorization": "Bearer no"}
    assert (await bare.call("POST", "openai/v1/chat/completions", json=CHAT, headers=wrong))[0] == 401
    assert (await bare.call("GET", "openai/v1/models", headers=wrong))[0] == 401
    assert (await bare.call("POST", "/v2/other/openai/v1/chat/completions", json=CHAT))[0] == 404


@pytest.mark.parametrize(("scenario", "status"), [("error", 500), ("rate_limited", 429), ("failed", 500)])
@pytest.mark.parametrize("stream", [False, True])
async def test_faults_apply_here_too(bare: Caller, scenario: str, status: int, *, stream: bool) -> None:
    """Once, then all is well."""
    await fault(bare, scenario)
    async with worker(bare):
        request = {**CHAT, "stream": stream}
        assert (await bare.call("POST", "openai/v1/chat/completions", json=request))[0] == status
        assert (await bare.call("POST", "openai/v1/chat/completions", json=CHAT))[0] == 200


@pytest.mark.parametrize("chunks", [(), ({"delta": "Learn"}, {"delta": " SQL."})])
async def test_an_error_in_the_output_is_http_200(bare: Caller, chunks: tuple[Any, ...]) -> None:
    """Whole: an object with an error. Streamed: one event with it, the worker's own deltas withheld."""
    async with worker(bare, *chunks):
        await fault(bare, "error_in_output")
        status, body = await bare.call("POST", "openai/v1/chat/completions", json=CHAT)
        assert (status, set(body)) == (200, {"error"})
        await fault(bare, "error_in_output")
        status, _, text = await sse(bare)
    assert (status, [set(event) for event in events(text)]) == (200, [{"error"}])


async def test_an_error_in_the_output_of_the_job_api_too(bare: Caller) -> None:
    """HTTP 200, COMPLETED, an error where the answer should be; /stream gives the same and nothing else."""
    async with worker(bare, {"delta": "Learn"}):
        await fault(bare, "error_in_output")
        assert (await bare.runsync(prompt="How?"))["output"] == {"error": "fault: the engine ran out of memory"}
        await fault(bare, "error_in_output")
        job = await bare.run(prompt="How?")
        await bare.until(job, "COMPLETED")
    _, page = await bare.call("GET", f"stream/{job}")
    assert [piece["output"] for piece in page["stream"]] == [{"error": "fault: the engine ran out of memory"}]


@pytest.mark.parametrize("scenario", ["truncated", "dropped"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_connection_that_breaks(bare: Caller, scenario: str, *, stream: bool) -> None:
    """In the middle of the answer, or before it; the job itself ends well."""
    await fault(bare, scenario)
    async with worker(bare, {"delta": "Learn"}):
        with pytest.raises(aiohttp.ClientError):
            await sse(bare, stream=stream)

        async def ended() -> bool:
            return bool((await bare.call("GET", "health"))[1]["jobs"]["completed"] == 1)

        await eventually(ended)


async def test_a_proxys_page_comes_before_a_stream_has_begun(bare: Caller) -> None:
    """Without a worker there is nothing to pass on but HTML."""
    await fault(bare, "html_524")
    assert (await sse(bare))[:2] == (524, "text/html")


async def test_a_stream_that_was_begun_is_not_replaced_by_a_page(bare: Caller) -> None:
    """The worker's first delta is out before the proxy's patience ends."""
    body = {"scenario": "html_524", "count": 1, "seconds": 0.5}
    await bare.call("POST", "/local/faults", json=body)
    asking = asyncio.create_task(sse(bare))
    (job,) = await bare.take(batch=1)
    await bare.post("job-stream", job["id"], '{"output": {"delta": "Learn"}}')
    await asyncio.sleep(0.8)
    await bare.post("job-done", job["id"], json.dumps({"output": ANSWER}))
    status, _, text = await asking
    assert (status, events(text)[0]["choices"][0]["delta"]["content"]) == (200, "Learn")
