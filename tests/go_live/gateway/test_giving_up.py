"""Callers who go, time that runs out, a full line, strangers: on sockets, before an endpoint that stays silent."""

import asyncio
import json
from pathlib import Path

from go_live.gateway import keys
from go_live.local_endpoint.server import Endpoint
from tests.go_live.gateway.conftest import Behind, Fronted, eventually


async def under_way(endpoint: Endpoint, count: int) -> None:
    """Wait until so many jobs are upstream."""

    async def there() -> bool:
        return endpoint.exchange.store.queued == count

    await eventually(there)


async def test_a_caller_who_goes_takes_his_job_with_him(silent: Endpoint, fronted: Fronted) -> None:
    """When the client's connection ends, the job is cancelled upstream, and only then its place is free again."""
    async with fronted(silent.job_api, "local", silent.settings.key, cap=1) as gateway:
        asking, next_one = (asyncio.create_task(gateway.ask()) for _ in range(2))
        await under_way(silent, 1)
        asking.cancel()

        async def cancelled() -> bool:
            return [served.error for served in gateway.kept] == ["cancelled"]

        await eventually(cancelled)
        await under_way(silent, 1)
        assert silent.exchange.store.counts.peak == 1
        next_one.cancel()
        await under_way(silent, 0)
    assert {served.outcome for served in gateway.kept} == {"timeout"}


async def test_the_clients_time_is_kept(silent: Endpoint, fronted: Fronted) -> None:
    """At the client's time-out the answer is 504 with the job's id, and the job is cancelled."""
    async with fronted(silent.job_api, "local", silent.settings.key, timeout_s=0.3) as gateway:
        status, body, headers = await gateway.ask()
        assert (status, body["title"]) == (504, "Gateway Timeout")
        await under_way(silent, 0)
        assert silent.exchange.store.get(headers["X-Request-Id"]).status == "CANCELLED"
    assert [served.outcome for served in gateway.kept] == ["timeout"]


async def test_who_finds_the_line_full_is_told_when_to_come_again(silent: Endpoint, fronted: Fronted) -> None:
    """A request beyond cap and room is answered 503 with Retry-After at once, and never sent."""
    async with fronted(silent.job_api, "local", silent.settings.key, cap=1, room=1) as gateway:
        first, second = (asyncio.create_task(gateway.ask()) for _ in range(2))
        await under_way(silent, 1)
        line = gateway.gateway.gateway.upstreams["local"].admission.line

        async def waits() -> bool:
            return bool(line.waiting == 1)

        await eventually(waits)
        status, body, headers = await gateway.ask()
        assert (status, body["detail"]) == (503, "the waiting line is full")
        assert int(headers["Retry-After"]) >= 1
        assert silent.exchange.store.counts.peak == 1
        first.cancel()
        second.cancel()
        await under_way(silent, 0)


async def test_an_ending_gateway_leaves_no_job_behind(silent: Endpoint, fronted: Fronted) -> None:
    """When the gateway is told to end at once, what is under way is cancelled upstream, and what waits is not sent."""
    async with fronted(silent.job_api, "local", silent.settings.key, cap=2) as gateway:
        asking = [asyncio.create_task(gateway.ask()) for _ in range(4)]
        await under_way(silent, 2)
        gateway.gateway.stop_now()
    assert silent.exchange.store.queued == 0
    assert silent.exchange.store.counts.peak == 2
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_strangers_are_refused(silent: Endpoint, fronted: Fronted) -> None:
    """No key, a wrong key, and the upstream key itself are all refused; nothing is sent."""
    async with fronted(silent.job_api, "local", silent.settings.key) as gateway:
        for headers in ({}, {"Authorization": "Bearer glg_wrong"}, {"Authorization": silent.settings.key}):
            async with gateway.http.post(
                f"{gateway.url}/runsync", json={"input": {"prompt": "x"}}, headers=headers
            ) as r:
                assert r.status == 401
        gateway.let_in("revoked")
        held = keys.read(gateway.callers)
        keys.write(gateway.callers, tuple(entry for entry in held if entry.caller != "revoked"))
        status, _, _ = await gateway.ask("revoked")
        assert status == 401
        assert silent.exchange.store.counts.peak == 0


async def test_what_is_no_request_is_refused_without_a_job(silent: Endpoint, fronted: Fronted, tmp_path: Path) -> None:
    """Malformed bodies are 400, other routes 404, both in clear words; the record names no prompt and no key."""
    async with fronted(silent.job_api, "local", silent.settings.key) as gateway:
        headers = {"Authorization": gateway.keys["web"]}
        for body in (
            b"",
            b"[]",
            b'{"input": {}}',
            b'{"input": "x"}',
            b'{"input": {"prompt": NaN}}',
            b"\xff",
            b"[" * 9999,
        ):
            async with gateway.http.post(f"{gateway.url}/runsync", data=body, headers=headers) as response:
                assert response.status == 400, body
        async with gateway.http.post(f"{gateway.url}/run", json={}, headers=headers) as response:
            assert response.status == 404
            assert "runsync" in (await response.json())["detail"]
        assert silent.exchange.store.counts.peak == 0
    lines = (tmp_path / "gateway.jsonl").read_text().splitlines()
    assert {json.loads(line)["outcome"] for line in lines} == {"refused"}
    assert (tmp_path / "gateway.jsonl").stat().st_mode & 0o077 == 0


async def test_an_endpoint_that_fails_is_named_and_gives_its_place_back(silent: Endpoint, fronted: Fronted) -> None:
    """A wrong upstream key is 502 without a word of the key; an endpoint that is gone is 502; no place is lost."""
    async with fronted(silent.job_api, "local", "rpa_wrong-upstream-key") as gateway:
        status, body, _ = await gateway.ask()
        assert (status, "rpa_" in json.dumps(body)) == (502, False)
        assert gateway.gateway.gateway.upstreams["local"].admission.line.under_way == 0
    async with fronted("http://127.0.0.1:9/v2", "local", "key") as gateway:
        status, body, _ = await gateway.ask()
        assert status == 502
        assert gateway.gateway.gateway.upstreams["local"].admission.line.under_way == 0
        assert [served.outcome for served in gateway.kept] == ["failed"]


async def test_callers_can_use_the_projects_own_client(gateway: Behind) -> None:
    """``Endpoint`` takes the gateway for an endpoint: job API base, id, and the caller's key."""
    from go_live.jobs import Endpoint as Client  # noqa: PLC0415 - named apart from the local endpoint's

    async with Client(gateway.gateway.job_api, "local", gateway.keys["web"]) as endpoint:
        answer = await endpoint.complete({"prompt": "How do I become a data engineer?"})
        health = await endpoint.health()
    assert answer.error is None
    assert answer.job is not None
    assert health.workers.ready == 1
