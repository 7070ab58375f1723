"""A rollback of a real local endpoint: written, waited for, smoked, measured, recorded, gone on with after a kill."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from go_live import config as configuration
from go_live.config import Config
from go_live.errors import MeasurementError
from go_live.jobs.client import Endpoint as Jobs
from go_live.local_endpoint.management_double.mishaps import Mishap
from go_live.local_endpoint.management_double.settings import Described
from go_live.local_endpoint.server import Endpoint as Served
from go_live.local_endpoint.server import running
from go_live.local_endpoint.settings import EndpointSettings
from go_live.management.client import ManagementClient
from go_live.management.errors import ManagementError
from go_live.outcome import Outcome
from go_live.rollback.changes import way_to
from go_live.rollback.execute import Hands, roll_back
from go_live.rollback.record import Book, Rollback, read, unfinished
from go_live.rollback.rollout import Pace
from go_live.rollback.target import Target
from tests.go_live.release.conftest import ROOT
from tests.go_live.rollback.conftest import DIGEST_THEN, KEY, NOW, THEN, VERSION, ran, target
from tests.go_live.rollback.test_rehearse import IMAGES, TIMED

BEGAN = 1_763_900_000.0


def small(config: Config) -> Config:
    """One level of few requests: enough to see that it is offered, recorded and judged."""
    load = msgspec.structs.replace(config.load, concurrency=(2,), requests_per_level=8, warmup_requests=0)
    return msgspec.structs.replace(config, load=load)


@dataclass
class Ward:
    """A live endpoint on the newer image, and what is needed to roll it back."""

    served: Served
    client: ManagementClient
    jobs: Jobs
    root: Path
    said: list[str] = field(default_factory=list)
    clock: Callable[[], float] = lambda: BEGAN + 42.0

    def target(self, **changes: Any) -> Target:
        """The older release."""
        deployed = ran(env={"MAX_MODEL_LEN": "2048"}, other_env=())
        return target(**{"endpoint_id": "local", "deployed": deployed, **changes})

    def book(self) -> Book:
        """A new record."""
        entry = Rollback(
            id="rollback-x",
            version=VERSION,
            commit="a" * 40,
            image=DIGEST_THEN,
            endpoint_id="local",
            from_image=NOW,
            began_at=BEGAN,
        )
        return Book(self.root / "reports" / "rollback-x", entry, self.clock)

    async def roll(self, book: Book, *, load: bool = False, limit_s: float = 30.0, **changes: Any) -> Outcome:
        """Roll back, as the endpoint is now."""
        there = self.target(**changes)
        way = way_to(there, await self.client.endpoint("local"), None)
        hands = Hands(
            client=self.client,
            jobs=self.jobs,
            config=small(configuration.load(ROOT / "golive.toml")),
            say=self.said.append,
            pace=Pace(poll_s=0.1, limit_s=limit_s),
            now=self.clock,
            timed=True,
        )
        return await roll_back(book, there, way, hands, load=load)


@asynccontextmanager
async def ward(tmp_path: Path, **described: Any) -> AsyncIterator[Ward]:
    """Open one."""
    settings = EndpointSettings(
        key=KEY,
        worker_command=TIMED,
        worker_env={"TIMED_EXEC_MS": "5", "GIT_COMMIT": "c" * 40},
        described=Described(image=NOW, images=IMAGES, quota_per_minute=6000, **described),
        scale_interval_s=0.05,
        stop_grace_s=1.0,
        directory=tmp_path / "endpoint",
    )
    async with (
        running(settings) as served,
        ManagementClient(served.management_api, KEY) as client,
        Jobs(served.job_api, "local", KEY) as jobs,
    ):
        yield Ward(served, client, jobs, tmp_path)


async def test_it_is_written_waited_for_smoked_measured_and_recorded(tmp_path: Path) -> None:
    """The worker that answers afterwards is the release's; the record holds every step, and the time to recover."""
    async with ward(tmp_path) as place:
        book = place.book()
        outcome = await place.roll(book, load=True)
        now = await place.client.endpoint("local")
    entry = read(book.folder / "rollback.json")
    assert entry == book.entry
    assert entry is not None
    assert now.image == THEN
    assert [(step.step, step.state) for step in entry.steps] == [
        (step, state) for step in ("write", "rollout", "smoke", "load") for state in ("begun", "done")
    ]
    assert (entry.recover_s, entry.recovered_at) == (42.0, BEGAN + 42.0)
    # Eight requests prove no percentile: recovered, and not proven under load.
    assert outcome is Outcome.INCONCLUSIVE
    assert len((book.folder / "requests.jsonl").read_bytes().splitlines()) == 8
    assert set(entry.evidence) == {"requests.jsonl"}


