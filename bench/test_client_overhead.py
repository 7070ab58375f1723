"""What the client adds to a request: its median latency less the server's own, beside a bare aiohttp session.

The server answers after 20 ms in a process of its own and reports the time it took. Both clients take turns in one run,
so that they meet the same machine. The whole path is measured: pacing, sending, classifying, recording.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from go_live.jobs import Endpoint
from go_live.load.runner import LoadPlan, Prompt, run_load

if TYPE_CHECKING:
    from go_live.records import Record

JOB_INPUT = {"prompt": "How do I become a data analyst?", "sampling_params": {"max_tokens": 150}}
ROUNDS = 10
"""Each client's turns. The best round counts: whatever else the machine does can only add."""
REQUESTS = {3: 60, 32: 480}
"""Requests of one round, by concurrency."""
BARS_MS = {3: 3.0, 32: 6.0}
"""Most that the client may add at the median, ms, by concurrency, on a machine that has the time."""
RATIO_MAX = 1.15
"""Most that our median may be of bare aiohttp's, on any machine."""


class Measured(NamedTuple):
    """Times of one round, ms."""

    client: list[float]
    server: list[float]

    @property
    def total(self) -> float:
        """The client's median."""
        return statistics.median(self.client)

    @property
    def added(self) -> float:
        """The client's median less the server's own."""
        return self.total - statistics.median(self.server)


Client = Callable[[str, int, int], Coroutine[Any, Any, Measured]]


async def with_golive(url: str, concurrency: int, requests: int) -> Measured:
    """Through ``run_load`` and ``Endpoint``."""
    records: list[Record] = []
    plan = LoadPlan(
        phase="load",
        concurrency=concurrency,
        requests=requests,
        warmup=concurrency,
        prompts=(Prompt("p", JOB_INPUT),),
        deadline_s=45,
    )
    async with Endpoint(url, "echo", "key", connections=concurrency + 8) as endpoint:
        await run_load(endpoint, plan, on_record=records.append)
    load = [record for record in records if record.phase == "load"]
    assert all(record.ok for record in load)
    return Measured([record.total_ms for record in load], [record.execution_ms or 0 for record in load])


async def with_bare_aiohttp(url: str, concurrency: int, requests: int) -> Measured:
    """Through one shared session and nothing else."""
    measured = Measured([], [])
    left = iter(range(concurrency + requests))

    async def slot(session: aiohttp.ClientSession) -> None:
        for number in left:
            begin = time.monotonic()
            async with session.post(f"{url}/echo/runsync", json={"input": JOB_INPUT}) as response:
                job = json.loads(await response.read())
            if number >= concurrency:
                measured.client.append((time.monotonic() - begin) * 1000)
                measured.server.append(job["executionTime"])

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency + 8)) as session:
        await asyncio.gather(*(slot(session) for _ in range(concurrency)))
    return measured


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """The server's job API base."""
    script = Path(__file__).with_name("echo_server.py")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield f"http://127.0.0.1:{port}/v2"
        process.kill()


@pytest.mark.parametrize("concurrency", BARS_MS)
def test_the_client_adds_little(benchmark: BenchmarkFixture, echo: str, concurrency: int) -> None:
    """At c=3 and c=32 the client's median overhead stays within its bar, and near bare aiohttp's.

    A machine on which bare aiohttp alone takes half the bar is too busy to show the absolute figure: the ratio is then
    all that is claimed, and the test says so by skipping the rest.
    """
    rounds: dict[Client, list[Measured]] = {with_golive: [], with_bare_aiohttp: []}

    def round_of(client: Client) -> None:
        rounds[client].append(asyncio.run(client(echo, concurrency, REQUESTS[concurrency])))

    for _ in range(ROUNDS):
        round_of(with_bare_aiohttp)
        round_of(with_golive)
    benchmark.pedantic(round_of, args=(with_golive,), rounds=1)  # type: ignore[no-untyped-call]  # the plugin is untyped

    ours, bare = rounds[with_golive][:ROUNDS], rounds[with_bare_aiohttp]
    added, bare_added = (min(one.added for one in side) for side in (ours, bare))
    ratio = min(one.total for one in ours) / min(one.total for one in bare)
    figures = {
        "n": sum(len(one.client) for one in ours),
        "golive added p50 ms": round(added, 2),
        "aiohttp added p50 ms": round(bare_added, 2),
        "total p50 ratio": round(ratio, 3),
        "bar ms": BARS_MS[concurrency],
    }
    benchmark.extra_info.update(figures)
    print(f"\nc={concurrency}: {figures}")  # noqa: T201 - a bench is read
    assert all(len(one.client) == REQUESTS[concurrency] for one in (*ours, *bare))
    assert ratio <= RATIO_MAX, figures
    if bare_added > BARS_MS[concurrency] / 2:
        pytest.skip(f"the machine is busy, only the ratio was judged: {figures}")
    assert added <= BARS_MS[concurrency], figures
