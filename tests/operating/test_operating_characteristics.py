"""Does each rule by which this tool stops and judges err as rarely, and decide as soon, as it says?

Exact where requests are independent; else simulated, and then with the tolerance that a method which errs in exactly
``ALPHA`` of all runs would exceed in one of a thousand such simulations. ``nox -s bench`` has the long form.
"""

import numpy as np
import pytest
from scipy import stats

from go_live.judge import binomial, eprocess
from go_live.judge.claims import LEVEL_CLAIMS
from go_live.judge.soak import FAMILY
from go_live.judge.tally import Rule, tally
from go_live.outcome import Outcome
from tests.operating.characteristics import bursts, edge, ever, independent, marked, median, resumed, touched

CONFIDENCE = 0.95
ALPHA = 0.05
LOOKS = 3000
"""An hour of soak has some 2,000 requests."""
SOAK = Rule(CONFIDENCE, family=FAMILY, anytime=True)
LEVEL = Rule(CONFIDENCE, family=LEVEL_CLAIMS)
SHARES = [0.5, 0.95, 0.99]


def tolerated(runs: int) -> float:
    """How many of ``runs`` may err."""
    return float(stats.binom(runs, ALPHA).ppf(0.999))


@pytest.mark.parametrize("p0", SHARES)
def test_one_look_at_a_fixed_plan(p0: float) -> None:
    """At the limit exactly, a level of any size up to 600 passes with at most alpha, and fails with at most alpha/m."""
    n = np.arange(1, 601)
    passing, failing = (edge(p0, LEVEL, outcome, 600) for outcome in (Outcome.PASS, Outcome.FAIL))
    assert (stats.binom(n, 1 - p0).cdf(passing) <= ALPHA + 1e-9).all()
    false_fails = np.where(failing < 0, 0, stats.binom(n, 1 - p0).sf(failing - 1))
    assert (false_fails <= ALPHA / LEVEL_CLAIMS + 1e-9).all()


@pytest.mark.parametrize("p0", SHARES)
def test_a_look_after_every_request(p0: float) -> None:
    """At the limit exactly, a soak shows a PASS at any of 3000 looks with at most alpha, a FAIL with alpha/m."""
    assert touched(Outcome.PASS, true=p0, p0=p0, rule=SOAK, n=LOOKS)[-1] <= ALPHA
    assert touched(Outcome.FAIL, true=p0, p0=p0, rule=SOAK, n=LOOKS)[-1] <= ALPHA / FAMILY


@pytest.mark.parametrize("worse", [0.001, 0.01, 0.1])
def test_below_the_limit_it_passes_even_more_rarely(worse: float) -> None:
    """A service that is worse than the limit is no more likely to pass than one at it."""
    at, below = (touched(Outcome.PASS, true=0.95 - by, p0=0.95, rule=SOAK, n=LOOKS)[-1] for by in (0.0, worse))
    assert below < at


def test_a_fixed_plan_must_not_be_looked_at_often() -> None:
    """The control: the fixed test, looked at after every request, passes in a quarter of the runs at the limit."""
    assert touched(Outcome.PASS, true=0.95, p0=0.95, rule=LEVEL, n=LOOKS)[-1] > 1 / 4


def test_the_exact_figures_are_those_of_simulated_runs() -> None:
    """2000 seeded runs pass as often as computed, within three standard errors; at a share where half of them do."""
    exact = touched(Outcome.PASS, true=0.97, p0=0.95, rule=SOAK, n=600)[-1]
    share = ever(independent(2000, 600, true=0.97, seed=1), p0=0.95, rule=SOAK).mean()
    assert share == pytest.approx(exact, abs=3 * np.sqrt(exact * (1 - exact) / 2000))


@pytest.mark.parametrize("rule", [SOAK, LEVEL])
def test_a_look_is_the_verdict(rule: Rule) -> None:
    """What is marked as PASS or FAIL is what the tool's own tally says of the same requests."""
    runs = independent(40, 500, true=0.93, seed=2)
    for n, missed in zip(range(13, 500, 12), runs, strict=False):
        found = tally(missed[:n], 0.95, rule).outcome
        counts = np.cumsum(missed)
        for outcome in (Outcome.PASS, Outcome.FAIL):
            assert marked(counts, edge(0.95, rule, outcome, 500), outcome)[n - 1] == (found is outcome)


@pytest.mark.parametrize("p0", [0.95, 0.99])
def test_a_killed_run_that_goes_on(p0: float) -> None:
    """Killed at five random moments with three requests open, looked at after every request: at most alpha."""
    passed = ever(resumed(2000, LOOKS, true=p0, kills=5, open_=3, seed=3), p0=p0, rule=SOAK)
    assert passed.sum() <= tolerated(2000)


@pytest.mark.parametrize(("length", "runs", "n"), [(3, 1000, 3600), (10, 500, 9000)])
def test_bursts_of_the_declared_length(length: int, runs: int, n: int) -> None:
    """In bursts at exactly 95 % ok, looked at after every request: at most alpha; judged as independent, a third."""
    missed = bursts(runs, n, p0=0.95, length=length, seed=4)
    assert ever(missed, p0=0.95, rule=SOAK, burst_length=length).sum() <= tolerated(runs)
    assert ever(missed, p0=0.95, rule=SOAK).mean() > 1 / 3


def test_p95_at_a_true_99_percent_passes_soon() -> None:
    """In a median of at most 140 requests, looked at after each."""
    assert median(touched(Outcome.PASS, true=0.99, p0=0.95, rule=SOAK, n=400)) <= 140


@pytest.mark.parametrize(("family", "n"), [(1, 45), (FAMILY, 45), (4, 45), (LEVEL_CLAIMS, 45), (12, 46)])
def test_p95_at_a_true_80_percent_fails_soon(family: int, n: int) -> None:
    """In a median of at most 45 requests for every family that the tool has; a family of twelve would take 46."""
    rule = Rule(CONFIDENCE, family=family, anytime=True)
    assert median(touched(Outcome.FAIL, true=0.80, p0=0.95, rule=rule, n=400)) <= n


def test_success_without_a_failure_passes_soon() -> None:
    """99 % is shown by at most 460 requests of which none failed, at every look; by 299 of a fixed plan."""
    assert eprocess.requests_for(0, 0.99, ALPHA) <= 460
    assert binomial.requests_for(0, 0.99, ALPHA) == 299
