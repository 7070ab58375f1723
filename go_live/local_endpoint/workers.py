"""One worker process: its folder, its environment, its keeper. The worker runs the unmodified SDK."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from go_live.local_endpoint.settings import EndpointSettings

KEEPER = Path(__file__).with_name("keeper.py")
ROOT = Path(__file__).resolve().parents[2]
"""Where ``go_live``, ``worker`` and ``rehearsal`` are imported from."""
LOG_TAIL_LINES = 5
LOG_TAIL_CHARS = 300

PRIVATE_PREFIXES = ("RUNPOD_", "GOLIVE_")
"""Variables of the caller that a worker must not see: keys, and what would change the SDK's behaviour."""


class Worker:
    """A worker process under its keeper. Wall times are Unix seconds; the rest is on the monotonic clock."""

    def __init__(self, worker_id: str, settings: EndpointSettings, base_url: str, *, version: int = 1) -> None:
        """Prepare a worker of the endpoint's configuration ``version``; nothing runs yet."""
        self.id = worker_id
        self.version = version
        self.directory = settings.directory / worker_id
        self.log = self.directory / "worker.log"
        self.phase = "initializing"
        """``throttled``, ``initializing``, ``ready``, ``draining`` or ``unhealthy``."""
        self.pid: int | None = None
        self.created = time.monotonic()
        self.started_at: float | None = None
        self.ready_at: float | None = None
        self.last_busy = self.created
        self.last_ping: float | None = None
        self.exit_code: int | None = None
        self.replace_at = 0.0
        """When an unhealthy worker makes room for its successor."""
        self.launched = asyncio.Event()
        """Set once the process was started, or never will be."""
        self._settings = settings
        self._base_url = base_url
        self._keeper: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the keeper, and with it the worker."""
        home = self.directory / "home"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for stale in (".runpod_jobs.pkl", ".runpod_jobs.pkl.lock"):  # older SDKs believe what a dead worker left here
            (self.directory / stale).unlink(missing_ok=True)
        self.started_at = time.time()
        with self.log.open("ab") as log:
            self._keeper = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(KEEPER), *self._settings.worker_command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.directory,
                env=environment(self._settings, self.id, self._base_url, self.directory, os.environ),
                start_new_session=True,
            )
        if self._keeper.stdout is not None:
            line = await self._keeper.stdout.readline()
            self.pid = int(line) if line.strip().isdigit() else None

    async def wait(self) -> int:
        """The worker's exit code (128 + signal where one killed it), once nothing of it is left."""
        if self._keeper is None:
            return 0
        self.exit_code = await self._keeper.wait()
        if self.exit_code < 0 and self.pid is not None:  # the keeper itself was killed
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        return self.exit_code

    def terminate(self) -> None:
        """SIGTERM to the worker alone: it drains."""
        self._order(b"T")

    def kill(self) -> None:
        """SIGKILL to the worker and everything below it."""
        self._order(b"K")

    def _order(self, order: bytes) -> None:
        if self._keeper is not None and self._keeper.stdin is not None:
            with suppress(OSError, RuntimeError):
                self._keeper.stdin.write(order)

    def log_tail(self) -> list[str]:
        """The last lines of the worker's log that are not blank, shortened."""
        try:
            with self.log.open(encoding="utf-8", errors="replace") as log:
                lines = deque((line.strip() for line in log if line.strip()), maxlen=LOG_TAIL_LINES)
        except OSError:
            return []
        return [line[:LOG_TAIL_CHARS] for line in lines]

    def rss_bytes(self) -> int:
        """Resident memory of the worker and its descendants, bytes; pages they share count for each."""
        if self._keeper is None:
            return 0
        total = 0
        with suppress(psutil.Error):
            for process in psutil.Process(self._keeper.pid).children(recursive=True):
                with suppress(psutil.Error):
                    total += process.memory_info().rss
        return total


def environment(
    settings: EndpointSettings, worker_id: str, base_url: str, directory: Path, inherited: Mapping[str, str]
) -> dict[str, str]:
    """A worker's environment: the caller's without its keys, the settings', then what the platform would set."""
    env = {name: value for name, value in inherited.items() if not name.startswith(PRIVATE_PREFIXES)}
    cache = inherited.get("XDG_CACHE_HOME") or str(Path(inherited.get("HOME", "/")) / ".cache")
    env |= {
        "XDG_CACHE_HOME": cache,  # its own HOME must not cost it the model and compile caches
        "PYTHONPATH": python_path(inherited.get("PYTHONPATH", "")),
        "PYTHONUNBUFFERED": "1",
        "RUNPOD_LOG_LEVEL": "INFO",
        "RUNPOD_DEBUG_LEVEL": "INFO",
    }
    env |= settings.worker_env
    base = f"{base_url}/v2/{settings.endpoint_id}"
    return env | {
        "HOME": str(directory / "home"),  # the SDK prefers a key in ~/.runpod/config.toml to the one it is given
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "RUNPOD_WEBHOOK_GET_JOB": f"{base}/job-take/{worker_id}?gpu=local",
        "RUNPOD_WEBHOOK_POST_OUTPUT": f"{base}/job-done/{worker_id}/$ID?gpu=local",
        "RUNPOD_WEBHOOK_POST_STREAM": f"{base}/job-stream/{worker_id}/$ID?gpu=local",
        "RUNPOD_WEBHOOK_PING": f"{base}/ping/{worker_id}?gpu=local",
        "RUNPOD_PING_INTERVAL": str(round(settings.ping_interval_s * 1000)),
        "RUNPOD_AI_API_KEY": settings.worker_key,
        "RUNPOD_POD_ID": worker_id,
        "RUNPOD_ENDPOINT_ID": settings.endpoint_id,
        "RUNPOD_SKIP_AUTO_SYSTEM_CHECKS": "true",
        "RUNPOD_SKIP_GPU_CHECK": "true",
    }


def python_path(inherited: str) -> str:
    """PYTHONPATH that still holds from another working folder, and finds this project if it is not installed."""
    entries = [str(Path(entry).absolute()) for entry in inherited.split(os.pathsep) if entry]
    installed = ROOT.name in {"site-packages", "dist-packages"}
    if not installed and str(ROOT) not in entries:
        entries.insert(0, str(ROOT))
    return os.pathsep.join(entries)
