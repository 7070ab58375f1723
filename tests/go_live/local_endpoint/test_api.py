"""The public job API, with the test as the worker."""

import asyncio
import io
import json

import pytest

from tests.go_live.local_endpoint.conftest import KEY, Caller, Serving, eventually


async def test_bearer_and_bare_keys_are_accepted(bare: Caller) -> None:
    """Both forms that the documentation shows."""
    for header in (f"Bearer {KEY}", f"bearer {KEY}", KEY):
        assert (await bare.call("GET", "health", headers={"Authorization": header}))[0] == 200


async def test_a_missing_or_wrong_key_is_401_everywhere(bare: Caller) -> None:
    """Whatever is asked: without the key the answer is 401, in the edge's words."""
    wrong = ["", "Bearer", "Bearer ", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", f"Basic {KEY}", "é"]
    for method, path in [("POST", "run"), ("GET", "status/x"), ("GET", "health"), ("GET", "/local/state")]:
        for headers in ({}, *({"Authorization": header} for header in wrong)):
            status, body = await bare.call(method, path, headers=headers)
            assert (status, body["status"], body["title"]) == (401, 401, "Unauthorized"), (path, headers)


async def test_another_endpoint_and_an_unknown_job_are_404(bare: Caller) -> None:
    """Both with a JSON body."""
    assert (await bare.call("GET", "/v2/other/health"))[0] == 404
    for method, operation in [("GET", "status"), ("POST", "cancel"), ("POST", "retry"), ("GET", "stream")]:
        assert (await bare.call(method, f"{operation}/no-such-job"))[0] == 404


async def test_a_bad_body_is_400_and_queues_nothing(bare: Caller) -> None:
    """Not JSON, no object, no input, a policy out of its range."""
    bodies = [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"prompt": "x"}',
        b'{"input": {}, "policy": {"ttl": 1}}',
        b'{"input":1,"policy":3}',
    ]
    for body in bodies:
        for operation in ("run", "runsync"):
            assert (await bare.call("POST", operation, data=body))[0] == 400
    assert (await bare.call("GET", "health"))[1]["jobs"]["inQueue"] == 0


@pytest.mark.parametrize(("operation", "megabytes"), [("run", 10), ("runsync", 20)])
async def test_a_body_beyond_the_documented_size_is_400(bare: Caller, operation: str, megabytes: int) -> None:
    """10 MB for /run, 20 MB for /runsync."""
    body = b'{"input": {"prompt": "%b"}}' % (b"x" * megabytes * 1_000_000)
    assert (await bare.call("POST", operation, data=io.BytesIO(body)))[0] == 400


async def test_wait_out_of_its_range_is_400(bare: Caller) -> None:
    """1000 to 300000 ms."""
    for wait in ("999", "300001", "-1", "x", "", "1e4", "9" * 5000):
        assert (await bare.call("POST", f"runsync?wait={wait}", json={"input": {}}))[0] == 400


async def test_a_job_goes_through_its_statuses(bare: Caller) -> None:
    """IN_QUEUE, IN_PROGRESS, COMPLETED, each with the fields that exist then; /status by GET and POST alike."""
    job = await bare.run(prompt="hello")
    assert await bare.status(job) == {"id": job, "status": "IN_QUEUE"}
    assert await bare.take() == {"id": job, "input": {"prompt": "hello"}}
    running = await bare.status(job)
    assert {"id", "status", "delayTime", "workerId"} == set(running)
    await asyncio.sleep(0.05)
    assert await bare.post("job-done", job, '{"output": {"text": "é"}}') == 200
    done = await bare.status(job)
    assert (done["status"], done["output"], done["workerId"]) == ("COMPLETED", {"text": "é"}, "w1")
    assert 50 <= done["executionTime"] < 5000
    assert (await bare.call("POST", f"status/{job}"))[1] == done


async def test_runsync_answers_with_the_finished_job(bare: Caller) -> None:
    """One call from submission to result; the id says that it is a sync job."""
    call = asyncio.create_task(bare.runsync(x=1))
    job = await bare.take()
    assert job["id"].startswith("sync-")
    await bare.post("job-done", job["id"], '{"output": 7}')
    body = await call
    assert (body["id"], body["status"], body["output"]) == (job["id"], "COMPLETED", 7)


async def test_runsync_gives_up_with_http_200_and_the_status_so_far(bare: Caller) -> None:
    """After ``wait`` the answer is the job as it is: IN_QUEUE, or IN_PROGRESS."""
    status, body = await bare.call("POST", "runsync?wait=1000", json={"input": {}})
    assert (status, body["status"]) == (200, "IN_QUEUE")
    assert (await bare.take())["id"] == body["id"]
    status, body = await bare.call("GET", f"status-sync/{body['id']}?wait=1000")
    assert (status, body["status"]) == (200, "IN_PROGRESS")


async def test_an_error_makes_the_job_failed_with_http_200(bare: Caller) -> None:
    """Whatever the error's kind, it is shown as it was posted."""
    for error in ('"no"', '{"why": "no"}', '"{\\"error_type\\": \\"ValueError\\"}"'):
        job = await bare.run()
        await bare.take()
        await bare.post("job-done", job, f'{{"output": {{"half": 1}}, "error": {error}}}')
        body = await bare.status(job)
        assert (body["status"], body["error"], body["output"]) == ("FAILED", json.loads(error), {"half": 1})


