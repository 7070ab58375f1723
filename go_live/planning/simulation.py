"""How the planned run may end, if the truth of the service is as assumed: the gate's own tests, many times. Pure.

In each repetition every request gets one number U, uniform on (0, 1), for how bad it is: it meets a claim of which the
true share is s when U <= s. So one request is bad in everything or in nothing: the slow one misses every percentile,
and since a wrong answer and none at all have no time, no percentile's share is above that of right answers. Requests
are independent of each other; with bursts of mean length L each takes the U of the one before with probability
1 - 1/L.

A claim is then judged as the gate does it: levels once, soak and pooled claims at the end by the anytime-valid test, a
PASS only where it also holds on spaced requests (:mod:`go_live.judge.dependence`). A soak that is certain to FAIL at a
look after its first tenth is ended there, as the gate ends it (:mod:`go_live.judge.stopping`). Drift, time-outs and the
items that are not about shares of requests are not simulated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge import eprocess
from go_live.judge.dependence import CLUSTERED_BELOW, burst_lengths, longest_probability, thinned
from go_live.judge.stopping import LEAST_SERVED
from go_live.planning.needs import POOLED, SOAK, Need, judged_by

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from go_live.config import Assumed
    from go_live.judge.tally import Rule
    from go_live.planning.needs import Planned
    from go_live.table import Bools, Floats

    Counts = NDArray[np.int64]

AT_ONCE = 4_000_000
"""Numbers that are drawn at once: 32 MB."""

PASS, FAIL = 1, -1
"""Codes of outcomes in arrays; 0: INCONCLUSIVE."""


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The service that is assumed."""

    p50: float
    """Share of requests within each p50 limit, and with throughput enough."""
    p95: float
    """Share within each p95 limit."""
    success: float
    correct: float
    single: Mapping[str, float] = {}
    """Shares of single claims: ``total_p95`` in every scope, ``soak.total_p95`` or ``c=2.total_p95`` in one."""
    burst: int = 1
    """Mean length of a burst of misses."""

    @classmethod
    def of(cls, assumed: Assumed) -> Truth:
        """What golive.toml declares."""
        return cls(p50=assumed.p50, p95=assumed.p95, success=assumed.success_rate, correct=assumed.correct_rate)

    def share(self, need: Need) -> float:
        """The true share of requests that are ok in a claim."""
        if need.key == "success":
            return self.success
        right = min(self.correct, self.success)
        if need.key == "correct":
            return right
        common = self.p95 if need.key.endswith("p95") else self.p50
        return min(right, self.single.get(f"{need.scope}.{need.key}", self.single.get(need.key, common)))


class Chances(msgspec.Struct, frozen=True, kw_only=True):
    """How often something came out how, of so many repetitions."""

    repetitions: int
    passed: int
    failed: int

    @property
    def open(self) -> int:
        """Neither."""
        return self.repetitions - self.passed - self.failed


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulation found."""

    run: Chances
    """Passed: GO on all that is simulated; failed: NO-GO."""
    claims: tuple[Chances, ...]
    """In the order of the planned run's needs."""
    seed: int
    truth: Truth


