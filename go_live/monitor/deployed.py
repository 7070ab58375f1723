"""The dashboard as a Grafana has it, over Grafana's HTTP API."""

import json
from http import HTTPStatus

import aiohttp

from go_live.errors import MeasurementError
from go_live.management.exchange import Sender
from go_live.monitor.dashboard import UID, Dashboard, parse_fetched

TIMEOUT_S = 30


async def deployed(grafana_url: str, token: str) -> Dashboard | None:
    """The dashboard there; None: there is none of our uid.

    Raises:
        MeasurementError: Grafana cannot be reached, refuses the token, or answers something else; never the token.
    """
    url = f"{grafana_url}/api/dashboards/uid/{UID}"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        sender = Sender(session, proxy=None, hide=(token,))
        reply = await sender.send("GET", url, what="Grafana", write=False)
    if reply.status == HTTPStatus.NOT_FOUND and _is_grafanas(reply.body):
        return None
    if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise MeasurementError(f"Grafana refuses the token ({reply.status}): it needs the role Viewer")
    if not reply.ok:
        raise MeasurementError(f"Grafana answers {reply.status}: is {grafana_url} its address?")
    try:
        return parse_fetched(reply.body)
    except ValueError as error:
        raise MeasurementError(f"Grafana's answer is no dashboard: {error}") from error


def _is_grafanas(body: bytes) -> bool:
    """Whether a 404 is Grafana's own, and not that of a proxy before it or of another program."""
    try:
        told = json.loads(body)
    except ValueError:
        return False
    return isinstance(told, dict) and isinstance(told.get("message"), str)
