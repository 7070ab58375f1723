"""CloudWatch Logs, by boto3 against moto's own server on a socket."""

import builtins
import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from go_live.config import CloudWatch, Config
from go_live.errors import UsageError
from go_live.shipping.batches import Entry
from go_live.shipping.cloudwatch import CloudWatchDestination, rejected
from go_live.shipping.destination import DestinationError, PassingError
from tests.go_live.shipping.conftest import Opened, Worker

pytestmark = pytest.mark.slow  # boto3 and moto take two seconds to import
NOW = time.time()
"""CloudWatch looks at its own clock: lines are of today."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Moto's address."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - not while tests are only collected

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def declared(
    config: Config, server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> CloudWatch:
    """golive.toml's group, with a name of the test's own, at moto."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return msgspec.structs.replace(
        config.logs.cloudwatch, group=f"/golive/{re.sub('[^a-z_]', '-', request.node.name.lower())}"
    )


def line(seconds: float, kind: str = "end", job: str = "sync-000001-u1") -> str:
    """A worker's line of so many seconds after now."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + seconds))
    return json.dumps({"ts": stamp, "event": kind, "request_id": job})


def client_of(declared: CloudWatch) -> Any:
    """A client of the test's own."""
    import boto3  # noqa: PLC0415 - likewise

    return boto3.Session(region_name=declared.region).client("logs")


def stored(declared: CloudWatch, worker: str = "w1") -> list[str]:
    """The messages of a worker's stream, as CloudWatch gives them."""
    client = client_of(declared)
    told = client.get_log_events(logGroupName=declared.group, logStreamName=worker, startFromHead=True)
    client.close()
    return [event["message"] for event in told["events"]]


async def test_group_and_stream_are_made_and_lines_arrive_in_order_of_time(
    opened: Opened, worker: Worker, declared: CloudWatch
) -> None:
    """The group has the declared retention; PutLogEvents refuses what is not in order, and the log is not."""
    worker.write(line(-5), line(-9, "start"), line(-1))
    async with opened(destination=CloudWatchDestination(declared), now=NOW) as bench:
        await bench.shipper.once(give_up_s=10)
        assert bench.shipper.counts.shipped == 3
    assert [json.loads(message)["event"] for message in stored(declared)] == ["start", "end", "end"]
    client = client_of(declared)
    (group,) = client.describe_log_groups(logGroupNamePrefix=declared.group)["logGroups"]
    client.close()
    assert group["retentionInDays"] == declared.retention_days


async def test_a_new_worker_gets_a_stream_in_the_group_that_is_there(
    opened: Opened, worker: Worker, declared: CloudWatch
) -> None:
    """The second stream is made without the group."""
    other = Worker(worker.path.parents[1] / "w2" / "worker.log")
    async with opened(destination=CloudWatchDestination(declared), now=NOW) as bench:
        worker.write(line(-5))
        await bench.shipper.once(give_up_s=10)
        other.write(line(-4))
        await bench.shipper.once(give_up_s=10)
    assert (len(stored(declared)), len(stored(declared, "w2"))) == (1, 1)


@pytest.mark.parametrize("by", ["this clock", "CloudWatch"])
async def test_what_cloudwatch_takes_and_does_not_keep_is_kept_here_and_told(
    opened: Opened, worker: Worker, declared: CloudWatch, by: str
) -> None:
    """A line of in three hours and one of a month ago are not sent; where clocks differ, the answer names them."""
    worker.write(line(3 * 3600), line(-1))
    worker.write(line(-30 * 24 * 3600))
    destination = CloudWatchDestination(declared)
    if by == "CloudWatch":
        destination.limits = msgspec.structs.replace(destination.limits, oldest_ns=None, newest_ns=None)
    async with opened(destination=destination, now=NOW) as bench:
        await bench.shipper.once(give_up_s=10)
        assert (bench.shipper.counts.shipped, bench.shipper.counts.refused) == (1, 2)
        refused = bench.positions.refused.read_text(encoding="utf-8")
        assert "older than" in refused
        assert "in the future" in refused or "further ahead" in refused
    assert len(stored(declared)) == 1


async def test_a_job_s_lines_are_found_again(opened: Opened, worker: Worker, declared: CloudWatch) -> None:
    """In whatever stream; and a group that is not there holds none."""
    looking = CloudWatchDestination(declared)
    assert await looking.find("sync-000001-u1", NOW - 60, NOW + 60) == []
    worker.write(line(-5, "start"), line(-4), line(-3, job="sync-000002-u1"))
    async with opened(destination=CloudWatchDestination(declared), now=NOW) as bench:
        await bench.shipper.once(give_up_s=10)
    found = await looking.find("sync-000001-u1", NOW - 60, NOW + 60)
    await looking.close()
    assert [json.loads(message)["event"] for message in found] == ["start", "end"]


def test_the_indexes_of_rejected_events_are_read_as_documented() -> None:
    """The old ones end before their index, the new ones begin at theirs."""
    entries = [Entry(number, str(number)) for number in range(6)]
    old, new = rejected(
        entries, {"tooOldLogEventEndIndex": 2, "expiredLogEventEndIndex": 1, "tooNewLogEventStartIndex": 5}
    )
    assert ([one.text for one in old.entries], [one.text for one in new.entries]) == (["0", "1"], ["5"])
    assert rejected(entries, {}) == []


async def test_nobody_there_passes(declared: CloudWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is no refusal."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://127.0.0.1:9")
    with pytest.raises(PassingError, match=r"127\.0\.0\.1:9"):
        await CloudWatchDestination(declared).send("w1", [Entry(1, "{}")])


async def test_no_credentials_are_told_with_what_to_set(declared: CloudWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is guessed."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(DestinationError, match="AWS_ACCESS_KEY_ID"):
        await CloudWatchDestination(declared).send("w1", [Entry(1, "{}")])


def test_without_boto3_it_says_how_to_get_it(declared: CloudWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the remedy."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "boto3":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'golive\[cloudwatch\]'"):
        CloudWatchDestination(declared)
