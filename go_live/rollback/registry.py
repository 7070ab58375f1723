"""Is an image still there to be pulled? One question to its registry (OCI Distribution, ``HEAD`` of a manifest).

Asked without credentials, or with those that Docker's own configuration file holds for that registry. A registry that
does not let us look has not said that the image is gone.
"""

import asyncio
import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from go_live.jobs.client import USER_AGENT
from go_live.jobs.transport import is_loopback, proxy_for
from go_live.outcome import Outcome, Verdict

HUB = "registry-1.docker.io"
"""Where images without a registry in their name live."""
TIMEOUT_S = 8.0
ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
"""Whatever form the manifest has: a registry answers 404 for one that we did not say we take."""
FOUND, UNAUTHORIZED, GONE = 200, frozenset({401, 403}), 404
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_NAME = re.compile(r"^[a-z0-9][a-z0-9._/-]*$")


async def image_exists(image: str, *, timeout_s: float = TIMEOUT_S, credentials: Path | None = None) -> Verdict:
    """Whether the registry still has ``image`` (``name@sha256:…``).

    PASS: it has. FAIL: it says that it has not. INCONCLUSIVE: it does not let us look. ERROR: it could not be asked.

    Args:
        image: with its digest.
        timeout_s: how long all of it may take.
        credentials: Docker's config.json; None: where Docker looks for it.
    """
    host, name, digest = parts(image)
    if not _NAME.match(name):
        return _verdict(image, Outcome.ERROR, f"{image!r} is no name of an image")
    base = f"{'http' if is_loopback(urlsplit(f'//{host}').hostname or '') else 'https'}://{host}"
    try:
        async with (
            asyncio.timeout(timeout_s),
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": USER_AGENT}) as session,
        ):
            status = await _ask(session, base, name, digest, _credentials(host, credentials))
    except TimeoutError:
        return _verdict(image, Outcome.ERROR, f"the registry {host} did not answer within {timeout_s:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return _verdict(image, Outcome.ERROR, f"the registry {host} could not be asked ({type(error).__name__})")
    return _told(image, host, status)


def parts(image: str) -> tuple[str, str, str]:
    """Registry, name in it, and digest of ``image``."""
    where, _, digest = image.partition("@")
    first, slash, rest = where.partition("/")
    registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
    host, name = (first, rest) if registry else (HUB, where if slash else f"library/{where}")
    host = HUB if host in {"docker.io", "index.docker.io"} else host
    # A tag beside a digest names nothing.
    last = name.rpartition("/")[2]
    return host, name.removesuffix(f":{last.partition(':')[2]}") if ":" in last else name, digest


def _told(image: str, host: str, status: int) -> Verdict:
    if status == FOUND:
        return _verdict(image, Outcome.PASS, f"{host} still has it")
    if status == GONE:
        return _verdict(image, Outcome.FAIL, f"{host} has no such image any more")
    if status in UNAUTHORIZED:
        why = f"{host} does not show it without credentials (docker login {host})"
        return _verdict(image, Outcome.INCONCLUSIVE, why)
    return _verdict(image, Outcome.ERROR, f"{host} answered HTTP {status}")


def _verdict(image: str, outcome: Outcome, reason: str) -> Verdict:
    return Verdict(claim=f"{image} can be pulled", outcome=outcome, reason=reason, n=1)


async def _ask(session: aiohttp.ClientSession, base: str, name: str, digest: str, basic: str) -> int:
    """The registry's status; a token is fetched where it asks for one."""
    url = f"{base}/v2/{name}/manifests/{digest}"
    status, challenge = await _head(session, url, f"Basic {basic}" if basic else "")
    if status not in UNAUTHORIZED or not challenge.lower().startswith("bearer "):
        return status
    token = await _token(session, dict(_CHALLENGE.findall(challenge)), basic, secure=base.startswith("https"))
    if not token:
        return status
    return (await _head(session, url, f"Bearer {token}"))[0]


async def _head(session: aiohttp.ClientSession, url: str, authorization: str) -> tuple[int, str]:
    headers = {"Accept": ACCEPT} | ({"Authorization": authorization} if authorization else {})
    proxy = proxy_for(url, trust_env=None)
    async with session.head(url, headers=headers, proxy=proxy, allow_redirects=False) as response:
        return response.status, response.headers.get("WWW-Authenticate", "")


async def _token(session: aiohttp.ClientSession, asked: Mapping[str, str], basic: str, *, secure: bool) -> str:
    """The bearer token that a challenge names; empty: none is given. Credentials stay on encrypted connections."""
    realm = asked.get("realm", "")
    if secure and not realm.startswith("https://"):
        return ""
    query = {key: asked[key] for key in ("service", "scope") if key in asked}
    headers = {"Authorization": f"Basic {basic}"} if basic else {}
    async with session.get(
        realm, params=query, headers=headers, proxy=proxy_for(realm, trust_env=None), allow_redirects=False
    ) as response:
        if response.status != FOUND:
            return ""
        told = json.loads(await response.read())
    return str(told.get("token") or told.get("access_token") or "") if isinstance(told, dict) else ""


def _credentials(host: str, path: Path | None) -> str:
    """Base64 of user and password for ``host`` from Docker's configuration; empty: none, or kept by a helper."""
    path = path or Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        auths: Any = json.loads(path.read_bytes()).get("auths", {})
        names = (host, f"https://{host}", *(("https://index.docker.io/v1/",) if host == HUB else ()))
        found = next((str(auths[name]["auth"]) for name in names if auths.get(name, {}).get("auth")), "")
        base64.b64decode(found, validate=True)
    except (OSError, ValueError, AttributeError, TypeError, KeyError, binascii.Error, RuntimeError):
        return ""
    return found
