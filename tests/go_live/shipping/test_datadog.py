"""Datadog, against a server that checks the documented request strictly."""

import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from go_live.config import Config, Logs
from go_live.shipping.datadog import DatadogDestination
from go_live.shipping.destination import DestinationError, PassingError
from tests.go_live.keys.made_up import drawn
from tests.go_live.shipping.conftest import AT, Opened, Worker, event
from tests.go_live.shipping.datadog_double import DatadogDouble, serving

API_KEY, APP_KEY = drawn(32, seed=1), drawn(40, seed=2)


@pytest.fixture
def double() -> DatadogDouble:
    """A Datadog."""
    return DatadogDouble(API_KEY, APP_KEY)


@pytest.fixture
async def logs(config: Config, double: DatadogDouble) -> AsyncIterator[Logs]:
    """golive.toml, with the double's address."""
    async with serving(double) as url:
        where = msgspec.structs.replace(config.logs.datadog, intake=url, api=url)
        yield msgspec.structs.replace(config.logs, datadog=where, labels={"service": "llm-worker", "team": "search"})


async def test_lines_arrive_as_documented(opened: Opened, worker: Worker, double: DatadogDouble, logs: Logs) -> None:
    """One gzipped array, each log with its source, tags, host, service, time and message; 202."""
    worker.write(event(1, "start"), event(1, ok=True))
    async with opened(destination=DatadogDestination(logs, "local", API_KEY, None)) as bench:
        await bench.shipper.once(give_up_s=10)
    ((first, _),) = double.requests
    assert json.loads(first.pop("message"))["request_id"] == "sync-000001-u1"
    assert first == {
        "ddsource": "golive",
        "ddtags": "team:search,endpoint:local",
        "hostname": "w1",
        "service": "llm-worker",
        "timestamp": "2026-11-24T18:00:01.000Z",
    }


async def test_no_request_has_more_than_1000_logs(
    opened: Opened, worker: Worker, double: DatadogDouble, logs: Logs
) -> None:
    """The double refuses 1001; all arrive."""
    worker.write(*(event(number % 600, exec_ms=number) for number in range(2500)))
    async with opened(destination=DatadogDestination(logs, "local", API_KEY, None)) as bench:
        await bench.shipper.once(give_up_s=10)
    assert [len(request) for request in double.requests] == [1000, 1000, 500]


async def test_what_datadog_would_take_and_not_keep_is_kept_here_and_told(
    opened: Opened, worker: Worker, double: DatadogDouble, logs: Logs
) -> None:
    """A line that is older than 18 hours is not sent, and stands in refused.jsonl."""
    worker.write(event(1).replace("11-24", "11-23"), event(2))
    async with opened(destination=DatadogDestination(logs, "local", API_KEY, None)) as bench:
        await bench.shipper.once(give_up_s=10)
        assert (len(double.logs), bench.shipper.counts.refused) == (1, 1)
        assert "2026-11-23T18:00:01" in bench.positions.refused.read_text(encoding="utf-8")


async def test_a_wrong_key_names_its_variable(
    opened: Opened, worker: Worker, double: DatadogDouble, logs: Logs
) -> None:
    """403 is about the key; it stands in no message."""
    worker.write(event(1))
    wrong = drawn(32, seed=9)
    async with opened(destination=DatadogDestination(logs, "local", wrong, None)) as bench:
        with pytest.raises(DestinationError, match="DD_API_KEY") as told:
            await bench.shipper.once(give_up_s=10)
    assert wrong not in str(told.value)
    assert double.logs == []


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_what_is_documented_to_pass_is_tried_again(
    opened: Opened, worker: Worker, double: DatadogDouble, logs: Logs, status: int
) -> None:
    """The reference's own list."""
    worker.write(event(1))
    double.failing = [status, status]
    async with opened(destination=DatadogDestination(logs, "local", API_KEY, None)) as bench:
        await bench.shipper.once(give_up_s=10)
        assert (len(double.logs), bench.shipper.counts.retries) == (1, 2)


async def test_a_job_s_lines_are_found_again(opened: Opened, worker: Worker, double: DatadogDouble, logs: Logs) -> None:
    """By service and job id; with the attributes that Datadog makes of a line."""
    worker.write(event(1, "start"), event(1), event(2))
    async with opened(destination=DatadogDestination(logs, "local", API_KEY, None)) as bench:
        await bench.shipper.once(give_up_s=10)
    looking = DatadogDestination(logs, "local", API_KEY, APP_KEY)
    try:
        found = await looking.find("sync-000001-u1", AT - 10, AT + 10)
        assert [json.loads(line)["event"] for line in found] == ["start", "end"]
        assert double.questions[0]["filter"]["query"] == "service:llm-worker @request_id:sync-000001-u1"
        assert await looking.find("sync-000009-u1", AT - 10, AT + 10) == []
    finally:
        await looking.close()


async def test_looking_needs_the_application_key(logs: Logs) -> None:
    """Its variable is named."""
    looking = DatadogDestination(logs, "local", API_KEY, None)
    with pytest.raises(DestinationError, match="DD_APP_KEY is not set"):
        await looking.find("sync-000001-u1", 0, 1)


async def test_a_server_that_is_not_there_passes(config: Config) -> None:
    """No connection is no refusal."""
    where = msgspec.structs.replace(config.logs.datadog, intake="http://127.0.0.1:9")
    sending = DatadogDestination(msgspec.structs.replace(config.logs, datadog=where), "local", API_KEY, None)
    try:
        with pytest.raises(PassingError, match="Cannot connect"):
            await sending.send("w1", [])
    finally:
        await sending.close()
