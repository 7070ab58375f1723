"""Where did each request's time go? Client wait + network + queue + execution = total.

| part | is | by whose clock |
|---|---|---|
| client wait | sent - due | the client's |
| queue | ``delayTime`` | the platform's |
| execution | ``executionTime`` | the platform's |
| network | what is left of the total: the way there and back, and waiting for the poll that sees the end | both |

Both platform figures are durations, so that the clocks need not show the same time; they must only run alike. Where the
platform counts more time than the client saw pass, or leaves more than the network can have taken, the parts of that
request cannot be told, and too many such requests are an ERROR of the attribution. It is never one of a latency claim:
the total is the client's alone. What was not told is unknown, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge.percentiles import percentile
from go_live.judge.shares import cannot
from go_live.judge.validity import unusable
from go_live.outcome import Outcome, Verdict
from go_live.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from go_live.config import Attribution
    from go_live.records import Record
    from go_live.table import Bools, Floats

SLOWEST = 0.05
"""The slowest requests are this share of those that were attributed, and at least one."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """One figure, in ms, of each part of the time and of the whole."""

    client: float
    network: float
    queue: float
    execution: float
    total: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Some requests' parts. Means add up to their total; medians need not."""

    n: int
    mean: Parts
    median: Parts


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a run's requests went."""

    all: Summary | None
    """Every attributed request; None when there is none."""
    slowest: Summary | None
    """The slowest twentieth of them, by total time."""
    attributed: int
    unattributed: dict[str, int]
    """How many answered requests have no parts, by the reason why."""
    unanswered: int
    """Due requests without a right answer: they have no total to split."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Times:
    """What is known of each due request, in due order; seconds, except for ``_ms``. NaN: not told."""

    due: Floats
    sent: Floats
    done: Floats
    delay_ms: Floats
    execution_ms: Floats
    ok: Bools
    """Whether a right answer came."""


def split(times: Times, limits: Attribution) -> Split:
    """The parts of each answered request's time, summed up."""
    total, client = (times.done - times.due) * 1000, (times.sent - times.due) * 1000
    network = total - client - times.delay_ms - times.execution_ms
    # In the order in which they are asked; each request has the first reason that holds.
    reasons = {
        "the time when it was sent is missing": np.isnan(client),
        "delayTime is missing": np.isnan(times.delay_ms),
        "executionTime is missing": np.isnan(times.execution_ms),
        "the platform counts more time than the client saw pass": network < -limits.tolerance_ms,
        f"more than {limits.network_ms_max:g} ms belong to no part": network > limits.network_ms_max,
    }
    known = times.ok & np.isfinite(total)
    unattributed = {}
    for reason, holds in reasons.items():
        unattributed[reason] = int(np.count_nonzero(known & holds))
        known = known & ~holds
    parts = {
        "client": client[known],
        "network": network[known],
        "queue": times.delay_ms[known],
        "execution": times.execution_ms[known],
        "total": total[known],
    }
    n = int(np.count_nonzero(known))
    slow = np.argsort(parts["total"], kind="stable")[n - max(1, round(n * SLOWEST)) :]
    return Split(
        all=_summary(parts) if n else None,
        slowest=_summary({name: values[slow] for name, values in parts.items()}) if n else None,
        attributed=n,
        unattributed={reason: count for reason, count in unattributed.items() if count},
        unanswered=len(times.ok) - n - sum(unattributed.values()),
    )


def where_the_time_goes(
    limits: Attribution, records: Iterable[Record], *, scope: str, allow_timed: bool = False
) -> Verdict:
    """Nearly every answered request's time is attributed; ``allow_timed`` is only for the harness's own tests."""
    due = Table.of(records)
    fault = unusable(due, allow_timed=allow_timed)
    if fault:
        return cannot(f"{scope}: the parts of the total time are known", fault, scope=scope, n=len(due))
    return known_parts(split(times(due), limits), limits, scope=scope)


def times(due: Table) -> Times:
    """What is known of the requests of ``due``."""
    return Times(
        due=due.due,
        sent=due.sent,
        done=due.done,
        delay_ms=due.delay_ms,
        execution_ms=due.execution_ms,
        ok=due.ok,
    )


def known_parts(found: Split, limits: Attribution, *, scope: str) -> Verdict:
    """Nearly every answered request's time is attributed; else ERROR, which says nothing about the service."""
    share = limits.unattributed_max
    claim = f"{scope}: client wait, network, queue and execution add up to the total for all but {share * 100:g} %"
    lost = sum(found.unattributed.values())
    n = found.attributed + lost
    if not n:
        return cannot(claim, "no request was answered", scope=scope, limit=share, unit="share", n=0)
    why = "; ".join(f"of {count}, {reason}" for reason, count in found.unattributed.items())
    told = f"{found.attributed} of {n} answered requests are attributed" + (f" ({why})" if why else "")
    bad = lost / n > share
    if found.all is not None and not bad:
        parts = found.all.median
        told += (
            f": medians are client wait {parts.client:.1f} ms, network {parts.network:.1f} ms, "
            f"queue {parts.queue:.0f} ms, execution {parts.execution:.0f} ms"
        )
    return Verdict(
        claim=claim,
        outcome=Outcome.ERROR if bad else Outcome.PASS,
        reason=f"{told}: too many to say where the time went" if bad else told,
        scope=scope,
        measured=lost / n,
        limit=share,
        unit="share",
        n=n,
        misses=lost,
        points=_points(found),
    )


def _points(found: Split) -> dict[str, float]:
    """``median_queue_ms``, ``slowest_mean_queue_ms`` and so on."""
    told: dict[str, float] = {}
    if found.all is not None and found.slowest is not None:
        for name, parts in (
            ("median", found.all.median),
            ("mean", found.all.mean),
            ("slowest_mean", found.slowest.mean),
        ):
            told |= {f"{name}_{part}_ms": float(value) for part, value in msgspec.structs.asdict(parts).items()}
    return told


def _summary(parts: dict[str, Floats]) -> Summary:
    return Summary(
        n=len(parts["total"]),
        mean=Parts(**{name: float(values.mean()) for name, values in parts.items()}),
        median=Parts(**{name: percentile(values, 50) for name, values in parts.items()}),
    )
