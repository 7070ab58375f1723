"""Offer load, write one record for each due request.

Every request that became due is recorded exactly once, whatever comes of it. When the plan's end or ``stop`` is
reached, no further request becomes due and those in flight are waited for. When the run itself is cancelled, those in
flight are recorded as what they are: due, sent, without an end (``done`` None, class ``cancelled``); their jobs are
cancelled upstream by the client.
"""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from go_live import pacing
from go_live.errors import UsageError
from go_live.jobs.answer import Answer
from go_live.pacing import Limits
from go_live.records import ErrorClass, Record

STOPPED = "the run was stopped before the answer came"

Expectation = Callable[[Answer], ErrorClass | None] | str
"""A judge of an ok answer, or the digest (first 16 hex digits of the text's sha256) that it must have."""


class Completes(Protocol):
    """What the runner needs of an endpoint; ``go_live.jobs.Endpoint`` is one."""

    async def complete(self, job_input: Mapping[str, Any], *, deadline_s: float | None = None) -> Answer:
        """See one job to its end."""

    async def complete_streaming(self, job_input: Mapping[str, Any], *, deadline_s: float | None = None) -> Answer:
        """See one job to its end over ``/stream``."""


@dataclass(frozen=True)
class Prompt:
    """One input of a load."""

    id: str
    input: Mapping[str, Any]
    expect: Expectation | None = None
    """None: any text is right."""


@dataclass(frozen=True)
class Clock:
    """Time, as the runner sees it; ``now`` must be the clock of the endpoint's answers."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """One phase of load: a closed loop (``concurrency``) or an open one (``rate``), for so many requests or so long."""

    phase: str
    """``load``, ``soak`` or ``smoke``."""
    prompts: Sequence[Prompt]
    """Taken in turn."""
    deadline_s: float
    concurrency: int | None = None
    rate: float | None = None
    """Requests per second."""
    seed: int | None = None
    """Open loop: Poisson arrivals from this seed; None: a constant rate."""
    requests: int | None = None
    duration_s: float | None = None
    warmup: int = 0
    """Requests before the phase begins, recorded as phase ``warmup``."""
    streaming: bool = False
    """Over ``/run`` and ``/stream``, so that the first token's time is known."""

    def __post_init__(self) -> None:
        """Refuse a plan that could not be carried out.

        Raises:
            UsageError: what is wrong with it.
        """
        if (self.concurrency is None) == (self.rate is None):
            raise UsageError("a load is either a closed loop (concurrency) or an open one (rate)")
        if self.concurrency is not None and self.concurrency < 1:
            raise UsageError(f"concurrency is at least 1, not {self.concurrency}")
        if self.rate is not None:
            pacing.positive("a rate", self.rate)
        if not self.prompts:
            raise UsageError("a load needs at least one prompt")
        if self.warmup < 0:
            raise UsageError(f"the warm-up has 0 or more requests, not {self.warmup}")
        pacing.positive("a deadline", self.deadline_s)
        _ = self.limits

    @property
    def level(self) -> str:
        """``c=2`` or ``rate=5``."""
        return f"rate={self.rate:g}" if self.rate is not None else f"c={self.concurrency}"

    @property
    def most_in_flight(self) -> int:
        """How many requests can be in flight at once: the slots, or what an open loop offers within a deadline."""
        return self.concurrency or math.ceil((self.rate or 0) * self.deadline_s) + 1

    @property
    def limits(self) -> Limits:
        """Where the phase ends."""
        return Limits(requests=self.requests, duration_s=self.duration_s)


def never() -> bool:
    """Do not stop before the plan's end."""
    return False


async def run_load(
    endpoint: Completes,
    plan: LoadPlan,
    *,
    on_record: Callable[[Record], None],
    clock: Clock | None = None,
    stop: Callable[[], bool] = never,
) -> None:
    """Carry out ``plan``: the warm-up, then the phase.

    Args:
        endpoint: where jobs go.
        plan: what is offered.
        on_record: called once for each due request, as each ends; the order is that of the ends.
        clock: real time by default.
        stop: asked before each request; True: no further request becomes due.

    Raises:
        asyncio.CancelledError: the caller was cancelled; what was in flight has been recorded.
    """
    clock = clock or Clock()
    if plan.warmup:
        warm = _Phase(endpoint, plan, "warmup", on_record, clock, stop)
        await warm.run(Limits(requests=plan.warmup))
    await _Phase(endpoint, plan, plan.phase, on_record, clock, stop).run(plan.limits)


