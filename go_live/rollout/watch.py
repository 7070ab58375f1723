"""The watch: does what has all of the traffic stay within its limits for its hours? Pure.

At every look: the SLOs by the e-process, a row of failures, and the error budget's burn: in no window may it be spent
faster than ``burn_rate_max`` times what would last. Any of these fails it at once. At the end, once: no figure has
drifted (:mod:`go_live.judge.stability`), and no longer time passed unseen. A PASS is only said at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from go_live.judge.stability import Series, soak_trends
from go_live.judge.tally import Rule
from go_live.outcome import SEVERITY, Outcome, Verdict
from go_live.rollout import claims
from go_live.rollout.judging import ALL, ROW, Judged, Missing, count, patience
from go_live.rollout.seen import Arm, Request, Seen, see

if TYPE_CHECKING:
    from collections.abc import Iterable

    from go_live.config import Config

SCOPE = "watch"


def judge_watch(requests: Iterable[Request], *, elapsed_s: float, began_at: float, config: Config) -> Judged:
    """What ``requests``, those since ``began_at`` (Unix time), show after ``elapsed_s`` of the watch."""
    patient, watch = patience(config), config.rollout.watch
    seen = see(requests, patient)
    settled, over = seen.settled(patient), elapsed_s >= 3600 * watch.hours
    need = Rule(config.slo.confidence, claims.ABSOLUTE + 2, anytime=True, burst_length=config.slo.burst_length)
    untold = config.attribution.unattributed_max
    verdicts = [claims.verdict(one, need, untold) for one in claims.absolute(seen, settled, config)]
    verdicts.append(burn(seen.candidate, config))
    if row := claims.in_a_row(seen.candidate, config.rollout.consecutive_failures_max):
        verdicts.insert(0, Verdict(claim=ROW, outcome=Outcome.FAIL, reason=row, n=seen.candidate.n))
    if over:
        verdicts.append(unseen(seen, began_at, began_at + elapsed_s, config))
        verdicts += drifts(seen.candidate, began_at, config)
    worst = min(verdicts, key=lambda one: SEVERITY.index(one.outcome))
    missing = () if over else (_left(3600 * watch.hours - elapsed_s, watch.hours),)
    outcome: Outcome
    if worst.outcome is Outcome.FAIL or (over and worst.outcome is not Outcome.PASS):
        outcome, reason = worst.outcome, f"{worst.claim}: {worst.reason}"
    elif over:
        outcome = Outcome.PASS
        reason = f"{watch.hours:g} h of watch, {seen.candidate.n} requests: {spent(seen.candidate, config)}"
    else:
        outcome, reason = Outcome.INCONCLUSIVE, f"nothing is wrong so far; {spent(seen.candidate, config)}"
    return Judged(
        percent=ALL,
        outcome=outcome,
        reason=reason,
        verdicts=tuple(verdicts),
        missing=missing,
        candidate=count(seen.candidate),
        current=count(seen.current),
    )


def spent(arm: Arm, config: Config) -> str:
    """How much of the error budget of these requests is spent, in half a sentence."""
    budget = (1 - config.slo.success_rate) * arm.n
    share = arm.failures / budget if budget else 0.0
    return f"{share * 100:.0f} % of the error budget is spent ({arm.failures} of {arm.n} requests failed)"


def burn(arm: Arm, config: Config) -> Verdict:
    """In no window is the error budget spent faster than ``burn_rate_max`` times what would last.

    Every window that ends with a failure is looked at, so that the verdict does not depend on when one looks. A few
    failures in a thin window are no rate (``alerts.fail_min_failures``).
    """
    watch = config.rollout.watch
    order = np.argsort(arm.ended, kind="stable")
    ended, failed = arm.ended[order], ~arm.ok[order]
    first = np.searchsorted(ended, ended - 60 * watch.burn_window_minutes, side="right")
    before = np.concatenate(([0], np.cumsum(failed)))
    misses = before[1:] - before[first]
    sizes = np.arange(1, arm.n + 1) - first
    rates = np.where(misses >= config.alerts.fail_min_failures, misses / np.maximum(sizes, 1), 0.0)
    rates /= 1 - config.slo.success_rate
    fastest = int(np.argmax(rates)) if arm.n else 0
    rate = float(rates[fastest]) if arm.n else 0.0
    claim = (
        f"in no {watch.burn_window_minutes} min is the error budget spent more than {watch.burn_rate_max:g} times "
        "as fast as would last"
    )
    worst = f"{misses[fastest]} of {sizes[fastest]} requests" if rate else "few"
    return Verdict(
        claim=claim,
        outcome=Outcome.FAIL if rate > watch.burn_rate_max else Outcome.PASS,
        reason=f"at most {rate:.3g} times as fast: {worst} failed in such a window",
        measured=rate,
        limit=watch.burn_rate_max,
        unit="times",
        n=arm.n,
    )


def unseen(seen: Seen, began_at: float, until: float, config: Config) -> Verdict:
    """No longer time passed without a request than still counts as watched."""
    most_s = 60.0 * config.rollout.watch.gap_minutes_max
    moments = np.concatenate(([began_at], seen.candidate.wall, [until]))
    longest = float(np.diff(np.sort(moments)).max())
    return Verdict(
        claim=f"at most {most_s / 60:g} min passed without a request",
        outcome=Outcome.PASS if longest <= most_s else Outcome.INCONCLUSIVE,
        reason=f"the longest time without one was {longest / 60:.1f} min",
        measured=longest / 60,
        limit=most_s / 60,
        unit="min",
        n=seen.candidate.n,
    )


def drifts(arm: Arm, began_at: float, config: Config) -> list[Verdict]:
    """Nothing has got worse from the beginning of the watch to its end, by the soak's own tests and floors."""
    limits, ok = config.soak.drift, arm.ok
    if not arm.n:
        return []
    at_s, known = arm.wall - began_at, ok & ~np.isnan(arm.exec_ms)
    speed = np.where(ok, arm.tokens / np.maximum(arm.service_ms, 1e-3) * 1000, 0.0)
    told = ~np.isnan(speed)
    series = {
        "exec_ms": Series(values=arm.exec_ms[known], worse="up", floor=limits.max_change, at_s=at_s[known]),
        "total_ms": Series(values=arm.service_ms[ok], worse="up", floor=limits.max_change, at_s=at_s[ok]),
        "tokens/s": Series(values=speed[told], worse="down", floor=limits.max_change, at_s=at_s[told]),
        "success": Series(
            values=ok.astype(np.float64), worse="down", floor=limits.ok_rate_max_drop, base=1.0, at_s=at_s
        ),
    }
    return soak_trends(series, limits, scope=SCOPE)


def _left(seconds: float, hours: float) -> Missing:
    return Missing(what=f"the watch lasts {hours:g} h", seconds=max(seconds, 0.0))
