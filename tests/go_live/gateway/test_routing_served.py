"""A rollout's decision at work: a gateway on its sockets between callers and two endpoints."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from go_live.gateway.routes import RouteFiles
from go_live.gateway.routing import RouteDecision
from tests.go_live.gateway.conftest import Behind, Fronted, eventually
from tests.go_live.gateway.decisions import decision, files, publish
from tests.go_live.gateway.two_arms import TEXT, TwoArms

AT_ONCE = 12


@pytest.fixture
async def arms() -> AsyncIterator[TwoArms]:
    """Two endpoints."""
    async with TwoArms().served() as served:
        yield served


@pytest.fixture
def where(tmp_path: Path) -> RouteFiles:
    """The decision's file and the pinned signers."""
    return files(tmp_path)


@pytest.fixture
def split(fronted: Fronted, arms: TwoArms, where: RouteFiles) -> Callable[..., Any]:
    """Put a gateway before both, which follows the decision; callers ask for ``blue``."""

    def front(**options: Any) -> Any:
        return fronted(arms.job_api, "blue", "an upstream key", endpoints=("blue", "green"), routes=where, **options)

    return front


def lasting(percent: int, serial: int, **changes: Any) -> RouteDecision:
    """A decision that holds for the whole test."""
    return decision(percent, serial, decided_at=time.time(), valid_until=time.time() + 600, **changes)


async def in_force(gateway: Behind, serial: int) -> None:
    """Wait until the gateway acts on a decision."""
    routes = gateway.gateway.routes
    assert routes is not None

    async def there() -> bool:
        return routes.decision is not None and routes.decision.serial == serial

    await eventually(there, timeout_s=5)


async def asked(gateway: Behind, count: int) -> None:
    """Ask ``count`` times, some at once; each is answered."""
    left = iter(range(count))

    async def one_after_the_other() -> None:
        for _ in left:
            status, job, _ = await gateway.ask()
            assert (status, job["status"]) == (200, "COMPLETED")

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))


async def counted(gateway: Behind, arms: TwoArms, where: RouteFiles, count: int) -> None:
    """At 10, 50 and 100 % the endpoints themselves count the shares, over ``count`` requests each."""
    for serial, percent in enumerate((10, 50, 100), start=1):
        publish(where.decision, lasting(percent, serial))
        await in_force(gateway, serial)
        before = arms.sent.copy()
        await asked(gateway, count)
        got = arms.sent - before
        assert got.total() == count
        assert abs(got["green"] - count * percent / 100) <= count / 100
    kept = Counter((served.serial, served.arm, served.endpoint) for served in gateway.kept)
    assert sum(kept.values()) == 3 * count
    assert {(arm, endpoint) for _, arm, endpoint in kept} == {("current", "blue"), ("candidate", "green")}
    assert kept[3, "candidate", "green"] == count
    assert max(arms.peak.values()) <= 3


async def test_the_shares_are_what_was_decided(split: Callable[..., Any], arms: TwoArms, where: RouteFiles) -> None:
    """Step by step, without a restart, each endpoint gets its share of the requests, and the record names it."""
    async with split() as gateway:
        await counted(gateway, arms, where, 100)


@pytest.mark.slow
async def test_a_thousand_requests_at_each_step(split: Callable[..., Any], arms: TwoArms, where: RouteFiles) -> None:
    """Over 1,000 requests at 10, 50 and 100 % the candidate has its share to within 1 %."""
    async with split() as gateway:
        await counted(gateway, arms, where, 1000)


async def test_what_the_record_says(
    split: Callable[..., Any], where: RouteFiles, tmp_path: Path, arms: TwoArms
) -> None:
    """A line names the route, the arm and its endpoint, rollout and decision, tokens and characters; never the text."""
    publish(where.decision, lasting(100, 7))
    async with split() as gateway:
        await gateway.ask()
    (line,) = (tmp_path / "gateway.jsonl").read_text().splitlines()
    told = json.loads(line)
    expected = {"route": "blue", "arm": "candidate", "endpoint": "green", "rollout": "r1", "serial": 7}
    assert expected.items() <= told.items()
    assert (told["tokens"], told["chars"], told["worker"]) == (2, len(TEXT), "w")
    assert TEXT not in line
    assert arms.sent == {"green": 1}


async def test_changes_under_load_lose_no_request(split: Callable[..., Any], arms: TwoArms, where: RouteFiles) -> None:
    """While the share changes over and over, a broken file among it, each request is answered, once."""
    publish(where.decision, lasting(0, 1))
    async with split() as gateway:
        asking = asyncio.create_task(asked(gateway, 200))
        serial = 1
        while not asking.done():
            serial += 1
            if serial % 5:
                publish(where.decision, lasting(serial * 37 % 101, serial))
            else:
                where.decision.write_bytes(b"{")
            routes = gateway.gateway.routes
            assert routes is not None
            routes.look()
            await asyncio.sleep(0.02)
        await asking
    assert arms.sent.total() == 200 == len(gateway.kept)
    assert all(arms.sent[name] > 10 for name in ("blue", "green"))
    assert serial > 5
    assert not arms.live.total()


