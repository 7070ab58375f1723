"""Cells judged -> where queueing begins, and the cap that is recommended. Pure.

The cap is the highest level at which every claim is shown to hold, there and at every lower level that was measured,
and which still adds throughput. A level that breaks a limit is recommended only if a test passed that should not have:
at most with probability ``1 - slo.confidence`` (intersection-union test; Berger 1982). Throughput is compared round by
round between neighbouring levels, by a paired t bound on the logarithm of the ratio.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from scipy import special

from go_live.judge import binomial
from go_live.outcome import Outcome, Verdict, worst
from go_live.tuning.cells import QUEUE_POINTS, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.config import Config


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """What a level adds to the throughput of the one below, as a share of it (0.5: half as much again)."""

    measured: float
    low: float
    """At least so much, at ``slo.confidence`` ..."""
    high: float
    """... and at most so much, likewise."""
    rounds: int


class Onset(msgspec.Struct, frozen=True, kw_only=True):
    """Where a percentile of the queue time begins to exceed ``tuning.queue_begins_ms``."""

    q: int
    at: int | None
    """The lowest level at which it is shown to; None: at none."""
    not_up_to: int | None
    """The highest level up to which it is shown not to, at each; None: not even at the lowest."""
    told: str


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """The cap of one setting."""

    cap: int | None
    outcome: Outcome
    """PASS: there is one."""
    reason: str
    needed: int | None = None
    """Requests a level of a newly planned sweep that would decide what is open; None: nothing is, or none would."""


def recommend(levels: Sequence[Level], config: Config) -> Recommendation:
    """The cap that ``levels`` of one setting, rising, support."""
    first = levels[0]
    if first.outcome is not Outcome.PASS:
        return _no_cap(first, first.outcome, first.reason)
    if bad := answers_fail(levels[:1], config):
        return _no_cap(first, Outcome.FAIL, bad)
    cap, why, needed = first, "no higher level was measured", None
    for number, level in enumerate(levels[1:], start=2):
        against = _against(levels[:number], cap, config)
        if against is not None:
            why, needed = against, _needed(level)
            break
        cap = level
    return Recommendation(cap=cap.concurrency, outcome=Outcome.PASS, reason=why, needed=needed)


def _no_cap(first: Level, outcome: Outcome, why: str) -> Recommendation:
    """Not even the lowest level is shown to be good."""
    return Recommendation(cap=None, outcome=outcome, reason=f"c={first.concurrency}: {why}", needed=_needed(first))


def _against(upto: Sequence[Level], cap: Level, config: Config) -> str | None:
    """What speaks against the last of these levels, ``cap`` being the one below it; None: nothing does."""
    level, least = upto[-1], config.tuning.gain_min
    if level.outcome is not Outcome.PASS:
        return f"c={level.concurrency}: {level.reason}"
    if bad := answers_fail(upto, config):
        return f"up to c={level.concurrency} {bad}"
    found = gain(cap, level, config.slo.confidence)
    if found is None:
        return f"what c={level.concurrency} adds to throughput could not be measured"
    return _adds_too_little(level, found, least) if found.low < least else None


def gain(lower: Level, higher: Level, confidence: float) -> Gain | None:
    """What ``higher`` adds to ``lower``, round by round; None where that cannot be compared in every round."""
    if len(lower.per_round) != len(higher.per_round) or len(higher.per_round) < 2:  # noqa: PLR2004 - a spread needs two
        return None
    pairs = [(a or 0.0, b or 0.0) for a, b in zip(lower.per_round, higher.per_round, strict=True)]
    if any(min(pair) <= 0 for pair in pairs):
        return None
    ratios = np.log([b for _, b in pairs]) - np.log([a for a, _ in pairs])
    mean, spread = float(ratios.mean()), float(ratios.std(ddof=1)) / math.sqrt(len(pairs))
    reach = float(special.stdtrit(len(pairs) - 1, confidence)) * spread
    if not math.isfinite(mean + reach):
        return None
    return Gain(
        measured=math.expm1(mean), low=math.expm1(mean - reach), high=math.expm1(mean + reach), rounds=len(pairs)
    )


def onset(levels: Sequence[Level], config: Config, index: int) -> Onset:
    """Where the queue time at ``QUEUE_POINTS[index]`` begins to exceed ``tuning.queue_begins_ms``."""
    q, limit = QUEUE_POINTS[index], config.tuning.queue_begins_ms
    seen = [(level.concurrency, level.queue[index]) for level in levels if level.n]
    at = next((found for found in seen if found[1].outcome is Outcome.FAIL), None)
    within = None
    for concurrency, verdict in seen:
        if verdict.outcome is not Outcome.PASS:
            break
        within = concurrency
    return Onset(q=q, at=at[0] if at else None, not_up_to=within, told=_told(q, limit, at, within))


def answers_fail(levels: Sequence[Level], config: Config) -> str | None:
    """Why too few requests of these levels together were answered, or rightly; None: that is not shown."""
    n, alpha = sum(level.n for level in levels), 1 - config.slo.confidence
    for misses, rate, words in (
        (sum(level.unanswered for level in levels), config.slo.success_rate, "were not answered"),
        (sum(level.wrong for level in levels), config.golden.correct_rate, "had no right answer"),
    ):
        if n and binomial.decide(misses, n, rate, alpha, alpha) is Outcome.FAIL:
            return f"{misses} of {n} requests {words}, which refutes a share of {rate * 100:g} %"
    return None


def none_passes(found: Sequence[Recommendation]) -> tuple[Outcome, str]:
    """The outcome of a sweep in which no setting has a cap: what is open keeps it open."""
    outcomes = [one.outcome for one in found]
    outcome = Outcome.INCONCLUSIVE if Outcome.INCONCLUSIVE in outcomes else worst(outcomes)
    return outcome, next(one.reason for one in found if one.outcome is outcome)


def _needed(level: Level) -> int | None:
    """Requests a level that would decide what is open there."""
    if level.outcome is not Outcome.INCONCLUSIVE:
        return None
    if level.n < level.planned:
        return level.planned
    return max((verdict.needed for verdict in level.verdicts if verdict.needed is not None), default=None)


def _adds_too_little(level: Level, found: Gain, least: float) -> str:
    shown = "adds less" if found.high < least else "is not shown to add"
    return (
        f"c={level.concurrency} {shown} than {least * 100:g} % to the throughput: {found.measured * 100:+.1f} % "
        f"({found.low * 100:+.1f} to {found.high * 100:+.1f} % over {found.rounds} rounds)"
    )


def _told(q: int, limit: float, at: tuple[int, Verdict] | None, within: int | None) -> str:
    """One sentence."""
    upto = f"up to c={within} it is shown to stay within" if within is not None else "at no level is it shown to stay"
    if at is None:
        return f"queue p{q}: nowhere shown to exceed {limit:g} ms; {upto}{'' if within is not None else ' within'}"
    concurrency, verdict = at
    figure = "infinite" if verdict.measured is None else f"{verdict.measured:.0f} ms"
    before = f"; {upto}" if within is not None else ""
    return (
        f"queue p{q} begins to exceed {limit:g} ms at c={concurrency} "
        f"({figure}, {verdict.misses} of {verdict.n} requests over it){before}"
    )
