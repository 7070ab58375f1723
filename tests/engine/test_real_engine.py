"""The real worker on the real engine, behind the local endpoint, started once for all of these tests."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import pytest

from checks.local import worker_env
from go_live import config
from go_live.jobs import Answer, Endpoint
from go_live.local_endpoint.launch import LaunchedEndpoint, launched
from go_live.local_endpoint.settings import EndpointSettings
from rehearsal.golden import Golden, golden_prompts
from selftest.project import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

OPEN = [golden for golden in golden_prompts() if not golden.blocked]
BATCH = 8
"""The engine's MAX_NUM_SEQS."""
TOO_SMALL = "1024"
"""Below MAX_MODEL_LEN, so the worker has to raise it."""
LONG = {"max_tokens": 256, "ignore_eos": True}
CROWD = 3 * BATCH
"""Some of them run in the engine, the others wait in it for a place in the batch."""
POLL_S = 0.02


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedEndpoint]:
    """The local endpoint with one real worker, as the rehearsal starts it but for a batch that is too small."""
    profile = config.load(ROOT / "golive.toml").profile["rehearsal"]
    settings = EndpointSettings(
        worker_env=worker_env(profile, ROOT) | {"MAX_NUM_BATCHED_TOKENS": TOO_SMALL},
        directory=tmp_path_factory.mktemp("engine") / "endpoint",
        engine="cpu",
    )
    with launched(settings, ready_timeout_s=300) as endpoint:
        yield endpoint


@pytest.fixture
async def endpoint(local: LaunchedEndpoint) -> AsyncIterator[Endpoint]:
    """A client of it."""
    async with Endpoint(local.job_api, local.endpoint_id, local.key) as client:
        yield client


def asked(golden: Golden, **more: Any) -> dict[str, Any]:
    """A greedy request for a golden prompt."""
    sampling = {"max_tokens": 150, "temperature": 0.0} | more.pop("sampling", {})
    return {"prompt": golden.prompt, "sampling_params": sampling, **more}


def wrong(goldens: list[Golden], answers: list[Answer]) -> list[str]:
    """Ids of the golden prompts that were answered otherwise."""
    pairs = zip(goldens, answers, strict=True)
    return [f"{golden.id}: {answer.error}" for golden, answer in pairs if answer.text != golden.answer]


async def test_golden_answers_alone(endpoint: Endpoint) -> None:
    """Asked one after another, golden prompts get their answers word for word."""
    answers = [await endpoint.complete(asked(golden)) for golden in OPEN[:4]]
    assert wrong(OPEN[:4], answers) == []


async def test_golden_answers_in_a_batch_of_eight(endpoint: Endpoint) -> None:
    """Asked eight at once, they get the same words: batching changes no answer."""
    for at in range(0, len(OPEN), BATCH):
        goldens = OPEN[at : at + BATCH]
        answers = await asyncio.gather(*(endpoint.complete(asked(golden)) for golden in goldens))
        assert wrong(goldens, answers) == []


async def test_a_stream_is_the_answer_in_pieces(endpoint: Endpoint) -> None:
    """The deltas of /stream joined are the golden answer, in fewer pieces than tokens."""
    answer = await endpoint.complete_streaming(asked(OPEN[0], stream=True))
    deltas = [chunk.output["delta"] for chunk in answer.chunks if "delta" in chunk.output]
    assert "".join(deltas) == answer.text == OPEN[0].answer
    assert 1 < len(deltas) < (answer.output_tokens or 0)


async def test_no_character_is_split(endpoint: Endpoint) -> None:
    """Whatever the tokens of a prompt in other scripts, no delta holds half a character."""
    answer = await endpoint.complete_streaming(
        {
            "prompt": "キャリア 🚀 énergie",
            "stream": True,
            "sampling_params": {"max_tokens": 64, "temperature": 1.0, "seed": 7},
        }
    )
    assert answer.error is None
    assert "\ufffd" not in (answer.text or "")


async def test_the_running_engine_has_a_safe_batch(endpoint: Endpoint, local: LaunchedEndpoint) -> None:
    """A batch below MAX_MODEL_LEN is raised to it, in the engine that runs and not only in its arguments."""
    answer = await endpoint.complete({"probe": {"nonce": "n"}}, needs_text=False)
    engine = answer.output["probe"]["engine"]
    assert engine["kind"] == "vllm"
    assert engine["max_num_batched_tokens"] == engine["max_model_len"] == 4096
    assert engine["max_num_seqs"] == BATCH
    (adjusted,) = events(local, "adjusted")
    assert (adjusted["asked"], adjusted["effective"]) == (int(TOO_SMALL), 4096)


async def test_ready_line_and_probe_tell_the_same_engine(endpoint: Endpoint, local: LaunchedEndpoint) -> None:
    """Both hold the effective settings, the cache and the memory; the probe names every version that matters."""
    answer = await endpoint.complete({"probe": {"nonce": "n"}}, needs_text=False)
    probe = answer.output["probe"]
    (ready,) = events(local, "ready")
    assert probe["engine"] == ready["engine"]
    assert ready["kv_cache_tokens"] > 0
    assert 0 < ready["device_memory_used_mib"] < ready["device_memory_total_mib"]
    assert set(probe["versions"]) == {"python", "runpod", "vllm", "torch", "transformers"}


async def test_an_answer_of_full_length_has_its_tokens(endpoint: Endpoint) -> None:
    """Where the model may not stop, exactly max_tokens come, and the same text streamed or not."""
    whole = await endpoint.complete(asked(OPEN[0], sampling=LONG))
    streamed = await endpoint.complete_streaming(asked(OPEN[0], sampling=LONG, stream=True))
    assert whole.output_tokens == streamed.output_tokens == 256
    assert whole.text == streamed.text
    assert whole.engine is None, "only an engine that is not the real one is named"


