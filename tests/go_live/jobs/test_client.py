"""The client's exchanges, each way of breaking one, and what must never leave the process. Real sockets."""

import traceback
from pathlib import Path

import pytest
from aiohttp import web

from go_live.errors import MeasurementError, UsageError
from go_live.jobs import Endpoint, Health, JobApiError, TransportError
from go_live.jobs.transport import proxy_for
from go_live.records import ErrorClass
from tests.go_live.jobs.conftest import KEY, Scripted, drop, page, text_job, truncate

HI = {"prompt": "hi"}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (page(524, "<html><title>A timeout occurred</title>"), ErrorClass.NOT_JSON),
        (page(401, "Unauthorized", "text/plain"), ErrorClass.UNAUTHORIZED),
        (page(403, "{}", "application/json"), ErrorClass.UNAUTHORIZED),
        (page(404, "{}", "application/json"), ErrorClass.NOT_FOUND),
        (page(429, "", "text/plain"), ErrorClass.RATE_LIMITED),
        (page(500, '{"error": "boom"}', "application/json"), ErrorClass.SERVER),
        (page(307, "", "text/plain"), ErrorClass.NOT_JSON),
        (truncate, ErrorClass.TRUNCATED),
        (drop, ErrorClass.CONNECTION),
        ({"id": "j", "status": "FAILED", "error": "boom"}, ErrorClass.FAILED),
        ({"id": "j", "status": "FAILED", "error": "refused: too long"}, ErrorClass.REFUSED),
        ({"id": "j", "status": "COMPLETED", "output": {"error": "late"}}, ErrorClass.ERROR_IN_OUTPUT),
        ({"id": "j", "status": "COMPLETED"}, ErrorClass.EMPTY),
        ({"id": "j", "status": "CANCELLED"}, ErrorClass.CANCELLED),
        ({"id": "j", "status": "TIMED_OUT"}, ErrorClass.TIMED_OUT),
        ({"hello": "world"}, ErrorClass.MALFORMED),
    ],
)
async def test_each_way_of_failing_is_one_named_answer(api: Scripted, answer: object, error: ErrorClass) -> None:
    """A request that fails is sent once, never repeated, and its class says how it failed."""
    api.script("runsync", answer)
    async with api.endpoint() as endpoint:
        seen = await endpoint.complete(HI, deadline_s=5)
    assert seen.error is error
    assert seen.detail
    assert seen.sent is not None
    assert seen.done is not None
    assert seen.sent <= seen.done
    assert api.count("runsync") == 1


async def test_a_dead_server_is_a_connection_error(unused_port: int) -> None:
    """Nothing listening: an answer of class connection, and an exception of one line from the single exchanges."""
    async with Endpoint(f"http://127.0.0.1:{unused_port}/v2", "ep1", KEY) as endpoint:
        assert (await endpoint.complete(HI)).error is ErrorClass.CONNECTION
        with pytest.raises(TransportError, match=r"Cannot connect.*127\.0\.0\.1"):
            await endpoint.health()


async def test_the_key_goes_into_one_header_and_nowhere_else(api: Scripted, unused_port: int) -> None:
    """The key is sent as a bearer token with a user agent, and no repr, exception or detail holds it."""
    api.script("runsync", {"id": "j", "status": "FAILED", "error": f"who sent {KEY}?"})
    async with api.endpoint() as endpoint:
        answer = await endpoint.complete(HI)
        assert KEY not in repr(endpoint)
    assert api.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert api.headers[0]["User-Agent"].startswith("golive/")
    assert KEY not in str(answer)
    async with Endpoint(f"http://127.0.0.1:{unused_port}/v2", "ep1", KEY) as endpoint:
        with pytest.raises(MeasurementError) as caught:
            await endpoint.health()
    assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_an_empty_key_sends_no_header(api: Scripted) -> None:
    """A check that the endpoint refuses requests without a key really sends none."""
    api.script("run", page(401, "{}", "application/json"))
    async with api.endpoint(key="") as endpoint:
        reply = await endpoint.run(HI)
    assert (reply.http_status, reply.error) == (401, ErrorClass.UNAUTHORIZED)
    assert "Authorization" not in api.headers[0]


async def test_a_redirect_is_not_followed(api: Scripted) -> None:
    """The key does not travel to wherever a Location header points."""

    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"{api.base}/ep1/elsewhere"})

    api.script("health", redirect)
    async with api.endpoint() as endpoint:
        with pytest.raises(JobApiError, match="HTTP 307"):
            await endpoint.health()
    assert api.count("elsewhere") == 0


