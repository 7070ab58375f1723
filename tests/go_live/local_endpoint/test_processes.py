"""Processes: scaled, drained, replaced, and never left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from go_live.errors import MeasurementError, UsageError
from go_live.local_endpoint.launch import launched
from go_live.local_endpoint.settings import EndpointSettings, encode
from tests.go_live.local_endpoint.conftest import Caller, Gone, SdkWorker, Serving, client, eventually

PLAIN_WORKER = """
import json, os, sys, time, urllib.request

def call(url, data=None):
    request = urllib.request.Request(url, data, {"Authorization": os.environ["RUNPOD_AI_API_KEY"]})
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.read()

while True:
    body = call(os.environ["RUNPOD_WEBHOOK_GET_JOB"] + "&job_in_progress=0")
    if body:
        job = json.loads(body)
        time.sleep(job["input"].get("sleep", 0))
        call(os.environ["RUNPOD_WEBHOOK_POST_OUTPUT"].replace("$ID", job["id"]) + "&isStream=false", b"{}")
"""
"""Speaks the protocol with the standard library alone: starts in no time."""

FAMILY = '''
async def handler(job):
    """Nothing."""

subprocess.Popen(["sleep", "1000"])
subprocess.Popen(["sleep", "1001"], start_new_session=True)
subprocess.run([sys.executable, "-c", "import subprocess as s; s.Popen(['sleep', '1002'], start_new_session=True)"])
'''
"""Leaves a child in its group, one in a session of its own, and an orphan that no parent knows."""


@pytest.fixture
def plain_worker(tmp_path: Path) -> tuple[str, ...]:
    """The command of a worker that starts in no time."""
    (tmp_path / "plain_worker.py").write_text(PLAIN_WORKER)
    return (sys.executable, str(tmp_path / "plain_worker.py"))


def below(pid: int) -> list[int]:
    """All processes below ``pid``."""
    return [process.pid for process in psutil.Process(pid).children(recursive=True)]


async def test_workers_come_with_requests_and_go_when_idle(serving: Serving, plain_worker: tuple[str, ...]) -> None:
    """REQUEST_COUNT 1, from none to two for two requests, never to three, and back to none."""
    async with serving(
        worker_command=plain_worker, workers_min=0, workers_max=2, idle_timeout_s=0.5, scale_interval_s=0.05
    ) as caller:
        jobs = [await caller.run(sleep=0.5) for _ in range(4)]
        most = 0

        async def done() -> bool:
            nonlocal most
            most = max(most, len((await caller.call("GET", "/local/workers"))[1]))
            return all([(await caller.status(job))["status"] == "COMPLETED" for job in jobs])

        await eventually(done)
        assert most == 2
        assert len({(await caller.status(job))["workerId"] for job in jobs}) == 2

        async def none_left() -> bool:
            return not (await caller.call("GET", "/local/workers"))[1]

        await eventually(none_left)
        assert (await caller.call("GET", "/local/state"))[1]["failures"] == []


async def test_queue_delay_adds_a_worker_when_a_request_has_waited(
    serving: Serving, plain_worker: tuple[str, ...]
) -> None:
    """One worker is busy; a request that waits longer than scalerValue brings a second."""
    async with serving(
        worker_command=plain_worker, workers_max=2, scaler_type="QUEUE_DELAY", scaler_value=0.3, scale_interval_s=0.05
    ) as caller:
        long, short = await caller.run(sleep=3), await caller.run()
        seen = await caller.until(short, "COMPLETED")
        assert seen["delayTime"] >= 300
        assert (await caller.status(long))["status"] == "IN_PROGRESS"


async def test_a_worker_that_dies_at_start_is_replaced_with_growing_pauses(serving: Serving) -> None:
    """No hot loop: pauses double, the worker counts as unhealthy meanwhile, and its last words are kept."""
    command = ("sh", "-c", "echo MODEL_PATH: a folder is needed >&2; exit 2")
    async with serving(
        worker_command=command, workers_min=0, scale_interval_s=0.02, backoff_s=0.2, backoff_max_s=30
    ) as caller:
        await caller.run()
        began = time.monotonic()

        async def three() -> bool:
            return len((await caller.call("GET", "/local/state"))[1]["failures"]) == 3

        await eventually(three)
        assert time.monotonic() - began >= 0.2 + 0.4
        state = (await caller.call("GET", "/local/state"))[1]
        assert state["workers"]["unhealthy"] == 1
        assert [failure["exit_code"] for failure in state["failures"]] == [2, 2, 2]
        assert state["failures"][-1]["tail"] == ["MODEL_PATH: a folder is needed"]


def test_a_worker_that_dies_at_start_fails_the_launch_with_its_last_words(tmp_path: Path) -> None:
    """One error that names the worker, its exit code, its last words and its log."""
    for command, code, words in [
        (("sh", "-c", "echo MODEL_PATH: a folder is needed >&2; exit 2"), 2, "MODEL_PATH: a folder is needed"),
        ((str(tmp_path / "no-such-worker"),), 127, "cannot start"),
    ]:
        settings = EndpointSettings(directory=tmp_path / f"endpoint-{code}", worker_command=command)
        with pytest.raises(MeasurementError) as caught, launched(settings, ready_timeout_s=20):
            pass
        for part in (f"exit code {code}", "while starting", words, "worker.log"):
            assert part in str(caught.value)


def test_a_worker_that_is_not_ready_in_time_fails_the_launch(tmp_path: Path, left_of: Gone) -> None:
    """The error names the log, the caller sees the state while waiting, and nothing is left."""
    settings = EndpointSettings(directory=tmp_path / "endpoint", worker_command=("sleep", "1000"), stop_grace_s=1)
    seen: list[int] = []

    def note(_: object) -> None:
        seen.extend(below(os.getpid()))

    with (
        pytest.raises(MeasurementError, match=r"0 of 1 workers were ready after 1 s; see .*worker\.log"),
        launched(settings, ready_timeout_s=1, on_wait=note),
    ):
        pass
    assert seen
    assert not left_of(seen)


def test_a_taken_port_is_one_clear_error(tmp_path: Path) -> None:
    """From Python as from the shell, where it is exit code 2."""
    silent = EndpointSettings(directory=tmp_path / "one", worker_command=("sleep", "1000"), workers_min=0)
    with launched(silent) as endpoint:
        port = int(endpoint.url.rpartition(":")[2])
        other = EndpointSettings(directory=tmp_path / "two", worker_command=("sleep", "1000"), port=port)
        with pytest.raises(UsageError, match=f"port {port} is taken"), launched(other):
            pass
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "go_live",
                "local",
                "serve",
                "--engine",
                "timed",
                "--port",
                str(port),
                "--directory",
                str(tmp_path / "three"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert f"port {port} is taken" in ended.stderr


def test_nothing_is_left_after_a_crash_of_the_endpoint(sdk_worker: SdkWorker, tmp_path: Path, left_of: Gone) -> None:
    """SIGKILL: the worker, the SDK's ping child, a child in another session and an orphan are gone."""
    settings = EndpointSettings(directory=tmp_path / "endpoint", worker_command=sdk_worker(FAMILY))
    with launched(settings, ready_timeout_s=60) as endpoint:
        pids = below(endpoint.pid)
        names = [" ".join(psutil.Process(pid).cmdline()) for pid in pids]
        assert all(any(f"sleep 100{n}" in name for name in names) for n in range(3))
        assert sum("sdk_worker.py" in name and "keeper" not in name for name in names) >= 2  # the worker and its ping
        os.killpg(endpoint.pid, signal.SIGKILL)  # all of its group, as a terminal or a CI runner would
        assert not left_of(pids)
        with pytest.raises(MeasurementError, match="does not answer"):
            endpoint.state()


