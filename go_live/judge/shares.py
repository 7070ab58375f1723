"""Verdicts on bare samples: "the percentile is at most" and "the share of ok requests is at least".

Both are the same claim, "P(ok) >= p", and are tested alike (:mod:`go_live.judge.tally`). Values are in due order, for
misses that come in bursts take a PASS away (:mod:`go_live.judge.dependence`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from go_live.judge import binomial
from go_live.judge.dependence import demote
from go_live.judge.percentiles import latency_points, percentile
from go_live.judge.tally import Rule, explain, tally
from go_live.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.judge.percentiles import Figures
    from go_live.table import Bools, Floats

NO_REQUESTS = "no requests were recorded"
"""What was not measured is an error, never a zero."""

WHOLE = 100
"""From here on a figure is shown without decimals."""


def at_most(
    values: Figures,
    *,
    q: int,
    limit: float,
    need: Rule | float,
    what: str = "latency",
    unit: str = "ms",
    scope: str | None = None,
) -> Verdict:
    """The ``q``-th percentile of ``values`` is at most ``limit``, with confidence ``need``.

    It is judged as "P(value <= limit) >= q / 100" over all due requests; a request without a right answer enters
    as infinity.

    Args:
        values: One figure a due request, in ``unit``.
        q: Percentile, between 0 and 100.
        limit: In ``unit``.
        need: How surely it is to be shown; a bare number is the confidence of a fixed plan's only claim.
        what: The figure's name in the claim.
        unit: Unit of values and limit.
        scope: Part of the run (``c=2``), put before the claim.

    Returns:
        The verdict; ERROR for no values, a NaN or a negative figure among them.
    """
    claim = scoped(scope, f"{what} p{q} is at most {limit:g} {unit}")
    values = np.asarray(values, dtype=np.float64)
    fault = _fault(values)
    if fault:
        return cannot(claim, fault, scope=scope, limit=limit, unit=unit, n=len(values))
    missed, rule = values > limit, Rule.of(need)
    found = tally(missed, q / 100, rule)
    measured = percentile(values, q)
    seen = f"{what} p{q} {_figure(values, measured, unit)} {'>' if measured > limit else '<='} {limit:g} {unit}"
    verdict = Verdict(
        claim=claim,
        outcome=found.outcome,
        reason=explain(found, seen=seen, missed="over it"),
        scope=scope,
        measured=measured if math.isfinite(measured) else None,
        limit=limit,
        unit=unit,
        n=found.n,
        misses=found.misses,
        needed=found.needed,
        margin=found.margin,
        points=latency_points(values) if unit == "ms" else {},
    )
    return demote(verdict, missed, p0=q / 100, rule=rule)


def at_least(
    values: Figures,
    *,
    share: float,
    limit: float,
    need: Rule | float,
    what: str,
    unit: str,
    scope: str | None = None,
) -> Verdict:
    """At least ``share`` of ``values`` reach ``limit``, with confidence ``need``; see :func:`at_most`.

    A request without a right answer enters as zero. ``measured`` is the figure that this share reaches.
    """
    claim = scoped(scope, f"{what} of {share * 100:g} % is at least {limit:g} {unit}")
    values = np.asarray(values, dtype=np.float64)
    fault = _fault(values)
    if fault:
        return cannot(claim, fault, scope=scope, limit=limit, unit=unit, n=len(values))
    missed, rule = values < limit, Rule.of(need)
    found = tally(missed, share, rule)
    measured = -percentile(-values, share * 100)
    seen = f"{what} {measured:.3g} {unit} {'<' if measured < limit else '>='} {limit:g} {unit}"
    verdict = Verdict(
        claim=claim,
        outcome=found.outcome,
        reason=explain(found, seen=seen, missed="below it"),
        scope=scope,
        measured=measured,
        limit=limit,
        unit=unit,
        n=found.n,
        misses=found.misses,
        needed=found.needed,
        margin=found.margin,
    )
    return demote(verdict, missed, p0=share, rule=rule)


def share_ok(
    oks: Sequence[bool] | Bools,
    *,
    rate: float,
    need: Rule | float,
    what: str = "success rate",
    missed: str = "not ok",
    scope: str | None = None,
) -> Verdict:
    """The share of true values among ``oks``, in due order, is at least ``rate``.

    Returns:
        The verdict, with the one-sided Clopper-Pearson bounds of the share in its points; ERROR for no requests.
    """
    claim = scoped(scope, f"{what} is at least {rate * 100:g} %")
    if not len(oks):
        return cannot(claim, NO_REQUESTS, scope=scope, limit=rate, unit="share", n=0)
    failed, rule = ~np.asarray(oks, dtype=np.bool_), Rule.of(need)
    found = tally(failed, rate, rule)
    share = 1 - found.misses / found.n
    seen = f"{what} {share * 100:.4g} % {'<' if share < rate else '>='} {rate * 100:g} %"
    lower, upper = binomial.bounds(found.misses, found.n, rule.confidence)
    verdict = Verdict(
        claim=claim,
        outcome=found.outcome,
        reason=explain(found, seen=seen, missed=missed),
        scope=scope,
        measured=share,
        limit=rate,
        unit="share",
        n=found.n,
        misses=found.misses,
        needed=found.needed,
        margin=found.margin,
        points={"share_lower": lower, "share_upper": upper},
    )
    return demote(verdict, failed, p0=rate, rule=rule)


def cannot(
    claim: str,
    reason: str,
    *,
    scope: str | None = None,
    limit: float | None = None,
    unit: str | None = None,
    n: int | None = None,
) -> Verdict:
    """The ERROR verdict: ``claim`` could not be measured, because of ``reason``."""
    return Verdict(claim=claim, outcome=Outcome.ERROR, reason=reason, scope=scope, limit=limit, unit=unit, n=n)


def _fault(values: Floats) -> str | None:
    """Why nothing can be said about ``values``; None when something can."""
    if not values.size:
        return NO_REQUESTS
    if np.isnan(values).any():
        return f"{np.isnan(values).sum()} of {values.size} figures are NaN"
    if values.min() < 0:
        return f"{(values < 0).sum()} of {values.size} figures are negative"
    return None


def _figure(values: Floats, measured: float, unit: str) -> str:
    """The figure with its unit, or why there is none."""
    if math.isfinite(measured):
        return f"{measured:.0f} {unit}" if measured >= WHOLE else f"{measured:.3g} {unit}"
    return f"infinite ({np.isinf(values).sum()} requests got no right answer)"


def scoped(scope: str | None, claim: str) -> str:
    """``c=2: total p95 is ...``."""
    return f"{scope}: {claim}" if scope else claim
