"""What the gateway adds to a request at c=3, beside direct calls of the same server in the same run.

The server answers after 20 ms in a process of its own, the gateway runs in another as its user starts it, and a bare
aiohttp session asks in turns with and without it. Its second exchange with the endpoint (``/run``, then
``/status-sync``) is part of what is measured; on loopback that exchange costs no network.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from go_live.gateway import keys

ROOT = Path(__file__).parents[1]
BODY = {"input": {"prompt": "How do I become a data analyst?", "sampling_params": {"max_tokens": 150}}}
CONCURRENCY, REQUESTS, ROUNDS = 3, 300, 6
"""Of one round, and turns of each side. The best round counts: whatever else the machine does can only add."""
P50_MS, P99_MS = 3.0, 10.0
"""Most that the gateway may add, ms."""


class Figures(NamedTuple):
    """Of one round, ms."""

    p50: float
    p99: float


async def ask(url: str, key: str) -> Figures:
    """One round of requests, ``CONCURRENCY`` at a time."""
    times: list[float] = []
    left = iter(range(CONCURRENCY + REQUESTS))

    async def slot(http: aiohttp.ClientSession) -> None:
        for number in left:
            begin = time.monotonic()
            async with http.post(f"{url}/echo/runsync", json=BODY, headers={"Authorization": key}) as response:
                job = json.loads(await response.read())
            assert job["status"] == "COMPLETED", job
            if number >= CONCURRENCY:
                times.append((time.monotonic() - begin) * 1000)

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(slot(http) for _ in range(CONCURRENCY)))
    assert len(times) == REQUESTS
    return Figures(statistics.median(times), statistics.quantiles(times, n=100)[-1])


@contextmanager
def echo() -> Iterator[str]:
    """The server's job API base."""
    script = Path(__file__).with_name("echo_server.py")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v2"
        process.kill()


@contextmanager
def gateway(job_api: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The gateway as its user starts it; its job API base, and a caller's key."""
    key, entry = keys.new_key("bench", "2026-11-24")
    keys.write(folder / "callers.json", (entry,))
    options = ["--callers", str(folder / "callers.json"), "--record", str(folder / "gateway.jsonl")]
    where = ["--job-api", job_api, "--endpoint", "echo", "--port", "0", "--metrics-port", "0"]
    command = [sys.executable, "-m", "go_live", "gateway", "serve", "--json", *options, *where]
    environment = os.environ | {"RUNPOD_API_KEY": "upstream"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["job_api"], key
        process.terminate()


def test_the_gateway_adds_little(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """At c=3 the gateway adds at most 3 ms at the median and 10 ms at p99 to what a direct call takes."""
    direct: list[Figures] = []
    through: list[Figures] = []
    with echo() as job_api, gateway(job_api, tmp_path) as (front, key):

        def turn() -> None:
            direct.append(asyncio.run(ask(job_api, "upstream")))
            through.append(asyncio.run(ask(front, key)))

        for _ in range(ROUNDS - 1):
            turn()
        benchmark.pedantic(turn, rounds=1)  # type: ignore[no-untyped-call]  # the plugin is untyped
    added = Figures(*(min(map(figure, through)) - min(map(figure, direct)) for figure in (_p50, _p99)))
    figures = {
        "n": REQUESTS * ROUNDS,
        "added p50 ms": round(added.p50, 2),
        "added p99 ms": round(added.p99, 2),
        "bar ms": (P50_MS, P99_MS),
        "load": round(os.getloadavg()[0], 1),
    }
    benchmark.extra_info.update(figures)
    print(f"\ngateway at c={CONCURRENCY}: {figures}")  # noqa: T201 - a bench is read
    if min(map(_p50, direct)) > 20 + P50_MS:
        pytest.skip(f"the machine is busy, a direct call alone is late: {figures}")
    assert added.p50 <= P50_MS, figures
    assert added.p99 <= P99_MS, figures


def _p50(figures: Figures) -> float:
    return figures.p50


def _p99(figures: Figures) -> float:
    return figures.p99
