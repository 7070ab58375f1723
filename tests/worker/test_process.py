"""The worker process under the unmodified SDK, over real sockets, with the timed engine."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from tests.worker.platform import ROOT, running

PROMPT = "How do I become a data engineer? zebra-crossing-9"


def ask(**more: Any) -> dict[str, Any]:
    """A valid input."""
    return {"prompt": PROMPT, **more}


async def test_jobs_are_answered_and_a_refusal_does_not_stop_the_worker(tmp_path: Path) -> None:
    """A refusal becomes a FAILED job, the worker goes on, each job has its lines, and no text is ever logged."""
    async with running(tmp_path, {"TIMED_EXEC_MS": "20"}) as worker:
        refused = await worker.platform.run("bad", {"prompt": "x" * 1025})
        answered = await worker.platform.run("good", ask())
        probed = await worker.platform.run("asked", {"probe": {"nonce": "n-1"}})
        many = await asyncio.gather(*(worker.platform.run(f"job-{n}", ask()) for n in range(20)))
        assert await worker.end() == 0
    assert refused == {"error": "refused: prompt too long: 1025 characters, at most 1024"}
    assert answered["output"]["engine"] == "timed"
    assert answered["output"]["validation"]["valid"]
    assert probed["output"]["probe"]["nonce"] == "n-1"
    assert all("output" in result for result in many)
    names = [(line["event"], line["request_id"]) for line in worker.events("start", "end", "probe")]
    assert names[:4] == [("end", "bad"), ("start", "good"), ("end", "good"), ("probe", "asked")]
    assert len(names) == len(set(names)) == 4 + 2 * 20
    for secret in ("zebra", "data engineer", "rpa_not_a_real_key"):
        assert secret not in worker.log()


async def test_stream_delivers_deltas_before_the_end_and_they_add_up(tmp_path: Path) -> None:
    """The deltas posted to the stream, joined, are the text of the complete response, which comes last."""
    settings = {"TIMED_EXEC_MS": "300", "ENABLE_STREAMING": "true", "STREAM_WINDOW_MS": "30"}
    async with running(tmp_path, settings) as worker:
        output = (await worker.platform.run("s", ask(stream=True)))["output"]
        whole = (await worker.platform.run("w", ask()))["output"]
        failed = await worker.platform.run("f", {"prompt": ""})
    assert output == worker.platform.streamed["s"]
    *deltas, response = output
    assert len(deltas) > 3
    assert [part["delta"] for part in deltas] == response["choices"][0]["deltas"] == response["choices"][0]["tokens"]
    assert "".join(part["delta"] for part in deltas) == response["choices"][0]["text"]
    assert len(whole) == 1
    assert whole[0]["choices"][0] == {"text": response["choices"][0]["text"]}
    assert failed == {"error": "refused: prompt is blank"}


async def test_sigterm_drains(tmp_path: Path) -> None:
    """Jobs in hand at SIGTERM are answered and posted; then the worker exits with 0."""
    async with running(tmp_path, {"TIMED_EXEC_MS": "1000"}) as worker:
        jobs = [worker.platform.submit(f"job-{n}", ask()) for n in range(3)]
        await worker.seen("start")
        assert await worker.end() == 0
        assert all("output" in job.result() for job in jobs)
    assert len(worker.events("end")) == 3


async def test_a_stopped_job_ends_once_and_the_others_go_on(tmp_path: Path) -> None:
    """A stop signal ends one job without a result, even while the SDK is posting one of its deltas."""
    async with running(tmp_path, {"TIMED_EXEC_MS": "1000", "ENABLE_STREAMING": "true"}) as worker:
        plain = worker.platform.submit("plain", ask())
        await worker.seen("start")
        worker.platform.stops.put_nowait("plain")
        await worker.seen("end")
        worker.platform.stream_gate.clear()
        streaming = worker.platform.submit("streaming", ask(stream=True))
        await asyncio.wait_for(worker.platform.posting.wait(), 10)
        worker.platform.stops.put_nowait("streaming")
        async with asyncio.timeout(10):
            while len(worker.events("end")) < 2:  # noqa: ASYNC110 - another process writes them
                await asyncio.sleep(0.05)
        worker.platform.stream_gate.set()
        assert "output" in await worker.platform.run("other", ask())
        assert not plain.done()
        assert not streaming.done()
    ends = {line["request_id"]: line.get("class") for line in worker.events("end")}
    assert ends == {"plain": "cancelled", "streaming": "cancelled", "other": None}
    assert len(worker.events("end")) == 3


async def test_engine_death_fails_the_jobs_in_flight_and_ends_the_process(tmp_path: Path) -> None:
    """Each job in flight is posted with a clear error, then the process ends by itself, not with 0."""
    async with running(tmp_path, {"TIMED_EXEC_MS": "600", "TIMED_DIES_AT_JOB": "2"}) as worker:
        jobs = [worker.platform.submit(f"job-{n}", ask()) for n in range(3)]
        assert await asyncio.wait_for(worker.process.wait(), 20) == 1
        errors = [job.result()["error"] for job in jobs]
    assert all(error.startswith("engine dead: ") for error in errors)
    assert len(worker.events("end")) == len(worker.events("start")) == 3
    assert len(worker.events("fatal")) == 1
    assert "Traceback" not in (tmp_path / "stderr").read_text()


async def test_wrong_settings_stop_the_worker_before_anything_is_loaded(tmp_path: Path) -> None:
    """All wrong values are named in one message and the status is not 0; neither vLLM nor the SDK is imported."""
    program = (
        "import sys; from worker.__main__ import main; status = main();"
        "print(sorted({'vllm', 'torch', 'runpod'} & set(sys.modules))); sys.exit(status)"
    )
    wrong = {"MODEL_PATH": str(tmp_path), "MAX_NUM_BATCHED_TOKENS": "-1", "GPU_MEMORY_UTILIZATION": "nan"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **wrong},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 2
    assert out.strip() == b"[]"
    assert all(name in err.decode() for name in wrong)
    assert b"Traceback" not in err
