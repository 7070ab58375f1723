"""Endpoints whose truth is known: what a measurement of them must find, declared as data. Pure.

A scenario is a pace of the timed engine (:mod:`rehearsal.pace`) or a fault of the endpoint: no mechanism of its own.
Everything is drawn from one seed, in the order of the requests. Its parts are simulated, and its answers name the timed
engine: no scenario's run is evidence about anything but the tool that measures it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec

from go_live.errors import UsageError
from go_live.local_endpoint.faults import Fault, Scenario
from rehearsal.pace import Pace

EXEC_MS = 2788.0
"""The recorded execution p50 (readiness summary, load test table)."""
HOUR_S = 3600.0
SPREAD = 0.1
"""Healthy answers take their time give or take a tenth."""


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of every request, exactly; a measurement adds what the way to the worker costs. Times are ms."""

    ok: float
    """Chance that a request gets a right answer."""
    answered: float
    """Chance that it gets an answer, right or wrong."""
    exec_ms_p50: float
    exec_ms_p95: float
    """Of what the worker executes, at the beginning."""
    total_ms_p50: float | None
    total_ms_p95: float | None
    """The least it can be over all due requests, at the beginning; no right answer counts as infinite, said as None."""
    exec_growth_per_hour: float
    """Share of the beginning's execution time by which it grows in an hour."""
    leak_mib_per_hour: float
    failure_run: float | None
    """Mean number of consecutive requests that fail; None: none fails."""
    cold_ms: float
    """What a request waits at least that finds no worker; counted in the totals."""


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scenario, scaled: with its ``exec_ms``, its hour and its seed."""

    name: str
    says: str
    pace: Pace
    faults: tuple[Fault, ...] = ()
    cold_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """How long a worker's start is held back."""
    idle_timeout_s: float | None = None
    """None: a worker is always on. Else there is none before the first request, nor after so long without one."""

    @property
    def truth(self) -> Truth:
        """What is true of it, computed from its parts."""
        answered = 1.0
        for fault in self.faults:
            answered *= 1 - fault.share if fault.scenario is not Scenario.THROTTLED_START else 1.0
        ok, pace = answered * (1 - self.pace.wrong_share), self.pace
        return Truth(
            ok=ok,
            answered=answered,
            exec_ms_p50=pace.exec_ms_at(0.50),
            exec_ms_p95=pace.exec_ms_at(0.95),
            total_ms_p50=self._total_ms_at(0.50, ok),
            total_ms_p95=self._total_ms_at(0.95, ok),
            exec_growth_per_hour=pace.growth_per_hour,
            leak_mib_per_hour=pace.leak_mib_per_hour,
            failure_run=self._failure_run(ok),
            cold_ms=self.cold_s * 1000,
        )

    def _total_ms_at(self, q: float, ok: float) -> float | None:
        """P(total <= t) = ok * P(exec <= t), since failing does not depend on the execution time."""
        return self.cold_s * 1000 + self.pace.exec_ms_at(q / ok) if q <= ok else None

    def _failure_run(self, ok: float) -> float | None:
        bursts = [fault.burst for fault in self.faults if fault.burst is not None]
        if bursts:
            return bursts[0]
        # Independent failures come in runs too: geometric ones of mean 1 / ok.
        return 1 / ok if ok < 1 else None

    @property
    def worker_env(self) -> dict[str, str]:
        """What the timed worker is told."""
        pace = self.pace
        told = {f"TIMED_{name.upper()}": f"{getattr(pace, name):.17g}" for name in pace.__dataclass_fields__}
        # The SDK counts a job twice until it starts, and pauses for a second when it is full: room for a burst of 100.
        return {**told, "ENABLE_STREAMING": "true", "MAX_CONCURRENCY": "256"}


@dataclass(frozen=True, slots=True)
class Scale:
    """How a scenario's times are scaled, and its seed."""

    exec_ms: float = EXEC_MS
    hour_s: float = HOUR_S
    seed: int = 1

    def pace(self, **options: float) -> Pace:
        """A pace at this scale."""
        return Pace(exec_ms=self.exec_ms, spread=SPREAD, hour_s=self.hour_s, seed=self.seed, **options)


Made = Callable[[Scale, str], Known]


def _paced(**options: float) -> Made:
    return lambda scale, name: Known(name=name, says=SAYS[name], pace=scale.pace(**options))


def _faulty(scenario: Scenario, share: float, burst: float | None = None) -> Made:
    def make(scale: Scale, name: str) -> Known:
        fault = Fault(scenario=scenario, share=share, burst=burst, seed=scale.seed)
        return Known(name=name, says=SAYS[name], pace=scale.pace(), faults=(fault,))

    return make


def _cold(scale: Scale, name: str) -> Known:
    cold_s = COLD_FACTOR * scale.exec_ms / 1000
    return Known(
        name=name,
        says=SAYS[name],
        pace=scale.pace(),
        faults=(Fault(scenario=Scenario.THROTTLED_START, seconds=cold_s),),
        cold_s=cold_s,
        idle_timeout_s=IDLE_FACTOR * scale.exec_ms / 1000,
    )


COLD_FACTOR, IDLE_FACTOR = 10.0, 2.0
"""A cold start in execution times; how long an idle worker stays, in execution times."""

SAYS = {
    "healthy": "every answer right, in 0.9 to 1.1 times the execution time",
    "bursts": "one request in ten fails, in runs of 8 on average",
    "drift": "the execution time grows by 60 % within an hour; every limit still holds at its end",
    "leak": "512 MiB of memory leak within an hour, and answers come to take 80 % longer",
    "cold-starts": "no worker stays: a request after a pause waits ten execution times for one to start",
    "200-with-error": "one answer in ten is HTTP 200, COMPLETED, with an error where the text should be",
    "truncated-streams": "one answer in ten ends half-way",
    "wrong-answers": "15 % of the answers are fluent, fast and wrong",
    "fast-failures": "30 % of the requests fail at once, before any worker has them",
    "slow-tail": "15 % of the answers take four times as long, so that p50 is fine and p95 is not",
}
MAKERS: dict[str, Made] = {
    "healthy": _paced(),
    "bursts": _faulty(Scenario.FAILED, 0.10, burst=8),
    "drift": _paced(growth_per_hour=0.6),
    "leak": _paced(growth_per_hour=0.8, leak_mib_per_hour=512),
    "cold-starts": _cold,
    "200-with-error": _faulty(Scenario.ERROR_IN_OUTPUT, 0.10),
    "truncated-streams": _faulty(Scenario.TRUNCATED, 0.10),
    "wrong-answers": _paced(wrong_share=0.15),
    "fast-failures": _faulty(Scenario.FAILED, 0.30),
    "slow-tail": _paced(slow_share=0.15, slow_factor=4.0),
}
NAMES = tuple(MAKERS)


def known(name: str, scale: Scale | None = None) -> Known:
    """The scenario of that name.

    Raises:
        UsageError: there is none, or its scale makes no sense.
    """
    if name not in MAKERS:
        raise UsageError(f"no scenario {name!r}; one of {', '.join(NAMES)}")
    scale = scale or Scale()
    if scale.exec_ms <= 0 or scale.hour_s <= 0 or scale.seed < 1:
        raise UsageError("a scenario needs an execution time and an hour above 0, and a seed of at least 1")
    return MAKERS[name](scale, name)
