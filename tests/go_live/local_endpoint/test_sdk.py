"""The unmodified SDK in real worker processes."""

import asyncio
import json
import os
from pathlib import Path

from go_live.local_endpoint.launch import LaunchedEndpoint, launched
from go_live.local_endpoint.settings import EndpointSettings
from tests.go_live.local_endpoint.conftest import Caller, SdkWorker, client, eventually


async def test_a_job_goes_through_a_real_worker(sdk: Caller, sdk_endpoint: LaunchedEndpoint) -> None:
    """Taken by the SDK, run by the handler, measured as the platform does, named with its worker."""
    body = await sdk.runsync(sleep=0.3)
    assert body["status"] == "COMPLETED"
    assert 300 <= body["executionTime"] < 5000
    assert body["workerId"] in {worker["id"] for worker in sdk_endpoint.workers()}


async def test_odd_values_reach_the_handler_as_they_are(sdk: Caller) -> None:
    """NaN, 10**400, an infinite literal and a lone surrogate, sent as raw bytes."""
    raw = b'{"input": {"a": NaN, "b": 1' + b"0" * 400 + b', "c": 1e400, "d": "\\ud800"}}'
    body = (await sdk.call("POST", "runsync", data=raw))[1]
    assert body["output"] == {"repr": repr({"a": float("nan"), "b": 10**400, "c": float("inf"), "d": "\ud800"})}


async def test_jobs_beyond_one_run_at_once_in_one_worker(sdk: Caller) -> None:
    """Eight jobs of a second each, two workers of concurrency four: none waits for another to end."""
    jobs = await asyncio.gather(*(sdk.runsync(sleep=1.0) for _ in range(8)))
    assert {job["status"] for job in jobs} == {"COMPLETED"}
    assert max(job["delayTime"] for job in jobs) < 2500
    assert len({job["workerId"] for job in jobs}) == 2


async def test_a_raising_handler_fails_the_job(sdk: Caller) -> None:
    """The error is the SDK's JSON text; the worker goes on."""
    body = await sdk.runsync(**{"raise": "no luck"})
    assert body["status"] == "FAILED"
    assert json.loads(body["error"])["error_message"] == "no luck"
    assert (await sdk.runsync(error="refused"))["error"] == "refused"


async def test_progress_is_shown_while_the_job_runs(sdk: Caller) -> None:
    """The SDK's progress_update is the output so far."""
    job = await sdk.run(progress={"done": 0.5})

    async def shown() -> bool:
        return (await sdk.status(job)).get("output") == {"done": 0.5}

    await eventually(shown)
    assert "repr" in (await sdk.until(job, "COMPLETED"))["output"]


async def test_cancel_stops_the_running_handler(sdk: Caller, tmp_path: Path) -> None:
    """Through job-stop: the handler's task is cancelled long before its end."""
    mark = tmp_path / "mark"
    job = await sdk.run(sleep=60, mark=str(mark))
    await sdk.until(job, "IN_PROGRESS")
    assert (await sdk.call("POST", f"cancel/{job}"))[1]["status"] == "CANCELLED"

    async def stopped() -> bool:
        return mark.exists()

    await eventually(stopped)
    assert mark.read_text() == "cancelled"
    assert (await sdk.status(job))["status"] == "CANCELLED"


async def test_each_worker_has_its_own_folder_home_and_group(sdk: Caller, sdk_endpoint: LaunchedEndpoint) -> None:
    """And a key of its own, never the clients'."""
    output = (await sdk.runsync(environment=True))["output"]
    env, folder = output["env"], Path(output["cwd"])
    assert folder.parent == sdk_endpoint.settings.directory
    assert env["HOME"] == str(folder / "home")
    assert output["group"] == output["pid"] != os.getpgid(0)
    assert env["RUNPOD_AI_API_KEY"] == sdk_endpoint.settings.worker_key
    assert not [name for name, value in env.items() if sdk_endpoint.key in value]


async def test_a_killed_workers_job_is_run_by_another(sdk: Caller, sdk_endpoint: LaunchedEndpoint) -> None:
    """Killed mid-job, it is queued once more and ends well; the worker is replaced."""
    sdk_endpoint.switch_fault("kill_worker", count=1, seconds=0.3)
    job = await sdk.run(sleep=1.0)
    seen = await sdk.until(job, "COMPLETED")
    assert seen["retries"] == 1
    failure = sdk_endpoint.state()["failures"][-1]
    assert (failure["exit_code"], failure["was_ready"]) == (137, True)
    assert failure["worker"] != seen["workerId"]


async def test_a_worker_that_asks_for_a_refresh_is_replaced(sdk: Caller, sdk_endpoint: LaunchedEndpoint) -> None:
    """``refresh_worker`` ends the process after its job, without counting as a failure."""
    failures = len(sdk_endpoint.state()["failures"])
    body = await sdk.runsync(refresh=True)

    async def replaced() -> bool:
        workers = await asyncio.to_thread(sdk_endpoint.workers)
        return body["workerId"] not in {worker["id"] for worker in workers} and len(workers) == 2

    await eventually(replaced)
    assert len(sdk_endpoint.state()["failures"]) == failures


STREAMER = '''
async def handler(job):
    """Count slowly."""
    for number in range(3):
        yield {"n": number, "text": "é"}
        await asyncio.sleep(0.1)
'''


async def test_a_generator_streams_and_its_output_is_the_list(sdk_worker: SdkWorker, tmp_path: Path) -> None:
    """Each chunk arrives once and in order; then the job's output is all of them. Stopping drains what runs."""
    command = sdk_worker(STREAMER, '"return_aggregate_stream": True')
    settings = EndpointSettings(directory=tmp_path / "endpoint", worker_command=command)
    chunks = [{"n": number, "text": "é"} for number in range(3)]
    with launched(settings, ready_timeout_s=60) as endpoint:
        async with client() as http:
            caller = Caller(endpoint.url, endpoint.endpoint_id, endpoint.key, http)
            job = await caller.run()
            got, status = [], "IN_QUEUE"
            while status in {"IN_QUEUE", "IN_PROGRESS"}:
                body = (await caller.call("GET", f"stream/{job}"))[1]
                status = body["status"]
                got += [chunk["output"] for chunk in body["stream"]]
            assert got == chunks
            assert (await caller.status(job))["output"] == chunks
            await caller.until(await caller.run(), "IN_PROGRESS")
        log = endpoint.log_paths()[0]
    assert log.read_text().count("Finished.") == 2