async def test_another_build_than_the_tags_is_not_recovered(tmp_path: Path) -> None:
    """The image answers as another commit: NOT RECOVERED, and no load is offered."""
    async with ward(tmp_path) as place:
        book = place.book()
        outcome = await place.roll(book, load=True, commit="e" * 40)
    assert outcome is Outcome.FAIL
    assert (book.entry.recover_s, "not eeeeeeeeeeee" in book.entry.reason) == (None, True)
    assert not (book.folder / "requests.jsonl").exists()


async def test_a_write_that_is_refused_changes_nothing_and_is_recorded(tmp_path: Path) -> None:
    """403 at the write: the record says that the write failed, and the endpoint runs what it ran."""
    async with ward(tmp_path) as place:
        place.served.management.mishaps.add(Mishap(kind="status", status=403, operation="PATCH /serverless/{id}"))
        book = place.book()
        with pytest.raises(ManagementError):
            await place.roll(book)
        now = await place.client.endpoint("local")
    assert (book.stands.startswith("write failed"), now.image) == (True, NOW)


async def test_an_image_that_does_not_start_is_said_within_the_bound(tmp_path: Path) -> None:
    """Workers that die while starting: an error after the bound, with the step in the record."""
    gone = "registry.example/worker@sha256:" + "99" * 32
    async with ward(tmp_path) as place:
        book = place.book()
        with pytest.raises(MeasurementError, match="not complete"):
            await place.roll(book, limit_s=1.0, image=gone, deployed=ran(image=gone, env={}, other_env=()))
    assert book.stands.startswith("rollout failed")


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize(
    "step",
    [
        "rollout begun",
        *(
            pytest.param(step, marks=pytest.mark.slow)
            for step in ("write begun", "write done", "rollout done", "smoke begun")
        ),
    ],
)
async def test_a_killed_rollback_is_gone_on_with(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed right after any note: the record says where; the same call completes it and writes at most once more."""
    take = Book.take

    def taken(self: Book, name: Any, state: Any, note: str = "", **changes: Any) -> None:
        take(self, name, state, note, **changes)
        if f"{name} {state}" == step:
            raise Killed

    async with ward(tmp_path) as place:
        monkeypatch.setattr(Book, "take", taken)
        with pytest.raises(Killed):
            await place.roll(place.book())
        monkeypatch.setattr(Book, "take", take)
        found = unfinished(tmp_path, VERSION, "local")
        assert found is not None
        folder, entry = found
        assert f"{entry.steps[-1].step} {entry.steps[-1].state}" == step
        book = Book(folder, entry, place.clock)
        outcome = await place.roll(book)
        writes = place.served.management.writes
    assert outcome is Outcome.PASS
    assert writes == ["PATCH local"]
    assert book.entry.recover_s == 42.0
    assert unfinished(tmp_path, VERSION, "local") is None


@pytest.mark.parametrize("ended", [Outcome.PASS, None], ids=["made", "cut off as well"])
def test_a_later_rollback_overtakes_one_that_was_cut_off(tmp_path: Path, ended: Outcome | None) -> None:
    """A rollback to v1 was killed, then one to v0.9 was begun: going on would undo that."""
    for number, (version, outcome) in enumerate([("v1", None), ("v0.9", ended)]):
        entry = Rollback(
            id=f"rollback-{number}",
            version=version,
            commit="",
            image="",
            endpoint_id="local",
            from_image="",
            began_at=BEGAN + number,
            outcome=outcome,
        )
        Book(tmp_path / "reports" / entry.id, entry, lambda: 0.0).write()
    assert unfinished(tmp_path, "v1", "local") is None