@pytest.mark.slow
def test_nothing_is_left_after_a_crash_of_the_launcher(
    plain_worker: tuple[str, ...], tmp_path: Path, left_of: Gone
) -> None:
    """SIGKILL of the process that launched it: the endpoint ends in order, and its workers with it."""
    settings = EndpointSettings(directory=tmp_path / "endpoint", worker_command=plain_worker, stop_grace_s=1)
    source = (
        "import sys, time\n"
        "from go_live.local_endpoint.launch import launched\n"
        "from go_live.local_endpoint.settings import decode\n"
        "with launched(decode(sys.stdin.buffer.readline())) as endpoint:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(100)\n"
    )
    launcher = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with launcher:
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        launcher.stdin.write(encode(settings) + b"\n")
        launcher.stdin.flush()
        assert launcher.stdout.readline() == b"ready\n"
        pids = below(launcher.pid)
        assert len(pids) == 3  # endpoint, keeper, worker
        launcher.kill()
        launcher.wait()
        assert not left_of(pids)


@pytest.mark.parametrize("name", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_the_command_ends_in_order(name: signal.Signals, tmp_path: Path, left_of: Gone) -> None:
    """Ctrl-C and SIGTERM: exit 0, nothing left, and the key never on a pipe."""
    with serve_command(tmp_path, "--json") as command:
        assert command.stdout is not None
        said = json.loads(command.stdout.readline())
        key = Path(said["key_file"])
        assert key.stat().st_mode & 0o777 == 0o600
        wait_for(lambda: "w1 initializing" in (tmp_path / "stderr").read_text())
        pids = below(command.pid)
        assert len(pids) >= 2
        command.send_signal(name)
        assert command.wait(20) == 0
        assert not left_of(pids)
        assert key.read_text() not in (tmp_path / "stderr").read_text() + str(said)


def test_the_command_ends_with_its_parent(tmp_path: Path, left_of: Gone) -> None:
    """With --exit-with-parent the end of stdin is the end."""
    with serve_command(tmp_path, "--exit-with-parent") as command:
        assert command.stdin is not None
        assert command.stdout is not None
        assert "local endpoint, engine timed" in command.stdout.readline()
        wait_for(lambda: "w1 initializing" in (tmp_path / "stderr").read_text())
        pids = below(command.pid)
        command.stdin.close()
        assert command.wait(20) == 0
        assert not left_of(pids)


def serve_command(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """``golive local serve`` with the timed engine, its standard error in a file."""
    with (tmp_path / "stderr").open("w") as stderr:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "go_live",
                "local",
                "serve",
                "--engine",
                "timed",
                "--exec-ms",
                "10",
                "--directory",
                str(tmp_path / "endpoint"),
                *arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )


def wait_for(holds: Callable[[], bool], timeout_s: float = 20) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


SLOW_TO_LEAVE = '''
async def handler(job):
    """Work on, whatever comes."""
    await asyncio.sleep(job["input"]["sleep"])
    Path(job["input"]["mark"]).write_text("finished" if child.poll() is None else "finished without its child")

child = subprocess.Popen(["sleep", "1000"])
'''


async def test_stopping_lets_running_jobs_finish(sdk_worker: SdkWorker, tmp_path: Path) -> None:
    """SIGTERM reaches the worker alone and drains it: the job in flight is finished and its result accepted."""
    settings = EndpointSettings(directory=tmp_path / "endpoint", worker_command=sdk_worker(SLOW_TO_LEAVE))
    mark = tmp_path / "mark"
    with launched(settings, ready_timeout_s=60) as endpoint:
        async with client() as http:
            caller = Caller(endpoint.url, endpoint.endpoint_id, endpoint.key, http)
            waiting = asyncio.create_task(caller.runsync(sleep=1.5, mark=str(mark)))
            await asyncio.sleep(0.5)
            stopping = asyncio.create_task(asyncio.to_thread(endpoint.stop))
            body = await waiting
            await stopping
    assert body["status"] == "COMPLETED"
    assert mark.read_text() == "finished"
    assert "ended (exit code 0)" in (settings.directory / "endpoint.log").read_text()


async def test_a_worker_that_will_not_leave_is_killed_after_the_grace(serving: Serving, left_of: Gone) -> None:
    """SIGTERM is ignored; after stop_grace_s the whole group is killed."""
    async with serving(
        worker_command=("sh", "-c", "trap '' TERM; sleep 1000 & wait; sleep 1000"), stop_grace_s=0.5
    ) as caller:
        assert caller.endpoint is not None
        await asyncio.sleep(0.2)
        pids = below(os.getpid())
        assert len(pids) >= 3
    assert not left_of(pids)


async def test_a_killed_keeper_leaves_no_worker(serving: Serving, left_of: Gone) -> None:
    """The keeper is killed alone: the endpoint ends what it kept, and replaces the worker."""
    async with serving(scale_interval_s=0.05) as caller:
        assert caller.endpoint is not None
        worker = caller.endpoint.fleet.workers["w1"]
        assert worker.pid is not None
        keeper = psutil.Process(worker.pid).parent()
        assert keeper is not None
        keeper.kill()
        assert not await asyncio.to_thread(left_of, [worker.pid])

        async def replaced() -> bool:
            return [w["id"] for w in (await caller.call("GET", "/local/workers"))[1]] == ["w2"]

        await eventually(replaced)


async def test_a_worker_whose_pings_stop_while_it_holds_a_job_is_lost(serving: Serving) -> None:
    """After three intervals without a ping it is killed and its job queued once more; an idle one is left alone."""
    async with serving(scale_interval_s=60) as caller:
        assert caller.endpoint is not None
        fleet = caller.endpoint.fleet
        late = time.monotonic() + 31
        async with caller.http.get(f"{caller.base}/ping/w1?gpu=x", headers=caller.worker_headers()):
            fleet._kill_silent(late)
        job = await caller.run()
        await caller.take()
        fleet._kill_silent(late - 2)
        await asyncio.sleep(0.1)
        assert (await caller.status(job))["status"] == "IN_PROGRESS"
        fleet._kill_silent(late)
        assert (await caller.until(job, "IN_QUEUE"))["retries"] == 1


async def test_pauses_double_up_to_their_limit(serving: Serving) -> None:
    """A first crash of a worker that was ready costs no pause; one that dies while starting always does."""
    async with serving(workers_min=0, backoff_s=1, backoff_max_s=5) as caller:
        assert caller.endpoint is not None
        fleet, pauses = caller.endpoint.fleet, []
        for failures in (1, 2, 3, 4, 5):
            fleet._failed_starts = failures
            pauses.append((fleet._pause(was_ready=True), fleet._pause(was_ready=False)))
    assert pauses == [(0, 1), (1, 2), (2, 4), (4, 5), (5, 5)]


def test_a_crash_of_endpoint_and_keeper_together_leaves_no_worker(tmp_path: Path, left_of: Gone) -> None:
    """All that is ours is killed at once: the kernel ends the worker with its keeper."""
    settings = EndpointSettings(directory=tmp_path / "endpoint", worker_command=("sleep", "1000"))
    with launched(settings, workers=0) as endpoint:
        wait_for(lambda: len(below(endpoint.pid)) == 2)
        keeper, worker = below(endpoint.pid)
        os.kill(endpoint.pid, signal.SIGSTOP)  # so that it cannot end the worker in its keeper's place
        os.kill(keeper, signal.SIGKILL)
        assert not left_of([worker])
        os.kill(endpoint.pid, signal.SIGKILL)
