"""The pipeline against a Loki on loopback: nothing lost, whatever breaks, and nothing twice where Loki can tell."""

import asyncio
import json
from pathlib import Path

import pytest

from go_live.config import Config
from go_live.errors import UsageError
from go_live.shipping.delivery import GaveUpError
from go_live.shipping.destination import DestinationError
from go_live.shipping.loki import LokiDestination
from go_live.shipping.positions import alone
from selftest.loki_double import LokiDouble
from tests.go_live.keys.made_up import of_kind
from tests.go_live.shipping.conftest import AT, Opened, Worker, event, pointed, until

TWO = ["sync-000001-u1", "sync-000002-u1"]


async def test_lines_arrive_compressed_in_the_worker_s_own_stream(opened: Opened, worker: Worker) -> None:
    """One push: labels that are the same for every line, and no job id among them."""
    worker.write(event(1, "start", prompt="hello"), event(1, ok=True), "Traceback (most recent call last):")
    async with opened() as bench:
        assert await bench.once() == ["sync-000001-u1"] * 2
        (push,) = bench.loki.pushes
        labels = {"job": "golive", "endpoint": "local", "service": "llm-worker", "worker": "w1"}
        assert [stream["stream"] for stream in push["streams"]] == [labels]
        assert "hello" not in json.dumps(push)
        assert (bench.shipper.counts.shipped, bench.shipper.counts.others) == (3, 1)


async def test_a_new_process_goes_on_where_the_last_one_stood(opened: Opened, worker: Worker) -> None:
    """What arrived is not sent again; what came meanwhile is."""
    loki = LokiDouble(wall=lambda: AT + 600)
    worker.write(event(1))
    async with opened(loki) as bench:
        await bench.once()
    worker.write(event(2))
    async with opened(loki) as bench:
        assert await bench.once() == TWO
        assert bench.shipper.counts.shipped == 1


async def test_what_arrived_without_an_answer_is_sent_again_and_stands_there_once(
    opened: Opened, worker: Worker
) -> None:
    """The connection breaks after Loki has kept the lines: Loki knows them again by stream, time and text."""
    worker.write(event(1), event(2))
    loki = LokiDouble(wall=lambda: AT + 600, dropped=1)
    async with opened(loki) as bench:
        assert await bench.once() == TWO
        assert (len(loki.pushes), bench.shipper.counts.retries) == (2, 1)


async def test_a_destination_that_is_down_is_asked_with_growing_pauses(opened: Opened, worker: Worker) -> None:
    """503 and 429 pass; Retry-After is kept to; then everything arrives."""
    worker.write(event(1))
    loki = LokiDouble(wall=lambda: AT + 600, failing=[(503, {}), (503, {}), (503, {}), (429, {"Retry-After": "7"})])
    async with opened(loki) as bench:
        assert await bench.once() == TWO[:1]
        assert bench.waits.slept == pytest.approx([0.375, 0.75, 1.5, 7 + 0.75 * 0.5])
        assert bench.shipper.counts.retries == 4


async def test_while_it_is_down_nothing_is_read_and_the_files_keep_all(opened: Opened, worker: Worker) -> None:
    """Once gives up in its time, says that nothing is lost, and the next process sends it."""
    worker.write(event(1))
    loki = LokiDouble(wall=lambda: AT + 600, failing=[(503, {})] * 100)
    async with opened(loki) as bench:
        with pytest.raises(GaveUpError, match="nothing is lost"):
            await bench.once()
        assert bench.waits.at <= 60
        assert bench.shipper.behind() > 0
    loki.failing.clear()
    worker.write(event(2))
    async with opened(loki) as bench:
        assert await bench.once() == TWO


async def test_a_line_that_is_refused_for_good_is_kept_and_told_and_stops_no_other(
    opened: Opened, worker: Worker
) -> None:
    """Loki refuses a line of last year: the others of the request arrive, and the line stands in refused.jsonl."""
    lines = [event(number) for number in range(20)]
    lines[7] = lines[7].replace("2026-", "2025-")
    worker.write(*lines)
    async with opened() as bench:
        assert len(await bench.once()) == 19
        counts = bench.shipper.counts
        assert (counts.shipped, counts.refused) == (19, 1)
        (kept,) = map(json.loads, bench.positions.refused.read_text(encoding="utf-8").splitlines())
        assert "timestamp too old" in kept["reason"]
        assert "2025-11-24T18:00:07" in kept["line"]
        assert "timestamp too old" in counts.trouble[0]
        # It is not tried again and again.
        pushes = len(bench.loki.pushes)
        await bench.once()
        assert len(bench.loki.pushes) == pushes


async def test_a_request_that_is_refused_in_every_piece_ends(opened: Opened, worker: Worker) -> None:
    """Three hundred lines that are too old are no three hundred requests; all of them are kept."""
    worker.write(*(event(number).replace("2026-", "2025-") for number in range(300)))
    async with opened() as bench:
        assert await bench.once() == []
        assert len(bench.loki.pushes) <= 130
        assert bench.shipper.counts.refused == 300
        assert len(bench.positions.refused.read_text(encoding="utf-8").splitlines()) == 300


