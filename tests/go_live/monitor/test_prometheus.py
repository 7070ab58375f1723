"""Every query, put to a real Prometheus that reads a real gateway; and what the local page answers beside it."""

import asyncio
import json
import math
import sys
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from go_live.config import Config
from go_live.gateway import keys
from go_live.gateway.serving import Running, running, settings_from
from go_live.local_endpoint.launch import LaunchedEndpoint, launched
from go_live.local_endpoint.settings import EndpointSettings
from go_live.monitor import panels
from go_live.monitor.alerts import alert_rules
from go_live.monitor.live.history import looking_from
from go_live.monitor.live.reading import Reader
from go_live.monitor.queries import Gauge
from go_live.monitor.rules import rule_file
from go_live.monitor.stack import programs

SECONDS = 12
CALLERS = 3
CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs: [{{job_name: golive, honor_labels: true, static_configs: [{{targets: ["{metrics}"]}}]}}]
"""
CLOSE = 0.2
"""Prometheus and the page read at other moments, and Prometheus extrapolates to the window's ends."""
FIGURES = {"share", "s"}
"""Units of answers that do not grow with the window: those are the same, however long was looked."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedEndpoint]:
    """A local endpoint whose worker takes 120 ms."""
    settings = EndpointSettings(
        directory=tmp_path_factory.mktemp("endpoint") / "endpoint",
        worker_command=(sys.executable, "-m", "rehearsal.timed_worker"),
        worker_env={"TIMED_EXEC_MS": "120", "MAX_CONCURRENCY": "3"},
        engine="timed",
    )
    with launched(settings, ready_timeout_s=60) as there:
        yield there


@asynccontextmanager
async def prometheus(metrics_url: str, config: Config, folder: Path) -> AsyncIterator[str]:
    """Its address; it reads the gateway and evaluates golive.toml's rules."""
    rules, address = folder / "rules.yml", programs.free_address()
    rules.write_text(rule_file(alert_rules(config)).replace("interval: 15s", "interval: 1s"), encoding="utf-8")
    target = metrics_url.removeprefix("http://").removesuffix("/metrics")
    (folder / "prometheus.yml").write_text(CONFIG.format(rules=rules, metrics=target), encoding="utf-8")
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    async with programs.running(programs.PROMETHEUS, arguments, address, folder):
        yield address


def answer(address: str, expr: str) -> list[dict[str, Any]]:
    """What Prometheus answers; it has to understand the question."""
    url = f"http://{address}/api/v1/query?{urllib.parse.urlencode({'query': expr})}"
    with urllib.request.urlopen(url, timeout=10) as response:
        told = json.load(response)
    assert told["status"] == "success", told
    found: list[dict[str, Any]] = told["data"]["result"]
    return found


async def drive(gateway: Running, endpoint_id: str, key: str, reader: Reader) -> None:
    """Callers ask for some seconds, one of them wrongly now and then, while the page reads."""
    end = asyncio.get_running_loop().time() + SECONDS
    url, headers = f"{gateway.job_api}/{endpoint_id}/runsync", {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession() as http:

        async def call(number: int) -> None:
            asked = 0
            while asyncio.get_running_loop().time() < end:
                asked += 1
                prompt = "x" * 2000 if number == 0 and asked % 5 == 0 else "How do I become a data engineer?"
                async with http.post(url, json={"input": {"prompt": prompt}}, headers=headers) as response:
                    await response.read()

        async def look() -> None:
            while asyncio.get_running_loop().time() < end:
                await reader.read_once(http)
                await asyncio.sleep(1)

        await asyncio.gather(look(), *(call(number) for number in range(CALLERS)))


@pytest.mark.slow
@pytest.mark.usefixtures("programs")
async def test_every_panel_has_an_answer(endpoint: LaunchedEndpoint, config: Config, tmp_path: Path) -> None:
    """Each query parses and has one finite answer; shares and times are those that the local page shows."""
    config = msgspec.structs.replace(config, endpoint=msgspec.structs.replace(config.endpoint, id=endpoint.endpoint_id))
    key, entry = keys.new_key("web", "")
    keys.write(tmp_path / "callers.json", (entry,))
    settings = settings_from(
        config,
        job_api=endpoint.job_api,
        endpoints=(endpoint.endpoint_id,),
        key=endpoint.key,
        callers=tmp_path / "callers.json",
    )
    async with running(msgspec.structs.replace(settings, metrics_port=0, locks=tmp_path / "locks")) as gateway:
        assert gateway.metrics_url is not None
        gateway.metrics.device_memory(endpoint.endpoint_id, 0.9)  # the timed engine has no device to tell of
        reader = Reader(gateway.metrics_url, config)
        async with prometheus(gateway.metrics_url, config, tmp_path) as address:
            await drive(gateway, endpoint.endpoint_id, key, reader)
            answers = {
                (panel.title, line.legend): answer(address, line.query.promql(endpoint.endpoint_id))
                for panel in panels.panels(config)
                for line in panel.lines
            }
    here = looked_up(reader, config)
    for panel in panels.panels(config):
        for line in panel.lines:
            name = (panel.title, line.legend)
            found = answers[name]
            if panel.kind == "table":
                continue  # nothing fires here
            assert len(found) == 1, name
            value = float(found[0]["value"][1])
            assert math.isfinite(value), name
            if panel.unit in FIGURES and not isinstance(line.query, Gauge):
                assert here[name] == pytest.approx(value, rel=CLOSE, abs=0.02), name
    assert float(answers["Alerting works", "watchdog"][0]["value"][1]) == 1
    assert float(answers["Requests by outcome", "refused"][0]["value"][1]) > 0
    assert float(answers["Output tokens per second", "all answers"][0]["value"][1]) > 0


def looked_up(reader: Reader, config: Config) -> Mapping[tuple[str, str], float | None]:
    """What the page answers to the same queries."""
    rows = reader.history.rows(config.endpoint.id)
    look = looking_from(rows, len(rows) - 1)
    return {
        (panel.title, line.legend): line.query.value(look) for panel in panels.panels(config) for line in panel.lines
    }
