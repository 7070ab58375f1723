"""The client against the double, on real loopback sockets; time passes only when a test says so."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from go_live.local_endpoint.management_double.crew import PretendCrew
from go_live.local_endpoint.management_double.rest import ManagementDouble
from go_live.local_endpoint.management_double.server import doubled, serving
from go_live.local_endpoint.management_double.settings import Described, DescribedTemplate, Quirks
from go_live.management.client import ManagementClient, World
from tests.go_live.keys.made_up import of_kind

KEY, READ_ONLY = (of_kind("runpod", seed) for seed in (11, 12))
OTHER = "registry.example/worker@sha256:" + "1" * 64


@dataclass
class Waits:
    """Stands in for sleeping: what was waited for, and a clock that goes on by it."""

    slept: list[float] = field(default_factory=list)
    at: float = 0.0

    async def sleep(self, seconds: float) -> None:
        """Note it, and let the clock go on."""
        self.slept.append(seconds)
        self.at += seconds

    def world(self, drawn: float = 0.5) -> World:
        """A world whose time is this one's and whose chance is ``drawn``."""
        return World(clock=lambda: self.at, wall=lambda: 1_000_000.0 + self.at, sleep=self.sleep, draw=lambda: drawn)


@dataclass
class Pair:
    """A client, and the double that it speaks to."""

    client: ManagementClient
    double: ManagementDouble
    crew: PretendCrew
    waits: Waits
    base: str


Paired = Callable[..., AbstractAsyncContextManager[Pair]]


@pytest.fixture
def paired() -> Paired:
    """Opens a pair: ``described`` is the double's, everything else the client's."""

    @asynccontextmanager
    async def open_pair(
        described: Described | None = None, *, key: str = KEY, quirks: Quirks | None = None, **options: Any
    ) -> AsyncIterator[Pair]:
        template = DescribedTemplate(id="tpl-old", image=OTHER, env={"MAX_MODEL_LEN": "2048"})
        described = described or Described(env={"MAX_MODEL_LEN": "4096"}, templates=(template,))
        if quirks is not None:
            described = Described(**{**_fields(described), "quirks": quirks})
        crew, waits = PretendCrew(), Waits()
        double = doubled(described, KEY, crew=crew, read_only=READ_ONLY)
        async with (
            serving(double) as base,
            ManagementClient(base, key, world=options.pop("world", waits.world()), **options) as client,
        ):
            yield Pair(client, double, crew, waits, base)

    return open_pair


def _fields(described: Described) -> dict[str, Any]:
    return {name: getattr(described, name) for name in described.__struct_fields__}


async def raised(call: Awaitable[Any]) -> BaseException:
    """What ``call`` raises."""
    try:
        await call
    except Exception as error:  # noqa: BLE001 - the test says which it must be
        return error
    raise AssertionError("nothing was raised")
