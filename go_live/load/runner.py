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
from collections import deque
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


@dataclass(frozen=True, kw_only=True)
class Before:
    """What an earlier part of the same phase has done, when a killed run goes on."""

    hits: int = 0
    """Requests that became due."""
    served_s: float = 0.0
    """Seconds under load."""
    again: tuple[int, ...] = ()
    """Numbers of requests among them that are to be asked again."""


NOTHING = Before()


def never() -> bool:
    """Do not stop before the plan's end."""
    return False


async def run_load(
    endpoint: Completes,
    plan: LoadPlan,
    *,
    on_record: Callable[[Record], None],
    on_due: Callable[[Record], None] | None = None,
    clock: Clock | None = None,
    stop: Callable[[], bool] = never,
    before: Before = NOTHING,
) -> None:
    """Carry out ``plan``: the warm-up, then the phase.

    Args:
        endpoint: where jobs go.
        plan: what is offered.
        on_record: called once for each due request, as each ends; the order is that of the ends.
        on_due: called before each request is sent. Whoever is told of a request before it is sent can go on after a
            kill, so what is in flight when the run is cancelled is then left open and not recorded as cancelled.
        clock: real time by default.
        stop: asked before each request; True: no further request becomes due; those that became due in an earlier part
            are asked again all the same.
        before: what an earlier part of the phase has done (closed loops only).

    Raises:
        asyncio.CancelledError: the caller was cancelled; what was in flight has been recorded, or left open.
    """
    clock = clock or Clock()
    told = (on_record, on_due)
    if plan.warmup:
        warm = _Phase(endpoint, plan, "warmup", told, clock, stop)
        await warm.run(Limits(requests=plan.warmup))
    await _Phase(endpoint, plan, plan.phase, told, clock, stop, before).run(plan.limits)


class _Phase:
    """One phase while it runs: its beginning on the clocks, and how many requests became due."""

    def __init__(
        self,
        endpoint: Completes,
        plan: LoadPlan,
        name: str,
        told: tuple[Callable[[Record], None], Callable[[Record], None] | None],
        clock: Clock,
        stop: Callable[[], bool],
        before: Before = NOTHING,
    ) -> None:
        self.complete = endpoint.complete_streaming if plan.streaming else endpoint.complete
        self.plan = plan
        self.name = name
        self.on_record, self.on_due = told
        self.clock = clock
        self.stop = stop
        # As if the phase had begun so long ago as it was served: what is left of it is what was planned.
        self.begin = clock.now() - before.served_s
        self.hits = before.hits
        self.again = deque(before.again)
        self.free = before.served_s
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
            for record in list(self.open.values()) if self.on_due is None else []:
                self._record(msgspec.structs.replace(record, error=ErrorClass.CANCELLED, detail=STOPPED))

    async def _slot(self, limits: Limits) -> None:
        """One slot of a closed loop."""
        free = self.free
        while self._more(limits, free):
            await self._pause_until(free)
            # The other slots may have sent the last request meanwhile. What became due before a kill is no new request.
            if (self.stop() and not self.again) or not self._more(limits, free):
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

    def _more(self, limits: Limits, due: float) -> bool:
        """Whether one more request is due at ``due``."""
        return bool(self.again) or limits.allow(due, self.hits)

    async def _pause_until(self, due: float) -> None:
        pause = pacing.wait(due, self.clock.now() - self.begin)
        if pause > 0:
            await self.clock.sleep(pause)

    def _due(self, due: float) -> Record:
        """The record of the next request, as far as it is known when it becomes due."""
        seq = self.again.popleft() if self.again else self.hits
        self.hits += seq == self.hits
        record = Record(
            seq=seq,
            phase=self.name,
            level=self.plan.level,
            due=self.begin + due,
            wall=self._wall(self.begin + due),
            prompt=self._prompt(seq).id,
        )
        self.open[seq] = record
        if self.on_due is not None:
            self.on_due(record)
        return record

    def _wall(self, at: float) -> float:
        """Unix time of ``at``, told by the wall clock itself, so that one that was set meanwhile is found out."""
        before, wall, after = self.clock.now(), self.clock.wall(), self.clock.now()
        return wall + at - (before + after) / 2

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
