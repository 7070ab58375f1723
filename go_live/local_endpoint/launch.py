"""The local endpoint as a subprocess, for the gate and for tests: started, watched, and surely ended."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from go_live.errors import MeasurementError, UsageError
from go_live.local_endpoint.fleet import Failure, explain
from go_live.local_endpoint.settings import EndpointSettings, encode
from go_live.local_endpoint.workers import python_path

POLL_S = 0.2
REQUEST_TIMEOUT_S = 30.0
STOP_MARGIN_S = 10.0

State = dict[str, Any]


class LaunchedEndpoint:
    """A running endpoint in its own process, and what can be asked of it."""

    def __init__(self, settings: EndpointSettings, process: subprocess.Popen[bytes], url: str) -> None:
        """Take over a process that listens on ``url``."""
        self.settings = settings
        self.url = url
        self._process = process

    @property
    def endpoint_id(self) -> str:
        """The id in the job API's paths."""
        return self.settings.endpoint_id

    @property
    def key(self) -> str:
        """The API key."""
        return self.settings.key

    @property
    def job_api(self) -> str:
        """Base of the job API: add ``/{endpoint_id}/run``."""
        return f"{self.url}/v2"

    @property
    def management_api(self) -> str:
        """Base of the double of the management API: add ``/serverless/{endpoint_id}``."""
        return f"{self.url}/management/v2"

    @property
    def pid(self) -> int:
        """The endpoint's own process id."""
        return self._process.pid

    def state(self) -> State:
        """``/local/state``: workers and jobs counted, failures with the end of their logs, faults."""
        return dict(self._ask("GET", "/local/state"))

    def workers(self) -> list[dict[str, Any]]:
        """``/local/workers``: id, pid, state, log, rss_bytes, started_at, ready_at, jobs of each."""
        return list(self._ask("GET", "/local/workers"))

    def scenario(self) -> State:
        """``/local/scenario``: the scenario that is served, and its truth.

        Raises:
            UsageError: none is served.
        """
        return dict(self._ask("GET", "/local/scenario"))

    def memory(self) -> dict[str, int]:
        """Resident bytes of each worker that is ready, with everything below it."""
        return {one["id"]: one["rss_bytes"] for one in self.workers() if one["state"] in {"idle", "running"}}

    def switch_fault(self, scenario: str, **options: Any) -> None:
        """Switch a fault on (:mod:`go_live.local_endpoint.faults`): ``count``, ``seconds``, ``operations``.

        Raises:
            UsageError: no such scenario or option.
        """
        self._ask("POST", "/local/faults", json.dumps({"scenario": scenario, **options}).encode())

    def clear_faults(self, scenario: str | None = None) -> None:
        """Switch one fault off, or all."""
        self._ask("DELETE", "/local/faults" + (f"?scenario={scenario}" if scenario else ""))

    def log_paths(self) -> list[Path]:
        """The log of every worker there has been, oldest first."""
        return worker_logs(self.settings.directory)

    def stop(self) -> None:
        """Drain the workers, end everything; when this returns, nothing is left running."""
        tree = _tree(self._process.pid)
        with suppress(OSError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(self.settings.stop_grace_s + STOP_MARGIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        psutil.wait_procs(tree, timeout=STOP_MARGIN_S)  # after a crash the keepers still need a moment

    def wait_ready(self, workers: int, timeout_s: float, on_wait: Callable[[State], None] | None = None) -> None:
        """Wait until so many workers have asked for a job.

        Raises:
            MeasurementError: a worker died instead, the endpoint did, or the time is up; the message says why.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            state = self.state()
            if state["workers"]["ready"] >= workers:
                return
            if state["failures"]:
                raise MeasurementError(explain(msgspec.convert(state["failures"][-1], Failure)))
            if time.monotonic() > deadline:
                raise MeasurementError(
                    f"{state['workers']['ready']} of {workers} workers were ready after {timeout_s:.0f} s;"
                    f" see {', '.join(map(str, self.log_paths())) or self.settings.directory}"
                )
            if on_wait is not None:
                on_wait(state)
            time.sleep(POLL_S)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        """One call of the operator's routes, past every proxy."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=REQUEST_TIMEOUT_S)
        try:
            connection.request(method, path, body, {"Authorization": self.key})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise MeasurementError(f"the local endpoint does not answer: {_last_words(self.settings)}") from error
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise UsageError(f"local endpoint: {answer.get('detail', answer)}")
        return answer


def worker_logs(directory: Path) -> list[Path]:
    """The logs of all workers that an endpoint in ``directory`` has had, oldest first."""
    return sorted(directory.glob("w*/worker.log"), key=lambda path: int(path.parent.name[1:]))


@contextmanager
def launched(
    settings: EndpointSettings,
    *,
    ready_timeout_s: float = 300.0,
    workers: int | None = None,
    on_wait: Callable[[State], None] | None = None,
) -> Iterator[LaunchedEndpoint]:
    """Run the endpoint in its own process, its workers ready, until the context ends; then nothing of it is left.

    Args:
        settings: the endpoint.
        ready_timeout_s: how long the workers may take to ask for their first job.
        workers: how many must be ready (default: ``workers_min``; 0: do not wait).
        on_wait: called with the endpoint's state five times a second while waiting.

    Raises:
        UsageError: the port is taken, or the directory cannot be written.
        MeasurementError: a worker or the endpoint died at start, or the time is up.
    """
    process = _start(settings)
    endpoint = LaunchedEndpoint(settings, process, "")
    try:
        endpoint.url = _url(settings, process)
        needed = settings.workers_min if workers is None else workers
        if needed:
            endpoint.wait_ready(needed, ready_timeout_s, on_wait)
        yield endpoint
    finally:
        endpoint.stop()


def _start(settings: EndpointSettings) -> subprocess.Popen[bytes]:
    """Start the process and hand it its settings; its stdin stays open for as long as this process lives."""
    try:
        settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = _log(settings).open("ab")
    except OSError as error:
        raise UsageError(f"cannot write to {settings.directory}: {error.strerror}; choose another folder") from error
    with log:
        process = subprocess.Popen(
            [sys.executable, "-m", "go_live.local_endpoint"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=os.environ | {"PYTHONPATH": python_path(os.environ.get("PYTHONPATH", ""))},
            start_new_session=True,  # Ctrl-C is for the launcher, which then stops the endpoint in order
        )
    if process.stdin is not None:
        with suppress(OSError):  # it died at once: _url tells why
            process.stdin.write(encode(settings) + b"\n")
            process.stdin.flush()
    return process


def _url(settings: EndpointSettings, process: subprocess.Popen[bytes]) -> str:
    """What the process says first."""
    line = process.stdout.readline() if process.stdout is not None else b""
    try:
        said: dict[str, str] = json.loads(line)
    except ValueError:
        raise MeasurementError(f"the local endpoint ended while starting: {_last_words(settings)}") from None
    if "error" in said:
        raise UsageError(said["error"])
    return said["url"]


def _log(settings: EndpointSettings) -> Path:
    return settings.directory / "endpoint.log"


def _last_words(settings: EndpointSettings) -> str:
    """The end of the endpoint's own log."""
    with suppress(OSError):
        lines = [line for line in _log(settings).read_text(errors="replace").splitlines() if line.strip()]
        return " | ".join(lines[-3:]) + f" (log: {_log(settings)})"
    return f"no log in {settings.directory}"


def _tree(pid: int) -> list[psutil.Process]:
    """The process and all below it."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []
