"""What a candidate has to show at a step: its own SLOs, and that it is no worse than the current endpoint. Pure.

Every claim is a share of requests (or of pairs of requests) under the e-process, which may be looked at after each of
them (:mod:`go_live.judge.eprocess`). A FAIL must survive that everything still under way comes back ok; a PASS looks at
settled requests alone, among which no slow one is missing, and bursts can take it away
(:mod:`go_live.judge.dependence`). So a look at any moment says what one after all answers would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge import eprocess
from go_live.judge.dependence import burst_lengths, demote
from go_live.judge.percentiles import percentile
from go_live.judge.tally import Rule
from go_live.outcome import Outcome, Verdict
from go_live.rollout import bounds, pairs

if TYPE_CHECKING:
    from go_live.config import Config
    from go_live.rollout.seen import Arm, Seen
    from go_live.table import Bools, Floats

ABSOLUTE, COMPARED = 6, 5
"""How many claims there are of the candidate alone, and beside the current endpoint."""
NOTHING = "no request has settled yet"


@dataclass(frozen=True, kw_only=True, eq=False)
class Share:
    """One claim of the form "at least ``p0`` of them are ok", and what was seen of it."""

    claim: str
    p0: float
    missed: Bools
    """Of all that have ended, in the order in which they came."""
    settled: Bools
    """Of those that count for a PASS: the beginning of ``missed``."""
    in_flight: int
    """So many more may be under way; for a FAIL they are taken for ok."""
    missed_words: str
    measured: float | None = None
    limit: float | None = None
    unit: str | None = None
    untold: float = 0.0
    """Share of the answers of which the figure was not told."""
    of: str = "requests"


def rule(config: Config) -> Rule:
    """How surely each claim is to be shown. The chance of a false FAIL is shared out over all steps and claims.

    One share is left for the row of failures that turns a candidate back (:func:`in_a_row`).
    """
    tests = len(config.rollout.steps_percent) * (ABSOLUTE + COMPARED)
    return Rule(config.slo.confidence, family=tests + 1, anytime=True, burst_length=config.slo.burst_length)


def absolute(seen: Seen, settled: Seen, config: Config) -> list[Share]:
    """The candidate's own SLOs, success first."""
    slo, mine, done = config.slo, seen.candidate, settled.candidate
    success = Share(
        claim=f"success rate is at least {slo.success_rate * 100:g} %",
        p0=slo.success_rate,
        missed=~mine.ok,
        settled=~done.ok,
        in_flight=config.client.concurrency_cap,
        missed_words="failed",
        measured=1 - mine.failures / mine.n if mine.n else None,
        limit=slo.success_rate,
        unit="share",
    )
    limits = (
        ("total", "service_ms", 50, slo.total_ms_p50),
        ("total", "service_ms", 95, slo.total_ms_p95),
        ("exec", "exec_ms", 50, slo.exec_ms_p50),
        ("exec", "exec_ms", 95, slo.exec_ms_p95),
        ("queue", "queue_ms", 50, slo.queue_ms_p50),
    )
    return [success, *(_within(seen, settled, config, *limit) for limit in limits)]


def compared(settled: Seen, percent: int, config: Config) -> list[Share]:
    """The candidate's times and answers beside the current's."""
    rollout = config.rollout
    found = pairs.pair(settled.candidate.wall, settled.current.wall, pairs.block_size(percent))
    slow, short = rollout.latency_margin, rollout.length_margin
    figures = (("exec time", "exec_ms"), ("total time", "service_ms"))
    times = [
        _beside(settled, found, name, f"{what} is at most {slow * 100:g} % above the current's", slow)
        for what, name in figures
    ]
    length = f"answers are at most {short * 100:g} % shorter than the current's"
    return [*times, _beside(settled, found, "tokens", length, -short)]


def verdict(share: Share, need: Rule, untold_max: float) -> Verdict:
    """What has been shown of one claim at this look."""
    n, misses = len(share.missed), int(np.count_nonzero(share.missed))
    settled, late = len(share.settled), int(np.count_nonzero(share.settled))
    seen = f"{_figure(share)}{misses} of {n} {share.of} {share.missed_words}"
    open_ = Verdict(
        claim=share.claim,
        outcome=Outcome.INCONCLUSIVE,
        reason=NOTHING,
        measured=share.measured,
        limit=share.limit,
        unit=share.unit,
        n=n,
        misses=misses,
        needed=eprocess.requests_for(late, share.p0, need.alpha),
    )
    if share.untold > untold_max:
        reason = f"{share.untold * 100:.3g} % of the answers came without the figure, more than {untold_max * 100:g} %"
        return concluded(open_, Outcome.ERROR, reason)
    if refuted(n - misses + share.in_flight, misses, share.p0, need):
        sure = (1 - need.alpha_fail) * 100
        return concluded(open_, Outcome.FAIL, f"{seen}: refuted at {sure:.4g} % confidence, at every look")
    if not settled:
        return open_
    if shown(settled - late, late, share.p0, need):
        reason = f"{seen}: shown at {need.confidence * 100:g} % confidence, at every look"
        return demote(concluded(open_, Outcome.PASS, reason), share.settled, p0=share.p0, rule=need)
    reason = f"{seen}, which decides nothing yet; {open_.needed} show it without another one"
    return msgspec.structs.replace(open_, reason=reason)


def concluded(open_: Verdict, outcome: Outcome, reason: str) -> Verdict:
    """``open_`` as it is decided: no more requests are needed."""
    return msgspec.structs.replace(open_, outcome=outcome, reason=reason, needed=None)


