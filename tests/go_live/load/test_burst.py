"""A burst: bounded, over as soon as it has shown what it is for, and proven on real workers that scale up."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from go_live.config import Burst as Limits
from go_live.jobs import Endpoint
from go_live.jobs.answer import Answer
from go_live.jobs.transport import Reply, TransportError
from go_live.judge.burst import PHASE, Seen, brought_up
from go_live.load.burst import Burst, as_seen
from go_live.load.runner import LoadPlan, Prompt
from go_live.local_endpoint.launch import launched
from go_live.local_endpoint.settings import EndpointSettings
from go_live.outcome import Outcome
from go_live.records import ErrorClass, Record
from tests.go_live.load import virtual
from tests.go_live.load.virtual import Fake, clock

PROMPTS = (Prompt("a", {"prompt": "How do I become a data engineer?"}),)


class Growing(Fake):
    """An endpoint on virtual time whose /health tells of ``ups(seconds)`` workers; as many answer in turn."""

    def __init__(self, ups: Callable[[float], int | None]) -> None:
        """None: /health is a page."""
        super().__init__(lambda _: 2.0)
        self.ups, self.began = ups, 0.0

    def up(self) -> int | None:
        """Workers that are up now."""
        now = asyncio.get_running_loop().time()
        self.began = self.began or now
        return self.ups(now - self.began)

    async def get_raw(self, path: str) -> Reply:
        """The endpoint's /health."""
        assert path == "health"
        up = self.up()
        if up is None:
            return Reply(502, "text/html", b"<html>")
        if up < 0:
            raise TransportError(ErrorClass.CONNECTION, "gone")
        return Reply(200, "application/json", json.dumps({"workers": {"idle": 0, "running": up}}).encode())

    async def complete(self, job_input: object, *, deadline_s: float | None = None) -> Answer:
        """As the fake does, by one of the workers."""
        answer = await super().complete({"job": job_input}, deadline_s=deadline_s)
        return msgspec.structs.replace(answer, worker=f"w{self.calls % max(1, self.up() or 1)}")


def bursting(endpoint: Growing, *, within_s: float = 60, requests: int = 1000) -> tuple[Seen, list[Record]]:
    """A burst that wants three workers."""
    records: list[Record] = []
    seen: list[Seen] = []

    async def main() -> None:
        plan = LoadPlan(
            phase=PHASE, concurrency=12, requests=requests, duration_s=within_s, prompts=PROMPTS, deadline_s=45
        )
        seen.append(await Burst(plan, 3, clock()).run(endpoint, on_record=records.append, on_due=lambda _due: None))

    virtual.run(main())
    return seen[0], records


def test_it_ends_as_soon_as_the_workers_are_there() -> None:
    """Up after 20 s: nothing more is sent than what answers until then, and what was in flight."""
    seen, records = bursting(Growing(lambda s: 1 if s < 20 else 3))
    assert 20 <= seen.looks[-1].at_s < 27
    assert max(record.due for record in records) - records[0].due < 25
    assert {record.phase for record in records} == {"burst"}


def test_its_time_bounds_it() -> None:
    """Workers that never come: after the stated time nothing more becomes due."""
    seen, records = bursting(Growing(lambda _: 1), within_s=30)
    assert max(record.due for record in records) - min(record.due for record in records) < 30
    assert max(look.up or 0 for look in seen.looks) == 1


def test_its_number_bounds_it() -> None:
    """No more requests are sent than were planned."""
    assert len(bursting(Growing(lambda _: 1), requests=40)[1]) == 40


def test_a_health_that_fails_is_seen_as_what_it_is() -> None:
    """A page and a broken connection tell nothing, and do not end the burst."""
    pages, _ = bursting(Growing(lambda _: None), within_s=10)
    gone, _ = bursting(Growing(lambda _: -1), within_s=10)
    assert {look.up for look in (*pages.looks, *gone.looks)} == {None}


def test_what_was_seen_survives_the_log() -> None:
    """Written as the log writes it and read back, it is the same."""
    seen, _ = bursting(Growing(lambda s: 1 if s < 5 else 3))
    assert as_seen(json.loads(msgspec.json.encode(seen))) == seen


@pytest.mark.slow
def test_real_workers_come_up(tmp_path: Path) -> None:
    """The local endpoint, real worker processes under the SDK: one worker grows to three, and each of them answers."""
    settings = EndpointSettings(
        workers_min=1,
        workers_max=3,
        scaler_value=4,
        idle_timeout_s=60,
        worker_command=(sys.executable, "-m", "rehearsal.timed_worker"),
        worker_env={"TIMED_EXEC_MS": "200", "MAX_MODEL_LEN": "4096"},
        directory=tmp_path / "endpoint",
        engine="timed",
        stop_grace_s=2.0,
    )
    limits = Limits(in_flight=24, within_s=40, requests=2000)
    plan = LoadPlan(
        phase=PHASE, concurrency=24, requests=2000, duration_s=limits.within_s, prompts=PROMPTS, deadline_s=20
    )
    records: list[Record] = []

    async def main(job_api: str, endpoint_id: str, key: str) -> Seen:
        async with Endpoint(job_api, endpoint_id, key) as endpoint:
            return await Burst(plan, 3).run(endpoint, on_record=records.append, on_due=lambda _due: None)

    with launched(settings, ready_timeout_s=60) as local:
        seen = asyncio.run(main(local.job_api, local.endpoint_id, local.key))
    verdict = brought_up(seen, records, limits, workers_max=3, allow_timed=True)
    assert verdict.outcome is Outcome.PASS, verdict.reason
    assert verdict.reason.startswith("from 1 to 3 workers")
    assert 0 < (verdict.measured or 0) < limits.within_s
