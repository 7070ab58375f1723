"""One change of level: the statistic against its definition, false alarms and power by seeded simulation."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from go_live.judge import shift
from go_live.table import Floats
from tests.go_live.judge.test_drift import ar1


@given(st.lists(st.integers(0, 20), min_size=2, max_size=40))
def test_the_statistic_is_the_largest_standardised_one(values: list[int]) -> None:
    """It is the largest |sum of sgn(x_i - x_j)| over i <= t < j by its deviation, a tenth left at either end."""
    n = len(values)
    edge = max(1, math.ceil(n / 10))
    sizes = {
        t: abs(sum(np.sign(a - b) for a in values[:t] for b in values[t:])) / math.sqrt(t * (n - t) * (n + 1) / 3)
        for t in range(edge, n - edge + 1)
    }
    assert shift.largest_rank_statistic(np.array(values, dtype=np.float64)) == pytest.approx(max(sizes.values()))


@given(st.floats(0, 8), st.floats(0, 8))
@example(1.0, 1.125)
@example(1.099, 1.1)
def test_p_values_fall(one: float, other: float) -> None:
    """The larger the statistic, the smaller the p-value, and never above 1."""
    low, high = sorted((one, other))
    assert 0 < shift.p_value(high) <= shift.p_value(low) + 1e-12 <= 1 + 1e-12


def test_a_step_is_found_where_it_is() -> None:
    """480 figures that step up by half at the 240th: 48 batches put the change exactly there."""
    rng = np.random.default_rng(1)
    values = np.where(np.arange(480) < 240, 2800.0, 4200.0) + rng.normal(0, 100, 480)
    found = shift.find(values, 48)
    assert found.first == 240
    assert found.before == pytest.approx(2800, abs=50)
    assert found.after == pytest.approx(4200, abs=50)
    assert found.p_value < 1e-6


@given(st.lists(st.integers(0, 20), min_size=2, max_size=40))
def test_the_place_is_that_of_least_squares(values: list[int]) -> None:
    """No other split leaves smaller squares about the means on either side."""
    array = np.array(values, dtype=np.float64)
    left = {t: array[:t].var() * t + array[t:].var() * (len(array) - t) for t in shift.splits(len(array))}
    assert left[shift.place(array)] == pytest.approx(min(left.values()), abs=1e-6)


def test_no_change_has_no_place() -> None:
    """Equal figures have p = 1."""
    assert shift.find([5.0] * 100, 10).p_value == 1


def test_one_batch_has_nothing_to_compare() -> None:
    """A change needs something before and something after it."""
    with pytest.raises(ValueError, match="two batches"):
        shift.find([1.0, 2.0], 1)


@pytest.mark.parametrize(("n", "batches"), [(299, None), (300, 30), (350, 35), (480, 48), (1_000_000, 48)])
def test_batches_hold_ten_figures(n: int, batches: int | None) -> None:
    """As many batches of ten as there are, 48 at the most; fewer than 30 show nothing."""
    assert shift.batches_for(n, 12) == batches


def rates(series: Floats, batches: int) -> float:
    """Share of the rows of ``series`` with p at most 0.01."""
    return float(np.mean([shift.find(row, batches).p_value <= 0.01 for row in series]))


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_false_alarms(rho: float) -> None:
    """At 0.01, 600 correlated points in 48 batches alarm in at most 3 % of 1000 seeded runs, before any floor."""
    assert rates(ar1(rho, n=600), 48) <= 0.03


@pytest.mark.parametrize("batches", [30, 48])
def test_p_values_hold(batches: int) -> None:
    """On independent batch means, 10,000 seeded runs: p at most 0.01 in no more than 1 % and a half, 0.001 in 0.2 %."""
    runs = np.random.default_rng(11).random((10_000, batches))
    found = np.array([shift.p_value(shift.largest_rank_statistic(row)) for row in runs])
    assert (found <= 0.01).mean() <= 0.015
    assert (found <= 0.001).mean() <= 0.002


def test_power() -> None:
    """A step of one standard deviation in correlated noise (rho 0.5) is found in 95 % of 200 seeded runs of 600."""
    steps = np.where(np.arange(600) < 300, 0.0, 1.0)
    assert rates(ar1(0.5, runs=200, n=600) + steps, 48) >= 0.95
