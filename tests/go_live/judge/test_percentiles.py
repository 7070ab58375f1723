"""Nearest-rank percentiles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.judge.percentiles import latency_points, percentile, percentiles

LATENCIES = st.lists(st.floats(min_value=0, allow_nan=False), min_size=1, max_size=300)


@given(LATENCIES, st.integers(1, 100))
def test_it_is_the_smallest_value_that_covers_the_share(values: list[float], q: int) -> None:
    """At least q percent of the values are at or below it, and at no smaller value is that so."""
    found = percentile(values, q)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= q * len(values)
    assert all(100 * sum(value <= other for value in values) < q * len(values) for other in values if other < found)


@pytest.mark.parametrize(
    ("n", "q", "rank"),
    [
        (1, 50, 1),
        (2, 50, 1),
        (20, 95, 19),
        (21, 95, 20),
        (10, 95, 10),
        (2000, 95, 1900),
        (1000, 99.9, 999),
        (7, 100, 7),
    ],
)
def test_ranks_are_exact(n: int, q: float, rank: int) -> None:
    """Rank ceil(n q / 100), also where floating point would round n q up."""
    assert percentile(range(1, n + 1), q) == rank


def test_failures_count_as_infinity() -> None:
    """Six failures of 100 make p95 infinite, and p94 not."""
    values = [*range(94), *[math.inf] * 6]
    assert percentiles(values, (94, 95)) == (93, math.inf)
    assert latency_points(values) == {"p50_ms": 49}


def test_no_values_are_an_error() -> None:
    """A percentile of nothing is no zero."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 95)


def test_nan_is_an_error() -> None:
    """A NaN is never ranked."""
    with pytest.raises(ValueError, match="NaN"):
        percentile([1.0, math.nan, 2.0], 50)


@pytest.mark.parametrize("q", [0, -5, 100.1])
def test_a_percentile_lies_within_percent(q: float) -> None:
    """Q above 0 and at most 100."""
    with pytest.raises(ValueError, match="percentile lies"):
        percentile([1.0], q)
