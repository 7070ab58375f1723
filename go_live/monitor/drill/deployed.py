"""Test alerts for a deployed Alertmanager: sent to the address that was given, and to nothing else."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from go_live.api_key import read_secret
from go_live.config import Config
from go_live.errors import MeasurementError, UsageError
from go_live.evidence.run_directory import encode
from go_live.monitor.drill.receipts import CHANNELS, Receipts, alert, new_code, sent
from go_live.monitor.drill.record import ROUTING

TIMEOUT_S = 20
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LONGEST_REASON = 200


def token(config: Config, environment: Mapping[str, str]) -> str | None:
    """The bearer token, of its variable or of the file that ``<variable>_FILE`` names; None: neither is set.

    Raises:
        UsageError: both are set, or what is there is no token.
    """
    name = config.alerts.alertmanager_token_env
    if not environment.get(name) and not environment.get(f"{name}_FILE"):
        return None
    return read_secret(name, environment)


def checked(url: str, *, secret: bool) -> str:
    """``url`` without a trailing slash.

    Raises:
        UsageError: it is no address of an Alertmanager, holds credentials, or would carry a secret in the clear.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise UsageError("--alertmanager takes its address, like https://alertmanager.example or http://127.0.0.1:9093")
    if parts.username or parts.password:
        raise UsageError("--alertmanager: no credentials in the address; a token comes from its variable (--help)")
    if secret and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise UsageError(f"--alertmanager {url}: a token is not sent in the clear; use https")
    return url.rstrip("/")


def send(url: str, bearer: str | None, config: Config, present: Mapping[str, str]) -> Receipts:
    """Send one test alert for each channel.

    Args:
        url: Alertmanager's address, as ``checked``.
        bearer: token; None: none is sent.
        config: whose endpoint the alerts name.
        present: sha256 of the rules and the routing that lie in the project, by path.

    Raises:
        MeasurementError: Alertmanager cannot be reached, or refuses them; nothing is recorded.
    """
    now = time.time()
    codes = {severity: new_code() for severity in CHANNELS}
    asyncio.run(_post(url, bearer, [alert(severity, code, config, now) for severity, code in codes.items()]))
    return Receipts(
        id=f"receipt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}",
        sent_at=now,
        alertmanager=url,
        endpoint=config.endpoint.id,
        routing=present[ROUTING],
        alerts=tuple(sent(severity, code) for severity, code in codes.items()),
    )


async def _post(url: str, bearer: str | None, alerts: Sequence[Mapping[str, Any]]) -> None:
    """POST ``alerts``; no redirect is followed and no proxy used: the codes go nowhere else.

    Raises:
        MeasurementError: it was not taken.
    """
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    try:
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as http,
            http.post(f"{url}/api/v2/alerts", data=encode(alerts), headers=headers, allow_redirects=False) as response,
        ):
            said = (await response.text(errors="replace"))[:LONGEST_REASON]
            if response.status != HTTPStatus.OK:
                said = said.replace(bearer, "***") if bearer else said
                raise MeasurementError(f"{url} took no test alert: {response.status} {' '.join(said.split())}")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise MeasurementError(f"{url} cannot be reached: {type(error).__name__}; no test alert was sent") from error
