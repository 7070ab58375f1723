"""Was the load that was planned really offered, on clocks that can be trusted? What fails here is ERROR.

A load client that falls behind measures a lighter load than the one that was asked for, and every figure looks better
than it is. An open loop has to send at its rate. A closed loop has to keep its slots busy: by Little's law (L = lambda
W; Little 1961) the mean number in flight is the arrival rate times the mean time in flight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from go_live.judge.shares import NO_REQUESTS, cannot
from go_live.outcome import Outcome, Verdict
from go_live.pacing import FAILURE_PAUSE_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.table import Bools, Floats

CLOCK_JUMP_S = 0.25
"""Between two requests the wall clock may gain or lose so much on the monotonic one; more is a step, not a slew."""

CLOCK_DRIFT = 0.001
"""Part by which the wall clock may run faster or slower: twice the largest slew of NTP (500 ppm)."""

ARRIVALS = 4
"""Standard errors by which random arrivals may miss their rate."""


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
    held = np.where(ok, done, np.maximum(done, due + FAILURE_PAUSE_S))
    held[np.isnan(held)] = np.inf
    for part in np.split(np.arange(n), list(resumed)):
        end = due[part[-1]]
        busy += float((np.minimum(held[part], end) - due[part]).sum())
        span += float(end - due[part[0]])
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
    passed, told = np.diff(due)[within], np.diff(wall)[within]
    if (passed < 0).any():
        return cannot(claim, "the monotonic clock went backwards", scope=scope, limit=CLOCK_JUMP_S, unit="s", n=n)
    gained = told - passed
    worst = float(np.abs(gained).max(initial=0.0))
    allowed = CLOCK_JUMP_S + CLOCK_DRIFT * passed
    drifted = float(abs(gained.sum()))
    holds = bool((np.abs(gained) <= allowed).all() and drifted <= CLOCK_JUMP_S + CLOCK_DRIFT * float(passed.sum()))
    reason = (
        f"the wall clock gained or lost at most {worst:.3f} s between requests, {drifted:.3f} s in all ({n} requests)"
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
