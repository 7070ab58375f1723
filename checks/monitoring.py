"""What shows the endpoint: a gateway's metrics, the local page that reads them, and Grafana."""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec
from anyio.from_thread import BlockingPortal

from checks.workload import shown
from go_live.api_key import read_secret
from go_live.asgi import LOOPBACK
from go_live.config import Config
from go_live.errors import GoliveError
from go_live.gateway import keys
from go_live.gateway.serving import running, settings_from
from go_live.monitor import dashboard, panels
from go_live.monitor.deployed import deployed
from go_live.monitor.generated import DASHBOARD
from go_live.monitor.live.serving import page
from go_live.outcome import Outcome, Verdict

NOWHERE = f"http://{LOOPBACK}:9/v2"
"""A job API that is not there: nothing is sent to it."""


class Seen(NamedTuple):
    """What a browser and a Prometheus are given."""

    metrics: str
    page: str
    problem: str
    """Why the page could not read the metrics; empty: it could."""


async def seen(config: Config) -> Seen:
    """Start a gateway that nobody asks, and the page beside it; what both serve."""
    with tempfile.TemporaryDirectory() as folder:
        callers = Path(folder) / "callers.json"
        keys.write(callers, (keys.new_key("nobody", "")[1],))
        settings = settings_from(config, job_api=NOWHERE, endpoints=(config.endpoint.id,), key="none", callers=callers)
        # Locks of its own: it sends nothing, and is nobody's second gateway.
        settings = msgspec.structs.replace(settings, metrics_port=0, locks=Path(folder) / "locks")
        async with running(settings) as gateway, aiohttp.ClientSession() as http:
            assert gateway.metrics_url is not None
            async with page(config, gateway.metrics_url, port=0) as (url, reader):
                await reader.read_once(http)
                async with http.get(gateway.metrics_url) as metrics, http.get(url) as shown:
                    return Seen(await metrics.text(), await shown.text(), reader.heard.problem)


def in_grafana(config: Config, portal: BlockingPortal) -> Verdict:
    """Whether the Grafana that golive.toml names has this dashboard; ERROR where it cannot be asked."""
    declared, every = config.dashboard, panels.panels(config)
    claim = f"{declared.grafana_url} shows the {len(every)} panels of golive.toml"
    assert declared.grafana_url is not None
    try:
        token = read_secret(declared.grafana_token_env, os.environ)
        found = portal.call(deployed, declared.grafana_url, token)
    except GoliveError as error:
        return Verdict(claim=claim, outcome=Outcome.ERROR, reason=str(error))
    if found is None:
        return shown(claim, [f"Grafana has no dashboard of the uid {dashboard.UID}: import {DASHBOARD}"], n=len(every))
    return shown(claim, dashboard.differences(found, config), n=len(every))
