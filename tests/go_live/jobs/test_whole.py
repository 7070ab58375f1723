"""Whole jobs: polling to a terminal state, deadlines, and never leaving a job running that nobody waits for."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from go_live.jobs import Reply, TransportError
from go_live.records import ErrorClass
from tests.go_live.jobs.conftest import Scripted, drop, page, text_job, truncate

HI = {"prompt": "How do I start?"}
QUEUED = {"id": "sync-1", "status": "IN_QUEUE"}
RUNNING = {"id": "sync-1", "status": "IN_PROGRESS", "delayTime": 3}


def held(seconds: float, answer: object) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that answers late."""

    async def handler(_request: web.Request) -> web.Response:
        await asyncio.sleep(seconds)
        return web.json_response(answer)

    return handler


async def test_a_job_still_queued_after_the_wait_is_polled_to_its_end(api: Scripted) -> None:
    """IN_QUEUE after the wait is no answer: the client asks for the status until there is one."""
    api.script("runsync", QUEUED)
    api.script("status", QUEUED, RUNNING, text_job())
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete(HI, deadline_s=10)
    assert (answer.error, answer.text, answer.job_status) == (None, "Learn SQL.", "COMPLETED")
    assert (api.count("runsync"), api.count("status"), api.count("cancel")) == (1, 3, 0)


async def test_polling_outlives_passing_troubles(api: Scripted) -> None:
    """429, 5xx, HTML, dropped and truncated status replies are asked again; the job itself is sent once."""
    troubles = (page(429, ""), page(500, "{}", "application/json"), page(524, "<html>"), drop, truncate)
    api.script("runsync", RUNNING)
    api.script("status", *troubles, text_job())
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete(HI, deadline_s=30)
    assert answer.error is None
    assert api.count("runsync") == 1
    assert api.count("status") >= 6


async def test_a_lost_job_is_not_polled_for_ever(api: Scripted) -> None:
    """404 from ``/status`` (the retention ended) is final."""
    api.script("runsync", QUEUED)
    api.script("status", page(404, "{}", "application/json"))
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete(HI, deadline_s=10)
    assert (answer.error, answer.job) == (ErrorClass.NOT_FOUND, "sync-1")
    assert api.count("status") == 1


async def test_a_job_that_never_ends_meets_the_deadline_and_is_cancelled(api: Scripted) -> None:
    """IN_QUEUE for ever: class deadline, what was last seen, and one cancel upstream."""
    api.script("runsync", QUEUED)
    api.script("status", QUEUED)
    api.script("cancel", {"id": "sync-1", "status": "CANCELLED"})
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete(HI, deadline_s=0.3)
    assert (answer.error, answer.job_status, answer.text) == (ErrorClass.DEADLINE, "IN_QUEUE", None)
    assert "IN_QUEUE" in str(answer.detail)
    assert [rest for name, rest in api.seen if name == "cancel"] == ["sync-1"]


async def test_a_slow_server_meets_the_deadline_and_its_job_is_cancelled_once_known(api: Scripted) -> None:
    """The answer comes at the deadline; the held call is kept until it tells the id, and the job is cancelled."""
    api.script("runsync", held(0.6, RUNNING))
    api.script("cancel", {"id": "sync-1", "status": "CANCELLED"})
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete(HI, deadline_s=0.2)
        assert (answer.error, answer.job) == (ErrorClass.DEADLINE, None)
        assert api.count("cancel") == 0
    assert [rest for name, rest in api.seen if name == "cancel"] == ["sync-1"]


async def test_a_job_that_ended_meanwhile_is_not_cancelled(api: Scripted) -> None:
    """A late terminal reply needs no cancel."""
    api.script("runsync", held(0.4, text_job()))
    async with api.endpoint() as endpoint:
        assert (await endpoint.complete(HI, deadline_s=0.1)).error is ErrorClass.DEADLINE
    assert api.count("cancel") == 0


@pytest.mark.parametrize("first", [QUEUED, held(0.4, RUNNING)], ids=["id known", "id not known yet"])
async def test_a_cancelled_caller_cancels_the_job_upstream(api: Scripted, first: object) -> None:
    """Abort semantics: the caller's cancellation goes through at once, and the job is cancelled upstream."""
    api.script("runsync", first)
    api.script("status", RUNNING)
    api.script("cancel", {"id": "sync-1", "status": "CANCELLED"})
    async with api.endpoint() as endpoint:
        task = asyncio.create_task(endpoint.complete(HI, deadline_s=20))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert api.count("cancel") == 1


