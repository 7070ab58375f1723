"""Do a request's lines arrive? Looked for at the destination by the job's id, until a stated time is up."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from go_live.errors import MeasurementError
from go_live.judge.shares import cannot
from go_live.management.client import World
from go_live.outcome import Outcome, Verdict
from go_live.shipping.destination import LinesRefusedError, PassingError

LOOK_S = 1.0
"""How often the destination is asked."""
SKEW_S = 300.0
"""How far the clocks of worker and destination may be apart."""
WANTED = ("start", "end")

Find = Callable[[str, float, float], Awaitable[Sequence[str]]]
"""Job id, from and until (Unix time) -> lines."""


class Arrival(NamedTuple):
    """What was found of one job."""

    found: frozenset[str]
    """Which of its lines."""
    took_s: float
    """From the answer to the look that found them all, or to the last look."""
    answered: int
    """Looks that the destination answered."""
    trouble: str | None
    """Why the last look that was not answered was not."""


async def looked_for(find: Find, job: str, *, within_s: float, world: World | None = None) -> Arrival:
    """Look for the lines of ``job``, which was answered just now."""
    world = world or World()
    began, since = world.clock(), world.wall() - SKEW_S
    found, answered, trouble = frozenset[str](), 0, None
    while True:
        took = world.clock() - began
        try:
            lines = await find(job, since, world.wall() + SKEW_S)
        except (PassingError, LinesRefusedError) as error:
            trouble = str(error)
        except MeasurementError as error:
            return Arrival(found, took, answered, str(error))
        else:
            answered += 1
            found |= events_of(lines, job)
        took = world.clock() - began
        if found.issuperset(WANTED) or took >= within_s:
            return Arrival(found, took, answered, trouble)
        await world.sleep(min(LOOK_S, within_s - took))


def events_of(lines: Iterable[str], job: str) -> frozenset[str]:
    """Which of the wanted events of ``job`` stand in ``lines``."""
    return frozenset(str(told["event"]) for line in lines if (told := _event(line)).get("request_id") == job) & set(
        WANTED
    )


def judged(arrival: Arrival, *, job: str, destination: str, within_s: float) -> Verdict:
    """Whether both lines were there in time."""
    claim = f"a request's start and end lines are found at {destination} within {within_s:g} s"
    missing = [event for event in WANTED if event not in arrival.found]
    if missing and not arrival.answered:
        return cannot(claim, f"the destination did not answer: {arrival.trouble}", limit=within_s, unit="s", n=0)
    late = not missing and arrival.took_s > within_s
    if missing:
        lines = " and ".join(missing)
        reason = (
            f"no {lines} line of job {job} after {arrival.took_s:.0f} s and {arrival.answered} looks: is "
            "golive monitor ship-logs, or the agent, running?"
        )
    elif late:
        reason = f"both lines of job {job} were found, but only after {arrival.took_s:.1f} s"
    else:
        reason = f"both lines of job {job} were found after {arrival.took_s:.1f} s"
    return Verdict(
        claim=claim,
        outcome=Outcome.FAIL if missing or late else Outcome.PASS,
        reason=reason,
        measured=None if missing else arrival.took_s,
        limit=within_s,
        unit="s",
        n=1,
        misses=int(bool(missing) or late),
    )


def _event(line: str) -> dict[str, Any]:
    try:
        told: Any = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {}
    return told if isinstance(told, dict) and "event" in told else {}
