"""The platform's streams, from the double of the management API to Loki, through files that hold what may leave."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aiohttp import web

from go_live.config import Config
from go_live.local_endpoint.management_double.crew import PretendCrew, Seen
from go_live.local_endpoint.management_double.logs import WorkerLogs
from go_live.local_endpoint.management_double.server import application, doubled
from go_live.local_endpoint.management_double.settings import Described
from go_live.management.client import ManagementClient, World
from go_live.management.logs import Kept, lines_of
from go_live.shipping import platform
from go_live.shipping.allowed import AllowList
from go_live.shipping.loki import LokiDestination
from go_live.shipping.positions import alone
from go_live.shipping.shipper import Shipper
from selftest.loki_double import LokiDouble, serving
from tests.go_live.management.conftest import KEY
from tests.go_live.shipping.conftest import AT, event, ids, pointed, until

PROMPT = "How do I become a data engineer?"


async def hurried(seconds: float) -> None:
    """Sleeps a hundredth as long."""
    await asyncio.sleep(seconds / 100)


@asynccontextmanager
async def served(log: Path, crew: PretendCrew) -> AsyncIterator[str]:
    """The management API of an endpoint whose worker ``w1`` writes ``log``."""
    double = doubled(Described(quota_per_minute=100_000), KEY, crew=crew)
    app = application(double)
    logs = WorkerLogs(double, lambda worker: log if worker == "w1" else None, wall=lambda: AT + 3 * _lines(log))
    app.add_routes(logs.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v2"
    finally:
        await runner.cleanup()


def _lines(log: Path) -> int:
    """How many there are: each was written three seconds after the one before it."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


@asynccontextmanager
async def read_into(spool: Path, base: str) -> AsyncIterator[None]:
    """A process that reads the streams."""
    world = World(sleep=hurried)
    async with (
        ManagementClient(base, KEY, world=world) as client,
        platform.streamed(client, "local", spool, AllowList([KEY]), world),
    ):
        yield


def present() -> PretendCrew:
    """One worker, active."""
    crew = PretendCrew()
    crew.workers = [Seen(id="w1", status="RUNNING", version=1, started_at=0.0)]
    return crew


async def test_a_stream_is_shipped_and_what_may_not_leave_never_touches_the_disk(
    tmp_path: Path, config: Config
) -> None:
    """From the worker's log by the API to Loki; no byte of the prompt or of the key in any file on the way."""
    log, spool, crew = tmp_path / "worker.log", tmp_path / "state" / "spool", present()
    log.write_text(f"{event(1, 'start', prompt=PROMPT)}\n{PROMPT} {KEY}\n{event(1)}\n", encoding="utf-8")
    async with served(log, crew) as base:
        async with read_into(spool, base):
            await until(lambda: len(list(lines_of(spool))) == 3)
        kept = b"".join(path.read_bytes() for path in spool.iterdir())
        assert PROMPT.encode() not in kept
        assert KEY.encode() not in kept
        loki = LokiDouble(wall=lambda: AT + 9)
        async with serving(loki) as url, shipping(spool, url, config) as shipper:
            await shipper.once(give_up_s=5)
            assert ids(loki.lines) == ["sync-000001-u1"] * 2
            assert {dict(stream)["worker"] for stream in loki.streams} == {"w1"}
            assert shipper.counts.others == 1


@asynccontextmanager
async def shipping(
    spool: Path, url: str, config: Config, *, shorten_bytes: int | None = None
) -> AsyncIterator[Shipper]:
    """A shipper of the spool."""
    destination = LokiDestination(pointed(config, url).logs, "local", None)
    with alone(spool.parent) as positions:
        shipper = Shipper(
            spool, destination, positions, AllowList(), max_age_s=0, most_pause_s=1, shorten_bytes=shorten_bytes
        )
        try:
            yield shipper
        finally:
            shipper.close()
            await destination.close()


async def test_the_files_between_do_not_grow_without_end(tmp_path: Path, config: Config) -> None:
    """What has arrived is dropped while the stream goes on; every line once, in this process and in the next."""
    log, spool, crew, loki = tmp_path / "worker.log", tmp_path / "state" / "spool", present(), LokiDouble()
    loki.wall = lambda: AT + 9
    longest = 0
    async with served(log, crew) as base, serving(loki) as url:
        for process in range(2):
            async with read_into(spool, base), shipping(spool, url, config, shorten_bytes=2400) as shipper:
                for number in range(process * 20, process * 20 + 20):
                    with log.open("a", encoding="utf-8") as file:
                        file.write(f"{event(number)}\n")
                    await until(lambda number=number: any(f"{number:06}" in line for line in lines_of(spool)))  # type: ignore[misc]
                    await shipper.once(give_up_s=5)
                    assert list(lines_of(spool))  # the last lines tell the next process where to read on
                    longest = max(longest, (spool / "w1.jsonl").stat().st_size)
                assert shipper.counts.shipped == 20
    assert longest < 2900
    assert len(loki.lines) == 40


async def test_a_reader_that_was_killed_within_a_line_reads_it_again(tmp_path: Path) -> None:
    """The half line is cut off: what is read next must not be glued to it. Every line once."""
    log, spool, crew = tmp_path / "worker.log", tmp_path / "spool", present()
    log.write_text("".join(f"{event(number)}\n" for number in range(3)), encoding="utf-8")
    async with served(log, crew) as base:
        async with read_into(spool, base):
            await until(lambda: len(list(lines_of(spool))) == 3)
        path = spool / "w1.jsonl"
        os.truncate(path, path.stat().st_size - 20)
        async with read_into(spool, base):
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{event(3)}\n")
            await until(lambda: len(list(lines_of(spool))) == 4)
    assert [json.loads(line)["request_id"][5:11] for line in lines_of(spool)] == [f"{number:06}" for number in range(4)]


def test_only_what_was_long_gone_is_removed(tmp_path: Path) -> None:
    """A week without a word."""
    for name, age_s in (("old", platform.KEPT_S + 1), ("new", 5)):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(msgspec.json.encode(Kept(ts="", source="container", line="x")) + b"\n")
        os.utime(path, (AT - age_s, AT - age_s))
    platform.prune(tmp_path, AT)
    assert [path.name for path in tmp_path.iterdir()] == ["new.jsonl"]
