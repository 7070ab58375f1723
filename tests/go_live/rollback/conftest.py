"""A real release in a real clone, doubles of both APIs and of a registry on real sockets, and time that is given."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from go_live import config as configuration
from go_live.config import Config
from go_live.jobs.client import Endpoint as Jobs
from go_live.local_endpoint.management_double.crew import PretendCrew
from go_live.local_endpoint.management_double.rest import ManagementDouble
from go_live.local_endpoint.management_double.server import doubled, serving
from go_live.local_endpoint.management_double.settings import Described, DescribedTemplate
from go_live.management.client import ManagementClient, World
from go_live.management.models import Endpoint, LegacyEndpoint
from go_live.release.run import release_run
from go_live.rollback.asked import Asked
from go_live.rollback.deployed import Deployed, deployed, deployment_fact
from go_live.rollback.prerollback import PATIENT, Seen, look
from go_live.rollback.rollout import Pace
from go_live.rollback.target import Target
from tests.go_live.keys.made_up import of_kind
from tests.go_live.release.conftest import HERMETIC, ROOT, WHEN, git, hermetic, template
from tests.go_live.release.releases import finished_run, new_key, pin, plan_of, settings, signed_by

__all__ = ["hermetic", "template"]

KEY = of_kind("runpod", 11)
VERSION = "v1.0-production"
DIGEST_THEN, DIGEST_NOW = ("sha256:" + digits * 32 for digits in ("ab", "cd"))
THEN, NOW = (f"registry.example/worker@{digest}" for digest in (DIGEST_THEN, DIGEST_NOW))
"""The image of the release, and the one that is live."""
LEGACY = LegacyEndpoint(id="4cqta56swdioxi", template_id="tpl-then")
SECRET = "hf_secretOfAnEnvironment"  # noqa: S105 - a marker that must never be printed


def endpoint(**changes: Any) -> Endpoint:
    """The live endpoint, on the newer image."""
    told = {
        "id": "4cqta56swdioxi",
        "name": "live",
        "workers": {"min": 2, "max": 5},
        "scaling": {"type": "REQUEST_COUNT", "requestCount": 1},
        "timeout": 600_000,
        "flashboot": "FLASHBOOT",
        "createdAt": "2025-10-01T00:00:00Z",
        "image": NOW,
        "env": {"MAX_MODEL_LEN": "4096", "HF_TOKEN": SECRET},
        "gpu": {"pools": ["ADA_24"]},
    }
    return msgspec.convert({**told, **changes}, Endpoint)


def target(**changes: Any) -> Target:
    """A verified release that ran on the older image with shorter answers."""
    known = {
        "version": VERSION,
        "commit": "a" * 40,
        "tag": "b" * 40,
        "verified": True,
        "image": THEN,
        "template_id": "tpl-then",
        "endpoint_id": "4cqta56swdioxi",
        "deployed": ran(),
    }
    return Target(**{**known, **changes})


def ran(**changes: Any) -> Deployed:
    """How the endpoint was set when the release was measured."""
    env = {"MAX_MODEL_LEN": "2048", "HF_TOKEN": "another"}
    return msgspec.structs.replace(deployed(endpoint(image=THEN, env=env)), **changes)


@dataclass
class Waits:
    """Stands in for sleeping: a clock that goes on by what is slept."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Note it, and let the clock go on; other tasks get their turn."""
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)

    def pace(self, **bounds: float) -> Pace:
        """A pace whose time is this one's."""
        return Pace(clock=lambda: self.at, sleep=self.sleep, **bounds)

    def world(self) -> World:
        """The management client's world, whose time is this one's."""
        return World(clock=lambda: self.at, wall=lambda: WHEN + self.at, sleep=self.sleep, draw=lambda: 0.0)


@dataclass
class Registry:
    """A registry that holds some digests."""

    host: str
    holds: set[str]
    guarded: str = ""
    """Empty: open; ``token``: a bearer token is given to everybody; ``closed``: to nobody; ``hang``: no answer."""
    asked: list[str] = field(default_factory=list)

    def image(self, digest: str) -> str:
        """The name of an image here."""
        return f"{self.host}/worker@{digest}"


