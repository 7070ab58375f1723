"""Many callers at once through the gateway, while the endpoint itself is asked how much is in flight."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from checks.target import Target
from go_live.gate import Gate
from go_live.gateway import keys
from go_live.gateway.serving import GatewaySettings, running, settings_from
from go_live.gateway.telemetry import Served
from go_live.jobs import Answer, Endpoint
from go_live.load.runner import Prompt
from go_live.records import Record
from go_live.table import Table

CALLERS = 50
LEVEL = f"{CALLERS} callers"
LOCAL_REQUESTS = 60
"""One more than shows a p95 when none is late: the local endpoint's part is to show that the check works."""
LOOK_S = 0.02
SETTLE_LOOKS = 250
"""How often the endpoint is asked whether earlier checks' jobs have ended."""


class Through(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    records: Table
    """Of the requests that were admitted, each due when it was sent upstream."""
    before: int
    """Jobs in flight at the endpoint before the first request."""
    most: int
    """Most jobs in flight at the endpoint, queued or in progress, in any of the looks."""
    looks: int
    turned_away: int


class Looking:
    """Asks the endpoint how many jobs it has."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Ask ``endpoint``, not the gateway."""
        self._endpoint = endpoint
        self.most = self.looks = 0

    async def now(self) -> int:
        """Jobs queued or in progress."""
        jobs = (await self._endpoint.health()).jobs
        return jobs.in_queue + jobs.in_progress

    async def settled(self) -> int:
        """Jobs that are there before the first request; waits a while for those of earlier checks."""
        for _ in range(SETTLE_LOOKS):
            if not await self.now():
                return 0
            await asyncio.sleep(LOOK_S)
        return await self.now()

    async def keep(self) -> None:
        """Look until cancelled."""
        while True:
            self.most = max(self.most, await self.now())
            self.looks += 1
            await asyncio.sleep(LOOK_S)


async def through_gateway(target: Target, gate: Gate, prompts: Sequence[Prompt]) -> Through:
    """Let ``CALLERS`` callers, each with a key of its own, ask ``prompts`` in turn until all requests are made."""
    local = gate.plan.target.kind == "local"
    requests = iter(range(LOCAL_REQUESTS if local else gate.config.load.requests_per_level))
    looking, kept, answers = Looking(target.endpoint), list[Served](), list[Answer]()
    with tempfile.TemporaryDirectory() as folder:
        callers = Path(folder) / "callers.json"
        own = [keys.new_key(f"caller {number}", "") for number in range(CALLERS)]
        keys.write(callers, tuple(entry for _, entry in own))
        settings = settings_from(
            gate.config,
            job_api=target.job_api,
            endpoints=(target.endpoint_id,),
            key=target.key,
            callers=callers,
        )
        before = await looking.settled()
        async with running(settings, kept.append) as gateway:
            watch = asyncio.create_task(looking.keep())
            try:
                calls = (_caller(gateway.job_api, settings, key, requests, prompts) for key, _ in own)
                for told in await asyncio.gather(*calls):
                    answers.extend(told)
            finally:
                watch.cancel()
                await asyncio.wait({watch})
    if not watch.cancelled() and (error := watch.exception()) is not None:
        raise error
    engines = {answer.job: answer.engine for answer in answers}
    admitted = [served for served in kept if served.wait_ms is not None]
    return Through(
        records=Table.of(_record(seq, served, engines.get(served.job)) for seq, served in enumerate(admitted)),
        before=before,
        most=looking.most,
        looks=looking.looks,
        turned_away=len(kept) - len(admitted),
    )


async def _caller(
    job_api: str, settings: GatewaySettings, key: str, requests: Iterator[int], prompts: Sequence[Prompt]
) -> list[Answer]:
    """One caller: request after request, for as long as there are any."""
    answers = []
    async with Endpoint(job_api, settings.endpoints[0], key, timeout_s=settings.timeout_s) as endpoint:
        for number in requests:
            job_input = prompts[number % len(prompts)].input
            reply = await endpoint.runsync(job_input, wait_ms=round(settings.timeout_s * 1000))
            answers.append(endpoint.judge(reply))
    return answers


def _record(seq: int, served: Served, engine: str | None) -> Record:
    """An admitted request as the judge wants it: its time begins when it was sent upstream."""
    sent = served.wall + (served.wait_ms or 0.0) / 1000
    return Record(
        seq=seq,
        phase="load",
        level=LEVEL,
        due=sent,
        sent=sent,
        done=served.wall + served.total_ms / 1000,
        wall=served.wall,
        http_status=served.http_status,
        job_status=served.job_status,
        error=served.error,
        job=served.job,
        delay_ms=served.delay_ms,
        execution_ms=served.exec_ms,
        worker=served.worker,
        output_tokens=served.tokens,
        engine=engine,
    )
