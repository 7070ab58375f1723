"""The gateway on its sockets, in front of real workers under the SDK."""

import asyncio

import aiohttp

from go_live.local_endpoint.launch import LaunchedEndpoint
from tests.go_live.gateway.conftest import Behind


async def test_a_request_is_answered_and_named(gateway: Behind, timed: LaunchedEndpoint) -> None:
    """The answer is the platform's job object; its job id stands in the header and in the worker's log."""
    status, job, headers = await gateway.ask()
    assert (status, job["status"]) == (200, "COMPLETED")
    assert headers["X-Request-Id"] == job["id"]
    log = "".join(path.read_text() for path in timed.log_paths())
    assert f'"request_id": "{job["id"]}"' in log or f'"request_id":"{job["id"]}"' in log
    assert (gateway.kept[0].job, gateway.kept[0].outcome) == (job["id"], "ok")


async def test_two_hundred_callers(gateway: Behind, timed: LaunchedEndpoint) -> None:
    """Of 200 callers at once each is answered, never more than 3 are upstream, and no job is left behind."""
    names = [f"caller-{number}" for number in range(200)]
    gateway.let_in(*names)
    before = timed.state()["jobs"]
    answers = await asyncio.gather(*(gateway.ask(name) for name in names))
    assert {(status, job["status"]) for status, job, _ in answers} == {(200, "COMPLETED")}
    after = timed.state()["jobs"]
    assert after["completed"] - before["completed"] == 200
    assert (after["queued"], after["in_progress"]) == (0, 0)
    assert after["peak"] == 3


async def test_metrics_are_served_on_loopback(gateway: Behind) -> None:
    """What was counted can be scraped under the documented names."""
    await gateway.ask()
    assert gateway.gateway.metrics_url is not None
    async with aiohttp.ClientSession() as http, http.get(gateway.gateway.metrics_url) as response:
        text = await response.text()
    assert 'golive_requests_total{endpoint="local",outcome="ok"} 1.0' in text
    assert 'golive_request_duration_seconds_bucket{endpoint="local",le="8.0"} 1.0' in text
    assert 'golive_gateway_concurrency_cap{endpoint="local"} 3.0' in text
    assert 'golive_requests_in_flight{endpoint="local"} 0.0' in text