async def test_a_proxy_in_the_environment_does_not_swallow_loopback(
    api: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """HTTP_PROXY and a ~/.netrc leave loopback calls as they are."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    (tmp_path / ".netrc").write_text("default login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    api.script("runsync", text_job())
    async with api.endpoint() as endpoint:
        assert (await endpoint.complete(HI)).error is None
    async with api.endpoint(trust_env=True) as endpoint:
        assert (await endpoint.complete(HI)).error is ErrorClass.CONNECTION


def test_the_environments_proxy_is_used_for_the_live_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY counts for remote targets unless NO_PROXY or the caller says otherwise."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    url = "https://api.runpod.ai/v2/x"
    assert proxy_for(url, trust_env=None) == "http://proxy.example:3128"
    assert proxy_for(url, trust_env=False) is None
    monkeypatch.setenv("NO_PROXY", "runpod.ai")
    monkeypatch.setenv("no_proxy", "runpod.ai")
    assert proxy_for(url, trust_env=None) is None
    assert proxy_for("https://[::1]:8/v2/x", trust_env=None) is None
    assert proxy_for("https://localhost/v2/x", trust_env=None) is None


async def test_health_defaults_what_the_platform_leaves_out(api: Scripted) -> None:
    """A missing count is 0; what is no health object is an error."""
    api.script("health", {"jobs": {"inQueue": 2}, "workers": {"ready": 1, "new": 5}}, {}, {"jobs": {"inQueue": "x"}})
    async with api.endpoint() as endpoint:
        health = await endpoint.health()
        assert (health.jobs.in_queue, health.jobs.completed, health.workers.ready) == (2, 0, 1)
        assert isinstance(health, Health)
        for _ in range(2):
            with pytest.raises(JobApiError):
                await endpoint.health()


async def test_purge_says_how_many_or_fails(api: Scripted) -> None:
    """``removed`` is returned; an answer without it is an error."""
    api.script("purge-queue", {"removed": 2, "status": "completed"}, {"status": "completed"})
    async with api.endpoint() as endpoint:
        assert await endpoint.purge_queue() == 2
        with pytest.raises(JobApiError):
            await endpoint.purge_queue()


async def test_bodies_are_sent_as_they_are(api: Scripted) -> None:
    """Raw bytes arrive unchanged; further keys stand beside ``input``; a lone surrogate goes out as an escape."""
    api.script("run", {"id": "j", "status": "IN_QUEUE"})
    async with api.endpoint() as endpoint:
        await endpoint.post_raw("run", b'{"input": {"max_tokens": NaN}}')
        await endpoint.run(HI, policy={"ttl": 10_000})
        await endpoint.run({"prompt": "\ud800"})
    bodies = [body for _, body in api.seen]
    assert bodies[0] == '{"input": {"max_tokens": NaN}}'
    assert bodies[1] == '{"input": {"prompt": "hi"}, "policy": {"ttl": 10000}}'
    assert bodies[2] == '{"input": {"prompt": "\\ud800"}}'


async def test_what_no_json_can_say_is_refused_before_sending(api: Scripted) -> None:
    """An empty input, NaN and a Python object are usage errors, and nothing is sent."""
    async with api.endpoint() as endpoint:
        for job_input in ({}, {"max_tokens": float("nan")}, {"prompt": object()}):
            with pytest.raises(UsageError, match="input"):
                await endpoint.run(job_input)
            with pytest.raises(UsageError, match="input"):
                await endpoint.complete(job_input)
        for job in ("", "../health", "a/b", "a?b"):
            with pytest.raises(UsageError, match="job id"):
                await endpoint.cancel(job)
    assert api.seen == []


async def test_runsync_keeps_the_platforms_bounds(api: Scripted) -> None:
    """``wait`` stays within 1 s and 300 s."""
    api.script("runsync", text_job())
    async with api.endpoint() as endpoint:
        for wait_ms in (5, 2000, 10**9):
            await endpoint.runsync(HI, wait_ms)
    assert [query for _, query in api.seen] == ["wait=1000", "wait=2000", "wait=300000"]


@pytest.mark.parametrize(
    ("job_api", "endpoint_id", "key"),
    [
        ("api.runpod.ai/v2", "ep1", "k"),
        ("ftp://api.runpod.ai/v2", "ep1", "k"),
        ("https://me:hunter2@api.runpod.ai/v2", "ep1", "k"),
        ("https://api.runpod.ai/v2?x=1", "ep1", "k"),
        ("https://api.runpod.ai:x/v2", "ep1", "k"),
        ("https://[::1/v2", "ep1", "k"),
        ("https://api.runpod.ai/v2", "", "k"),
        ("https://api.runpod.ai/v2", "../v1", "k"),
        ("https://api.runpod.ai/v2", "..", "k"),
        ("https://api.runpod.ai/v2", "ep1", "k\nX: y"),
        ("https://api.runpod.ai/v2", "ep1", "schlüssel"),
    ],
)
def test_unusable_arguments_are_one_clear_line(job_api: str, endpoint_id: str, key: str) -> None:
    """A base, id or key that cannot work is refused at once, without repeating a secret."""
    with pytest.raises(UsageError) as caught:
        Endpoint(job_api, endpoint_id, key)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_an_unopened_endpoint_says_how_to_open_it() -> None:
    """Outside ``async with`` there is one clear line."""
    with pytest.raises(UsageError, match="async with"):
        await Endpoint("http://127.0.0.1:1/v2", "ep1", "k").health()
