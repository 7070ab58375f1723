"""One share of ok requests under test: what was counted, what that shows, and how far it is from turning.

Two tests answer the same question. A plan whose size was fixed before it began is judged once, by the exact binomial
test (:mod:`go_live.judge.binomial`). What has no fixed size and is looked at as it goes (a soak, a watch, a canary) is
judged by the mixture e-process (:mod:`go_live.judge.eprocess`), which holds at every look and across a resume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from go_live.judge import binomial, eprocess
from go_live.outcome import Outcome

if TYPE_CHECKING:
    from go_live.table import Bools


class Rule(msgspec.Struct, frozen=True):
    """How surely a claim is to be shown."""

    confidence: float
    """Of a PASS, between 0 and 1; alpha is what is missing to 1."""
    family: int = 1
    """Claims that the data at hand can answer: each passes at alpha, since all must pass (Berger 1982), and fails at
    alpha / family, since any may fail (Bonferroni)."""
    anytime: bool = False
    """Looked at as the requests come, so that the end may depend on what was seen."""
    burst_length: int = 1
    """Misses are declared to come in bursts of this mean length; 1: one at a time."""

    @property
    def alpha(self) -> float:
        """Probability of a false PASS."""
        return 1 - self.confidence

    @property
    def alpha_fail(self) -> float:
        """Probability of a false FAIL of this one claim."""
        return self.alpha / self.family

    @classmethod
    def of(cls, need: Rule | float) -> Rule:
        """A bare confidence as a rule for one claim of a fixed plan."""
        return need if isinstance(need, Rule) else cls(need)


class Test(Protocol):
    """What both tests offer; their modules are the implementations."""

    def decide(self, misses: int, n: int, p0: float, alpha: float, alpha_fail: float) -> Outcome:
        """What ``misses`` of ``n`` show."""

    def allowed_misses(self, n: int, p0: float, alpha: float) -> int | None:
        """The most misses with which ``n`` requests pass."""

    def failing_misses(self, n: int, p0: float, alpha: float) -> int | None:
        """The fewest misses with which ``n`` requests fail."""

    def requests_for(self, misses: int, p0: float, alpha: float) -> int:
        """The smallest run that passes with ``misses`` misses."""

    def needed(self, miss_rate: float, p0: float, alpha: float, alpha_fail: float) -> int | None:
        """Size of a newly planned run that would decide."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What one test found."""

    misses: int
    n: int
    p0: float
    rule: Rule
    outcome: Outcome
    allowed: int | None
    """The most misses among ``n`` with which the claim would have passed; None: n is too small for any."""
    refuting: int | None
    """The fewest misses among ``n`` that refute it."""
    needed: int | None = None
    """Size of a newly planned run that would decide; only for INCONCLUSIVE."""

    @property
    def margin(self) -> int | None:
        """How many misses more (PASS, INCONCLUSIVE) or fewer (FAIL) would turn the verdict; None: no number would."""
        if self.outcome is Outcome.PASS:
            return None if self.allowed is None else self.allowed - self.misses + 1
        if self.refuting is None:
            return None
        return self.misses - self.refuting + 1 if self.outcome is Outcome.FAIL else self.refuting - self.misses


def tally(missed: Bools, p0: float, rule: Rule) -> Tally:
    """Test the claim that at least a share ``p0`` is ok.

    Args:
        missed: For each due request, in due order, whether it missed.
        p0: Between 0 and 1.
        rule: Confidence, family, and which test.

    Raises:
        ValueError: no requests, or a share or confidence that is none.
    """
    n, misses = len(missed), int(np.count_nonzero(missed))
    test: Test = eprocess if rule.anytime else binomial
    outcome = test.decide(misses, n, p0, rule.alpha, rule.alpha_fail)
    open_ = outcome is Outcome.INCONCLUSIVE
    return Tally(
        misses=misses,
        n=n,
        p0=p0,
        rule=rule,
        outcome=outcome,
        allowed=test.allowed_misses(n, p0, rule.alpha),
        refuting=test.failing_misses(n, p0, rule.alpha_fail),
        needed=test.needed(misses / n, p0, rule.alpha, rule.alpha_fail) if open_ else None,
    )


def explain(found: Tally, *, seen: str, missed: str) -> str:
    """One sentence: what was counted, why that decides or what would, and what would turn it.

    Args:
        found: The test.
        seen: The figure beside its limit: ``total p95 6929 ms > 6000 ms``.
        missed: What a miss is: ``over it``.
    """
    counted = f"{seen}, with {found.misses} of {found.n} requests {missed}"
    percent = found.rule.confidence * 100
    looks = ", at every look" if found.rule.anytime else ""
    match found.outcome:
        case Outcome.PASS:
            return (
                f"{counted} (up to {found.allowed} show it at {percent:g} % confidence{looks}; "
                f"{found.margin} more would turn this)"
            )
        case Outcome.FAIL:
            refuted = (1 - found.rule.alpha_fail) * 100
            return (
                f"{counted} ({found.refuting} are enough to refute it at {refuted:.3g} % confidence{looks}; "
                f"{found.margin} fewer would turn this)"
            )
        case _:
            return f"{counted}, which decides nothing at {percent:g} % confidence; {_next(found)}"


def _next(found: Tally) -> str:
    """What a newly planned run would need in order to decide."""
    if found.needed is None:
        return "so near to the limit no run of a practical size would decide"
    if found.misses / found.n >= 1 - found.p0:
        return f"a newly planned run of {found.needed} would fail if misses stay at this rate"
    test: Test = eprocess if found.rule.anytime else binomial
    allowed = test.allowed_misses(found.needed, found.p0, found.rule.alpha)
    with_ = "without a miss" if not allowed else f"with up to {allowed} misses"
    return f"a newly planned run of {found.needed} shows it {with_}"
