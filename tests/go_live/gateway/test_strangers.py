"""Somebody who sends past the gateway is found by the endpoint's own count."""

import asyncio
import logging

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.gateway.replicas import Share
from go_live.gateway.strangers import LOOKS, Strangers
from tests.go_live.gateway.conftest import Fronted, eventually
from tests.go_live.gateway.two_arms import TwoArms

SERIES = 'golive_endpoint_foreign_jobs{endpoint="blue"}'


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=12), st.integers(0, 3))
def test_only_what_is_there_look_after_look_counts(looks: list[tuple[int, int]], allowed: int) -> None:
    """What is told is the least that the latest looks had beyond our own and the other replicas' places."""
    strangers = Strangers(allowed)
    told = [strangers.looked(jobs, own) for jobs, own in looks]
    beyond = [max(0, jobs - own - allowed) for jobs, own in looks]
    for number, count in enumerate(told, start=1):
        latest = beyond[max(0, number - LOOKS) : number]
        assert count == (min(latest) if number >= LOOKS else 0)


async def test_somebody_else_is_told_and_then_forgotten(fronted: Fronted, caplog: pytest.LogCaptureFixture) -> None:
    """Jobs that are not ours are a warning and a figure, once; ours are neither; when they are gone, that is told."""
    caplog.set_level(logging.INFO)
    async with (
        TwoArms().served() as endpoint,
        fronted(endpoint.job_api, "blue", "an upstream key", count_every_s=0.02) as gateway,
        aiohttp.ClientSession() as http,
    ):

        async def told(value: float) -> bool:
            async with http.get(gateway.gateway.metrics_url or "") as response:
                return f"{SERIES} {value}" in await response.text()

        endpoint.go_on.clear()
        asking = [asyncio.create_task(gateway.ask()) for _ in range(3)]

        async def ours_are_there() -> bool:
            return endpoint.live["blue"] == 3 and endpoint.asked_health > 5

        await eventually(ours_are_there)
        assert await told(0.0)
        endpoint.others = 2
        await eventually(lambda: told(2.0))
        endpoint.others = 0
        await eventually(lambda: told(0.0))
        endpoint.go_on.set()
        await asyncio.gather(*asking)
    assert caplog.text.count("2 of its jobs, look after look, are not of this gateway") == 1
    assert caplog.text.count("no jobs of others any more") == 1


async def test_the_parts_of_other_replicas_are_allowed_for(fronted: Fronted) -> None:
    """With a share, as many jobs as the others may have are nobody's concern; one more is."""
    async with (
        TwoArms().served() as endpoint,
        fronted(endpoint.job_api, "blue", "an upstream key", count_every_s=0.02, share=Share(1, 2)) as gateway,
        aiohttp.ClientSession() as http,
    ):
        for others, counted in ((1, 0.0), (2, 1.0)):
            endpoint.others, looks = others, endpoint.asked_health

            async def told(looks: int = looks, counted: float = counted) -> bool:
                async with http.get(gateway.gateway.metrics_url or "") as response:
                    seen = f"{SERIES} {counted}" in await response.text()
                return seen and endpoint.asked_health > looks + LOOKS

            await eventually(told)
