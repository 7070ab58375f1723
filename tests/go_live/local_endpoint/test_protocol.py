"""The worker protocol, spoken by the test as the SDK speaks it."""

import asyncio
import json

import aiohttp

from go_live.local_endpoint.server import KEEP_ALIVE_S
from tests.go_live.local_endpoint.conftest import KEY, Caller, Serving, eventually


async def test_a_batch_take_gets_a_list_of_at_most_what_it_asked_for(bare: Caller) -> None:
    """job-take answers one object, job-take-batch a list, oldest first."""
    jobs = [await bare.run(n=n) for n in range(5)]
    assert [job["id"] for job in await bare.take(batch=3)] == jobs[:3]
    assert (await bare.take())["id"] == jobs[3]
    assert [job["id"] for job in await bare.take(batch=3)] == jobs[4:]


async def test_a_take_waits_for_a_job_and_gets_it_at_once(bare: Caller) -> None:
    """The poll is held; a job that arrives is handed over with no queue time."""
    poll = asyncio.create_task(bare.take())
    await asyncio.sleep(0.1)
    job = await bare.run()
    assert (await poll)["id"] == job
    assert (await bare.status(job))["delayTime"] < 100


async def test_an_empty_take_is_204_after_its_hold(serving: Serving) -> None:
    """So that the SDK polls again long before its own 90 s."""
    async with serving(poll_hold_s=0.2) as caller:
        assert await caller.take() is None
        assert await caller.take(batch=8) is None


async def test_a_take_whose_connection_broke_takes_nothing(bare: Caller) -> None:
    """The job goes to the next poll, as if it had never been taken."""
    poll = asyncio.create_task(bare.take())
    await asyncio.sleep(0.1)
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)
    await asyncio.sleep(0.05)
    job = await bare.run()
    await asyncio.sleep(0.05)
    assert (await bare.status(job))["status"] == "IN_QUEUE"
    assert (await bare.take())["id"] == job


async def test_a_connection_that_breaks_as_the_job_is_handed_over_loses_nothing(bare: Caller) -> None:
    """Polls are cut at the very moment a job arrives; whatever did not get through is there for the next poll."""
    due = set()
    for _ in range(30):
        poll = asyncio.create_task(bare.take())
        await asyncio.sleep(0.002)
        submit = asyncio.create_task(bare.run())
        await asyncio.sleep(0.001)
        poll.cancel()
        got = (await asyncio.gather(poll, return_exceptions=True))[0]
        due.add(await submit)
        if isinstance(got, dict):
            await bare.post("job-done", got["id"], "{}")
            due.remove(got["id"])
    await asyncio.sleep(0.05)
    url = bare.take_url(batch=100).replace("job_in_progress=1", "job_in_progress=0")
    async with bare.http.get(url, headers=bare.worker_headers()) as response:
        assert {job["id"] for job in await response.json()} == due


async def test_a_job_that_its_worker_knows_nothing_of_is_queued_once_more_then_fails(bare: Caller) -> None:
    """A worker that polls with no job in progress has lost what it took: no result will ever come."""
    job = await bare.run()
    await bare.take()
    path = bare.take_url().replace("job_in_progress=1", "job_in_progress=0").removeprefix(bare.url)
    assert (await bare.call("GET", path, headers=bare.worker_headers()))[1]["id"] == job
    poll = asyncio.create_task(bare.call("GET", path, headers=bare.worker_headers()))
    seen = await bare.until(job, "FAILED")
    assert (seen["error"], seen["retries"]) == ("job timed out after 1 retries", 1)
    poll.cancel()


async def test_a_stale_poll_swallows_nothing(bare: Caller) -> None:
    """A worker that polls anew gets the job; its older poll is answered with 204."""
    stale = asyncio.create_task(bare.take())
    await asyncio.sleep(0.1)
    fresh = asyncio.create_task(bare.take())
    await asyncio.sleep(0.1)
    assert stale.done()
    assert await stale is None
    job = await bare.run()
    assert (await fresh)["id"] == job


async def test_a_dead_workers_poll_swallows_nothing(serving: Serving) -> None:
    """Its process is killed while its poll is open: the next job goes to the worker that lives."""
    async with serving(workers_min=2, workers_max=2, backoff_s=30, backoff_max_s=30) as caller:
        assert caller.endpoint is not None
        dead = asyncio.create_task(caller.take("w1"))
        await asyncio.sleep(0.1)
        alive = asyncio.create_task(caller.take("w2"))
        await asyncio.sleep(0.1)
        caller.endpoint.fleet.kill("w1")

        async def gone() -> bool:
            return bool((await caller.call("GET", "/local/state"))[1]["failures"])

        await eventually(gone)
        job = await caller.run()
        assert (await alive)["id"] == job
        assert await dead is None


async def test_jobs_go_to_the_worker_that_has_waited_longest(serving: Serving) -> None:
    """Two waiting workers get one job each, in the order of their polls."""
    async with serving(workers_min=2, workers_max=2) as caller:
        polls = []
        for worker in ("w2", "w1"):
            polls.append(asyncio.create_task(caller.take(worker, batch=8)))
            await asyncio.sleep(0.05)
        first = await caller.run()
        assert [job["id"] for job in await polls[0]] == [first]
        second = await caller.run()
        assert [job["id"] for job in await polls[1]] == [second]


