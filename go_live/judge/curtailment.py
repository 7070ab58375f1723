"""Exact curtailment of a fixed plan: it may end early where what is still to come cannot change the answer.

A plan of N requests passes with at most c_N misses and fails with at least f_N, both from the exact test at its
planned end (:mod:`go_live.judge.binomial`). PASS is certain once N - c_N requests were ok, FAIL once f_N were not. PASS
is out of reach after more than c_N misses; that alone shows nothing against the service, and is INCONCLUSIVE, not FAIL.
No alpha is spent: the answer is the one that the full plan would have given.
"""

import msgspec

from go_live.judge import binomial
from go_live.outcome import Outcome


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a fixed plan stands after some of its requests."""

    misses: int
    seen: int
    planned: int
    allowed: int | None
    """The most misses with which the whole plan passes; None: it is too short to pass at all."""
    refuting: int | None
    """The fewest misses with which it fails; None: it is too short to fail."""

    @property
    def left(self) -> int:
        """Requests still to come."""
        return self.planned - self.seen

    @property
    def pass_certain(self) -> bool:
        """Whether the plan passes even if every request still to come misses."""
        return self.allowed is not None and self.misses + self.left <= self.allowed

    @property
    def pass_out_of_reach(self) -> bool:
        """Whether the plan cannot pass even if no request still to come misses."""
        return self.allowed is None or self.misses > self.allowed

    @property
    def fail_certain(self) -> bool:
        """Whether the plan fails whatever is still to come."""
        return self.refuting is not None and self.misses >= self.refuting

    @property
    def fail_out_of_reach(self) -> bool:
        """Whether the plan cannot fail even if every request still to come misses."""
        return self.refuting is None or self.misses + self.left < self.refuting

    @property
    def certain(self) -> Outcome | None:
        """The outcome that the plan has whatever is still to come; None while it is open."""
        if self.pass_certain:
            return Outcome.PASS
        if self.fail_certain:
            return Outcome.FAIL
        return Outcome.INCONCLUSIVE if self.pass_out_of_reach and self.fail_out_of_reach else None


def standing(misses: int, seen: int, planned: int, p0: float, alpha: float, alpha_fail: float) -> Standing:
    """Where a plan of ``planned`` requests stands after ``misses`` of the ``seen``.

    Raises:
        ValueError: no such counts, or no such shares.
    """
    if not (0 <= misses <= seen <= planned and planned >= 1):
        raise ValueError(f"{misses} misses of {seen} of {planned} requests is no count")
    if not (0 < p0 < 1 and 0 < alpha < 1 and 0 < alpha_fail < 1):
        raise ValueError(f"p0 {p0}, alpha {alpha} and alpha_fail {alpha_fail} must lie between 0 and 1")
    return Standing(
        misses=misses,
        seen=seen,
        planned=planned,
        allowed=binomial.allowed_misses(planned, p0, alpha),
        refuting=binomial.failing_misses(planned, p0, alpha_fail),
    )