def refuted(ok: int, misses: int, p0: float, need: Rule) -> bool:
    """Whether so many show that fewer than ``p0`` are ok."""
    return bool(misses) and bool(eprocess.log_e(ok, misses, p0)[1] >= -math.log(need.alpha_fail))


def shown(ok: int, misses: int, p0: float, need: Rule) -> bool:
    """Whether so many show that more than ``p0`` are ok."""
    return bool(eprocess.log_e(ok, misses, p0)[0] >= -math.log(need.alpha))


def not_lower(seen: Seen, settled: Seen, need: Rule, config: Config) -> list[Verdict]:
    """The candidate's success, and what its guardrails accept, beside the current's."""
    rollout = config.rollout
    return [
        _difference(
            f"success rate is at most {rollout.success_margin * 100:g} points below the current's",
            (_failed(seen.candidate), _failed(seen.current)),
            (_failed(settled.candidate), _failed(settled.current)),
            rollout.success_margin,
            need,
            "failed",
        ),
        _difference(
            f"guardrails refuse at most {rollout.refused_margin * 100:g} points more than the current's",
            (_refused(seen.candidate), _refused(seen.current)),
            (_refused(settled.candidate), _refused(settled.current)),
            rollout.refused_margin,
            need,
            "refused",
        ),
    ]


def in_a_row(arm: Arm, most: int) -> str:
    """Why a row of failures ends it: ``most`` or more requests of ``arm`` ended one after the other, all failed."""
    rows = burst_lengths(~arm.ok[np.argsort(arm.ended, kind="stable")])
    longest = int(rows.max(initial=0))
    return f"{longest} requests in a row failed ({most} are enough)" if longest >= most else ""


def _within(seen: Seen, settled: Seen, config: Config, what: str, column: str, q: int, limit: float) -> Share:
    every: Floats = getattr(seen.candidate, column)
    values, done = _known(every), _known(getattr(settled.candidate, column))
    measured = percentile(values, q) if values.size else math.inf
    return Share(
        claim=f"{what} p{q} is at most {limit:g} ms",
        p0=q / 100,
        missed=values > limit,
        settled=done > limit,
        in_flight=config.client.concurrency_cap,
        missed_words="over it",
        measured=measured if math.isfinite(measured) else None,
        limit=limit,
        unit="ms",
        untold=1 - values.size / every.size if every.size else 0.0,
    )


def _beside(settled: Seen, found: pairs.Pairs, column: str, claim: str, margin: float) -> Share:
    every = pairs.ratios(getattr(settled.candidate, column), getattr(settled.current, column), found)
    known = _known(every)
    missed = pairs.slower(known, margin) if margin > 0 else pairs.shorter(known, -margin)
    measured = float(np.median(known)) if known.size else math.inf
    return Share(
        claim=claim,
        p0=pairs.HALF,
        missed=missed,
        settled=missed,
        in_flight=0,
        missed_words="above it" if margin > 0 else "below it",
        measured=measured if math.isfinite(measured) else None,
        limit=1 + margin,
        unit="ratio",
        untold=1 - known.size / every.size if every.size else 0.0,
        of="pairs",
    )


def _difference(
    claim: str,
    now: tuple[tuple[int, int], tuple[int, int]],
    settled: tuple[tuple[int, int], tuple[int, int]],
    margin: float,
    need: Rule,
    words: str,
) -> Verdict:
    # What has ended refutes, what has settled shows: it is a part of the whole, and may look worse than that.
    outcome = bounds.not_lower(*now, margin, need.alpha, need.alpha_fail)
    if outcome is not Outcome.FAIL:
        part = bounds.not_lower(*settled, margin, need.alpha, need.alpha_fail)
        outcome = part if part is Outcome.PASS else Outcome.INCONCLUSIVE
    (misses, n), (others, beside) = now
    told = f"{misses} of {n} {words}, of the current's {others} of {beside}"
    tail = {
        Outcome.PASS: f": shown at {need.confidence * 100:g} % confidence, at every look",
        Outcome.FAIL: f": refuted at {(1 - need.alpha_fail) * 100:.4g} % confidence",
    }.get(outcome, ", which decides nothing yet")
    return Verdict(
        claim=claim,
        outcome=outcome,
        reason=told + tail,
        measured=others / beside - misses / n if n and beside else None,
        limit=-margin,
        unit="share",
        n=n,
        misses=misses,
        needed=_enough(settled, margin, need) if outcome is Outcome.INCONCLUSIVE else None,
    )


def _enough(settled: tuple[tuple[int, int], tuple[int, int]], margin: float, need: Rule) -> int | None:
    """How many of the candidate's requests would show it if both arms go on as they are; None: no such number."""
    (misses, n), (others, beside) = settled
    for times in (1.3**power for power in range(1, 16)):
        more = max(n, 1) * times
        arms = (round(misses * times), round(more)), (round(others * times), round(beside * times))
        if bounds.not_lower(*arms, margin, need.alpha, need.alpha_fail) is Outcome.PASS:
            return round(more)
    return None


def _failed(arm: Arm) -> tuple[int, int]:
    return arm.failures, arm.n


def _refused(arm: Arm) -> tuple[int, int]:
    return len(arm.refused), arm.n + len(arm.refused)


def _known(values: Floats) -> Floats:
    known: Floats = values[~np.isnan(values)]
    return known


def _figure(share: Share) -> str:
    """``median 1.31 times, ``: the figure before the counts; nothing where there is none."""
    if share.measured is None:
        return ""
    match share.unit:
        case "ms":
            return f"{share.measured:.0f} ms, "
        case "ratio":
            return f"median ratio {share.measured:.2f}, "
        case _:
            return f"{share.measured * 100:.4g} %, "
