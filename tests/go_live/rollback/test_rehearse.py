"""The way back is booted beside the live endpoint, and whatever happens, nothing is left on."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from go_live import config as configuration
from go_live.errors import GoliveError, MeasurementError
from go_live.jobs.client import Endpoint as Jobs
from go_live.local_endpoint.management_double.mishaps import Mishap
from go_live.local_endpoint.management_double.server import doubled, serving
from go_live.local_endpoint.management_double.settings import Described
from go_live.local_endpoint.server import Endpoint as Served
from go_live.local_endpoint.server import running
from go_live.local_endpoint.settings import EndpointSettings
from go_live.management.client import ManagementClient
from go_live.rollback.changes import way_to
from go_live.rollback.looks import read_proof
from go_live.rollback.proof import Proof
from go_live.rollback.rehearse import Stage, rehearse
from go_live.rollback.scratch import NAME, booted
from tests.go_live.release.conftest import ROOT
from tests.go_live.rollback.conftest import (
    DIGEST_NOW,
    DIGEST_THEN,
    KEY,
    NOW,
    THEN,
    VERSION,
    Waits,
    endpoint,
    ran,
    target,
)

IMAGES = {
    THEN: {"GIT_COMMIT": "a" * 40, "IMAGE_DIGEST": DIGEST_THEN},
    NOW: {"GIT_COMMIT": "c" * 40, "IMAGE_DIGEST": DIGEST_NOW},
}
TIMED = (sys.executable, "-m", "rehearsal.timed_worker")


@dataclass
class Theatre:
    """A live endpoint with a spare one beside it, both with real workers."""

    served: Served
    client: ManagementClient
    stage: Stage

    async def rehearse(self, **changes: Any) -> Proof:
        """Rehearse the way back to a release."""
        there = target(endpoint_id="local", deployed=ran(env={"MAX_MODEL_LEN": "2048"}, other_env=()), **changes)
        live = await self.client.endpoint("local")
        return await rehearse(self.stage, live, there, way_to(there, live, None))

    async def left_on(self) -> int:
        """Workers that the spare endpoint may have, and has."""
        spare = await self.client.endpoint("spare")
        return spare.workers.max + len((await self.client.workers("spare")).workers)


@asynccontextmanager
async def theatre(tmp_path: Path, *, limit_s: float = 60.0) -> AsyncIterator[Theatre]:
    """Open one."""
    settings = EndpointSettings(
        key=KEY,
        worker_command=TIMED,
        worker_env={"TIMED_EXEC_MS": "5"},
        described=Described(image=NOW, images=IMAGES, quota_per_minute=6000),
        workers_min=0,
        spare_id="spare",
        scale_interval_s=0.05,
        stop_grace_s=1.0,
        directory=tmp_path / "endpoint",
    )
    async with running(settings) as served, ManagementClient(served.management_api, KEY) as client:
        pace = Waits().pace()
        stage = Stage(
            client=client,
            open_jobs=lambda endpoint_id: Jobs(served.job_api, endpoint_id, KEY),
            config=configuration.load(ROOT / "golive.toml"),
            root=tmp_path,
            say=lambda _: None,
            pace=type(pace)(poll_s=0.1, limit_s=limit_s),
            timed=True,
            boot_limit_s=limit_s,
        )
        yield Theatre(served, client, stage)


async def test_the_target_boots_answers_and_is_scaled_to_zero(tmp_path: Path) -> None:
    """A real worker of the release's image answers as its commit; the proof says so, and no worker is left."""
    async with theatre(tmp_path) as place:
        proof = await place.rehearse()
        left = await place.left_on()
        writes = place.served.management.writes
    assert (proof.problems, proof.image, proof.scaled_to_zero) == ((), DIGEST_THEN, True)
    assert proof.boot_s is not None
    assert left == 0
    assert writes == ["PATCH spare", "PATCH spare"]
    assert read_proof(tmp_path, VERSION) == proof


async def test_another_build_behind_the_image_is_a_failed_rehearsal(tmp_path: Path) -> None:
    """The image answers, and as another commit than the tag's: a proof that says so, and zero workers."""
    async with theatre(tmp_path) as place:
        proof = await place.rehearse(commit="e" * 40)
        left = await place.left_on()
    assert proof.problems == ("the endpoint serves commit aaaaaaaaaaaa, not eeeeeeeeeeee",)
    assert left == 0


