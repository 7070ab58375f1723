"""Verdicts on bare samples: "the percentile is at most" and "the share of ok requests is at least".

Both are one exact binomial test (:mod:`go_live.judge.binomial`). ``family`` is the number of claims that the data at
hand can answer: each passes at alpha (all must pass: Berger 1982) and fails at alpha / family (any may fail:
Bonferroni).
"""

import math
from collections.abc import Sequence

import msgspec

from go_live.judge import binomial
from go_live.judge.percentiles import latency_points, percentile
from go_live.outcome import Outcome, Verdict

WHOLE = 100
"""From here on a figure is shown without decimals."""


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """How one claim on n requests is put into words."""

    seen: str
    """The figure beside its limit: ``total p95 6929 ms > 6000 ms``."""
    missed: str
    """What a miss is: ``over it``."""
    confidence: float


class Tally(msgspec.Struct, frozen=True):
    """What one exact test found."""

    misses: int
    n: int
    p0: float
    alpha: float
    alpha_fail: float
    outcome: Outcome
    needed: int | None


def tally(misses: int, n: int, p0: float, *, confidence: float, family: int = 1) -> Tally:
    """Test ``misses`` of ``n`` against an ok share of at least ``p0``, and size the run that would decide.

    Raises:
        ValueError: the arguments are no such counts or shares.
    """
    alpha = 1 - confidence
    outcome = binomial.decide(misses, n, p0, alpha, alpha / family)
    open_ = outcome is Outcome.INCONCLUSIVE
    size = binomial.needed(misses / n, p0, alpha, alpha / family) if open_ else None
    return Tally(misses, n, p0, alpha, alpha / family, outcome, size)


def at_most(
    values: Sequence[float],
    *,
    q: int,
    limit: float,
    need: float,
    what: str = "latency",
    unit: str = "ms",
    scope: str | None = None,
    family: int = 1,
) -> Verdict:
    """The ``q``-th percentile of ``values`` is at most ``limit``, with confidence ``need``.

    It is judged as "P(value <= limit) >= q / 100" over all due requests; a request without a right answer enters
    as infinity.

    Args:
        values: One figure a due request, in ``unit``.
        q: Percentile, between 0 and 100.
        limit: In ``unit``.
        need: Confidence of a PASS, between 0 and 1.
        what: The figure's name in the claim.
        unit: Unit of values and limit.
        scope: Part of the run (``c=2``), put before the claim.
        family: Number of claims that the data can answer.

    Returns:
        The verdict; ERROR for no values, a NaN or a negative figure among them.
    """
    claim = scoped(scope, f"{what} p{q} is at most {limit:g} {unit}")
    fault = _fault(values)
    if fault:
        return cannot(claim, fault, scope=scope, limit=limit, unit=unit, n=len(values))
    misses = sum(value > limit for value in values)
    found = tally(misses, len(values), q / 100, confidence=need, family=family)
    measured = percentile(values, q)
    seen = f"{what} p{q} {_figure(values, measured, unit)} {'>' if measured > limit else '<='} {limit:g} {unit}"
    return Verdict(
        claim=claim,
        outcome=found.outcome,
        reason=explain(found, Wording(seen=seen, missed="over it", confidence=need)),
        scope=scope,
        measured=measured if math.isfinite(measured) else None,
        limit=limit,
        unit=unit,
        n=found.n,
        misses=misses,
        needed=found.needed,
        points=latency_points(values) if unit == "ms" else {},
    )


def at_least(
    values: Sequence[float],
    *,
    share: float,
    limit: float,
    need: float,
    what: str,
    unit: str,
    scope: str | None = None,
    family: int = 1,
) -> Verdict:
    """At least ``share`` of ``values`` reach ``limit``, with confidence ``need``; see :func:`at_most`.

    A request without a right answer enters as zero. ``measured`` is the figure that this share reaches.
    """
    claim = scoped(scope, f"{what} of {share * 100:g} % is at least {limit:g} {unit}")
    fault = _fault(values)
    if fault:
        return cannot(claim, fault, scope=scope, limit=limit, unit=unit, n=len(values))
    misses = sum(value < limit for value in values)
    found = tally(misses, len(values), share, confidence=need, family=family)
    measured = -percentile([-value for value in values], share * 100)
    seen = f"{what} {measured:.3g} {unit} {'<' if measured < limit else '>='} {limit:g} {unit}"
    return Verdict(
        claim=claim,
        outcome=found.outcome,
        reason=explain(found, Wording(seen=seen, missed="below it", confidence=need)),
        scope=scope,
        measured=measured,
        limit=limit,
        unit=unit,
        n=found.n,
        misses=misses,
        needed=found.needed,
    )


