"""The rollback: one write, the wait for it, and the same smoke and load checks on the result. Never automatic.

Every step is noted before it is taken. A rollback that was killed is gone on with by the same command: the write is
made again only where the endpoint is not yet as it should be.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from go_live.config import Config
from go_live.errors import GoliveError
from go_live.evidence.run_directory import digests
from go_live.jobs.client import Endpoint as Jobs
from go_live.judge.summary import conclude
from go_live.load.progress import Progress
from go_live.load.prompts import golden_load
from go_live.load.recorder import Recorder
from go_live.load.runner import LoadPlan, run_load
from go_live.load.verdicts import load_verdicts, required_levels
from go_live.management.client import ManagementClient
from go_live.management.models import EndpointUpdate, body
from go_live.outcome import Outcome, Verdict, worst
from go_live.records import Record
from go_live.rollback.changes import Way
from go_live.rollback.record import Book
from go_live.rollback.rollout import Pace, wait_for_rollout
from go_live.rollback.smoke import serves, shown, smoke
from go_live.rollback.target import Target
from go_live.tuning.effective import effective_cap
from worker.settings import PARSERS

RECORDS = "requests.jsonl"
SMOKE_TRIES = 3
"""How often the result is smoked before it counts as not recovered: the first job may still meet a dying worker."""
SMOKE_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What a rollback works with."""

    client: ManagementClient
    jobs: Jobs
    config: Config
    say: Callable[[str], None]
    pace: Pace = field(default_factory=Pace)
    now: Callable[[], float] = time.time
    timed: bool = False
    """Whether answers of the timed engine count: in the harness's own test profile."""


async def roll_back(book: Book, target: Target, way: Way, hands: Hands, *, load: bool) -> Outcome:
    """Go back to ``target``; the outcome, which the record holds with everything else.

    Args:
        book: the record, begun.
        target: what is gone back to.
        way: how, from the endpoint as it is now.
        hands: what to work with.
        load: whether the load checks are run on the result.

    Raises:
        GoliveError: it could not go on; the record says at which step, and the same command goes on from there.
    """
    await _write(book, way, hands)
    await _rollout(book, hands)
    answered = await _smoke(book, target, hands)
    verdicts = [answered]
    if answered.outcome is Outcome.PASS and load:
        verdicts += await _load(book, hands)
    outcome = worst(one.outcome for one in verdicts)
    reason = answered.reason if answered.outcome is not Outcome.PASS else conclude(verdicts)[1]
    book.write(outcome=outcome, reason=reason, verdicts=tuple(verdicts))
    return outcome


def calls(endpoint_id: str, base: str, way: Way) -> list[str]:
    """The calls that a rollback makes, as they would be sent, with every value hidden that may be a secret. Pure."""
    if way.update == EndpointUpdate():
        return ["nothing is written: the endpoint is set to this release already"]
    sent = body(way.update)
    if "env" in sent:
        sent["env"] = {name: value if name in PARSERS else "***" for name, value in sorted(sent["env"].items())}
    shown_body = msgspec.json.format(msgspec.json.encode(sent), indent=2).decode()
    place = f"{base}/serverless/{endpoint_id}"
    return [
        f"PATCH {place}",
        *(f"  {line}" for line in shown_body.splitlines()),
        f"GET {place}/releases, GET {place}/workers, until every worker runs the new release",
    ]


async def _write(book: Book, way: Way, hands: Hands) -> None:
    if way.update == EndpointUpdate():
        book.take("write", "done", "nothing to write: the endpoint is set to this release already")
        return
    book.take("write", "begun")
    try:
        await hands.client.update(book.entry.endpoint_id, way.update)
    except GoliveError as error:
        book.take("write", "failed", str(error))
        raise
    book.take("write", "done", f"by {way.how}")
    hands.say(f"written by {way.how}; waiting for the workers")


async def _rollout(book: Book, hands: Hands) -> None:
    async def wake() -> None:
        """A job that nobody waits for starts a worker."""
        await hands.jobs.run({"probe": {"nonce": "wake"}})

    book.take("rollout", "begun")
    try:
        seen = await wait_for_rollout(hands.client, book.entry.endpoint_id, say=hands.say, wake=wake, pace=hands.pace)
    except GoliveError as error:
        book.take("rollout", "failed", str(error))
        raise
    book.take("rollout", "done", seen)
    hands.say(seen)


async def _smoke(book: Book, target: Target, hands: Hands) -> Verdict:
    """Whether the result answers as the target's build; the time to recover ends here."""
    claim = f"the endpoint answers, and as {target.version}"
    book.take("smoke", "begun")
    problems: Sequence[str] = ("it was not asked",)
    asked = 0
    for left in reversed(range(SMOKE_TRIES)):
        found = await smoke(hands.jobs, max_tokens=hands.config.load.max_tokens, deadline_s=SMOKE_S, timed=hands.timed)
        problems = (*found.problems, *serves(found, commit=target.commit, digest=target.digest))
        asked = found.asked
        if not problems:
            break
        hands.say(f"smoke: {shown(problems, asked=asked)}")
        if left:
            await hands.pace.sleep(hands.pace.poll_s)
    if problems:
        reason = shown(problems, asked=asked)
        book.take("smoke", "failed", reason)
        return Verdict(claim=claim, outcome=Outcome.FAIL, reason=reason, n=asked, misses=min(len(problems), asked))
    at = hands.now()
    recover_s = book.entry.recover_s if book.entry.recover_s is not None else at - book.entry.began_at
    recovered_at = book.entry.recovered_at or at
    note = f"{asked} jobs answered rightly, recovered after {recover_s:.0f} s"
    book.take("smoke", "done", note, recovered_at=recovered_at, recover_s=recover_s)
    hands.say(note)
    return Verdict(claim=claim, outcome=Outcome.PASS, reason=f"{asked} jobs answered rightly", n=asked, misses=0)


async def _load(book: Book, hands: Hands) -> list[Verdict]:
    """The load levels up to the client cap, judged as a go-live judges them."""
    config, progress = hands.config, Progress()
    levels = [level for level in config.load.concurrency if level <= effective_cap(config)]
    book.take("load", "begun")
    path = book.folder / RECORDS
    path.unlink(missing_ok=True)  # of an attempt that was cut off
    try:
        with Recorder(path) as recorder:
            for level in levels:
                await _level(hands, recorder, progress, level)
    except GoliveError as error:
        book.take("load", "failed", str(error))
        raise
    finally:
        progress.finish()
    required, _ = required_levels(levels, effective_cap(config))
    verdicts, _ = load_verdicts(config, recorder.records.table(), required, [], allow_timed=hands.timed)
    outcome, reason = conclude(verdicts)
    book.take("load", "done", f"{outcome}: {reason}", evidence=dict(digests(book.folder, [RECORDS])))
    return verdicts


async def _level(hands: Hands, recorder: Recorder, progress: Progress, level: int) -> None:
    config = hands.config
    plan = LoadPlan(
        phase="load",
        concurrency=level,
        requests=config.load.requests_per_level,
        warmup=config.load.warmup_requests,
        prompts=golden_load(config.load.max_tokens),
        deadline_s=config.client.timeout_s,
    )

    def on_record(record: Record) -> None:
        recorder.add(record)
        progress.update(record)

    progress.start(f"load {plan.level}", total=plan.requests)
    await run_load(hands.jobs, plan, on_record=on_record)
    progress.finish()