async def test_odd_values_reach_the_worker_as_they_were_sent(bare: Caller) -> None:
    """NaN, 10**400, 1e400 and a lone surrogate, as raw bytes."""
    raw = b'{"a": NaN, "b": 1' + b"0" * 400 + b', "c": 1e400, "d": "\\ud800", "e": 1.0}'
    await bare.call("POST", "run", data=b'{"input": ' + raw + b"}")
    async with bare.http.get(bare.take_url(), headers=bare.worker_headers()) as response:
        assert raw in await response.read()


async def test_stream_delivers_each_chunk_once(bare: Caller) -> None:
    """A call gets what came since the last; an empty one is held; after the end it says so, with nothing left."""
    job = await bare.run()
    await bare.take()
    for chunk in ("a", "b"):
        await bare.post("job-stream", job, json.dumps({"output": chunk}))
    stream = (await bare.call("GET", f"stream/{job}"))[1]
    assert stream == {"status": "IN_PROGRESS", "stream": [{"output": "a"}, {"output": "b"}]}
    held = asyncio.create_task(bare.call("GET", f"stream/{job}?wait=5000"))
    await asyncio.sleep(0.05)
    assert not held.done()
    await bare.post("job-stream", job, '{"output": {"c": 1}}')
    assert (await held)[1]["stream"] == [{"output": {"c": 1}}]
    await bare.post("job-done", job, '{"output": ["a", "b", {"c": 1}]}')
    assert (await bare.call("GET", f"stream/{job}"))[1] == {"status": "COMPLETED", "stream": []}


async def test_cancel_is_final(bare: Caller) -> None:
    """A cancelled job takes no result; cancelling a finished one changes nothing."""
    job = await bare.run()
    await bare.take()
    assert (await bare.call("POST", f"cancel/{job}"))[1] == {"id": job, "status": "CANCELLED"}
    await bare.post("job-done", job, '{"output": 1}')
    assert (await bare.status(job))["status"] == "CANCELLED"
    other = await bare.run()
    await bare.take()
    await bare.post("job-done", other, '{"output": 1}')
    assert (await bare.call("POST", f"cancel/{other}"))[1]["status"] == "COMPLETED"


async def test_retry_runs_a_failed_job_again_under_its_id(bare: Caller) -> None:
    """FAILED only; the old output is gone."""
    job = await bare.run(x=1)
    await bare.take()
    assert (await bare.call("POST", f"retry/{job}"))[0] == 400
    await bare.post("job-done", job, '{"error": "no", "output": 1}')
    assert (await bare.call("POST", f"retry/{job}"))[1] == {"id": job, "status": "IN_QUEUE"}
    assert await bare.status(job) == {"id": job, "status": "IN_QUEUE"}
    assert await bare.take() == {"id": job, "input": {"x": 1}}


async def test_purge_and_health_count_jobs(bare: Caller) -> None:
    """Health counts what is queued, running and done; purge removes what is queued, twice in ten seconds at most."""
    jobs = [await bare.run() for _ in range(4)]
    await bare.take(batch=2)
    await bare.post("job-done", jobs[0], '{"output": 1}')
    health = (await bare.call("GET", "health"))[1]
    assert health["jobs"] == {"completed": 1, "failed": 0, "inProgress": 1, "inQueue": 2, "retried": 0}
    assert health["workers"] == {
        "idle": 0, "initializing": 0, "ready": 1, "running": 1, "throttled": 0, "unhealthy": 0
    }  # fmt: skip
    assert (await bare.call("POST", "purge-queue"))[1] == {"removed": 2, "status": "completed"}
    assert (await bare.call("POST", "purge-queue"))[1]["removed"] == 0
    assert (await bare.call("POST", "purge-queue"))[0] == 429


async def test_results_are_forgotten_after_their_retention(serving: Serving) -> None:
    """Then the job is 404, as any unknown one."""
    async with serving(retention_run_s=0.2, scale_interval_s=0.05) as caller:
        job = await caller.run()
        await caller.take()
        await caller.post("job-done", job, '{"output": 1}')
        assert (await caller.status(job))["status"] == "COMPLETED"

        async def forgotten() -> bool:
            return (await caller.call("GET", f"status/{job}"))[0] == 404

        await eventually(forgotten)


async def test_more_at_once_than_documented_is_429(bare: Caller) -> None:
    """Four hundred held /runsync calls are served, one more is refused, and one that ends makes room."""
    calls = [asyncio.create_task(bare.runsync(n=n)) for n in range(400)]

    async def held() -> bool:
        return bool((await bare.call("GET", "health"))[1]["jobs"]["inQueue"] == 400)

    await eventually(held)
    status, body = await bare.call("POST", "runsync", json={"input": {}})
    assert (status, body["title"]) == (429, "Too Many Requests")
    await bare.call("POST", "purge-queue")
    assert {body["status"] for body in await asyncio.gather(*calls)} == {"CANCELLED"}
    assert (await bare.call("POST", "runsync?wait=1000", json={"input": {}}))[0] == 200