async def test_a_key_that_is_not_valid_stops_with_a_remedy_and_nothing_is_ticked_off(
    opened: Opened, worker: Worker
) -> None:
    """401: the variable is named, the key is not, and the right key sends it all."""
    key, wrong = of_kind("runpod", 5), of_kind("runpod", 6)
    worker.write(event(1))
    loki = LokiDouble(wall=lambda: AT + 600, token=key)
    async with opened(loki, token=wrong) as bench:
        with pytest.raises(DestinationError, match="put a valid one into LOKI_TOKEN") as told:
            await bench.once()
        assert wrong not in str(told.value)
    async with opened(loki, token=key) as bench:
        assert await bench.once() == TWO[:1]


async def test_it_ships_until_it_is_stopped_and_then_what_is_left(opened: Opened, worker: Worker) -> None:
    """Lines that come and go on coming; the last one is not old enough to be sent, and is sent at the end."""
    async with opened() as bench:
        running = asyncio.create_task(bench.shipper.run())
        worker.write(event(1))
        await until(lambda: len(bench.loki.lines) == 1)
        worker.write(event(2))
        bench.shipper.stop.set()
        await asyncio.wait_for(running, 10)
        assert len(bench.loki.lines) == 2


async def test_stopping_does_not_wait_for_a_destination_that_is_down(opened: Opened, worker: Worker) -> None:
    """The pause is cut short, a few seconds are given, and nothing is ticked off."""
    worker.write(event(1))
    loki = LokiDouble(wall=lambda: AT + 600, failing=[(503, {})] * 10_000)
    async with opened(loki) as bench:
        running = asyncio.create_task(bench.shipper.run())
        await until(lambda: bench.shipper.counts.retries > 2)
        bench.shipper.stop.set()
        with pytest.raises(GaveUpError, match="nothing is lost"):
            await asyncio.wait_for(running, 10)
        assert (position := bench.positions.of(worker.path)) is not None
        assert position.offset == 0


async def test_workers_come_and_go(opened: Opened, worker: Worker) -> None:
    """Each has its stream; a file that is gone is forgotten once all of it has arrived."""
    other = Worker(worker.path.parents[1] / "w2" / "worker.log")
    worker.write(event(1))
    other.write(event(2))
    async with opened() as bench:
        assert await bench.once() == TWO
        assert {dict(stream)["worker"] for stream in bench.loki.streams} == {"w1", "w2"}
        other.path.unlink()
        await bench.once()
        assert bench.positions.of(other.path) is None
        other.write(event(3))
        assert await bench.once() == [*TWO, "sync-000003-u1"]


async def test_rotation_while_it_ships(opened: Opened, worker: Worker) -> None:
    """Each look finds the file renamed; every line once."""
    async with opened() as bench:
        for number in range(1, 6):
            worker.write(event(number))
            await bench.once()
            worker.write(event(100 + number))
            worker.path.rename(worker.path.with_name(f"worker.log.{number}"))
        worker.write(event(6))
        await bench.once()
        assert len(bench.loki.lines) == bench.shipper.counts.shipped == 11


async def test_a_file_that_was_seen_is_shipped_although_it_was_renamed_before_anything_arrived(
    opened: Opened, worker: Worker
) -> None:
    """Seen while Loki was down, rotated while nobody ran: both files are shipped."""
    worker.write(event(1))
    loki = LokiDouble(wall=lambda: AT + 600, failing=[(503, {})] * 100)
    async with opened(loki) as bench:
        with pytest.raises(GaveUpError):
            await bench.once(give_up_s=1)
    worker.path.rename(worker.path.with_name("worker.log.1"))
    loki.failing.clear()
    async with opened(loki) as bench:
        assert await bench.once() == TWO[:1]
        worker.write(event(2))
        assert await bench.once() == TWO


async def test_a_batch_is_bounded(opened: Opened, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much waits, no more than a batch of it is in memory, and it is ticked off batch by batch."""
    monkeypatch.setattr("go_live.shipping.shipper.MOST_LINES", 10)
    worker.write(*(event(number) for number in range(35)))
    async with opened() as bench:
        assert len(await bench.once()) == 35
        assert [len(push["streams"][0]["values"]) for push in bench.loki.pushes] == [10, 10, 10, 5]


def test_two_that_ship_from_one_place_would_ship_twice(tmp_path: Path) -> None:
    """The second is refused, with what to do."""
    with alone(tmp_path), pytest.raises(UsageError, match="--state"), alone(tmp_path):
        pass


def test_damaged_positions_are_told_and_not_taken_for_none(tmp_path: Path) -> None:
    """Silence would ship everything again."""
    (tmp_path / "positions.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="shipped again"), alone(tmp_path):
        pass


async def test_a_tenant_is_said(opened: Opened, worker: Worker) -> None:
    """X-Scope-OrgID is Loki's name for it; without one a Loki with tenants takes nothing."""
    worker.write(event(1))
    loki = LokiDouble(wall=lambda: AT + 600, tenant="team-a")
    async with opened(loki) as bench:
        with pytest.raises(DestinationError, match="no org id"):
            await bench.once()
    async with opened(loki, tenant="team-a") as bench:
        assert await bench.once() == TWO[:1]


def test_a_token_does_not_go_over_the_network_in_the_clear(config: Config) -> None:
    """Http beyond this machine, and a token: refused before anything is sent."""
    logs = pointed(config, "http://loki.example").logs
    LokiDestination(logs, "local", None)
    with pytest.raises(DestinationError, match="use https"):
        LokiDestination(logs, "local", "a-token")
