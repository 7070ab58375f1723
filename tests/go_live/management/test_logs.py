"""The log tail against the double's streams of real files, on real sockets: every line once, whatever happens."""

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from go_live.local_endpoint.management_double.crew import PretendCrew, Seen
from go_live.local_endpoint.management_double.logs import OPERATION, LogQuirks, WorkerLogs
from go_live.local_endpoint.management_double.mishaps import Mishap
from go_live.local_endpoint.management_double.rest import ManagementDouble
from go_live.local_endpoint.management_double.server import application, doubled
from go_live.local_endpoint.management_double.settings import Described
from go_live.management import exchange
from go_live.management import logs as tailed
from go_live.management.client import ManagementClient, World
from go_live.management.logs import LogTail, digests_of, kept_in, lines_of
from go_live.management.scrub import Scrubber
from tests.go_live.management.conftest import KEY

PROMPT = "How do I become a data engineer?"


@dataclass
class Bench:
    """A tail, what it reads from, and the worker's log file."""

    tail: LogTail
    double: ManagementDouble
    logs: WorkerLogs
    crew: PretendCrew
    log: Path
    folder: Path
    base: str

    def write(self, *lines: str) -> None:
        """The worker writes."""
        with self.log.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    @property
    def lines(self) -> list[str]:
        """What was kept."""
        return list(lines_of(self.folder))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 - what is waited for comes over a socket
                await asyncio.sleep(0.01)


async def hurried(seconds: float) -> None:
    """Sleeps a hundredth as long."""
    await asyncio.sleep(seconds / 100)


