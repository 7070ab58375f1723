"""The trend test: exact p-values against scipy, false alarms and power by seeded simulation."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal, stats

from go_live.config import Drift
from go_live.judge import drift
from go_live.outcome import Outcome, Verdict
from tests.go_live.judge.builders import DRIFT

LENIENT = msgspec.structs.replace(DRIFT, alpha=0.05)


def judge(values: list[float], family: int = 1) -> Verdict:
    """Judge ``values`` as execution times."""
    return drift.trend(values, DRIFT, what="exec_ms", worse="up", scope="soak", family=family)


@given(st.lists(st.integers(-10_000, 10_000), min_size=2, max_size=14, unique=True))
def test_p_values_are_exact(values: list[int]) -> None:
    """Without ties the p-value is that of scipy's exact Kendall test against the order."""
    expected = stats.kendalltau(range(len(values)), values, method="exact").pvalue
    assert drift.mann_kendall([float(value) for value in values]) == pytest.approx(expected)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=14))
def test_ties_are_judged_carefully(values: list[int]) -> None:
    """Ties shrink S: the p-value never falls below that of the same order without ties."""
    rising = drift.mann_kendall([value + i * 1e-6 for i, value in enumerate(values)])
    falling = drift.mann_kendall([value - i * 1e-6 for i, value in enumerate(values)])
    assert drift.mann_kendall([float(value) for value in values]) >= min(rising, falling) - 1e-12


def test_the_extremes() -> None:
    """Twelve rising means have p = 2/12!; no order at all has p = 1."""
    assert drift.mann_kendall([float(i) for i in range(12)]) == pytest.approx(2 / math.factorial(12))
    assert drift.mann_kendall([1.0] * 12) == 1


def test_one_value_has_no_trend() -> None:
    """A trend needs two values."""
    with pytest.raises(ValueError, match="two values"):
        drift.mann_kendall([1.0])


