"""Worker logs that are written on purpose, a Loki that keeps what it gets, and time that nobody waits for."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from go_live import config as configuration
from go_live.config import Config
from go_live.management.client import World
from go_live.shipping.allowed import AllowList
from go_live.shipping.destination import Destination
from go_live.shipping.loki import LokiDestination
from go_live.shipping.positions import Positions, alone
from go_live.shipping.shipper import Shipper
from selftest.loki_double import LokiDouble, serving
from tests.go_live.management.conftest import Waits

AT = 1_795_543_200
"""2026-11-24T18:00:00Z."""


def event(number: int, kind: str = "end", **more: Any) -> str:
    """The ``number``-th line of a worker, that many seconds after the first."""
    minutes, seconds = divmod(number, 60)
    told = {"ts": f"2026-11-24T18:{minutes:02}:{seconds:02}.000Z", "event": kind, "request_id": f"sync-{number:06}-u1"}
    return json.dumps({**told, **more})


def ids(lines: list[str]) -> list[str]:
    """The job ids of lines that have one."""
    told = [json.loads(line) for line in lines]
    return [one["request_id"] for one in told if "request_id" in one]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for comes over a socket
            await asyncio.sleep(0.01)


@dataclass
class Worker:
    """A worker's log file."""

    path: Path

    def write(self, *lines: str) -> None:
        """Whole lines."""
        self.tear("".join(f"{line}\n" for line in lines))

    def tear(self, text: str) -> None:
        """Any text."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)


@pytest.fixture
def config() -> Config:
    """The shipped golive.toml."""
    return configuration.load(Path(__file__).parents[3] / "golive.toml")


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    """The log of ``w1``, in a folder of its own."""
    return Worker(tmp_path / "endpoint" / "w1" / "worker.log")


@dataclass
class Bench:
    """A shipper, and the Loki that it ships to."""

    shipper: Shipper
    loki: LokiDouble
    positions: Positions
    waits: Waits

    async def once(self, give_up_s: float = 60.0) -> list[str]:
        """Ship what is there; the job ids that Loki has."""
        await self.shipper.once(give_up_s=give_up_s)
        return ids(self.loki.lines)


Opened = Callable[..., AbstractAsyncContextManager[Bench]]


def pointed(config: Config, url: str, **loki: Any) -> Config:
    """``config`` with another Loki."""
    logs = msgspec.structs.replace(config.logs, loki=msgspec.structs.replace(config.logs.loki, url=url, **loki))
    return msgspec.structs.replace(config, logs=logs)


@pytest.fixture
def opened(config: Config, worker: Worker, tmp_path: Path) -> Opened:
    """Opens a bench: each one is a new process, with the positions that the last one left."""

    @asynccontextmanager
    async def open_bench(
        loki: LokiDouble | None = None,
        *,
        token: str | None = None,
        tenant: str = "",
        destination: Destination | None = None,
        now: float = AT + 600,
    ) -> AsyncIterator[Bench]:
        loki = loki or LokiDouble(wall=lambda: AT + 600)
        waits = Waits()
        world = World(clock=lambda: waits.at, wall=lambda: now + waits.at, sleep=waits.sleep, draw=lambda: 0.5)
        async with serving(loki) as url:
            to = destination or LokiDestination(pointed(config, url, tenant=tenant).logs, "local", token)
            with alone(tmp_path / "state") as positions:
                folder = worker.path.parents[1]
                folder.mkdir(exist_ok=True)
                shipper = Shipper(folder, to, positions, AllowList(), max_age_s=2, most_pause_s=60, world=world)
                try:
                    yield Bench(shipper, loki, positions, waits)
                finally:
                    shipper.close()
                    await to.close()

    return open_bench