@asynccontextmanager
async def tailing(
    tmp_path: Path, quirks: LogQuirks | None = None, *, key: str = KEY, prompts: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Bench]:
    """A tail of one worker, ``w1``, that runs until the block ends."""
    crew = PretendCrew()
    double = doubled(Described(quota_per_minute=100_000), KEY, crew=crew)
    crew.workers = [Seen(id="w1", status="RUNNING", version=1, started_at=0.0)]
    log, folder = tmp_path / "worker.log", tmp_path / "kept"
    logs = WorkerLogs(double, lambda worker: log if worker == "w1" else None, quirks=quirks, **options)
    app = application(double)
    app.add_routes(logs.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/v2"
    scrubber = Scrubber(secrets=[key], prompts=prompts)
    world = World(sleep=hurried)
    async with ManagementClient(base, key, world=world) as client:
        tail = LogTail(client, "local", folder, scrubber, world=world)
        running = asyncio.create_task(tail.run())
        try:
            yield Bench(tail, double, logs, crew, log, folder, base)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await runner.cleanup()


async def test_what_was_there_and_what_comes(tmp_path: Path) -> None:
    """The backfill first, then each line as it is written; with source and time in the file."""
    (tmp_path / "worker.log").write_text("before one\nbefore two\n", encoding="utf-8")
    async with tailing(tmp_path) as bench:
        await bench.until(lambda: len(bench.lines) == 2)
        bench.write("after")
        await bench.until(lambda: len(bench.lines) == 3)
        assert bench.lines == ["before one", "before two", "after"]
        assert bench.logs.asked[0] == ({"tail": "5000"}, None)
        (kept, *_) = kept_in(bench.folder / "w1.jsonl")
        assert (kept.source, kept.ts[-1]) == ("container", "Z")
        assert bench.tail.trouble is None
    assert list(digests_of(bench.folder)) == ["w1.jsonl"]


@pytest.mark.parametrize("ids", ["numbered", "times"])
@pytest.mark.parametrize("resumes", ["behind", "at"])
@pytest.mark.parametrize("cursors", ["any", "times"])
@pytest.mark.parametrize("blank_lines", [True, False])
async def test_every_line_once_however_the_platform_resumes(
    tmp_path: Path, ids: Any, resumes: Any, cursors: Any, *, blank_lines: bool
) -> None:
    """A stream that is cut within every fourth event: every line once and in order, for each answer."""
    quirks = LogQuirks(ids=ids, resumes=resumes, cursors=cursors, blank_lines=blank_lines, cut_after=3)
    seconds = iter(range(100_000))
    # Five lines or so share a second, on both sides of a cut.
    async with tailing(tmp_path, quirks, wall=lambda: 1_700_000_000 + next(seconds) // 5) as bench:
        wrote = []
        for number in range(24):
            wrote.append(f"line {number}")
            bench.write(wrote[-1])
            await asyncio.sleep(0.01)
        # What lies within the overlap comes again with each stream; it must not keep the rest from coming.
        quirks.cut_after = None
        await bench.until(lambda: len(bench.lines) >= 24)
        assert bench.lines == wrote
        assert bench.tail.reopened > 0


async def test_a_refused_cursor_is_replaced_by_a_time(tmp_path: Path) -> None:
    """422 for an id that is no time: the stream is resumed with since, now and from then on."""
    quirks = LogQuirks(cursors="times", cut_after=2)
    seconds = itertools.count(0, 3)
    async with tailing(tmp_path, quirks, wall=lambda: 1_700_000_000 + next(seconds)) as bench:
        for number in range(9):
            bench.write(f"{number}")
            await asyncio.sleep(0.06)
        await bench.until(lambda: len(bench.lines) == 9)
        assert bench.lines == [f"{number}" for number in range(9)]
        assert sum(cursor is not None for _, cursor in bench.logs.asked) == 1
        assert sum("since" in query for query, _ in bench.logs.asked) >= 2


async def test_a_worker_that_is_gone_ends_its_log_and_another_begins(tmp_path: Path) -> None:
    """The stream exists while the worker is active; that is no trouble."""
    async with tailing(tmp_path) as bench:
        bench.write("last words")
        await bench.until(lambda: bench.lines == ["last words"])
        bench.crew.workers = []
        await bench.until(lambda: not bench.tail.is_active("w1"))
        asked = len(bench.logs.asked)
        await asyncio.sleep(0.2)
        assert len(bench.logs.asked) <= asked + 1
        assert bench.tail.trouble is None
        bench.write("not seen yet")
        bench.crew.workers = [Seen(id="w1", status="IDLE", version=1, started_at=0.0)]
        await bench.until(lambda: bench.lines == ["last words", "not seen yet"])


@pytest.mark.parametrize(
    ("mishap", "told"),
    [
        (Mishap(kind="status", status=503, operation=OPERATION, times=3), "HTTP 503"),
        (Mishap(kind="html", operation=OPERATION, times=2), "a page instead of"),
        (Mishap(kind="status", status=429, operation=OPERATION, headers={"Retry-After": "2"}), "HTTP 429"),
        (Mishap(kind="status", status=429, operation=OPERATION, times=2), "HTTP 429"),
        (Mishap(kind="garbage", operation=OPERATION), "not a stream of events"),
        (Mishap(kind="status", status=404, operation=OPERATION), "HTTP 404"),
        (Mishap(kind="status", status=502, operation="GET /serverless/{id}/workers", times=4), "HTTP 502"),
    ],
)
async def test_what_passes_is_tried_again(tmp_path: Path, mishap: Mishap, told: str) -> None:
    """Each is told, and the lines come all the same."""
    async with tailing(tmp_path) as bench:
        bench.double.mishaps.add(mishap)
        bench.write("a line")
        await bench.until(lambda: bench.lines == ["a line"])
        assert told in (bench.tail.trouble or "")


async def test_a_wrong_key_is_told_and_shown_nowhere(tmp_path: Path) -> None:
    """401 for all of it: no line, one reason, and the key not in it."""
    wrong = "rpa_" + "W" * 30
    async with tailing(tmp_path, key=wrong) as bench:
        bench.write("a line")
        await bench.until(lambda: bench.tail.trouble is not None)
        assert "HTTP 401" in (bench.tail.trouble or "")
        assert wrong not in (bench.tail.trouble or "") + repr(bench.tail._client)
        assert bench.lines == []


async def test_a_log_that_is_refused_for_good_is_not_asked_for_again_and_again(tmp_path: Path) -> None:
    """403: the worker's stream is asked for once a look, not in a loop."""
    async with tailing(tmp_path) as bench:
        bench.double.mishaps.add(Mishap(kind="status", status=403, operation=OPERATION, times=1000))
        await bench.until(lambda: "HTTP 403" in (bench.tail.trouble or ""))
        before = len(bench.double.mishaps._waiting)
        await asyncio.sleep(0.3)
        assert before - len(bench.double.mishaps._waiting) <= 10


async def test_no_key_no_prompt_and_no_debug_line_is_kept(tmp_path: Path) -> None:
    """In the files stands everything else."""
    async with tailing(tmp_path, prompts=(PROMPT,)) as bench:
        debug = json.dumps({"requestId": "j1", "message": f"Handler output: {PROMPT} and an answer", "level": "DEBUG"})
        bench.write(f"GET /job-take?key={KEY}", f'INFO   | j1 | asked "{PROMPT}"', debug, "DEBUG  | j1 | an answer")
        bench.write('{"event": "end", "request_id": "j1"}')
        await bench.until(lambda: len(bench.lines) == 5)
        text = "".join(path.read_text(encoding="utf-8") for path in bench.folder.iterdir())
        assert KEY not in text
        assert PROMPT not in text
        assert "an answer" not in text
        assert bench.lines[0] == "GET /job-take?key=***"
        assert bench.lines[1] == 'INFO   | j1 | asked "[a prompt]"'
        assert json.loads(bench.lines[2])["requestId"] == "j1"
        assert bench.lines[4] == '{"event": "end", "request_id": "j1"}'


async def test_a_resumed_run_keeps_no_line_twice(tmp_path: Path) -> None:
    """A second tail into the same folder goes on behind what the first has kept."""
    async with tailing(tmp_path, wall=lambda: 1_700_000_000) as bench:
        bench.write("one", "two")
        await bench.until(lambda: len(bench.lines) == 2)
    async with tailing(tmp_path, wall=lambda: 1_700_000_000) as bench:
        bench.write("three")
        await bench.until(lambda: "three" in bench.lines)
        assert bench.lines == ["one", "two", "three"]
        assert "since" in bench.logs.asked[0][0]


async def test_a_line_that_a_kill_cut_is_read_again(tmp_path: Path) -> None:
    """What was kept of it is cut off: neither it nor the line behind it is lost."""
    async with tailing(tmp_path, wall=lambda: 1_700_000_000) as bench:
        bench.write("one", "two")
        await bench.until(lambda: len(bench.lines) == 2)
    (kept,) = bench.folder.glob("*.jsonl")
    kept.write_bytes(kept.read_bytes()[:-5])
    async with tailing(tmp_path, wall=lambda: 1_700_000_000) as bench:
        bench.write("three")
        await bench.until(lambda: "three" in bench.lines)
        assert bench.lines == ["one", "two", "three"]


async def test_a_silent_stream_is_opened_anew_and_that_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker without work says nothing; a dead connection neither."""
    monkeypatch.setattr(exchange, "SILENCE_S", 0.1)
    async with tailing(tmp_path) as bench:
        bench.write("one")
        await bench.until(lambda: bench.tail.reopened >= 2)
        bench.write("two")
        await bench.until(lambda: len(bench.lines) == 2)
        assert bench.lines == ["one", "two"]
        assert bench.tail.trouble is None


async def test_an_id_that_is_a_path_is_not_followed(tmp_path: Path) -> None:
    """Whatever the platform calls a worker, nothing is written outside the folder."""
    async with tailing(tmp_path) as bench:
        bench.crew.workers.append(Seen(id="../w1", status="IDLE", version=1, started_at=0.0))
        bench.write("a line")
        await bench.until(lambda: "which is no id" in (bench.tail.trouble or "") and len(bench.lines) == 1)
    assert sorted(os.listdir(tmp_path)) == ["kept", "worker.log"]  # noqa: PTH208 - no path is needed


async def test_what_breaks_a_follower_is_told(tmp_path: Path) -> None:
    """A file that cannot be written is a reason, not a silence."""
    (tmp_path / "kept" / "w1.jsonl").mkdir(parents=True)
    async with tailing(tmp_path) as bench:
        await bench.until(lambda: "IsADirectoryError" in (bench.tail.trouble or ""))


async def test_a_worker_that_raves_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its size nothing is kept, and that is told."""
    monkeypatch.setattr(tailed, "MOST_BYTES", 1000)
    async with tailing(tmp_path) as bench:
        bench.write(*("x" * 100 for _ in range(100)))
        await bench.until(lambda: "nothing more of it is kept" in (bench.tail.trouble or ""))
        assert 5 <= len(bench.lines) <= 8