def share_ok(
    oks: Sequence[bool],
    *,
    rate: float,
    confidence: float,
    what: str = "success rate",
    missed: str = "not ok",
    scope: str | None = None,
    family: int = 1,
) -> Verdict:
    """The share of true values among ``oks`` is at least ``rate``, with ``confidence``.

    Returns:
        The verdict, with the one-sided Clopper-Pearson bounds of the share in its points; ERROR for no requests.
    """
    claim = scoped(scope, f"{what} is at least {rate * 100:g} %")
    if not oks:
        return cannot(claim, _fault(()) or "", scope=scope, limit=rate, unit="share", n=0)
    misses = sum(not ok for ok in oks)
    found = tally(misses, len(oks), rate, confidence=confidence, family=family)
    share = 1 - misses / len(oks)
    seen = f"{what} {share * 100:.4g} % {'<' if share < rate else '>='} {rate * 100:g} %"
    lower, upper = binomial.bounds(misses, len(oks), confidence)
    return Verdict(
        claim=claim,
        outcome=found.outcome,
        reason=explain(found, Wording(seen=seen, missed=missed, confidence=confidence)),
        scope=scope,
        measured=share,
        limit=rate,
        unit="share",
        n=found.n,
        misses=misses,
        needed=found.needed,
        points={"share_lower": lower, "share_upper": upper},
    )


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


def explain(found: Tally, wording: Wording) -> str:
    """One sentence: what was counted, and why that decides or what would."""
    counted = f"{wording.seen}, with {found.misses} of {found.n} requests {wording.missed}"
    if found.outcome is Outcome.PASS:
        allowed = binomial.allowed_misses(found.n, found.p0, found.alpha)
        return f"{counted} (up to {allowed} show it at {wording.confidence * 100:g} % confidence)"
    if found.outcome is Outcome.FAIL:
        fewest = binomial.failing_misses(found.n, found.p0, found.alpha_fail)
        return f"{counted} ({fewest} are enough to refute it at {(1 - found.alpha_fail) * 100:.3g} % confidence)"
    return f"{counted}, which decides nothing at {wording.confidence * 100:g} % confidence; {_plan(found)}"


def _plan(found: Tally) -> str:
    """What a newly planned run would need in order to decide."""
    if found.needed is None:
        return "so near to the limit no run of a practical size would decide"
    if found.misses == 0:
        return f"a newly planned run of {found.needed} without a miss would pass"
    would = "pass" if found.misses / found.n < 1 - found.p0 else "fail"
    return f"a newly planned run of {found.needed} would {would} if misses stay at this rate"


def _fault(values: Sequence[float]) -> str | None:
    """Why nothing can be said about ``values``; None when something can."""
    if not values:
        return "no requests were recorded"
    if any(math.isnan(value) for value in values):
        return f"{sum(math.isnan(value) for value in values)} of {len(values)} figures are NaN"
    if min(values) < 0:
        return f"{sum(value < 0 for value in values)} of {len(values)} figures are negative"
    return None


def _figure(values: Sequence[float], measured: float, unit: str) -> str:
    """The figure with its unit, or why there is none."""
    if math.isfinite(measured):
        return f"{measured:.0f} {unit}" if measured >= WHOLE else f"{measured:.3g} {unit}"
    return f"infinite ({sum(map(math.isinf, values))} requests got no right answer)"


def scoped(scope: str | None, claim: str) -> str:
    """``c=2: total p95 is ...``."""
    return f"{scope}: {claim}" if scope else claim