async def test_an_image_that_does_not_boot_is_scaled_to_zero_too(tmp_path: Path) -> None:
    """The image cannot be pulled: the proof says that it never answered, and nothing is left on."""
    async with theatre(tmp_path, limit_s=2.0) as place:
        gone = "registry.example/worker@sha256:" + "99" * 32
        there = ran(image=gone, env={}, other_env=())
        live = await place.client.endpoint("local")
        goal = target(endpoint_id="local", image=gone, deployed=there)
        proof = await rehearse(place.stage, live, goal, way_to(goal, live, None))
        left = await place.left_on()
    assert proof.boot_s is None
    assert proof.problems[0].startswith("it never answered")
    assert left == 0


async def test_an_interrupt_scales_to_zero(tmp_path: Path) -> None:
    """Ctrl-C while it boots: no proof, and nothing is left on."""
    async with theatre(tmp_path) as place:
        task = asyncio.create_task(place.rehearse())
        while (await place.client.endpoint("spare")).workers.max == 0:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        left = await place.left_on()
    assert left == 0
    assert read_proof(tmp_path, VERSION) is None


async def test_it_is_created_once_and_found_again() -> None:
    """The first rehearsal creates the endpoint, the second finds it by its name; neither deletes anything."""
    double = doubled(Described(image=NOW, quota_per_minute=6000), KEY)
    waits, seen = Waits(), []
    async with serving(double) as base, ManagementClient(base, KEY, world=waits.world()) as client:
        live, goal = await client.endpoint("local"), target(endpoint_id="local")
        for _ in range(2):
            way = way_to(goal, live, None)
            async with booted(client, live, goal, way, say=lambda _: None, pace=waits.pace()) as one:
                inside = await client.endpoint(one.id)
            after = await client.endpoint(one.id)
            seen.append((inside.name, inside.image, inside.workers.max, after.workers.max, one.at_zero))
    assert [write.split()[0] for write in double.writes] == ["POST", "PATCH", "PATCH", "PATCH"]
    assert seen == [(NAME, THEN, 1, 0, True)] * 2


async def test_a_create_whose_answer_was_lost_is_found_and_scaled_to_zero() -> None:
    """The platform created it and the answer was cut: it is found by its name, and is not left on."""
    double = doubled(Described(image=NOW, quota_per_minute=6000), KEY)
    double.mishaps.add(Mishap(kind="cut", operation="POST /serverless", applied=True))
    waits = Waits()
    async with serving(double) as base, ManagementClient(base, KEY, world=waits.world()) as client:
        live, goal = await client.endpoint("local"), target(endpoint_id="local")
        with pytest.raises(GoliveError):
            async with booted(client, live, goal, way_to(goal, live, None), say=lambda _: None, pace=waits.pace()):
                pass
        named = [one for one in await client.endpoints() if one.name == NAME]
    assert [one.workers.max for one in named] == [0]


async def test_scaling_to_zero_is_tried_again() -> None:
    """Two writes that fail do not leave a worker on."""
    double = doubled(Described(image=NOW, quota_per_minute=6000), KEY)
    waits = Waits()
    async with serving(double) as base, ManagementClient(base, KEY, world=waits.world()) as client:
        live, goal = await client.endpoint("local"), target(endpoint_id="local")
        async with booted(client, live, goal, way_to(goal, live, None), say=lambda _: None, pace=waits.pace()) as one:
            double.mishaps.add(Mishap(kind="status", status=500, operation="PATCH /serverless/{id}", times=2))
        after = await client.endpoint(one.id)
    assert (after.workers.max, one.trouble) == (0, "")


async def test_the_live_endpoint_is_never_taken_for_the_scratch_one() -> None:
    """A live endpoint of that very name is refused before anything is written."""
    double = doubled(Described(name=NAME, image=NOW, quota_per_minute=6000), KEY)
    async with serving(double) as base, ManagementClient(base, KEY) as client:
        live = await client.endpoint("local")
        with pytest.raises(MeasurementError, match="rename it"):
            async with booted(
                client, live, target(), way_to(target(), live, None), say=lambda _: None, pace=Waits().pace()
            ):
                pass
    assert double.writes == []
    assert endpoint().name != NAME
