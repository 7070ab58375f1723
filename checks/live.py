"""The workers' logs, wherever they are: in the local workers' own files, or tailed from the management API."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio.from_thread import BlockingPortal

from checks.workload import open_prompts
from go_live.evidence.run_directory import DECISION
from go_live.gate import Gate
from go_live.judge.worker_log import Join, WorkerLog
from go_live.management.client import ManagementClient
from go_live.management.logs import FOLDER, LogTail, digests_of, lines_of
from go_live.management.scrub import Scrubber

SETTLE_S, LOOK_S = 15.0, 0.5
"""How long a line may take from a live worker to its stream: what is not there then counts as missing."""
AFTER = f"{FOLDER}-after-tag"
"""Where the lines go that come while a finished run's release is looked at again."""
FACT = "worker_logs"
"""Under this name the run's log keeps the digests of the tailed files, and what went wrong meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Where the workers' logs are read."""

    lines: Callable[[], Iterable[str]]
    why_empty: Callable[[], str]
    """What is known of why there are none."""
    late: bool
    """Whether a line takes its time to get here."""

    def read(self, enough: Callable[[WorkerLog], bool]) -> WorkerLog:
        """All that is there; of a source that is late, once it is ``enough`` or the time is up."""
        until = time.monotonic() + SETTLE_S
        while True:
            read = WorkerLog.of(self.lines(), self.why_empty())
            if not self.late or enough(read) or time.monotonic() >= until:
                return read
            time.sleep(LOOK_S)

    def joined(self, jobs: Collection[str | None]) -> tuple[WorkerLog, Join]:
        """All that is there, joined with ``jobs``."""
        read = self.read(lambda found: Join.of(jobs, found).whole)
        return read, Join.of(jobs, read)


@contextmanager
def log_source(gate: Gate, portal: BlockingPortal, key: str, logs: Callable[[], Iterable[Path]]) -> Iterator[LogSource]:
    """The workers' logs while the block runs; ``logs`` are the files of local workers."""
    if gate.plan.target.kind == "local":
        yield LogSource(lines=lambda: _in_files(logs()), why_empty=str, late=False)
        return
    with portal.wrap_async_context_manager(tailed(gate, key)) as tail:
        folder = folder_in(gate.directory)
        yield LogSource(lines=lambda: lines_of(folder), why_empty=lambda: tail.trouble or "", late=True)


@asynccontextmanager
async def tailed(gate: Gate, key: str) -> AsyncIterator[LogTail]:
    """Tail a live endpoint's logs while the block runs; its end binds the files to the run's log."""
    folder, endpoint = folder_in(gate.directory), gate.config.endpoint
    scrubber = Scrubber(secrets=[key], prompts=[golden.prompt for golden in open_prompts()])
    async with ManagementClient(endpoint.management_api, key) as client:
        tail = LogTail(client, endpoint.id, folder, scrubber)
        running = asyncio.create_task(tail.run())
        try:
            yield tail
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            told = {"files": digests_of(folder), "trouble": tail.trouble, "reopened": tail.reopened, "lost": tail.lost}
            gate.fact({FACT: told})


def folder_in(directory: Path) -> Path:
    """Where lines are kept: evidence that a decision was drawn from is not written to again."""
    return directory / (AFTER if (directory / DECISION).exists() else FOLDER)


def _in_files(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from file
