"""One run of ``golive monitor ship-logs``: sources, destination, signals, progress, and what came of it."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from go_live.api_key import read_key
from go_live.config import Config
from go_live.errors import ExitCode, MeasurementError
from go_live.management.client import ManagementClient
from go_live.management.logs import LogTail
from go_live.shipping import platform
from go_live.shipping.allowed import AllowList
from go_live.shipping.destination import Destination
from go_live.shipping.positions import Positions, alone
from go_live.shipping.settings import destination_of, secrets_in
from go_live.shipping.shipper import Shipper

GIVE_UP_S = 60.0
"""How long ``--once`` waits for a destination that cannot be reached."""
SAY_S, SAY_LOG_S = 1.0, 30.0
"""How often progress is told: on a terminal, and into a log."""


class Asked(NamedTuple):
    """What the command line asks for."""

    to: str
    folder: Path | None
    """None: the live endpoint's streams."""
    state: Path
    once: bool
    dry_run: bool


class Told(NamedTuple):
    """What came of it."""

    summary: dict[str, Any]
    exit_code: ExitCode


async def ship(config: Config, asked: Asked, environment: Mapping[str, str]) -> Told:
    """Ship until all is sent (``once``) or a signal comes.

    Raises:
        UsageError: a key, boto3 or the folder is missing, or another golive ships with the same state.
        MeasurementError: the destination refused the key, the address or the right.
    """
    allow = AllowList(secrets_in(config, environment))
    destination = destination_of(config, asked.to, environment)
    try:
        with alone(asked.state) as positions:
            async with _source(config, asked, allow, environment) as (folder, tail):
                shipper = Shipper(
                    folder,
                    destination,
                    positions,
                    allow,
                    max_age_s=config.logs.batch_max_age_s,
                    most_pause_s=config.logs.retry_max_s,
                    shorten_bytes=platform.SHORTEN_BYTES if tail is not None else None,
                )
                if asked.dry_run:
                    return _shown(shipper, destination)
                return await _run(shipper, destination, positions, asked, tail)
    finally:
        await destination.close()


@asynccontextmanager
async def _source(
    config: Config, asked: Asked, allow: AllowList, environment: Mapping[str, str]
) -> AsyncIterator[tuple[Path, LogTail | None]]:
    """The folder to ship, and what fills it from the platform."""
    if asked.folder is not None:
        yield asked.folder, None
        return
    spool = asked.state / platform.SPOOL
    async with (
        ManagementClient(config.endpoint.management_api, read_key(config.keys, environment)) as client,
        platform.streamed(client, config.endpoint.id, spool, allow) as tail,
    ):
        if asked.once or asked.dry_run:
            await platform.settled(spool)
        yield spool, tail


def _shown(shipper: Shipper, destination: Destination) -> Told:
    """Print what would be sent."""
    lines = 0
    for worker, entries in shipper.waiting():
        lines += len(entries)
        sys.stdout.write(destination.payload(worker, entries) + "\n")
    sys.stderr.write(f"{lines} lines would go to {destination.name}; nothing was sent\n")
    return Told(_summary(shipper, destination, "pass", f"{lines} lines would be sent"), ExitCode.GO)


async def _run(
    shipper: Shipper, destination: Destination, positions: Positions, asked: Asked, tail: LogTail | None
) -> Told:
    progress = Progress(shipper, destination)
    interrupted = ExitCode.GO
    with _signals(shipper) as signals:
        telling = asyncio.create_task(progress.keep(quiet_first=asked.once))
        try:
            if asked.once:
                await shipper.once(give_up_s=GIVE_UP_S)
            else:
                await shipper.run()
        except MeasurementError as error:
            _platform_told(shipper, tail)
            return Told(_summary(shipper, destination, "error", str(error)), error.exit_code)
        finally:
            telling.cancel()
            await asyncio.wait({telling})
            progress.end()
            interrupted = ExitCode.INTERRUPTED if signal.SIGINT in signals else ExitCode.GO
    _platform_told(shipper, tail)
    if asked.folder is None and not shipper.behind():
        platform.prune(asked.state / platform.SPOOL, time.time())
    shipper.close()
    counts = shipper.counts
    sent = f"{counts.shipped:,} lines arrived at {destination.name}"
    if counts.refused:
        text = f"{sent}; {counts.refused:,} refused for good: see {positions.refused}"
        return Told(_summary(shipper, destination, "fail", text), interrupted or ExitCode.NO_GO)
    return Told(_summary(shipper, destination, "pass", sent), interrupted)


def _platform_told(shipper: Shipper, tail: LogTail | None) -> None:
    """What went wrong while the platform's streams were read."""
    if tail is not None and tail.trouble is not None:
        shipper.counts.say(tail.trouble)


def _summary(shipper: Shipper, destination: Destination, outcome: str, reason: str) -> dict[str, Any]:
    counts = shipper.counts
    return {
        "outcome": outcome,
        "reason": reason,
        "destination": destination.name,
        "shipped": counts.shipped,
        "others": counts.others,
        "refused": counts.refused,
        "retries": counts.retries,
        "requests": counts.requests,
        "bytes": counts.bytes,
        "behind_bytes": shipper.behind(),
        "trouble": counts.trouble,
    }


@contextmanager
def _signals(shipper: Shipper) -> Iterator[set[int]]:
    """SIGTERM and Ctrl-C let what is there be sent; the second one ends at once. Which came."""
    came: set[int] = set()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop(number: int) -> None:
        if came and task is not None:
            task.cancel("interrupted: nothing is lost, the next start sends it")
        came.add(number)
        shipper.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    try:
        yield came
    except asyncio.CancelledError:
        raise KeyboardInterrupt("what had not arrived is sent by the next start") from None
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(ValueError):
                loop.remove_signal_handler(number)


class Progress:
    """One line on standard error: what arrived, what is behind, how often it was tried again."""

    def __init__(self, shipper: Shipper, destination: Destination, console: Console | None = None) -> None:
        """``console`` defaults to standard error."""
        self._shipper = shipper
        self._name = destination.name
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)

    async def keep(self, *, quiet_first: bool) -> None:
        """Tell it every now and then, until cancelled; also while a destination that is down is waited for."""
        every_s = SAY_S if self._console.is_terminal else SAY_LOG_S
        if quiet_first:
            await asyncio.sleep(every_s)
        while True:
            self.say()
            await asyncio.sleep(every_s)

    def say(self) -> None:
        """Tell it now."""
        if self._console.is_terminal:
            self._console.print(self.line()[: self._console.width - 1].ljust(self._console.width - 1), end="\r")
        else:
            self._console.print(self.line())

    def line(self) -> str:
        """``shipped 1,234 lines, 0 kB behind, 2 tries again, 0 refused``."""
        counts = self._shipper.counts
        down = self._shipper.delivery.down
        told = (
            f"shipped {counts.shipped:,} lines to {self._name}, {self._shipper.behind() / 1000:,.1f} kB behind, "
            f"{counts.retries} tried again, {counts.refused} refused"
        )
        return told + (f"; not reached: {down}" if down else "")

    def end(self) -> None:
        """Leave the last line where it is."""
        if self._console.is_terminal:
            self._console.print(self.line())
