"""An identical candidate is hardly ever turned back, however often one looks: shown by thousands of simulated rollouts.

Each simulated rollout takes all steps, and its claims are looked at after every request, by the judge's own functions
(what guardrails refuse: once a step).
"""

import math

import numpy as np
import pytest
from scipy import stats

from go_live.config import Config
from go_live.judge import eprocess
from go_live.outcome import Outcome, Verdict
from go_live.rollout import bounds, claims
from go_live.rollout.seen import Arm, Seen
from go_live.table import Bools, Floats
from selftest.rollout_world import settings

REQUESTS = {10: 700, 50: 700, 100: 700}
"""Of the candidate in each step: more than a PASS needs, so that a hold is looked at too."""
MOST = 0.05
LIMITS = {"exec_ms": (3000.0, 5000.0), "service_ms": (5000.0, 8000.0), "queue_ms": (2000.0, 2001.0)}
"""p50 and p95 of the shipped golive.toml; there is none for the queue's p95."""


def lognormal(draw: np.random.Generator, n: int, p50: float, p95: float, success: float = 1.0) -> Floats:
    """Times of which these are p50 and p95 once a share of 1 - ``success`` is taken for infinite."""
    median, high = (float(stats.norm.ppf(share / success)) for share in (0.5, 0.95))
    sigma = math.log(p95 / p50) / (high - median)
    return draw.lognormal(math.log(p50) - sigma * median, sigma, n)


def arm(draw: np.random.Generator, n: int, seconds: float, *, success: float, speed: float) -> Arm:
    """An arm whose times are ``speed`` times the limits: at 1 they stand exactly at every one of them."""
    wall, ok = np.sort(draw.uniform(0, seconds, n)), draw.random(n) < success

    def times(name: str) -> Floats:
        found = lognormal(draw, n, *LIMITS[name], success) * speed
        return np.where(ok, found, np.inf)

    return Arm(
        wall=wall,
        ended=wall + 3,
        ok=ok,
        service_ms=times("service_ms"),
        exec_ms=times("exec_ms"),
        queue_ms=times("queue_ms"),
        tokens=np.where(ok, lognormal(draw, n, 150, 220), 0.0),
        refused=np.sort(draw.uniform(0, seconds, draw.binomial(n, 0.1))),
    )


def ever_refuted(missed: Bools, p0: float, in_flight: int, config: Config) -> bool:
    """Whether a look after any of the requests would have refuted the claim."""
    at = np.flatnonzero(missed)  # evidence against grows with misses alone
    if not at.size:
        return False
    misses = np.arange(1, at.size + 1, dtype=np.float64)
    against = eprocess.log_e(at + 1 - misses + in_flight, misses, p0)[1]
    return bool((against >= -math.log(claims.rule(config).alpha_fail)).any())


def ever_lower(candidate: Arm, current: Arm, margin: float, config: Config) -> bool:
    """Whether a look after any of the candidate's failures would have refuted that it fails as seldom."""
    need = claims.rule(config)
    for number, row in enumerate(np.flatnonzero(~candidate.ok), start=1):
        beside = int(np.searchsorted(current.wall, candidate.wall[row], side="right"))
        others = int(np.count_nonzero(~current.ok[:beside]))
        counts = (number, int(row) + 1), (others, beside)
        if number / (row + 1) <= others / max(beside, 1) + margin:
            continue  # nothing that could refute
        if bounds.not_lower(*counts, margin, need.alpha, need.alpha_fail).value == "fail":
            return True
    return False


def turned_back(draw: np.random.Generator, config: Config, *, success: float, speed: float) -> bool:
    """One simulated rollout of a candidate that is what the current endpoint is."""
    for percent, n in REQUESTS.items():
        quality = {"success": success, "speed": speed}
        candidate = arm(draw, n, 3600, **quality)
        current = arm(draw, n * (100 - percent) // percent, 3600, **quality)
        seen = Seen(candidate=candidate, current=current, until=3700.0)
        shares = claims.absolute(seen, seen, config)
        if percent < 100:
            shares += claims.compared(seen, percent, config)
        if any(ever_refuted(one.missed, one.p0, one.in_flight, config) for one in shares):
            return True
        if percent < 100 and ever_lower(candidate, current, config.rollout.success_margin, config):
            return True
        if percent < 100 and any(one.outcome is Outcome.FAIL for one in _at_the_end(seen, config)):
            return True
        if claims.in_a_row(candidate, config.rollout.consecutive_failures_max):
            return True
    return False


def _at_the_end(seen: Seen, config: Config) -> list[Verdict]:
    return claims.not_lower(seen, seen, claims.rule(config), config)


def share_turned_back(rollouts: int, seed: int, *, success: float, speed: float) -> tuple[int, float]:
    """How many of so many rollouts were turned back, and the upper end of that share's 95 % confidence interval."""
    draw, config = np.random.default_rng(seed), settings()
    count = sum(turned_back(draw, config, success=success, speed=speed) for _ in range(rollouts))
    return count, float(stats.beta.ppf(0.95, count + 1, rollouts - count))


def test_an_identical_candidate_is_hardly_ever_turned_back() -> None:
    """Of 100 rollouts of a healthy candidate so few are turned back that the share is shown to be below 5 %."""
    count, upper = share_turned_back(100, 1, success=0.999, speed=0.7)
    assert upper < MOST, f"{count} of 100 were turned back"


@pytest.mark.slow
@pytest.mark.parametrize(("success", "speed"), [(0.999, 0.7), (0.99, 1.0)])
def test_not_even_one_that_stands_at_its_limits(success: float, speed: float) -> None:
    """Of 1000 rollouts of a healthy endpoint, and of one exactly at its success rate and at each latency limit."""
    count, upper = share_turned_back(1000, 2, success=success, speed=speed)
    assert upper < MOST, f"{count} of 1000 were turned back"
