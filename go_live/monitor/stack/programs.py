"""Prometheus and Alertmanager as child processes: found, started, ready, and surely ended.

Each stands under the keeper that the local endpoint's workers have: whatever ends this process, SIGKILL included, ends
them.
"""

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from go_live.errors import MeasurementError
from go_live.local_endpoint.workers import KEEPER

PROMETHEUS, ALERTMANAGER = ("prometheus",), ("prometheus-alertmanager", "alertmanager")
"""Names under which each program is known: Debian's own first."""
PACKAGES = {PROMETHEUS: "prometheus", ALERTMANAGER: "prometheus-alertmanager"}
READY_S = 40.0
STOP_S = 5.0
LOOK_S = 0.05


def find(names: Sequence[str]) -> str | None:
    """Path of the first of ``names`` that is on PATH; None: none is."""
    return next((path for name in names if (path := shutil.which(name)) is not None), None)


def missing() -> str | None:
    """One line on the programs that are not on PATH and how to get them; None: all are there."""
    absent = [names for names in PACKAGES if find(names) is None]
    if not absent:
        return None
    packages = " ".join(PACKAGES[names] for names in absent)
    return f"{' and '.join(names[0] for names in absent)} not found on PATH: apt-get install {packages}"


def version(names: Sequence[str]) -> str:
    """What the program says of its version; empty: nothing that can be read."""
    path = find(names)
    if path is None:
        return ""
    with suppress(OSError, subprocess.TimeoutExpired):
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=10)
        found = re.search(r"version (\S+)", said.stdout + said.stderr)
        return found[1] if found else ""
    return ""


def free_address() -> str:
    """A free port of loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


class Program:
    """A program under its keeper."""

    def __init__(self, keeper: asyncio.subprocess.Process, log: Path) -> None:
        """``keeper`` has started it; it writes to ``log``."""
        self._keeper, self.log = keeper, log

    @property
    def ended(self) -> bool:
        """Whether nothing of it is left."""
        return self._keeper.returncode is not None

    async def kill(self) -> None:
        """SIGKILL, to it and everything below it."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        await self._keeper.wait()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL where that is not enough."""
        if self._keeper.stdin is not None and not self.ended:
            with suppress(OSError):
                self._keeper.stdin.write(b"T")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._keeper.wait(), STOP_S)
        await self.kill()

    def last_words(self) -> str:
        """The end of its log, on one line."""
        with suppress(OSError):
            return " | ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:])
        return "it left no log"


@asynccontextmanager
async def running(names: Sequence[str], arguments: Sequence[str], address: str, folder: Path) -> AsyncIterator[Program]:
    """Run the program called ``names`` until the context ends; it answers at ``address`` when the context begins.

    Raises:
        MeasurementError: it is not there, or did not become ready.
    """
    path = find(names)
    if path is None:
        raise MeasurementError(f"{names[0]} not found on PATH: apt-get install {PACKAGES[tuple(names)]}")
    log = folder / f"{names[0]}-{address.rpartition(':')[2]}.log"
    with log.open("ab") as output:
        keeper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(KEEPER), path, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=output,
            cwd=folder,
            start_new_session=True,  # Ctrl-C is for the drill, which then ends them in order
        )
    program = Program(keeper, log)
    try:
        await _ready(f"http://{address}/-/ready", program, names[0])
        yield program
    finally:
        await _surely(program)


async def _surely(program: Program) -> None:
    """Stop it, whatever happens to this task meanwhile."""
    stopping = asyncio.ensure_future(program.stop())
    while not stopping.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(stopping)


async def _ready(url: str, program: Program, name: str) -> None:
    """Wait until it answers.

    Raises:
        MeasurementError: it ended, or did not answer in time.
    """
    async with aiohttp.ClientSession(trust_env=False) as http:
        for _ in range(round(READY_S / LOOK_S)):
            with suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(url, timeout=aiohttp.ClientTimeout(total=5)) as response:
                    if response.ok:
                        return
            if program.ended:
                break
            await asyncio.sleep(LOOK_S)
    raise MeasurementError(f"{name} did not become ready: {program.last_words()}")
