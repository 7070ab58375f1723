"""One tree, two answers: PromQL, and what is counted here."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.config import Config
from go_live.monitor import metrics, panels
from go_live.monitor.alerts import number
from go_live.monitor.objectives import objectives, window_s
from go_live.monitor.queries import (
    DAY,
    Gauge,
    Growth,
    Less,
    Look,
    Percentile,
    Prometheus,
    Ratio,
    Samples,
    Span,
    Times,
    Within,
    duration,
    quantile,
    series_in,
)

ENDS = (0.5, 2.0, 8.0, math.inf)


def between(first: Samples, last: Samples, seconds: float = 60.0) -> Look:
    """A look of which every window is this span."""
    return lambda _: Span(first, last, seconds)


def observed(values: list[float], ends: tuple[float, ...] = ENDS) -> Samples:
    """A histogram ``h`` of these observations."""
    return {("h_bucket", number(end)): float(sum(value <= end for value in values)) for end in ends}


def test_promql_says_what_is_meant() -> None:
    """A share within a limit: either spelling of a bucket's end, the window in Prometheus' notation, by endpoint."""
    share = Ratio(Within("h", 8.0, 300), Growth("h_count", 300))
    assert share.promql("e1") == (
        'sum by (endpoint) (increase(h_bucket{endpoint="e1",le=~"8([.]0)?"}[5m])) / '
        'sum by (endpoint) (increase(h_count{endpoint="e1"}[5m]))'
    )
    assert Within("h", 0.25, 60).promql("e1").count('le="0.25"') == 1
    assert Less(1.0, share).promql("e1").startswith("1 - (")


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1s"), (300, "5m"), (5400, "90m"), (6 * 3600, "6h"), (30 * DAY, "30d")]
)
def test_windows_are_written_exactly(seconds: int, words: str) -> None:
    """In the largest unit that fits."""
    assert duration(seconds) == words


@given(st.lists(st.floats(0.001, 20.0), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.95]))
def test_a_percentile_lies_in_the_bucket_of_its_rank(values: list[float], share: float) -> None:
    """Whatever was observed, the answer is between the ends of the bucket in which the percentile lies."""
    found = quantile(share, ENDS, [float(sum(value <= end for value in values)) for end in ENDS])
    assert found is not None
    exact = sorted(values)[max(0, math.ceil(round(share * len(values), 9)) - 1)]
    index = next(index for index, end in enumerate(ENDS) if exact <= end)
    if math.isinf(ENDS[index]):
        assert found == ENDS[-2], "beyond every limit it is the last one that is known"
    else:
        assert (ENDS[index - 1] if index else 0.0) <= found <= ENDS[index]


@given(st.lists(st.floats(0.001, 20.0), max_size=30), st.lists(st.floats(0.001, 20.0), min_size=1, max_size=30))
def test_only_the_window_counts(before: list[float], within: list[float]) -> None:
    """What was observed before the window changes no answer."""
    both = {key: count + observed(within)[key] for key, count in observed(before).items()}
    look = between(observed(before), both)
    alone = between(dict.fromkeys(both, 0.0), observed(within))
    for query in (Within("h", 8.0, 60), Percentile(95, "h", 60)):
        assert query.value(look) == query.value(alone)
    assert Within("h", 2.0, 60).value(look) == sum(value <= 2.0 for value in within)


def test_where_there_is_nothing_there_is_no_answer() -> None:
    """No requests are neither 0 % nor 100 %; no time is no rate; a series that is not told is no zero."""
    empty = {**observed([]), ("h_count", ""): 0.0}
    look = between(empty, empty)
    assert Ratio(Within("h", 8.0, 60), Growth("h_count", 60)).value(look) is None
    assert Less(1.0, Ratio(Growth("h_count", 60), Growth("h_count", 60))).value(look) is None
    assert Times(Growth("other", 60), 2.0).value(look) is None
    assert Percentile(95, "h", 60).value(look) is None
    assert Percentile(95, "other", 60).value(look) is None
    assert Gauge("other").value(look) is None
    assert Growth("h_count", 60, per_s=True).value(between(empty, empty, 0.0)) is None
    assert Prometheus("up").value(look) is None


def test_outcomes_are_added_and_rates_divided() -> None:
    """Failures are what failed and what timed out; a rate is by the seconds that were really seen."""
    first = {("n", "ok"): 10.0, ("n", "failed"): 1.0, ("n", "timeout"): 0.0}
    last = {("n", "ok"): 40.0, ("n", "failed"): 2.0, ("n", "timeout"): 2.0}
    failed = Growth("n", 60, (metrics.RequestOutcome.FAILED, metrics.RequestOutcome.TIMEOUT))
    assert failed.value(between(first, last, 20.0)) == 3
    assert Growth("n", 60, (metrics.RequestOutcome.OK,), per_s=True).value(between(first, last, 20.0)) == 1.5


def test_an_objective_is_spent_where_its_misses_reach_what_is_allowed(config: Config) -> None:
    """At exactly the target's share the limit is just kept: 1, for every objective, whatever its target."""
    for objective in objectives(config):
        misses = round(1000 * (1 - objective.target))
        last = {
            (f"{objective.histogram}_count", ""): 1000.0,
            (f"{objective.histogram}_bucket", number(objective.limit_s)): 1000.0 - misses,
            (metrics.REQUESTS_TOTAL, "ok"): 1000.0 - misses,
            (metrics.REQUESTS_TOTAL, "failed"): float(misses),
            (metrics.REQUESTS_TOTAL, "timeout"): 0.0,
        }
        look = between(dict.fromkeys(last, 0.0), last)
        assert objective.spent(window_s(config)).value(look) == pytest.approx(1.0)
        assert objective.kept(window_s(config)).value(look) == pytest.approx(objective.target)


def test_limits_are_the_ends_of_buckets(config: Config) -> None:
    """A share within a limit can be counted only where a bucket ends there."""
    ends = metrics.buckets_s(config)
    assert all(objective.limit_s in ends for objective in objectives(config) if objective.histogram)


def test_burn_limits_are_the_workbooks(config: Config) -> None:
    """Of a budget of 30 days, 2 % in an hour are 14.4 times its pace, and 5 % in six hours 6 times."""
    assert config.dashboard.error_budget_days == 30
    burn = next(panel for panel in panels.panels(config) if panel.title == "Burn rate")
    assert [limit.value for limit in burn.limits] == [6.0, 14.4]


def test_series_are_found_by_name() -> None:
    """Of an expression with functions, labels and windows only the series count."""
    assert series_in('sum(rate(golive_a_total{x="y"}[5m])) / max(golive_b)') == {"golive_a_total", "golive_b"}
