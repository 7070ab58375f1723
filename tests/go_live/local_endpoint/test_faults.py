"""Each fault scenario, as a client on a real socket sees it."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.go_live.local_endpoint.conftest import Caller, Serving, eventually


async def switch(caller: Caller, scenario: str, **options: Any) -> None:
    """Switch a fault on."""
    status, body = await caller.call("POST", "/local/faults", json={"scenario": scenario, **options})
    assert status == 200
    assert [fault["scenario"] for fault in body["active"]] == [scenario]


async def answer_all(caller: Caller) -> None:
    """Be a worker that answers every job at once."""
    while True:
        for job in await caller.take(batch=9) or ():
            await caller.post("job-done", job["id"], '{"output": "well"}')


@pytest.fixture
async def alive(bare: Caller) -> Any:
    """An endpoint whose worker answers."""
    worker = asyncio.create_task(answer_all(bare))
    yield bare
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_a_fault_applies_as_often_as_told_then_all_is_well(alive: Caller) -> None:
    """Count two: two answers are wrong, the third is right, and the endpoint kept count."""
    await switch(alive, "error", count=2)
    statuses = [(await alive.call("POST", "runsync", json={"input": {}}))[0] for _ in range(3)]
    assert statuses == [500, 500, 200]
    assert (await alive.call("GET", "/local/faults"))[1] == {"active": [], "applied": {"error": 2}}


async def test_without_a_count_a_fault_applies_until_cleared(alive: Caller) -> None:
    """DELETE switches it off, by name or all."""
    await switch(alive, "rate_limited")
    for _ in range(3):
        assert (await alive.call("POST", "run", json={"input": {}}))[0] == 429
    assert (await alive.call("DELETE", "/local/faults?scenario=rate_limited"))[1]["active"] == []
    assert (await alive.call("POST", "run", json={"input": {}}))[0] == 200
    assert (await alive.call("DELETE", "/local/faults?scenario=nonsense"))[0] == 400


async def test_unknown_scenarios_and_options_are_refused(bare: Caller) -> None:
    """A fault with a slip of the pen must not silently do nothing."""
    for fault in ({}, {"scenario": "sloow"}, {"scenario": "slow", "secs": 1}, {"scenario": "slow", "count": 0}):
        assert (await bare.call("POST", "/local/faults", json=fault))[0] == 400
    assert (await bare.call("POST", "/local/faults", data=b"{"))[0] == 400


async def test_faults_need_the_key(bare: Caller) -> None:
    """Nobody else on the machine can disturb a measurement."""
    fault = {"scenario": "error"}
    assert (await bare.call("POST", "/local/faults", json=fault, headers={"Authorization": "Bearer no"}))[0] == 401
    assert (await bare.call("POST", "/local/faults", json=fault, headers=bare.worker_headers()))[0] == 401


async def test_slow_delays_the_answer(alive: Caller) -> None:
    """The request waits before it is queued; the job itself is as fast as ever."""
    await switch(alive, "slow", count=1, seconds=0.4)
    began = asyncio.get_running_loop().time()
    body = await alive.runsync()
    assert asyncio.get_running_loop().time() - began >= 0.4
    assert body["status"] == "COMPLETED"
    assert body["delayTime"] < 300


async def test_error_is_http_500_with_json(alive: Caller) -> None:
    """And nothing is queued."""
    await switch(alive, "error")
    status, body = await alive.call("POST", "run", json={"input": {}})
    assert (status, body["title"]) == (500, "Internal Server Error")
    assert (await alive.call("GET", "health"))[1]["jobs"]["completed"] == 0


async def test_failed_is_http_200(alive: Caller) -> None:
    """The status stands in the body, for /runsync at once and for /run on the next look."""
    await switch(alive, "failed")
    body = await alive.runsync()
    assert (body["status"], "fault" in body["error"], "workerId" in body) == ("FAILED", True, False)
    assert (await alive.status(await alive.run()))["status"] == "FAILED"


async def test_runsync_in_queue_then_the_job_ends_well(alive: Caller) -> None:
    """/runsync gives up with IN_QUEUE although a worker is free; /status later has the result."""
    await switch(alive, "runsync_in_queue", count=1, seconds=0.2)
    body = await alive.runsync()
    assert body == {"id": body["id"], "status": "IN_QUEUE"}
    seen = await alive.until(body["id"], "COMPLETED")
    assert (seen["output"], seen["delayTime"] >= 200) == ("well", True)


async def test_html_524_is_a_proxys_page(alive: Caller) -> None:
    """Status 524, HTML, no JSON; the job behind it ran all the same."""
    await switch(alive, "html_524", count=1)
    headers = {"Authorization": alive.key}
    async with alive.http.post(f"{alive.base}/runsync", json={"input": {}}, headers=headers) as response:
        assert (response.status, response.content_type) == (524, "text/html")
        with pytest.raises(json.JSONDecodeError):
            json.loads(await response.text())

    async def ran() -> bool:
        return bool((await alive.call("GET", "health"))[1]["jobs"]["completed"] == 1)

    await eventually(ran)


async def test_rate_limited_is_429(alive: Caller) -> None:
    """For the operations that are named, and only for those."""
    await switch(alive, "rate_limited", operations=["status"])
    job = await alive.run()
    assert (await alive.call("GET", f"status/{job}"))[0] == 429


async def test_dropped_closes_the_connection_without_an_answer(alive: Caller) -> None:
    """The client sees a disconnect, never a response."""
    await switch(alive, "dropped", count=1)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await alive.runsync()
    assert (await alive.runsync())["status"] == "COMPLETED"


async def test_truncated_ends_before_its_content_length(alive: Caller) -> None:
    """HTTP 200, half of the body, then the end."""
    await switch(alive, "truncated", count=1)
    with pytest.raises(aiohttp.ClientPayloadError):
        await alive.runsync()
    assert (await alive.runsync())["status"] == "COMPLETED"


async def test_kill_worker_loses_the_job_twice_then_it_fails(serving: Serving) -> None:
    """The worker that took it is killed and replaced; the job is queued once more, then FAILED."""
    async with serving(backoff_s=0.1, scale_interval_s=0.05) as caller:
        await switch(caller, "kill_worker", count=2, seconds=0.05)
        job = await caller.run()
        assert (await caller.take("w1"))["id"] == job
        assert (await caller.until(job, "IN_QUEUE"))["retries"] == 1
        await eventually(lambda: started(caller, "w2"))
        assert (await caller.take("w2"))["id"] == job
        seen = await caller.until(job, "FAILED")
        assert (seen["error"], seen["retries"]) == ("job timed out after 1 retries", 1)
        assert (await caller.call("GET", "health"))[1]["jobs"]["retried"] == 1


async def test_throttled_start_holds_a_worker_back_until_cleared(serving: Serving) -> None:
    """It is counted as throttled, has no process, and starts once the fault is cleared."""
    async with serving(workers_min=0, scale_interval_s=0.05) as caller:
        await switch(caller, "throttled_start", count=1)
        await caller.run()

        async def throttled() -> bool:
            return bool((await caller.call("GET", "health"))[1]["workers"]["throttled"] == 1)

        await eventually(throttled)
        assert [w["pid"] for w in (await caller.call("GET", "/local/workers"))[1]] == [None]
        await caller.call("DELETE", "/local/faults")
        await eventually(lambda: started(caller, "w1"))
        assert (await caller.call("GET", "health"))[1]["workers"]["throttled"] == 0


async def started(caller: Caller, worker: str) -> bool:
    """Whether a worker's process runs."""
    workers = (await caller.call("GET", "/local/workers"))[1]
    return any(w["id"] == worker and w["pid"] and w["state"] == "initializing" for w in workers)