async def test_a_full_candidate_is_not_served_by_current(
    split: Callable[..., Any], arms: TwoArms, where: RouteFiles
) -> None:
    """What was given to a candidate without room is turned away, and counted as the candidate's."""
    publish(where.decision, lasting(50, 1))
    arms.go_on.clear()
    async with split(cap=1, room=1) as gateway:
        asking = [asyncio.create_task(gateway.ask()) for _ in range(12)]

        async def all_but_four() -> bool:
            return len(gateway.kept) == 8

        await eventually(all_but_four)
        assert Counter(served.arm for served in gateway.kept) == {"current": 4, "candidate": 4}
        assert {served.outcome for served in gateway.kept} == {"rejected"}
        arms.go_on.set()
        statuses = Counter(status for status, _, _ in await asyncio.gather(*asking))
    assert statuses == {200: 4, 503: 8}
    assert arms.sent == {"blue": 2, "green": 2}


async def test_each_caller_has_one_arm(fronted: Fronted, arms: TwoArms, where: RouteFiles) -> None:
    """Sticky, and the candidate on a job API of its own: whoever was sent to one endpoint is sent there again."""
    publish(where.decision, lasting(50, 1, sticky=True))
    async with (
        TwoArms().served() as away,
        fronted(
            arms.job_api,
            "blue",
            "an upstream key",
            endpoints=("blue", "green"),
            elsewhere={"green": away.job_api},
            routes=where,
        ) as gateway,
    ):
        names = [f"caller {number}" for number in range(12)]
        gateway.let_in(*names)
        await asyncio.gather(*(gateway.ask(name) for name in names * 3))
    pairs = Counter((served.caller, served.endpoint) for served in gateway.kept)
    assert pairs == dict.fromkeys(pairs, 3)
    assert len(pairs) == len(names)
    assert arms.sent["blue"] + away.sent["green"] == 36
    assert min(arms.sent["blue"], away.sent["green"]) > 0


async def test_a_refused_body_takes_no_turn(split: Callable[..., Any], where: RouteFiles) -> None:
    """What is no request goes to no arm, so that callers' mistakes do not shift the shares."""
    publish(where.decision, lasting(50, 1))
    async with split() as gateway:
        headers = {"Authorization": gateway.keys["web"]}
        async with gateway.http.post(f"{gateway.url}/runsync", data=b"[]", headers=headers) as response:
            assert response.status == 400
    assert [(served.arm, served.route, served.endpoint) for served in gateway.kept] == [(None, None, "blue")]


async def test_a_candidate_can_still_be_asked_by_name(
    split: Callable[..., Any], arms: TwoArms, where: RouteFiles
) -> None:
    """Whoever asks for the candidate's own id gets it, whatever the share, and counts for no arm."""
    publish(where.decision, lasting(0, 1))
    async with split() as gateway:
        gateway.endpoint_id = "green"
        await gateway.ask()
    assert arms.sent == {"green": 1}
    assert [served.arm for served in gateway.kept] == [None]


async def told_health(gateway: Behind) -> tuple[int, Any]:
    """What ``/health`` of the route says."""
    headers = {"Authorization": gateway.keys["web"]}
    async with gateway.http.get(f"{gateway.url}/health", headers=headers) as response:
        return response.status, await response.json()


async def test_the_health_of_a_route(split: Callable[..., Any], arms: TwoArms, where: RouteFiles) -> None:
    """It is the sum of the arms that have a share; one arm that says nothing is named and takes nobody down."""
    publish(where.decision, lasting(10, 1))
    async with split() as gateway:
        _, told = await told_health(gateway)
        assert told["workers"] == {"ready": 2}
        assert told["route"] == {
            "current": "blue",
            "candidate": "green",
            "candidate_percent": 10,
            "rollout": "r1",
            "serial": 1,
            "answers": {"current": True, "candidate": True},
        }
        arms.silent.add("green")
        status, told = await told_health(gateway)
        assert (status, told["workers"]) == (200, {"ready": 1})
        assert told["route"]["answers"] == {"current": True, "candidate": False}
        publish(where.decision, lasting(100, 2))
        await in_force(gateway, 2)
        status, told = await told_health(gateway)
        assert (status, told["detail"]) == (502, "the endpoint answers 500")


async def test_the_share_is_told(split: Callable[..., Any], where: RouteFiles) -> None:
    """/metrics has the share and the decision's number; requests are counted where they were served."""
    publish(where.decision, lasting(100, 3))

    async with split() as gateway, aiohttp.ClientSession() as http:
        assert gateway.gateway.metrics_url is not None
        await gateway.ask()

        async def metrics() -> str:
            async with http.get(gateway.gateway.metrics_url) as response:
                return await response.text()

        async def told(*lines: str) -> bool:
            text = await metrics()
            return all(line in text for line in lines)

        share, number = 'golive_route_candidate_ratio{route="blue"}', 'golive_route_decision_serial{route="blue"}'
        assert await told(f"{share} 1.0", f"{number} 3.0", 'golive_requests_total{endpoint="green",outcome="ok"} 1.0')
        where.decision.unlink()
        await eventually(lambda: told(f"{share} 0.0", f"{number} 0.0"), timeout_s=5)
