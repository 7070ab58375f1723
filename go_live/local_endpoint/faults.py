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
| ``truncated`` | the body ends half-way through its Content-Length |
| ``kill_worker`` | the worker that takes next is killed ``seconds`` (0.3) after it; counts takes |
| ``throttled_start`` | a worker's start waits ``seconds`` (null: until cleared); counts starts |

``operations`` names the requests a client-side fault applies to (``run`` and ``runsync`` unless told otherwise).
"""

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
    KILL_WORKER = "kill_worker"
    THROTTLED_START = "throttled_start"


Operation = Literal["run", "runsync", "status", "status-sync", "stream", "cancel", "retry", "health", "purge-queue"]

SECONDS = {Scenario.SLOW: 5.0, Scenario.KILL_WORKER: 0.3}
"""Defaults of ``seconds``; elsewhere 0."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scenario, switched on."""

    scenario: Scenario
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """How often it applies; None: until cleared."""
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    operations: tuple[Operation, ...] = ("run", "runsync")

    @property
    def delay_s(self) -> float:
        """``seconds``, or the scenario's default."""
        return SECONDS.get(self.scenario, 0.0) if self.seconds is None else self.seconds


class Faults:
    """The faults that are on; switching a scenario on again replaces it."""

    def __init__(self) -> None:
        """All is well."""
        self._on: dict[Scenario, Fault] = {}
        self.applied: dict[Scenario, int] = {}
        """How often each scenario has applied since the endpoint started."""
        self.cleared = 0
        """How often faults were cleared: what waits for that sees it change."""

    def switch(self, fault: Fault) -> None:
        """Switch a scenario on."""
        self._on[fault.scenario] = fault

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
        self.applied[scenario] = self.applied.get(scenario, 0) + 1
        if fault.count is not None:
            if fault.count == 1:
                del self._on[scenario]
            else:
                self._on[scenario] = msgspec.structs.replace(fault, count=fault.count - 1)
        return fault