async def test_only_this_runs_workers_are_served(bare: Caller) -> None:
    """A wrong worker key is 401, even the clients' key; an unknown worker is 404."""
    for path in ("job-take/w1?", "job-take-batch/w1?", "job-stop/w1?", "ping/w1?"):
        assert (await bare.call("GET", path))[0] == 401
    for path in ("job-done/w1/x?", "job-stream/w1/x?"):
        assert (await bare.call("POST", path, data="{}"))[0] == 401
    assert (await bare.call("GET", "job-take/w9?", headers=bare.worker_headers()))[0] == 404
    assert (await bare.call("GET", "health", headers=bare.worker_headers()))[0] == 401
    assert bare.worker_headers()["Authorization"] != KEY


async def test_a_ping_that_names_two_thousand_jobs_is_accepted(bare: Caller) -> None:
    """The SDK puts up to 64 KiB of job ids into the ping's URL, quoted."""
    ids = ",".join(f"sync-eaebd6e7-0000-0000-0000-{n:012d}-u1" for n in range(2000))
    params = {"job_id": ids, "runpod_version": "1.12.0"}
    async with bare.http.get(f"{bare.base}/ping/w1?gpu=x", params=params, headers=bare.worker_headers()) as response:
        assert response.status == 200
        assert len(str(response.url)) > 80_000


async def test_an_idle_connection_stays_open(bare: Caller) -> None:
    """The server does not close a pooled connection under the SDK, which would lose a result posted on it."""
    trace, reused = aiohttp.TraceConfig(), []

    async def note(*_: object) -> None:
        reused.append(True)

    trace.on_connection_reuseconn.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as http:
        for _ in range(2):
            async with http.get(f"{bare.base}/ping/w1?", headers=bare.worker_headers()) as response:
                assert response.status == 200
            await asyncio.sleep(0.3)
    assert reused
    assert KEEP_ALIVE_S >= 60


async def test_a_cancelled_jobs_worker_is_told_to_stop_it_once(bare: Caller) -> None:
    """job-stop is held, names the job, and then holds again."""
    job = await bare.run()
    await bare.take()
    poll = asyncio.create_task(bare.call("GET", "job-stop/w1?gpu=x", headers=bare.worker_headers()))
    await asyncio.sleep(0.05)
    await bare.call("POST", f"cancel/{job}")
    assert await poll == (200, {"jobsToStop": [job]})
    again = asyncio.create_task(bare.call("GET", "job-stop/w1?gpu=x", headers=bare.worker_headers()))
    await asyncio.sleep(0.1)
    assert not again.done()
    again.cancel()


async def test_a_job_beyond_its_execution_timeout_fails_and_is_stopped(serving: Serving) -> None:
    """FAILED with the platform's words, and its worker is told to stop it."""
    async with serving(execution_timeout_s=0.3, scale_interval_s=0.05) as caller:
        job = await caller.run()
        await caller.take()
        status, body = await caller.call("GET", "job-stop/w1?gpu=x", headers=caller.worker_headers())
        assert (status, body) == (200, {"jobsToStop": [job]})
        seen = await caller.status(job)
        assert (seen["status"], seen["error"]) == ("FAILED", "executionTimeout exceeded")


async def test_a_stop_signal_whose_poll_broke_is_not_lost(bare: Caller) -> None:
    """It is given to the next poll."""
    job = await bare.run()
    await bare.take()
    poll = asyncio.create_task(bare.call("GET", "job-stop/w1?gpu=x", headers=bare.worker_headers()))
    await asyncio.sleep(0.05)
    poll.cancel()
    await bare.call("POST", f"cancel/{job}")
    status, body = await bare.call("GET", "job-stop/w1?gpu=x", headers=bare.worker_headers())
    assert (status, body) == (200, {"jobsToStop": [job]})


async def test_a_progress_update_is_shown_and_never_after_the_end(bare: Caller) -> None:
    """Status IN_PROGRESS in a job-done is progress; after the result it is ignored."""
    job = await bare.run()
    await bare.take()
    await bare.post("job-done", job, '{"status": "IN_PROGRESS", "output": "half"}')
    assert (await bare.status(job))["output"] == "half"
    await bare.post("job-done", job, '{"output": "all"}')
    assert await bare.post("job-done", job, '{"status": "IN_PROGRESS", "output": "half"}') == 200
    seen = await bare.status(job)
    assert (seen["status"], seen["output"]) == ("COMPLETED", "all")


async def test_a_result_too_large_is_400_and_lost(bare: Caller) -> None:
    """As observed on the platform: the client sees COMPLETED without output."""
    job = await bare.run()
    await bare.take()
    assert await bare.post("job-done", job, json.dumps({"output": "x" * 10_000_000})) == 400
    seen = await bare.status(job)
    assert seen["status"] == "COMPLETED"
    assert "output" not in seen


async def test_an_empty_error_is_none(bare: Caller) -> None:
    """Only a truthy error fails a job."""
    for error in ("null", '""', "false", "0", "[]", "{}"):
        job = await bare.run()
        await bare.take()
        await bare.post("job-done", job, f'{{"output": 1, "error": {error}}}')
        assert (await bare.status(job))["status"] == "COMPLETED"


async def test_a_draining_worker_gets_nothing_more(serving: Serving) -> None:
    """Its open polls are answered with 204, and later ones too."""
    async with serving(stop_grace_s=1.0) as caller:
        assert caller.endpoint is not None
        poll = asyncio.create_task(caller.take())
        stop = asyncio.create_task(caller.call("GET", "job-stop/w1?gpu=x", headers=caller.worker_headers()))
        await asyncio.sleep(0.1)
        caller.endpoint.exchange.drain("w1")
        job = await caller.run()
        assert await poll is None
        assert (await stop)[0] == 204
        assert await caller.take() is None
        assert (await caller.status(job))["status"] == "IN_QUEUE"
