"""Waiting for the workers, against the double on a real socket; time passes only when it is slept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from go_live.errors import MeasurementError
from go_live.local_endpoint.management_double.crew import PretendCrew, Seen
from go_live.local_endpoint.management_double.mishaps import Mishap
from go_live.local_endpoint.management_double.rest import ManagementDouble
from go_live.local_endpoint.management_double.server import doubled, serving
from go_live.local_endpoint.management_double.settings import Described
from go_live.management.client import ManagementClient
from go_live.management.errors import UnauthorizedError
from go_live.management.models import EndpointUpdate
from go_live.rollback.rollout import wait_for_rollout
from tests.go_live.rollback.conftest import KEY, THEN, Waits


class Slow(PretendCrew):
    """Workers of which one is replaced each time somebody looks, after ``looks`` looks."""

    def __init__(self, looks: int = 0) -> None:
        """None yet."""
        super().__init__()
        self.looks = looks

    def seen(self) -> list[Seen]:
        """All there are; one more is new next time."""
        self.looks -= 1
        if self.looks < 0:
            self.roll()
        return super().seen()


@asynccontextmanager
async def rolling(crew: PretendCrew, **described: Any) -> AsyncIterator[tuple[ManagementClient, ManagementDouble]]:
    """An endpoint that was just told to run another image."""
    double = doubled(Described(quota_per_minute=6000, **{"workers_min": 2, **described}), KEY, crew=crew)
    async with serving(double) as base, ManagementClient(base, KEY, world=Waits().world()) as client:
        await client.update("local", EndpointUpdate(image=THEN))
        yield client, double


async def wait(client: ManagementClient, waits: Waits, said: list[str], woken: list[int] | None = None) -> str:
    """Wait for at most a minute of given time."""

    async def wake() -> None:
        (woken if woken is not None else []).append(1)

    return await wait_for_rollout(client, "local", say=said.append, wake=wake, pace=waits.pace(limit_s=60))


async def test_it_ends_when_all_workers_run_it() -> None:
    """Two workers are replaced one after the other; it is not over after the first."""
    said: list[str] = []
    async with rolling(Slow(looks=3)) as (client, _):
        seen = await wait(client, Waits(), said)
    assert seen == "2 of 2 workers run release 2"
    assert any(line.startswith(("0 of 2", "1 of 2")) for line in said)


async def test_it_is_bounded_and_says_what_was_seen() -> None:
    """Workers that are never replaced: an error after the bound, with the count."""
    waits = Waits()
    async with rolling(PretendCrew()) as (client, _):
        with pytest.raises(MeasurementError, match=r"not complete after 60 s: 0 of 2 workers"):
            await wait(client, waits, [])
    assert 60 <= waits.at < 70


async def test_no_worker_is_no_rollout() -> None:
    """An endpoint without workers shows nothing: one is woken, once, and without one it never counts as done."""
    woken: list[int] = []
    async with rolling(PretendCrew(), workers_min=0) as (client, _):
        with pytest.raises(MeasurementError, match="0 of 0 workers"):
            await wait(client, Waits(), [], woken)
    assert woken == [1]


async def test_unhealthy_workers_of_the_new_release_are_not_up() -> None:
    """A worker that crashed runs the new release, and serves nobody."""
    crew = PretendCrew()
    async with rolling(crew) as (client, _):
        crew.roll(2)
        crew.workers[0].status = "UNHEALTHY"
        with pytest.raises(MeasurementError, match=r"1 of 2 workers run release 2, 1 unhealthy"):
            await wait(client, Waits(), [])


async def test_an_api_that_fails_for_a_while_is_waited_for() -> None:
    """Five calls that fail in a row end nothing."""
    said: list[str] = []
    async with rolling(Slow()) as (client, double):
        double.mishaps.add(Mishap(kind="status", status=503, times=6))
        seen = await wait(client, Waits(), said)
    assert seen == "2 of 2 workers run release 2"
    assert any("could not look" in line for line in said)


async def test_a_refused_key_ends_it_at_once() -> None:
    """No waiting makes a key valid."""
    waits = Waits()
    async with rolling(PretendCrew()) as (client, double):
        double.mishaps.add(Mishap(kind="status", status=401, times=3))
        with pytest.raises(UnauthorizedError):
            await wait(client, waits, [])
    assert waits.at == 0