async def test_a_reply_in_the_moment_of_the_cancel_is_not_lost(api: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id that arrives just as the caller is cancelled still serves to cancel the job."""
    api.script("cancel", {"id": "sync-1", "status": "CANCELLED"})
    async with api.endpoint() as endpoint:
        task = asyncio.create_task(endpoint.complete(HI, deadline_s=20))

        async def runsync(*_arguments: object) -> Reply:
            asyncio.get_running_loop().call_soon(task.cancel)
            return Reply(200, "application/json", json.dumps(QUEUED).encode())

        monkeypatch.setattr(endpoint, "runsync", runsync)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert api.count("cancel") == 1


async def test_a_failing_cancel_is_let_go(api: Scripted) -> None:
    """Cancelling is best effort: when it fails, the answer stands and closing does not hang or raise."""
    api.script("runsync", QUEUED)
    api.script("status", QUEUED)
    api.script("cancel", drop)
    async with api.endpoint() as endpoint:
        assert (await endpoint.complete(HI, deadline_s=0.2)).error is ErrorClass.DEADLINE
    assert api.count("cancel") == 1


async def test_a_whole_stream_gives_text_chunks_and_first_token(api: Scripted) -> None:
    """Deltas arrive in order; the first with a text is the first token; the final object is the answer."""
    final = text_job(id="j-1")["output"]
    api.script("run", {"id": "j-1", "status": "IN_QUEUE"})
    api.script(
        "stream",
        {"status": "IN_QUEUE", "stream": []},
        {"status": "IN_PROGRESS", "stream": [{"output": {"delta": ""}}]},
        {"status": "IN_PROGRESS", "stream": [{"output": {"delta": "Learn "}}]},
        {"status": "COMPLETED", "stream": [{"output": {"delta": "SQL."}}, {"output": final}]},
        {"status": "COMPLETED", "stream": []},
    )
    api.script("status", text_job(id="j-1", output=[{"delta": "Learn "}, {"delta": "SQL."}, final]))
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete_streaming(HI, deadline_s=10)
    assert (answer.error, answer.text, answer.job, answer.delay_ms) == (None, "Learn SQL.", "j-1", 12)
    assert [chunk.output for chunk in answer.chunks] == [{"delta": ""}, {"delta": "Learn "}, {"delta": "SQL."}, final]
    assert answer.first_token == answer.chunks[1].at
    assert answer.done == answer.chunks[3].at
    assert api.count("cancel") == 0


async def test_a_stream_without_an_aggregate_is_judged_by_its_chunks(api: Scripted) -> None:
    """A worker that keeps no aggregate answers ``[]`` at the end; the streamed final object stands in."""
    final = text_job()["output"]
    api.script("run", {"id": "j-1", "status": "IN_QUEUE"})
    api.script("stream", {"status": "COMPLETED", "stream": [{"output": final}]}, {"status": "COMPLETED", "stream": []})
    api.script("status", text_job(id="j-1", output=[]))
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete_streaming(HI, deadline_s=10)
    assert (answer.error, answer.text, answer.execution_ms, answer.worker) == (None, "Learn SQL.", 345, "w1")


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ({"id": "j-1", "status": "FAILED", "error": "engine died"}, ErrorClass.FAILED),
        ({"id": "j-1", "status": "CANCELLED"}, ErrorClass.CANCELLED),
        ({"id": "j-1", "status": "COMPLETED", "output": []}, ErrorClass.EMPTY),
    ],
)
async def test_a_stream_that_ends_badly_says_so(api: Scripted, end: dict[str, str], error: ErrorClass) -> None:
    """Half a text and then FAILED is no answer; a cancelled job's stream ends."""
    api.script("run", {"id": "j-1", "status": "IN_QUEUE"})
    api.script("stream", {"status": end["status"], "stream": []})
    api.script("status", end)
    async with api.endpoint() as endpoint:
        assert (await endpoint.complete_streaming(HI, deadline_s=10)).error is error


@pytest.mark.parametrize("broken", [page(429, ""), page(524, "<html>"), drop, {"stream": []}])
async def test_a_broken_stream_is_an_error_and_its_job_is_cancelled(api: Scripted, broken: object) -> None:
    """A ``/stream`` call drains chunks and cannot be repeated: the answer is an error and nothing keeps running."""
    api.script("run", {"id": "j-1", "status": "IN_QUEUE"})
    api.script("stream", {"status": "IN_PROGRESS", "stream": [{"output": {"delta": "x"}}]}, broken)
    api.script("cancel", {"id": "j-1", "status": "CANCELLED"})
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete_streaming(HI, deadline_s=10)
    assert answer.error is not None
    assert answer.first_token is not None
    assert api.count("cancel") == 1


async def test_a_stream_that_never_ends_meets_the_deadline(api: Scripted) -> None:
    """IN_PROGRESS for ever over ``/stream``: class deadline and a cancel."""
    api.script("run", {"id": "j-1", "status": "IN_QUEUE"})
    api.script("stream", held(0.05, {"status": "IN_PROGRESS", "stream": []}))
    api.script("cancel", {"id": "j-1", "status": "CANCELLED"})
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete_streaming(HI, deadline_s=0.3)
    assert (answer.error, answer.first_token) == (ErrorClass.DEADLINE, None)
    assert api.count("cancel") == 1


async def test_the_chunks_can_be_read_one_by_one(api: Scripted) -> None:
    """``stream`` yields each chunk until the job has ended and is drained, and raises when the connection breaks."""
    first, second = ({"status": "COMPLETED", "stream": [{"output": output}]} for output in (1, 2))
    api.script("stream", first, second, {"status": "COMPLETED"})
    async with api.endpoint() as endpoint:
        assert [chunk.output async for chunk in endpoint.stream("j-1")] == [1, 2]
        api.script("stream", drop)
        with pytest.raises(TransportError):
            [chunk async for chunk in endpoint.stream("j-1")]


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used(api: Scripted) -> None:
    """Two jobs on one pooled connection, the server closing after each reply: both are answered."""

    async def closing(_request: web.Request) -> web.Response:
        response = web.json_response(text_job())
        response.force_close()
        return response

    api.script("runsync", closing)
    async with api.endpoint(connections=1) as endpoint:
        answers = [await endpoint.complete(HI, deadline_s=5) for _ in range(5)]
    assert [answer.error for answer in answers] == [None] * 5