class _Phase:
    """One phase while it runs: its beginning on the clocks, and how many requests became due."""

    def __init__(
        self,
        endpoint: Completes,
        plan: LoadPlan,
        name: str,
        on_record: Callable[[Record], None],
        clock: Clock,
        stop: Callable[[], bool],
    ) -> None:
        self.complete = endpoint.complete_streaming if plan.streaming else endpoint.complete
        self.plan = plan
        self.name = name
        self.on_record = on_record
        self.clock = clock
        self.stop = stop
        self.begin, self.wall = clock.now(), clock.wall()
        self.hits = 0
        self.open: dict[int, Record] = {}
        """Requests that became due and are not recorded yet, by their number."""

    async def run(self, limits: Limits) -> None:
        """Offer the load and wait for all of it to end; nothing that became due stays unrecorded."""
        try:
            async with asyncio.TaskGroup() as group:
                if self.plan.rate is not None:
                    await self._open_loop(group, limits, self.plan.rate)
                elif self.plan.concurrency is not None:
                    for _ in range(self.plan.concurrency):
                        group.create_task(self._slot(limits))
        except ExceptionGroup as failures:
            # One error says it; the slots of a load fail alike.
            raise failures.exceptions[0] from None
        finally:
            for record in list(self.open.values()):
                self._record(msgspec.structs.replace(record, error=ErrorClass.CANCELLED, detail=STOPPED))

    async def _slot(self, limits: Limits) -> None:
        """One slot of a closed loop."""
        free = 0.0
        while limits.allow(free, self.hits):
            await self._pause_until(free)
            # The other slots may have sent the last request meanwhile.
            if self.stop() or not limits.allow(free, self.hits):
                return
            ended = await self._one(self._due(free))
            done = (ended.done if ended.done is not None else self.clock.now()) - self.begin
            free = pacing.slot_free(free, done, ok=ended.ok)

    async def _open_loop(self, group: asyncio.TaskGroup, limits: Limits, rate: float) -> None:
        """Requests on a schedule; a late one is sent at once."""
        if self.plan.seed is None:
            arrivals = pacing.constant(rate)
        else:
            draws = random.Random(self.plan.seed)  # noqa: S311 - a reproducible load, no secret
            arrivals = pacing.poisson(rate, draws.random)
        for due in pacing.schedule(arrivals, limits):
            await self._pause_until(due)
            if self.stop():
                return
            group.create_task(self._one(self._due(due)))

    async def _pause_until(self, due: float) -> None:
        pause = pacing.wait(due, self.clock.now() - self.begin)
        if pause > 0:
            await self.clock.sleep(pause)

    def _due(self, due: float) -> Record:
        """The record of the next request, as far as it is known when it becomes due."""
        record = Record(
            seq=self.hits,
            phase=self.name,
            level=self.plan.level,
            due=self.begin + due,
            wall=self.wall + due,
            prompt=self._prompt(self.hits).id,
        )
        self.open[record.seq] = record
        self.hits += 1
        return record

    async def _one(self, due: Record) -> Record:
        """Send one request, judge its answer, record it."""
        prompt = self._prompt(due.seq)
        self.open[due.seq] = msgspec.structs.replace(due, sent=self.clock.now())
        answer = await self.complete(prompt.input, deadline_s=self.plan.deadline_s)
        record = recorded(due, judged(answer, prompt.expect))
        self._record(record)
        return record

    def _record(self, record: Record) -> None:
        del self.open[record.seq]
        self.on_record(record)

    def _prompt(self, seq: int) -> Prompt:
        return self.plan.prompts[seq % len(self.plan.prompts)]


def judged(answer: Answer, expect: Expectation | None) -> Answer:
    """``answer`` with its correctness: a wrong one gets class ``wrong``, or the class that ``expect`` names.

    An answer that is already an error stays what it is. A blocked intent is right only where ``expect`` is a judge that
    accepts it.
    """
    if answer.error is not None:
        return answer
    if callable(expect):
        error = expect(answer)
        detail = "the answer is not the right one"
    elif answer.text is None:
        error, detail = ErrorClass.WRONG, "no text: the worker blocked the prompt's intent"
    else:
        error = ErrorClass.WRONG if expect is not None and answer.digest != expect else None
        detail = f"the answer's digest is {answer.digest}, expected {expect}"
    return answer if error is None else msgspec.structs.replace(answer, error=error, detail=detail)


def recorded(due: Record, answer: Answer) -> Record:
    """The record of a request from what was known when it was due and what came of it."""
    return msgspec.structs.replace(
        due,
        sent=answer.sent,
        first_token=answer.first_token,
        done=answer.done,
        http_status=answer.http_status,
        job_status=answer.job_status,
        error=answer.error,
        detail=answer.detail,
        job=answer.job,
        delay_ms=answer.delay_ms,
        execution_ms=answer.execution_ms,
        worker=answer.worker,
        output_tokens=answer.output_tokens,
        answer=answer.digest,
        engine=answer.engine,
    )
