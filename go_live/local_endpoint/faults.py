"""Faults that can be switched on while the endpoint runs. Pure: what is on, and how often it still applies.

| scenario | what a client sees, for the next ``count`` requests (null: until cleared) |
|---|---|
| ``slow`` | the request waits ``seconds`` (5) before it is queued |
| ``error`` | HTTP 500 with a JSON body; nothing is queued |
| ``failed`` | HTTP 200; the job's status is FAILED, and no worker ever had it |
| ``runsync_in_queue`` | /runsync answers IN_QUEUE after ``seconds`` (0); the job runs afterwards |
| ``html_524`` | HTTP 524 with a proxy's HTML page, after ``seconds`` (0); the job was queued all the same |
| ``rate_limited`` | HTTP 429; nothing is queued |
| ``dropped`` | the connection closes without an answer; the job was queued all the same |
| ``truncated`` | the body ends half-way through its Content-Length; a stream of events, half-way through the first |
| ``error_in_output`` | HTTP 200, COMPLETED, and where the worker's answer should be there is an error |
| ``kill_worker`` | the worker that takes next is killed ``seconds`` (0.3) after it; counts takes |
| ``throttled_start`` | a worker's start waits ``seconds`` (null: until cleared); counts starts |

``operations`` names the requests a client-side fault applies to (all that submit a job unless told otherwise). A fault
with a ``share`` applies to that share of them, drawn in order from ``seed``: each for itself, or, with ``burst``, in
runs of that mean length.
"""

import random
from enum import StrEnum
from typing import Annotated, Literal

import msgspec


class Scenario(StrEnum):
    """What goes wrong."""

    SLOW = "slow"
    ERROR = "error"
    FAILED = "failed"
    RUNSYNC_IN_QUEUE = "runsync_in_queue"
    HTML_524 = "html_524"
    RATE_LIMITED = "rate_limited"
    DROPPED = "dropped"
    TRUNCATED = "truncated"
    ERROR_IN_OUTPUT = "error_in_output"
    KILL_WORKER = "kill_worker"
    THROTTLED_START = "throttled_start"


Operation = Literal[
    "run", "runsync", "openai", "status", "status-sync", "stream", "cancel", "retry", "health", "purge-queue"
]

SECONDS = {Scenario.SLOW: 5.0, Scenario.KILL_WORKER: 0.3}
"""Defaults of ``seconds``; elsewhere 0."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scenario, switched on."""

    scenario: Scenario
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """How often it applies; None: until cleared."""
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    operations: tuple[Operation, ...] = ("run", "runsync", "openai")
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """Long-run share of the requests it applies to."""
    burst: Annotated[float, msgspec.Meta(ge=1)] | None = None
    """Mean number of consecutive requests it applies to; None: each request is drawn for itself."""
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse bursts that no chain of requests can make.

        Raises:
            ValueError: the pauses between the bursts would have to be shorter than one request.
        """
        if self.burst is not None and self.share > self.burst / (self.burst + 1):
            raise ValueError(f"bursts of {self.burst:g} cannot cover a share of {self.share:g}: too short, or too many")

    @property
    def delay_s(self) -> float:
        """``seconds``, or the scenario's default."""
        return SECONDS.get(self.scenario, 0.0) if self.seconds is None else self.seconds


class Draws:
    """Which requests of a sequence a fault applies to: deterministic by its seed, one number a request.

    A two-state chain (Gilbert 1960): a burst ends with probability 1 / ``burst``, and one begins with the probability
    that makes the long-run share ``share``. It begins in its long-run state, so that the share holds for each request.
    """

    def __init__(self, fault: Fault) -> None:
        """Draw for ``fault``."""
        share, burst = fault.share, fault.burst
        self._stream = random.Random(fault.seed)  # noqa: S311 - a reproducible fault, no secret
        self._stays = share if burst is None else 1 - 1 / burst
        self._begins = share if burst is None or share == 1 else share / ((1 - share) * burst)
        self._on: bool | None = None
        self._share = share

    def next(self) -> bool:
        """Whether it applies to the next request."""
        chance = self._share if self._on is None else self._stays if self._on else self._begins
        self._on = self._stream.random() < chance
        return self._on


class Faults:
    """The faults that are on; switching a scenario on again replaces it."""

    def __init__(self) -> None:
        """All is well."""
        self._on: dict[Scenario, Fault] = {}
        self._draws: dict[Scenario, Draws] = {}
        self.applied: dict[Scenario, int] = {}
        """How often each scenario has applied since the endpoint started."""
        self.cleared = 0
        """How often faults were cleared: what waits for that sees it change."""

    def switch(self, fault: Fault) -> None:
        """Switch a scenario on."""
        self._on[fault.scenario] = fault
        self._draws[fault.scenario] = Draws(fault)

    def clear(self, scenario: Scenario | None = None) -> None:
        """Switch one scenario off, or all."""
        self.cleared += 1
        if scenario is None:
            self._on.clear()
        else:
            self._on.pop(scenario, None)

    def active(self) -> tuple[Fault, ...]:
        """What is on, with the counts that remain."""
        return tuple(self._on.values())

    def is_on(self, scenario: Scenario) -> bool:
        """Whether a scenario is on; uses nothing up."""
        return scenario in self._on

    def use(self, scenario: Scenario, operation: str | None = None) -> Fault | None:
        """The fault if it applies now (to ``operation``, if given); one of its count is used up."""
        fault = self._on.get(scenario)
        if fault is None or (operation is not None and operation not in fault.operations):
            return None
        if not self._draws[scenario].next():
            return None
        self.applied[scenario] = self.applied.get(scenario, 0) + 1
        if fault.count is not None:
            if fault.count == 1:
                del self._on[scenario]
            else:
                self._on[scenario] = msgspec.structs.replace(fault, count=fault.count - 1)
        return fault
