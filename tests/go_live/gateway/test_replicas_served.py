"""Two gateways before one endpoint keep to one cap together: as servers, and as two real processes of the command."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from go_live.errors import UsageError
from go_live.gateway import keys
from go_live.gateway.replicas import Share
from tests.go_live.gateway.conftest import PROMPT, ROOT, Fronted, eventually
from tests.go_live.gateway.two_arms import TwoArms


@pytest.fixture
async def endpoint() -> AsyncIterator[TwoArms]:
    """Answers when it is told to."""
    async with TwoArms().served() as served:
        served.go_on.clear()
        yield served


async def test_shares_keep_to_the_cap_together(fronted: Fronted, endpoint: TwoArms) -> None:
    """Two shares of a cap of 3 have three jobs upstream together, one line of 4 between them; a third is refused."""
    async with AsyncExitStack() as stack:
        both = [
            await stack.enter_async_context(
                fronted(endpoint.job_api, "blue", "an upstream key", cap=3, room=4, share=Share(number, 2))
            )
            for number in (1, 2)
        ]
        with pytest.raises(UsageError, match="divide a cap of 3 by 2"):
            await stack.enter_async_context(fronted(endpoint.job_api, "blue", "an upstream key", cap=3))
        both[0].keys["web"] = both[1].keys["web"]  # they share the callers' file, and each fixture made a key
        asking = [asyncio.create_task(gateway.ask()) for gateway in both for _ in range(6)]

        async def the_rest_was_turned_away() -> bool:
            return endpoint.live["blue"] == 3 and sum(task.done() for task in asking) == 6

        await eventually(the_rest_was_turned_away)
        endpoint.go_on.set()
        assert Counter(status for status, _, _ in await asyncio.gather(*asking)) == {200: 6, 503: 6}
    assert endpoint.peak["blue"] == 3


class Command:
    """``golive gateway serve``, as a process."""

    def __init__(self, folder: Path, job_api: str) -> None:
        """Its callers' file, record and lock files are in ``folder``."""
        self.key, entry = keys.new_key("web", "2026-11-24")
        keys.write(folder / "callers.json", (entry,))
        self._arguments = [
            *(sys.executable, "-m", "go_live", "gateway", "serve", "--json", "--port", "0", "--metrics-port", "0"),
            *("--job-api", job_api, "--endpoint", "blue", "--key-env", "PLAY_KEY"),
            *("--callers", str(folder / "callers.json"), "--record", str(folder / "gateway.jsonl")),
            *("--config", str(ROOT / "golive.toml")),
        ]
        self._environment = os.environ | {"PLAY_KEY": "an upstream key", "XDG_RUNTIME_DIR": str(folder)}

    async def begin(self, stack: AsyncExitStack, *arguments: str) -> "tuple[subprocess.Popen[str], dict[str, Any]]":
        """Start one, and wait until it says where it is; empty: it ended instead."""
        process = subprocess.Popen(  # noqa: ASYNC220 - it only starts
            [*self._arguments, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.enter_context(process)
        stack.callback(process.kill)
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        return process, json.loads(line) if line else {}


@pytest.mark.slow
async def test_two_processes(endpoint: TwoArms, tmp_path: Path) -> None:
    """A second process is refused in one line, exit code 2, until the first is killed; two that divide keep the cap."""
    command = Command(tmp_path, endpoint.job_api)

    async def probes_have_ended() -> bool:
        return endpoint.live["blue"] == 0

    endpoint.go_on.set()
    async with AsyncExitStack() as stack, aiohttp.ClientSession() as http:
        alone, where = await command.begin(stack)
        assert where["cap"] == 3
        second, nothing = await command.begin(stack)
        assert (await asyncio.to_thread(second.wait), nothing) == (2, {})
        assert second.stderr is not None
        told = second.stderr.read()
        assert f"a gateway (process {alone.pid}) stands before endpoint blue already" in told
        assert len([line for line in told.splitlines() if line.startswith("golive: ")]) == 1
        await eventually(probes_have_ended)
        alone.send_signal(signal.SIGKILL)
        await asyncio.to_thread(alone.wait)

        both = [await command.begin(stack, "--share", f"{number}/2") for number in (1, 2)]
        assert [where["cap"] for _, where in both] == [2, 1]
        await eventually(probes_have_ended)
        endpoint.go_on.clear()

        async def ask(job_api: str) -> int:
            headers = {"Authorization": command.key}
            async with http.post(f"{job_api}/blue/runsync", json={"input": PROMPT}, headers=headers) as response:
                return response.status

        asking = [asyncio.create_task(ask(where["job_api"])) for _, where in both for _ in range(8)]

        async def full() -> bool:
            return endpoint.live["blue"] == 3

        await eventually(full)
        endpoint.go_on.set()
        assert set(await asyncio.gather(*asking)) == {200}
        assert endpoint.peak["blue"] == 3
