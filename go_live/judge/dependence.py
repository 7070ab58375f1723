"""Do requests miss independently of each other? Where they do not, a PASS has to hold on far fewer of them.

The exact tests behind every claim take misses for independent. A service that fails in bursts breaks that: at the
limit exactly, with bursts of mean length 3 or 10, 45 or 88 % of the runs that are long enough would pass. So:

- the longest run of misses is held against chance: would a service that just meets the claim, and misses
  independently, show one as long in at most 1 % of such runs?
- where it would not, or where the plan declares a burst length above 1, a PASS must also hold on every 3l-th request,
  for each l up to L, the larger of the declared length and the longest burst seen. Three mean lengths apart, a burst
  has all but ended ((1 - 1/L)^3L is below 5 %), so that those requests may be taken for independent. The first request
  is always among them: which ones are taken is settled before anything is seen, and each test keeps its alpha;
- a FAIL stays a FAIL: dependence may take a PASS away and must never rescue a service.

One more miss can never help: it shortens no burst, so that it only adds conditions, and makes none of them easier. A
mean burst length, or a test on the number of bursts, would not do: a stray miss beside a burst lowers both. That test
(Wald & Wolfowitz 1940) is told beside the verdict.

Bursts that never showed cannot be measured: a claim holds relative to the burst length that the plan declares. The
latency's own autocorrelation is told and decides nothing, because neighbours resemble each other in every queue.
Geyer 1992 (effective n); Law & Kelton (spacing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from scipy import special

from go_live.judge import binomial, eprocess
from go_live.judge.tally import tally
from go_live.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from go_live.judge.tally import Rule, Test
    from go_live.table import Bools, Floats

CLUSTERED_BELOW = 0.01
"""Misses are clustered when chance makes a burst as long as the longest with at most this probability."""

SPACING = 3
"""Requests are taken so many burst lengths apart."""


RANKED = 100_000
"""Values that are ranked to see how far neighbours resemble each other."""


class Dependence(msgspec.Struct, frozen=True, kw_only=True):
    """How the misses of a run lie."""

    n: int
    misses: int
    bursts: int
    """Runs of one miss or more, without an ok request between."""
    longest: int
    """Misses in the longest of them; 0 without a miss."""
    p_value: float
    """Probability that independent misses, as many as these, form at most so many bursts."""
    autocorrelation: float
    """Lag 1, of the indicator "missed"; 0 where all requests are alike."""

    @property
    def mean_burst(self) -> float:
        """Mean number of misses in a burst; 0 without a miss."""
        return self.misses / self.bursts if self.bursts else 0.0

    @property
    def n_effective(self) -> float:
        """Independent requests that would say as much: n (1 - rho) / (1 + rho), at most n."""
        rho = max(self.autocorrelation, 0.0)
        return self.n * (1 - rho) / (1 + rho)


def measure(missed: Bools) -> Dependence:
    """How the misses among ``missed`` (in due order) lie.

    Raises:
        ValueError: no requests.
    """
    if not len(missed):
        raise ValueError("the dependence of no requests cannot be measured")
    n, lengths = len(missed), burst_lengths(missed)
    misses, bursts = int(lengths.sum()), len(lengths)
    return Dependence(
        n=n,
        misses=misses,
        bursts=bursts,
        longest=int(lengths.max(initial=0)),
        p_value=runs_probability(bursts, misses, n),
        autocorrelation=lag_one(missed.astype(np.float64)),
    )


def burst_lengths(missed: Bools) -> NDArray[np.intp]:
    """The length of each run of misses, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missed, [False])).astype(np.int8)))
    return edges[1::2] - edges[::2]


def runs_probability(bursts: int, misses: int, n: int) -> float:
    """P(at most ``bursts`` runs of misses) when ``misses`` of ``n`` requests missed, every order being equally likely.

    Exact: r runs can be placed in C(misses - 1, r - 1) C(n - misses + 1, r) of the C(n, misses) orders.

    Raises:
        ValueError: no such runs exist.
    """
    if not (0 <= misses <= n and min(misses, 1) <= bursts <= min(misses, n - misses + 1)):
        raise ValueError(f"{misses} misses of {n} requests cannot form {bursts} bursts")
    if misses == 0:
        return 1.0
    runs = np.arange(1, bursts + 1)
    ways = _log_choose(misses - 1, runs - 1) + _log_choose(n - misses + 1, runs) - _log_choose(n, np.array(misses))
    return min(1.0, float(np.exp(ways).sum()))


def longest_probability(length: int, n: int, rate: float) -> float:
    """At most so probable: ``n`` independent requests that miss at ``rate`` show ``length`` misses in a row, or more.

    The sum over all places where such a run can begin: at the first request, or after one that is ok.
    """
    return min(1.0, (1 + max(n - length, 0) * (1 - rate)) * rate**length)