def simulate(found: Planned, truth: Truth, *, repetitions: int, seed: int) -> Simulated:
    """The planned run, ``repetitions`` times, against a service of that ``truth``.

    Raises:
        ValueError: no repetitions.
    """
    if repetitions < 1:
        raise ValueError(f"{repetitions} repetitions show nothing")
    scopes = [phase for phase in found.phases if phase.required]
    sizes = [phase.requests for phase in scopes]
    concurrency = round(found.phase(SOAK).requests_per_s * found.total_ms / 1000)
    random = np.random.default_rng(seed)
    edges = np.cumsum([0, *sizes])
    rows = {phase.scope: slice(int(low), int(high)) for phase, low, high in zip(scopes, edges, edges[1:], strict=False)}
    rows[POOLED] = slice(0, int(edges[-1]))
    before = {SOAK: 0, POOLED: rows[SOAK].start}
    outcomes = np.zeros((0, len(found.needs)), dtype=np.int8)
    while len(outcomes) < repetitions:
        runs = min(repetitions - len(outcomes), max(1, AT_ONCE // max(1, int(edges[-1]))))
        bad = draw(random, runs, int(edges[-1]), truth.burst)
        columns = []
        for need in found.needs:
            missed = bad[:, rows[need.scope]] > truth.share(need)
            column = judged(missed, need.asked.p0, need.asked.rule)
            if need.scope in before:
                hopeless = ended(
                    missed, need.asked.p0, need.asked.rule, before=before[need.scope], in_flight=concurrency
                )
                column[hopeless] = FAIL
            columns.append(column)
        outcomes = np.concatenate([outcomes, np.stack(columns, axis=1)])
    failed, passed = (outcomes == FAIL).any(axis=1), (outcomes == PASS).all(axis=1)
    return Simulated(
        run=Chances(repetitions=repetitions, passed=int(passed.sum()), failed=int(failed.sum())),
        claims=tuple(
            Chances(repetitions=repetitions, passed=int((column == PASS).sum()), failed=int((column == FAIL).sum()))
            for column in outcomes.T
        ),
        seed=seed,
        truth=truth,
    )


def draw(random: np.random.Generator, runs: int, n: int, burst: int) -> Floats:
    """How bad each of ``n`` requests of each run is: uniform on (0, 1), each row in due order."""
    bad: Floats = random.random((runs, n))
    if burst > 1 and n:
        fresh = random.random((runs, n)) < 1 / burst
        fresh[:, 0] = True
        last = np.maximum.accumulate(np.where(fresh, np.arange(n), 0), axis=1)
        bad = np.take_along_axis(bad, last, axis=1)
    return bad


def judged(missed: Bools, p0: float, rule: Rule) -> NDArray[np.int8]:
    """The outcome of each row of ``missed``, as :func:`go_live.judge.shares.share_ok` would have it."""
    runs, n = missed.shape
    found = np.zeros(runs, dtype=np.int8)
    if not n:
        return found
    counts = np.count_nonzero(missed, axis=1)
    allowed, refuting = _bounds(n, p0, rule)
    found[counts >= refuting] = FAIL
    for row in np.flatnonzero(counts <= allowed):
        found[row] = PASS if holds(missed[row], p0, rule) else 0
    return found


def holds(missed: Bools, p0: float, rule: Rule) -> bool:
    """Whether a PASS on ``missed`` also holds on spaced requests (:func:`go_live.judge.dependence.demote`)."""
    longest = int(burst_lengths(missed).max(initial=0))
    by_chance = longest_probability(longest, len(missed), 1 - p0)
    length = max(rule.burst_length, longest if by_chance <= CLUSTERED_BELOW else 1)
    return all(_passes(thinned(missed, one), p0, rule) for one in range(2, length + 1))


def ended(missed: Bools, p0: float, rule: Rule, *, before: int, in_flight: int) -> Bools:
    """Which rows are ended early, since FAIL is certain at a look after a tenth of the soak.

    Args:
        missed: One run a row.
        p0: The claimed share.
        rule: Judged at every look.
        before: Requests of the row that came before the soak.
        in_flight: Requests that may still come back ok.
    """
    n = missed.shape[1] - before
    first = max(1, math.ceil(LEAST_SERVED * n))
    if n < first:
        return np.zeros(len(missed), dtype=np.bool_)
    looks = np.arange(before + first, before + n + 1)
    fewest = fewest_refuting(looks + in_flight, p0, rule.alpha_fail)
    counts = np.cumsum(missed, axis=1, dtype=np.int32)[:, looks - 1]
    return np.asarray((counts >= fewest).any(axis=1), dtype=np.bool_)


def fewest_refuting(n: Counts, p0: float, alpha: float) -> Counts:
    """:func:`go_live.judge.eprocess.failing_misses` of each of ``n``; n + 1 where not even n misses refute."""
    low, high = np.zeros_like(n), n + 1
    while (low < high).any():
        middle = np.minimum((low + high) // 2, n)
        refutes = eprocess.log_e(n - middle, middle, p0)[1] >= -math.log(alpha)
        open_ = low < high
        low = np.where(open_ & ~refutes, middle + 1, low)
        high = np.where(open_ & refutes, middle, high)
    return low


def known_keys(needs: Iterable[Need]) -> frozenset[str]:
    """What the truth of single claims can be told for."""
    single = [need for need in needs if need.key not in {"success", "correct"}]
    return frozenset({need.key for need in single} | {f"{need.scope}.{need.key}" for need in single})


@lru_cache(maxsize=4096)
def _bounds(n: int, p0: float, rule: Rule) -> tuple[int, int]:
    """The most misses that pass and the fewest that fail; -1 and n + 1 where there are none."""
    test = judged_by(rule)
    allowed, refuting = test.allowed_misses(n, p0, rule.alpha), test.failing_misses(n, p0, rule.alpha_fail)
    return -1 if allowed is None else allowed, n + 1 if refuting is None else refuting


def _passes(missed: Bools, p0: float, rule: Rule) -> bool:
    return int(np.count_nonzero(missed)) <= _bounds(len(missed), p0, rule)[0]