@given(st.lists(st.floats(1, 100), min_size=12, max_size=200), st.integers(2, 12))
def test_batches_cover_everything_once(values: list[float], batches: int) -> None:
    """Batches are equal in size but for one, and their weighted means add up to the whole."""
    means = drift.batch_means(values, batches)
    sizes = [len(values) * (i + 1) // batches - len(values) * i // batches for i in range(batches)]
    assert max(sizes) - min(sizes) <= 1
    assert sum(size * mean for size, mean in zip(sizes, means, strict=True)) == pytest.approx(sum(values))


def test_too_few_values_for_the_batches() -> None:
    """Eleven values are no twelve batches."""
    with pytest.raises(ValueError, match="do not fill"):
        drift.batch_means([1.0] * 11, 12)


@given(st.lists(st.floats(1, 100), min_size=2, max_size=20))
def test_the_change_is_theil_sens(values: list[float]) -> None:
    """The change is Theil-Sen's slope over the whole length, relative to the median, as scipy computes it."""
    slope = stats.theilslopes(values).slope
    assert drift.relative_change(values) == pytest.approx(slope * (len(values) - 1) / np.median(values))


def test_the_error_is_that_of_the_slope() -> None:
    """Over 2000 seeded rows of independent noise, the mean error is the spread of the changes or a little less."""
    rows = np.random.default_rng(3).normal(size=(2000, 12))
    changes = [drift.change(row) for row in rows]
    assert 0.75 < np.mean([drift.change_error(row) for row in rows]) / np.std(changes) < 1


def test_a_few_bad_batches_are_no_noise() -> None:
    """Five of twelve means far off move neither the slope nor its error; two means have no error."""
    assert drift.change_error([1.0, 0.5, 1.0, 1.0, 0.2, 1.0, 1.0, 0.9, 1.0, 0.4, 0.5, 1.0]) == 0
    with pytest.raises(ValueError, match="three values"):
        drift.change_error([1.0, 2.0])


def alarms(series: np.ndarray, limits: Drift) -> float:
    """Share of the rows of ``series`` with a significant trend, as Mann-Kendall on batch means sees it."""
    return float(np.mean([drift.mann_kendall(drift.batch_means(list(row), 12)) <= limits.alpha for row in series]))


def ar1(rho: float, runs: int = 1000, n: int = 120) -> np.ndarray:
    """Stationary Gaussian AR(1) series without a trend, unit variance, seeded."""
    noise = np.random.default_rng(20251010).normal(size=(runs, n + 100))
    return signal.lfilter([math.sqrt(1 - rho**2)], [1, -rho], noise, axis=1)[:, 100:]


@pytest.mark.parametrize(("rho", "most"), [(0.0, 0.06), (0.5, 0.08), (0.8, 0.15)])
def test_false_alarms_at_five_percent(rho: float, most: float) -> None:
    """At alpha 0.05, 120 points: about 5 % false alarms independent and at rho 0.5, 12 % at 0.8 (1000 seeded runs)."""
    assert alarms(ar1(rho), LENIENT) <= most


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_false_alarms_as_configured(rho: float) -> None:
    """At the configured alpha 0.01 false alarms stay within twice that, before the floor is even asked."""
    assert alarms(ar1(rho), DRIFT) <= 0.02


def test_a_healthy_noisy_soak_passes() -> None:
    """1000 seeded soaks with 3 % correlated noise and no drift: all PASS."""
    soaks = 2800 * (1 + 0.03 * ar1(0.5))
    assert {judge(list(row)).outcome for row in soaks} == {Outcome.PASS}


def test_power_on_a_ramp() -> None:
    """A 35 % ramp under 10 % correlated noise: at least 95 % of 300 seeded soaks FAIL, none PASS."""
    ramp = np.linspace(-0.175, 0.175, 120)
    outcomes = [judge(list(row)).outcome for row in 2800 * (1 + ramp + 0.1 * ar1(0.5, runs=300))]
    assert outcomes.count(Outcome.FAIL) >= 0.95 * 300
    assert Outcome.PASS not in outcomes[:100]


def test_a_small_trend_passes() -> None:
    """5 % over the soak is significant and below the floor of 20 %."""
    verdict = judge([2800 * (1 + 0.05 * i / 240) for i in range(240)])
    assert (verdict.outcome, verdict.n) == (Outcome.PASS, 240)
    assert verdict.points["p_value"] < 0.001
    assert verdict.measured == pytest.approx(0.045, abs=0.005)


def test_noise_above_the_floor_is_inconclusive() -> None:
    """Batches that swing by more than the floor without a clear order: neither shown."""
    swings = [1.0, 2.0, 1.1, 1.9, 1.0, 2.1, 1.4, 2.2, 1.0, 1.8, 1.7, 2.3]
    verdict = judge([value for value in swings for _ in range(5)])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reason.endswith("a longer soak would")


def test_trends_share_alpha() -> None:
    """A trend significant at alpha is not so when many trends share it (Bonferroni)."""
    order = [1.0, 1.4, 1.2, 1.6, 1.1, 1.8, 1.3, 1.5, 1.9, 1.7, 2.1, 2.0]
    values = [value for value in order for _ in range(5)]
    assert judge(values).outcome is Outcome.FAIL
    assert judge(values, family=1000).outcome is Outcome.INCONCLUSIVE


def test_too_few_requests_are_inconclusive() -> None:
    """23 requests do not fill twelve batches of two; the verdict says how many do."""
    verdict = judge([2800.0] * 23)
    assert (verdict.outcome, verdict.needed) == (Outcome.INCONCLUSIVE, 24)


@pytest.mark.parametrize(
    ("values", "said"), [([math.inf] * 30, "not finite"), ([math.nan] * 30, "not finite"), ([0.0] * 30, "positive")]
)
def test_what_is_no_figure_is_an_error(values: list[float], said: str) -> None:
    """Infinite, NaN and all-zero figures have no trend: ERROR, never PASS."""
    verdict = judge(values)
    assert verdict.outcome is Outcome.ERROR
    assert said in verdict.reason
