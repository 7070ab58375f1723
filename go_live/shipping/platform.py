"""The platform's log stream as files: cut down to what may leave, before any of it touches the disk.

The stream exists while a worker is active, and cannot be asked again once it is gone. So it is read all the time, by
the tail that a run uses too, into a folder of its own, and shipped from there: a destination that is down, or a
process that is killed, costs nothing that was read.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from go_live.management.client import ManagementClient, World
from go_live.management.logs import LogTail
from go_live.management.mending import mend
from go_live.shipping.allowed import AllowList

SPOOL = "spool"
SHORTEN_BYTES = 16 * 2**20
"""A file of the spool that is longer is shortened once all of it has arrived; its last lines tell where to read on."""
KEPT_S = 7 * 24 * 3600
"""A worker that has said nothing for so long is gone; platforms start new ones under new names."""
QUIET_S, SETTLE_S, LOOK_S = 2.0, 15.0, 0.2
"""What is there was read once nothing came for the first time, after the second at the latest."""


def prepare(spool: Path) -> None:
    """Make the folder, or mend what a killed process left in it: a worker that has gone since is not followed again."""
    spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in spool.glob("*.jsonl"):
        mend(path)


def prune(spool: Path, now: float) -> None:
    """Remove what workers said that are long gone; only call it when all of it has arrived."""
    for path in spool.glob("*.jsonl"):
        with suppress(OSError):
            if now - path.stat().st_mtime > KEPT_S:
                path.unlink()


@asynccontextmanager
async def streamed(
    client: ManagementClient, endpoint_id: str, spool: Path, allow: AllowList, world: World | None = None
) -> AsyncIterator[LogTail]:
    """Read every active worker's stream into ``spool`` while the block runs."""
    prepare(spool)
    tail = LogTail(client, endpoint_id, spool, allow, world=world)
    running = asyncio.create_task(tail.run())
    try:
        yield tail
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def settled(spool: Path) -> None:
    """Wait until what the platform has of the past was read."""
    until, quiet, size = time.monotonic() + SETTLE_S, time.monotonic(), -1
    while time.monotonic() < until and time.monotonic() - quiet < QUIET_S:
        await asyncio.sleep(LOOK_S)
        now = _bytes(spool)
        if now != size:
            size, quiet = now, time.monotonic()


def _bytes(spool: Path) -> int:
    return sum(path.stat().st_size for path in spool.glob("*.jsonl"))
