"""Was the load that was planned really offered, on clocks that can be trusted? What fails here is ERROR.

A load client that falls behind measures a lighter load than the one that was asked for, and every figure looks better
than it is. An open loop has to send at its rate. A closed loop has to keep its slots busy: by Little's law (L = lambda
W; Little 1961) the mean number in flight is the arrival rate times the mean time in flight.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from go_live.judge.pace import MAX_GAP_S
from go_live.judge.shares import NO_REQUESTS, cannot
from go_live.outcome import Outcome, Verdict
from go_live.pacing import FAILURE_PAUSE_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.config import Client
    from go_live.table import Bools, Codes, Floats, Table

CLOCK_JUMP_S = 0.25
"""Between two requests the wall clock may gain or lose so much on the monotonic one; more is a step, not a slew."""

CLOCK_DRIFT = 0.001
"""Part by which the wall clock may run faster or slower: twice the largest slew of NTP (500 ppm)."""

PLANNED = re.compile(r"c=(?P<slots>[1-9]\d*)|rate=(?P<rate>\d+(?:\.\d+)?(?:e[+-]\d+)?)")
"""What a level's name says of its load: ``c=2``, ``rate=5``."""

ARRIVALS = 4
"""Standard errors by which random arrivals may miss their rate."""


def as_planned(client: Client, requests: Table) -> list[Verdict]:
    """For each phase and level of ``requests``: was its load offered, and did the clocks agree?"""
    return [
        verdict
        for phase, level in requests.groups()
        for verdict in _group(client, requests.where(phase=phase, level=level), phase, level)
    ]


def _group(client: Client, due: Table, phase: str, level: str) -> tuple[Verdict, Verdict]:
    """One phase at one level; its name tells how the load was meant (:class:`go_live.load.runner.LoadPlan`)."""
    scope = level if phase == "load" else phase
    clock = sane_clock(due.due, due.wall, scope=scope, resumed=other_clocks(due.due, due.seq))
    planned = PLANNED.fullmatch(level)
    if planned is None:
        load = cannot(f"{scope}: the planned load was offered", f"{level!r} tells no load", scope=scope, n=len(due))
    elif planned["rate"]:
        late_s = client.lag_ms_p99_max / 1000
        load = open_loop(
            due.due,
            due.sent,
            rate=float(planned["rate"]),
            late_s=late_s,
            share_min=client.offered_min,
            scope=scope,
            poisson=True,
        )
    else:
        resumed = pauses(due)
        load = closed_loop(
            due.due,
            due.done,
            due.ok,
            concurrency=int(planned["slots"]),
            share_min=client.offered_min,
            scope=scope,
            resumed=resumed,
        )
    return load, clock


def pauses(due: Table) -> list[int]:
    """Index of each request with which the load began again, after every earlier one had long ended."""
    # In place: of a million requests, each array more is 8 MB more.
    ends, wall = due.done, due.wall
    ends -= due.due
    np.nan_to_num(ends, copy=False)
    ends += wall
    np.maximum.accumulate(ends, out=ends)
    found: list[int] = (np.flatnonzero(wall[1:] - ends[:-1] > MAX_GAP_S) + 1).tolist()
    return found


def other_clocks(due: Floats, seq: Codes) -> list[int]:
    """Index of each request before which the monotonic clock began anew, as it does when the machine restarts.

    Requests are in order of the wall clock. One that was set back brings its later requests to the front; their
    numbers, which only ever rise, give that away.
    """
    back = np.flatnonzero(np.diff(due) < -CLOCK_JUMP_S) + 1
    before = np.maximum.accumulate(seq)[back - 1]
    after = np.maximum.accumulate(seq[::-1])[::-1][back]
    found: list[int] = back[before < after].tolist()
    return found


def open_loop(
    due: Floats, sent: Floats, *, rate: float, late_s: float, share_min: float, scope: str, poisson: bool = False
) -> Verdict:
    """Requests became due at ``rate`` per second, and at least ``share_min`` of them were sent in time.

    Args:
        due: Seconds, in order, on one clock.
        sent: Seconds; NaN where a request was never sent.
        rate: Planned requests per second.
        late_s: Sent later than so many seconds after it was due, a request was not offered in time.
        share_min: Least share of the planned rate that must have been offered.
        scope: Part of the run.
        poisson: Arrivals were drawn at random, and miss their rate by chance.
    """
    claim = f"{scope}: at least {share_min * 100:g} % of {rate:g} requests/s were offered"
    n = len(due)
    if n < 2:  # noqa: PLR2004 - a rate needs an interval
        reason = "a rate needs at least two requests" if n else NO_REQUESTS
        return cannot(claim, reason, scope=scope, limit=share_min * rate, unit="requests/s", n=n)
    in_time = int(np.count_nonzero(sent - due <= late_s))
    span = float(due[-1] - due[0])
    offered = (n - 1) / span * in_time / n if span > 0 else 0.0
    allowed = ARRIVALS / (n - 1) ** 0.5 if poisson else 0.0
    return _verdict(
        claim,
        holds=offered >= (share_min - allowed) * rate,
        reason=f"{offered:.3g} requests/s were offered: {in_time} of {n} were sent within {late_s * 1000:g} ms",
        scope=scope,
        measured=offered,
        limit=share_min * rate,
        unit="requests/s",
        n=n,
    )