def lag_one(values: Floats) -> float:
    """Lag-1 autocorrelation, between -1 and 1; 0 for values that are all alike.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("values that are not finite have no autocorrelation; rank them first")
    centred = values - values.mean() if len(values) else values
    square = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / square if square > 0 else 0.0


def rank_autocorrelation(values: Floats) -> float:
    """Lag-1 autocorrelation of the ranks of ``values``: a request without an answer (infinity) is simply the slowest.

    Of more than :data:`RANKED` values the first so many are looked at: more would change no digit that is shown.

    Raises:
        ValueError: a NaN among the values.
    """
    if np.isnan(values).any():
        raise ValueError("a NaN has no rank")
    _, inverse, counts = np.unique(values[:RANKED], return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - (counts - 1) / 2
    return lag_one(middles[inverse].astype(np.float64))


def thinned(missed: Bools, burst_length: int) -> Bools:
    """Every request that is :data:`SPACING` burst lengths after the one before, beginning with the first.

    Raises:
        ValueError: the burst length is below 1.
    """
    if burst_length < 1:
        raise ValueError(f"a burst has at least one miss, not {burst_length}")
    return missed[:: SPACING * burst_length]


def demote(verdict: Verdict, missed: Bools, *, p0: float, rule: Rule) -> Verdict:
    """``verdict`` as it stands once dependence is taken into account (module docstring).

    Args:
        verdict: On ``missed``; one that is no share under test (ERROR) is handed back as it is.
        missed: For each due request, in due order, whether it missed.
        p0: The claimed share of ok requests.
        rule: The test by which the verdict was found, and the declared burst length.

    Returns:
        Unchanged where requests are not seen to depend on each other and no burst length above 1 is declared. Otherwise
        with ``burst_length`` and ``n_effective`` in its points, and a PASS that the spaced requests alone do not show
        is INCONCLUSIVE, with the size of a run that would show it.
    """
    if verdict.outcome is Outcome.ERROR:
        return verdict
    seen = measure(missed)
    by_chance = longest_probability(seen.longest, seen.n, 1 - p0)
    length = max(rule.burst_length, seen.longest if by_chance <= CLUSTERED_BELOW else 1)
    if length == 1:
        return verdict
    points = {"burst_length": float(length), "n_effective": seen.n_effective, "p_bursts": seen.p_value}
    noted = msgspec.structs.replace(verdict, points=verdict.points | points)
    if verdict.outcome is not Outcome.PASS:
        return noted
    why = _why(seen, by_chance, rule)
    failing = next((one for one in range(length, 1, -1) if not _shown(thinned(missed, one), p0, rule)), None)
    spaced = thinned(missed, failing or length)
    words = (
        f"one request in {SPACING * (failing or length)} alone "
        f"({len(spaced)}, {np.count_nonzero(spaced)} of them missed)"
    )
    if failing is None:
        return msgspec.structs.replace(noted, reason=f"{verdict.reason}; {why}, and {words} shows it too")
    size = _needed(seen, p0, rule)
    needed = None if size is None else size * SPACING * length
    plan = "no run of a practical size would" if needed is None else f"a newly planned run of {needed} would"
    return msgspec.structs.replace(
        noted,
        outcome=Outcome.INCONCLUSIVE,
        reason=f"{verdict.reason}, if requests were independent; but {why}, and {words} does not show it: {plan}",
        needed=needed,
        margin=None,
    )


def _shown(spaced: Bools, p0: float, rule: Rule) -> bool:
    return tally(spaced, p0, rule).outcome is Outcome.PASS


def _why(seen: Dependence, by_chance: float, rule: Rule) -> str:
    """What makes the requests dependent: what was seen, or what the plan declares."""
    if by_chance <= CLUSTERED_BELOW:
        return (
            f"the {seen.misses} misses came in {seen.bursts} burst{'s' if seen.bursts > 1 else ''}, the longest of "
            f"{seen.longest} (p = {by_chance:.2g} if they were independent)"
        )
    return f"the plan declares bursts of mean length {rule.burst_length}"


def _needed(seen: Dependence, p0: float, rule: Rule) -> int | None:
    """How many spaced requests would decide if misses stay at this rate."""
    test: Test = eprocess if rule.anytime else binomial
    return test.needed(seen.misses / seen.n, p0, rule.alpha, rule.alpha_fail)


def _log_choose(n: int, k: NDArray[np.intp]) -> Floats:
    """Natural logarithm of the binomial coefficient; minus infinity where there is none."""
    inside = (k >= 0) & (k <= n)
    safe = np.where(inside, k, 0)
    logs = special.gammaln(n + 1) - special.gammaln(safe + 1) - special.gammaln(n - safe + 1)
    return np.where(inside, logs, -np.inf)