@asynccontextmanager
async def serving_registry(holds: set[str], guarded: str = "", *, port: int = 0) -> AsyncIterator[Registry]:
    """Serve a registry on loopback; ``port`` 0: any free one."""
    registry = Registry("", holds, guarded)

    async def manifest(request: web.Request) -> web.Response:
        registry.asked.append(request.headers.get("Authorization", ""))
        if registry.guarded == "hang":
            await asyncio.sleep(3600)
        if registry.guarded and request.headers.get("Authorization") != "Bearer pull-token":
            challenge = f'Bearer realm="http://{registry.host}/token",service="r",scope="repository:worker:pull"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        return web.Response(status=200 if request.match_info["digest"] in registry.holds else 404)

    async def token(_: web.Request) -> web.Response:
        if registry.guarded == "closed":
            return web.json_response({"errors": []}, status=401)
        return web.json_response({"token": "pull-token"})

    app = web.Application()
    app.add_routes([web.get("/v2/{name}/manifests/{digest}", manifest), web.get("/token", token)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, port = runner.addresses[0][:2]
        registry.host = f"{host}:{port}"
        yield registry
    finally:
        await runner.cleanup()


@dataclass
class Place:
    """A clone with a release in it, and everything that is asked about it."""

    root: Path
    config: Config
    client: ManagementClient
    double: ManagementDouble
    crew: PretendCrew
    jobs: Jobs
    registry: Registry
    waits: Waits

    def asked(self, **changes: Any) -> Asked:
        """What on-call asks, without a smoke."""
        known = {"version": VERSION, "root": self.root, "config": self.config, "profile": "production", "smoke": False}
        return Asked(**{**known, **changes})

    async def look(self, **changes: Any) -> Seen:
        """Look; the time is two days after the release."""
        return await look(self.asked(**changes), self.client, self.jobs, now=lambda: WHEN + 2 * 86_400.0)


Placed = Callable[..., AbstractAsyncContextManager[Place]]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Path:
    """A signed production release, made once; its clone, its configuration, and the port of its image's registry."""
    folder = tmp_path_factory.mktemp("released")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in HERMETIC.items():
            patch.setenv(name, value)
        for name in ("project", "remote.git"):
            shutil.copytree(template / name, folder / name)
        root = folder / "project"
        git(root, "remote", "set-url", "origin", (folder / "remote.git").as_uri())
        git(root, "status")
        key = new_key(folder / "key")
        shipped = configuration.load(ROOT / "golive.toml")
        config = settings(shipped, signers={"production": pin(folder / "signers", signed_by(key))})
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        image = f"127.0.0.1:{port}/worker@{DIGEST_THEN}"
        fact = deployment_fact(endpoint(image=image, env={"MAX_MODEL_LEN": "2048", "HF_TOKEN": "then"}), LEGACY)
        plan = plan_of(root, config, "production")
        directory, data = finished_run(root, plan, facts={"deployment": fact})
        release_run(data, root, directory, lambda: WHEN, environment={"GOLIVE_SIGNING_KEY": str(key.path)})
        git(folder, "clone", "--quiet", (folder / "remote.git").as_uri(), "clone")
        (folder / "config.json").write_bytes(msgspec.json.encode(config))
        (folder / "port").write_text(port)
    return folder


@pytest.fixture
def placed(tmp_path: Path, released: Path) -> Placed:
    """Opens a place: ``described`` is the management API's, ``holds`` whether the registry has the release's image."""

    @asynccontextmanager
    async def open_place(
        *, holds: bool = True, guarded: str = "", health: int = 200, **described: Any
    ) -> AsyncIterator[Place]:
        clone = Path(shutil.copytree(released / "clone", tmp_path / "clone"))
        config = msgspec.json.decode((released / "config.json").read_bytes(), type=Config)
        port = int((released / "port").read_text())
        async with (
            serving_registry({DIGEST_THEN} if holds else set(), guarded, port=port) as registry,
            _job_api(health) as job_api,
        ):
            known: dict[str, Any] = {
                "image": registry.image(DIGEST_NOW),
                "env": {"MAX_MODEL_LEN": "4096", "HF_TOKEN": SECRET},
                "workers_min": 2,
                "workers_max": 5,
                "templates": (DescribedTemplate(id="tpl-then", image=registry.image(DIGEST_THEN)),),
                "quota_per_minute": 6000,
            }
            crew, waits = PretendCrew(), Waits()
            double = doubled(Described(**{**known, **described}), KEY, endpoint_id=config.endpoint.id, crew=crew)
            world = waits.world()
            async with (
                serving(double) as base,
                ManagementClient(base, KEY, policy=PATIENT, timeout_s=2.0, world=world) as client,
                Jobs(job_api, config.endpoint.id, KEY) as jobs,
            ):
                yield Place(clone, config, client, double, crew, jobs, registry, waits)

    return open_place


@asynccontextmanager
async def _job_api(status: int) -> AsyncIterator[str]:
    """A job API that answers ``/health`` alone: with two idle workers, or with ``status``."""

    async def health(_: web.Request) -> web.Response:
        if status != 200:
            return web.Response(status=status, text="<html>down</html>", content_type="text/html")
        return web.json_response({"jobs": {"inQueue": 0}, "workers": {"idle": 2}})

    app = web.Application()
    app.add_routes([web.get("/v2/{id}/health", health)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v2"
    finally:
        await runner.cleanup()