async def test_too_many_tokens_are_refused(endpoint: Endpoint) -> None:
    """1024 characters that make too many tokens beside the answer are refused, not cut; a little less is answered."""
    refused = await endpoint.complete({"prompt": "🚀" * 1024})
    assert refused.error == "refused"
    assert "too many tokens" in (refused.detail or "")
    fits = await endpoint.complete({"prompt": "🚀" * 900})
    assert fits.error in {None, "empty"}, fits.detail
    assert 4 * 900 < fits.output["usage"]["input"] < 4096 - 256


async def test_a_cancel_reaches_the_engine(endpoint: Endpoint, local: LaunchedEndpoint) -> None:
    """Jobs cancelled while they run each end once, as cancelled; the next one is answered."""
    (worker,) = local.workers()
    with suspended(engine_core(worker["pid"])):
        jobs = await crowd(endpoint, local)
        await asyncio.gather(*(endpoint.cancel(job) for job in jobs))
        await until(lambda: all(ends(local, job) for job in jobs))
    assert [[end.get("class") for end in ends(local, job)] for job in jobs] == [["cancelled"]] * CROWD
    assert (await endpoint.complete(asked(OPEN[1]))).text == OPEN[1].answer


def test_no_prompt_and_no_answer_is_logged(local: LaunchedEndpoint) -> None:
    """Whatever worker, SDK and vLLM wrote so far, no golden prompt and no golden answer is in it."""
    text = log_text(local)
    assert not [golden.id for golden in OPEN if golden.prompt in text or golden.answer in text]


@pytest.mark.slow
async def test_a_dead_engine_fails_its_jobs_and_is_replaced(endpoint: Endpoint, local: LaunchedEndpoint) -> None:
    """Jobs in flight FAIL with a clear error, the worker ends, not with 0, and its successor answers as it did."""
    (worker,) = local.workers()
    core = engine_core(worker["pid"])
    with suspended(core):
        jobs = await crowd(endpoint, local)
        core.kill()
    await until(lambda: all(ends(local, job) for job in jobs))
    await until(lambda: local.state()["failures"])  # the worker has ended: what it had to tell is told
    last = await endpoint.status(jobs[-1])
    (failure,) = local.state()["failures"]
    assert last.data["status"] == "FAILED"
    assert "engine dead" in str(last.data["error"])
    assert [len(ends(local, job)) for job in jobs] == [1] * CROWD
    assert {end.get("class") for job in jobs for end in ends(local, job)} == {"engine_dead"}
    assert (failure["exit_code"], failure["was_ready"]) == (1, True)
    assert len(events(local, "fatal")) == 1
    # From here on there is another engine: the endpoint waits for it as the platform would.
    assert (await endpoint.complete(asked(OPEN[2]), deadline_s=300)).text == OPEN[2].answer


async def test_sigterm_drains_and_leaves_no_process(endpoint: Endpoint, local: LaunchedEndpoint) -> None:
    """A job in hand at SIGTERM is answered, the worker exits with 0, its engine is gone. Last: it ends the endpoint."""
    (worker,) = [worker for worker in local.workers() if worker["state"] == "idle"]
    core = engine_core(worker["pid"])
    waiting = asyncio.create_task(endpoint.complete(asked(OPEN[0], sampling=LONG)))
    await until(lambda: local.state()["jobs"]["in_progress"])
    await asyncio.to_thread(local.stop)
    answer = await waiting
    said = (local.settings.directory / "endpoint.log").read_text(encoding="utf-8")
    assert (answer.error, answer.output_tokens) == (None, 256)
    assert re.search(rf"{worker['id']} ended \(exit code 0\)", said)
    assert not core.is_running()


async def crowd(endpoint: Endpoint, local: LaunchedEndpoint) -> list[str]:
    """Ids of long jobs, in the order in which they reached the worker, all of which it has started."""
    replies = await asyncio.gather(*(endpoint.run(asked(OPEN[0], sampling=LONG)) for _ in range(CROWD)))
    jobs = {str(reply.data["id"]) for reply in replies}
    await until(lambda: jobs <= {line["request_id"] for line in events(local, "start")})
    return [line["request_id"] for line in events(local, "start") if line["request_id"] in jobs]


async def until(seen: Callable[[], object]) -> None:
    """Wait for something that another process does."""
    async with asyncio.timeout(60):
        while not seen():  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(POLL_S)


def engine_core(pid: int) -> psutil.Process:
    """The engine's own process below the worker ``pid``."""
    (core,) = [child for child in psutil.Process(pid).children(recursive=True) if "EngineCore" in child.name()]
    return core


@contextmanager
def suspended(process: psutil.Process) -> Iterator[None]:
    """The process stands still: however fast the machine, no job is answered before what a test does to it."""
    process.suspend()
    try:
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            process.resume()


def log_text(local: LaunchedEndpoint) -> str:
    """All that the workers wrote."""
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in local.log_paths())


def events(local: LaunchedEndpoint, name: str) -> list[dict[str, Any]]:
    """The workers' structured lines of one kind."""
    lines = [json.loads(line) for line in log_text(local).splitlines() if line.startswith('{"ts"')]
    return [line for line in lines if line["event"] == name]


def ends(local: LaunchedEndpoint, job: str | None) -> list[dict[str, Any]]:
    """The end lines of one job."""
    return [line for line in events(local, "end") if line["request_id"] == job]
