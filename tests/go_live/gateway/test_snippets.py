"""The snippets of docs/gateway.md, as they stand there: 200 callers at once, counted by the endpoint."""

import asyncio
import re
import shutil
import socket
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from go_live.gateway.client import Capped
from go_live.jobs import Endpoint
from go_live.local_endpoint.launch import LaunchedEndpoint
from tests.go_live.gateway.conftest import PROMPT, ROOT

CALLERS = 200


def snippet(language: str) -> str:
    """The one block of ``language`` in the page."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs/gateway.md").read_text(), re.DOTALL)
    return str(found)


def nothing_left(timed: LaunchedEndpoint) -> None:
    """No job is left, and there were never more than the cap."""
    jobs = timed.state()["jobs"]
    assert (jobs["queued"], jobs["in_progress"]) == (0, 0)
    assert jobs["peak"] == 3


async def test_python(timed: LaunchedEndpoint) -> None:
    """The Python client answers everybody within the cap."""
    given = {
        "job_api": timed.job_api,
        "endpoint_id": timed.endpoint_id,
        "key": timed.key,
        "prompts": [PROMPT["prompt"]] * CALLERS,
    }
    names: dict[str, Any] = {"asyncio": asyncio, "Endpoint": Endpoint, "Capped": Capped, **given}
    code = f"async def run():\n{textwrap.indent(snippet('python'), '    ')}    return answers\n"
    exec(code, names)  # noqa: S102 - our own page
    answers = await names["run"]()
    assert [answer.error for answer in answers] == [None] * CALLERS
    nothing_left(timed)


@pytest.fixture
def nginx(timed: LaunchedEndpoint, tmp_path: Path) -> Iterator[str]:
    """Nginx with the page's configuration, before the timed endpoint; its URL."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx-light)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = (
        snippet("nginx")
        .replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        .replace("4cqta56swdioxi", timed.endpoint_id)
        .replace("https://api.runpod.ai", timed.url)
        .replace("RUNPOD_API_KEY", timed.key)
    )
    paths = "".join(
        f"{name}_temp_path {tmp_path}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = f"pid {tmp_path}/pid;\ndaemon off;\nworker_processes 1;\nevents {{ worker_connections 1024; }}\n"
    main += f"http {{\naccess_log off;\n{paths}{server}}}\n"
    (tmp_path / "nginx.conf").write_text(main)
    command = [program, "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")]
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            assert process.poll() is None, (tmp_path / "error.log").read_text()
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.mark.slow
async def test_nginx(timed: LaunchedEndpoint, nginx: str) -> None:
    """The nginx configuration turns away what is beyond the cap, and callers who come again are all answered."""
    turned_away = 0

    async def caller(http: aiohttp.ClientSession) -> str:
        nonlocal turned_away
        while True:
            async with http.post(f"{nginx}/v2/{timed.endpoint_id}/runsync", json={"input": PROMPT}) as response:
                if response.status == 200:
                    return str((await response.json())["status"])
                assert (response.status, response.headers["Retry-After"]) == (503, "1")
            turned_away += 1
            await asyncio.sleep(0.3)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http, asyncio.timeout(90):
        told = await asyncio.gather(*(caller(http) for _ in range(CALLERS)))
    assert told == ["COMPLETED"] * CALLERS
    assert turned_away >= CALLERS - 3
    nothing_left(timed)