def closed_loop(
    due: Floats,
    done: Floats,
    ok: Bools,
    *,
    concurrency: int,
    share_min: float,
    scope: str,
    resumed: Sequence[int] = (),
) -> Verdict:
    """``concurrency`` requests were in flight, on average, while requests became due.

    The pause after a failed request is no idleness: a slot holds it by plan (:func:`go_live.pacing.slot_free`). The
    time after the last request became due does not count, because slots then run dry by plan too.

    Args:
        due: Seconds, in order.
        done: Seconds; NaN where a request never ended.
        ok: Whether a right answer came.
        concurrency: Planned number of slots.
        share_min: Least share of it, and 1 / ``share_min`` the largest.
        scope: Part of the run.
        resumed: Index, above 0 and rising, of each request with which a killed run began again, on another clock.
    """
    claim = f"{scope}: {concurrency} requests were kept in flight"
    n = len(due)
    if n <= concurrency:
        reason = f"{n} requests do not keep {concurrency} in flight for any time" if n else NO_REQUESTS
        return cannot(claim, reason, scope=scope, limit=float(concurrency), unit="requests", n=n)
    busy = span = 0.0
    held = done.copy()
    held[~ok] = np.maximum(done[~ok], due[~ok] + FAILURE_PAUSE_S)
    held[np.isnan(held)] = np.inf
    for first, last in pairwise([0, *resumed, n]):
        part, end = held[first:last], due[last - 1]
        np.minimum(part, end, out=part)
        part -= due[first:last]
        busy += float(part.sum())
        span += float(end - due[first])
    if span <= 0:
        return cannot(
            claim, "all requests were due at once", scope=scope, limit=float(concurrency), unit="requests", n=n
        )
    kept = busy / span
    return _verdict(
        claim,
        holds=share_min * concurrency <= kept <= concurrency / share_min,
        reason=f"{kept:.3g} of {concurrency} were in flight on average (Little's law over {span:.0f} s, {n} requests)",
        scope=scope,
        measured=kept,
        limit=float(concurrency),
        unit="requests",
        n=n,
    )


def sane_clock(due: Floats, wall: Floats, *, scope: str, resumed: Sequence[int] = ()) -> Verdict:
    """The wall clock went along with the monotonic one: no step, no run away, never backwards.

    Args:
        due: Seconds on the monotonic clock, in due order.
        wall: Unix time of the same moments, each read for itself.
        scope: Part of the run.
        resumed: Index, above 0 and rising, of each request with which a killed run began again, on another clock.
    """
    claim = f"{scope}: the clocks agree"
    n = len(due)
    if not n:
        return cannot(claim, NO_REQUESTS, scope=scope, limit=CLOCK_JUMP_S, unit="s", n=0)
    if not (np.isfinite(due).all() and np.isfinite(wall).all()):
        return cannot(claim, "a request has no time of day or no due time", scope=scope, n=n)
    within = np.ones(n - 1, dtype=np.bool_)
    within[[index - 1 for index in resumed]] = False
    passed, gained = np.diff(due)[within], np.diff(wall)[within]
    # Requests that are due at nearly one time may stand in either order.
    if (passed < -CLOCK_JUMP_S).any():
        return cannot(claim, "the monotonic clock went backwards", scope=scope, limit=CLOCK_JUMP_S, unit="s", n=n)
    gained -= passed
    drifted, span = float(abs(gained.sum())), float(passed.sum())
    np.abs(gained, out=gained)
    worst = float(gained.max(initial=0.0))
    allowed = np.abs(passed, out=passed)
    allowed *= CLOCK_DRIFT
    allowed += CLOCK_JUMP_S
    holds = bool((gained <= allowed).all() and drifted <= CLOCK_JUMP_S + CLOCK_DRIFT * span)
    reason = (
        f"the wall clock gained or lost up to {worst:.3f} s between requests, {drifted:.3f} s in all ({n} requests)"
    )
    return _verdict(claim, holds=holds, reason=reason, scope=scope, measured=worst, limit=CLOCK_JUMP_S, unit="s", n=n)


def _verdict(
    claim: str, *, holds: bool, reason: str, scope: str, measured: float, limit: float, unit: str, n: int
) -> Verdict:
    """PASS, or ERROR: another load than the planned one was measured."""
    return Verdict(
        claim=claim,
        outcome=Outcome.PASS if holds else Outcome.ERROR,
        reason=reason,
        scope=scope,
        measured=measured,
        limit=limit,
        unit=unit,
        n=n,
    )
