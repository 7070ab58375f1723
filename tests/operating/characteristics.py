"""How often the gate's own tests err, and how many requests they need: computed exactly, or simulated from a seed.

A run of independent requests is a walk over (requests, misses), of which the test marks some points as PASS and some
as FAIL. How surely it has touched one by the n-th request follows exactly, point by point. What is not independent
(bursts, a killed run that goes on) is simulated, many runs at once.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from go_live.judge import binomial, eprocess
from go_live.judge.dependence import thinned
from go_live.judge.tally import Rule
from go_live.outcome import Outcome
from go_live.table import Bools, Floats
from tests.go_live.judge.test_dependence import markov

NEVER = -1


@lru_cache(maxsize=64)
def edge(p0: float, rule: Rule, outcome: Outcome, n: int) -> NDArray[np.intp]:
    """The most misses that pass, or the fewest that fail, of 1 to ``n`` requests; :data:`NEVER` for none at all."""
    if rule.anytime:
        return _anytime_edge(p0, rule, outcome, n)
    if outcome is Outcome.PASS:
        found = [binomial.allowed_misses(size, p0, rule.alpha) for size in range(1, n + 1)]
    else:
        found = [binomial.failing_misses(size, p0, rule.alpha_fail) for size in range(1, n + 1)]
    return np.array([NEVER if one is None else one for one in found], dtype=np.intp)


def _anytime_edge(p0: float, rule: Rule, outcome: Outcome, n: int) -> NDArray[np.intp]:
    """:func:`edge` by one bisection for all sizes at once."""
    sizes = np.arange(1, n + 1)
    low, high = np.zeros(n, dtype=np.intp), sizes + 1
    while (low < high).any():
        middle = (low + high) // 2
        misses = np.minimum(middle, sizes)
        for_, against = eprocess.log_e(sizes - misses, misses, p0)
        beyond = for_ < -math.log(rule.alpha) if outcome is Outcome.PASS else against >= -math.log(rule.alpha_fail)
        beyond |= middle > sizes
        low, high = np.where(beyond | (low == high), low, middle + 1), np.where(beyond, middle, high)
    # The first count that is beyond: one more than may miss, or the first that fails, if there are so many.
    return low - 1 if outcome is Outcome.PASS else np.where(low > sizes, NEVER, low)


def marked(misses: NDArray[np.intp], bound: NDArray[np.intp], outcome: Outcome) -> Bools:
    """Where so many misses are a PASS, or a FAIL, against the bound of :func:`edge`."""
    found: Bools = misses <= bound if outcome is Outcome.PASS else (bound != NEVER) & (misses >= bound)
    return found


def touched(outcome: Outcome, *, true: float, p0: float, rule: Rule, n: int) -> Floats:
    """Exact probability that ``outcome`` was shown at any look by the 1st, ..., ``n``-th request.

    It is looked at after each request and ends at the first look that shows ``outcome``, whatever else was shown
    before: no other rule that looks at the same requests can show it more often.

    Args:
        outcome: PASS or FAIL.
        true: The true share of ok requests.
        p0: The claimed one.
        rule: Whose test is looked at.
        n: Requests at the most.
    """
    bounds = edge(p0, rule, outcome, n)
    counts = np.arange(n + 1)
    going, ended, so_far = np.zeros(n + 1), np.empty(n), 0.0
    going[0] = 1.0
    for size, bound in enumerate(bounds.tolist(), start=1):
        # No more than ``size`` misses by now: the rest of the line is zero.
        missed = going[:size] * (1 - true)
        going[:size] *= true
        going[1 : size + 1] += missed
        ends = marked(counts[: size + 1], np.array(bound), outcome)
        so_far += float(going[: size + 1][ends].sum())
        going[: size + 1][ends] = 0.0
        ended[size - 1] = so_far
    return ended


def median(probabilities: Floats) -> float:
    """The number of requests by which half of the runs have ended; infinite when they do not."""
    reached = np.flatnonzero(probabilities >= 1 / 2)
    return float(reached[0] + 1) if reached.size else math.inf


def ever(missed: Bools, *, p0: float, rule: Rule, burst_length: int = 1) -> Bools:
    """Which of the simulated runs (rows) show a PASS at any look, looked at after each request.

    With a declared burst length, a look is a PASS only when every spacing up to it is one (what
    :func:`go_live.judge.dependence.demote` asks for; bursts that it sees itself only make it stricter).
    """
    n = missed.shape[1]
    shown = np.ones_like(missed)
    for length in range(1, burst_length + 1):
        taken = missed if length == 1 else np.ascontiguousarray(thinned(missed.T, length).T)
        counts = np.cumsum(taken, axis=1, dtype=np.intp)
        passes = marked(counts, edge(p0, rule, Outcome.PASS, taken.shape[1]), Outcome.PASS)
        # Between two taken requests, what was shown at the last one stands.
        shown &= np.repeat(passes, -(-n // taken.shape[1]), axis=1)[:, :n]
    found: Bools = np.asarray(shown.any(axis=1))
    return found


def independent(runs: int, n: int, *, true: float, seed: int) -> Bools:
    """Runs (rows) of independent requests, a share ``true`` of them ok."""
    missed: Bools = np.asarray(np.random.default_rng(seed).random((runs, n)) >= true)
    return missed


def resumed(runs: int, n: int, *, true: float, kills: int, open_: int, seed: int) -> Bools:
    """Runs that were killed at random moments and went on, as ``golive run --resume`` goes on.

    At each kill ``open_`` requests have no end. The longer a request takes the more likely it is open, so that misses
    are among them more often than their share. One that was open for longer than the limit stays a miss; every other
    one is asked again and is ok or not anew.

    Args:
        runs: How many.
        n: Requests of each.
        true: Share of ok requests; they take 0.3 to 1 times the limit, the others 1 to 3 times.
        kills: Of each run.
        open_: Requests in flight.
        seed: Of the random stream.
    """
    rng = np.random.default_rng(seed)
    missed: Bools = np.asarray(rng.random((runs, n)) >= true)
    rows = np.arange(runs)
    slow, quick = (1 - true) * 2.0, true * 0.65
    for _ in range(kills):
        first = rng.integers(0, n - open_ + 1, runs)
        for one in range(open_):
            late = rng.random(runs) < slow / (slow + quick)
            age = np.where(late, rng.uniform(1, 3, runs), rng.uniform(0.3, 1, runs)) * rng.random(runs)
            missed[rows, first + one] = (age > 1) | (rng.random(runs) >= true)
    return missed


def bursts(runs: int, n: int, *, p0: float, length: int, seed: int) -> Bools:
    """Runs at the limit exactly whose misses come in bursts of mean ``length``."""
    return markov(runs, n, p0=p0, length=length, seed=seed)
