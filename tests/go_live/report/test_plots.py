"""Charts: drawn from numbers, with their limits, their failures and a bounded size."""

import math
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.records import ErrorClass, Record
from go_live.report import plots, svg
from go_live.report.figures import Series, series_of
from go_live.report.model import Chart
from tests.go_live.report import samples

LIMITS = {"total_ms_p50": 4000.0, "total_ms_p95": 6000.0, "confidence": 0.95}
ADDS_UP = samples.settings().attribution


def series(records: list[Record], **limits: float) -> Series:
    """The records as one series, with limits."""
    (found,) = series_of(records, dict.fromkeys(("load", "soak"), limits or LIMITS), ADDS_UP)
    return found


def drawn(chart: Chart) -> ET.Element:
    """The chart's drawing, parsed."""
    return ET.fromstring(chart.svg)  # noqa: S314 - our own


def words(chart: Chart) -> list[str]:
    """All labels of a chart."""
    return [element.text or "" for element in drawn(chart).iter("text")]


def pieces(chart: Chart, cls: str) -> list[ET.Element]:
    """Elements of a class."""
    return [element for element in drawn(chart).iter() if element.get("class") == cls]


@pytest.mark.parametrize("index", range(3))
def test_charts_are_named_for_those_who_do_not_see(index: int) -> None:
    """Each drawing is an image with a title and a description that it refers to."""
    root = drawn(plots.charts(series(samples.level("c=1")), "key")[index])
    ids = [element.get("id") for element in root if element.tag in {"title", "desc"}]
    assert root.get("role") == "img"
    assert " ".join(str(found) for found in ids) == root.get("aria-labelledby")


def test_limits_are_drawn_and_labelled() -> None:
    """Both limits stand in the distribution and in the time series, with their percentile and figure."""
    distribution, over_time = plots.charts(series(samples.level("c=1")), "key")[:2]
    assert len(pieces(distribution, "lim")) == len(pieces(over_time, "lim")) == 2
    assert {"p50 ≤ 4,000 ms", "p95 ≤ 6,000 ms"} <= set(words(distribution))
    assert {"p50", "p95", "4,000", "6,000"} <= set(words(over_time))


def test_percentiles_stand_with_their_n() -> None:
    """The caption gives p50 and p95 with n, and both are marked on the curve."""
    chart = plots.distribution(series(samples.level("c=1", 124)), "key")
    assert chart.caption.startswith("p50 3,461 ms, p95 3,517 ms (n = 124)")
    assert {"p50 3,461 ms", "p95 3,517 ms"} <= set(words(chart))


def test_failures_are_never_left_out() -> None:
    """A failed request is a cross above the time series, and keeps the distribution below 100 %."""
    found = series(samples.level("c=1", 20, failed=(3, 4)))
    distribution, over_time = plots.charts(found, "key")[:2]
    (cross,) = pieces(over_time, "x")
    assert (cross.get("d") or "").count("M") == 2
    assert "no answer" in words(over_time)
    up = svg.Axis(low=0, high=100, start=plots.HEIGHT - svg.BOTTOM, end=svg.TOP)
    (curve,) = pieces(distribution, "ln")
    highest = min(float(point.split(" ")[1]) for point in (curve.get("d") or "").lstrip("M").split("L"))
    assert highest == pytest.approx(up.at(90), abs=0.5)
    assert "p95 no answer" in distribution.caption


def test_the_forbidden_area_is_where_a_limit_is_missed() -> None:
    """The curve of a run that meets both limits stays out of the shaded area; its corner is (limit, percentile)."""
    (area,) = pieces(plots.distribution(series(samples.level("c=1")), "key"), "no")
    corners = [tuple(map(float, point.split(" "))) for point in (area.get("d") or "").strip("MZ").split("L")]
    up = svg.Axis(low=0, high=100, start=plots.HEIGHT - svg.BOTTOM, end=svg.TOP)
    assert {round(up.at(50)), round(up.at(95))} <= {round(y) for _, y in corners}


def test_many_requests_are_binned_and_the_caption_says_so() -> None:
    """Beyond a few thousand requests the drawing keeps its size, and no extreme is lost."""
    records = samples.level("c=1", 20_000)
    records[777] = samples.record(777, 90_000, due=777 * 3.5)
    chart = plots.over_time(series(records), "key")
    assert "in 240 columns, each from its fastest to its slowest" in chart.caption
    assert len(chart.svg) < 30_000
    assert max(len(part.svg) for part in plots.charts(series(records), "key")) < 60_000
    (ranges,) = pieces(chart, "range")
    tops = [float(stroke.split("V")[1]) for stroke in (ranges.get("d") or "").split("M")[1:]]
    assert min(tops) < sorted(tops)[1] - 10


def test_two_thousand_requests_stay_small() -> None:
    """A soak of 2,000 requests, drawn one by one, takes at most 100 kB in all its charts."""
    found = plots.charts(series(samples.slow_soak()), "key")
    assert sum(len(chart.svg) for chart in found) < 100_000


def test_what_does_not_add_up_is_named_and_not_drawn() -> None:
    """Where the platform reports more time than the client saw pass, that is said, and no bar stands for it."""
    records = samples.level("c=1", 20, execution_ms=9000.0)
    chart = plots.split_over_time(series(records), "key")
    assert chart.caption.startswith("No answered request has parts that add up to its total. Not shown: 20, for the ")
    assert len(list(drawn(chart).iter("rect"))) == len(plots.PARTS)
    assert plots.time_budget([series(records)]) is None


def test_parts_add_up_to_the_mean_total() -> None:
    """Queue, execution, client wait and network are told with the number of requests, and make the bar's figure."""
    found = series(samples.level("c=1", 50, queue_ms=500))
    caption = plots.split_over_time(found, "key").caption
    assert caption.startswith("Mean of 50 answered requests: queue 500 ms, execution 2,914 ms, client wait 0.50 ms, ")
    budget = plots.time_budget([found])
    assert budget is not None
    assert "3,424" in words(budget)


def test_p95_so_far_has_its_band_and_its_limit() -> None:
    """A soak shows p95 so far as a line in its band, the limit labelled, and says n, confidence and what it is."""
    (chart,) = [one for one in plots.charts(series(samples.slow_soak()), "key") if one.title.startswith("p95 so far")]
    assert chart.caption.startswith("p95 6,")
    assert "(n = 2,000)" in chart.caption
    assert "with 95 % confidence, however often one looks" in chart.caption
    assert chart.caption.endswith(" ms: above the limit.")
    assert len(pieces(chart, "band")) == len(pieces(chart, "ln")) == len(pieces(chart, "lim")) == 1
    assert {"p95", "6,000"} <= set(words(chart))


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (2000, "within the limit."),
        (60, " ms or more: not clear of the limit."),
        (1, "by now anywhere: not clear of the limit."),
    ],
)
def test_the_band_says_on_which_side_of_the_limit_it_is(n: int, said: str) -> None:
    """Where there is no upper bound yet the band reaches the top, and nothing is claimed."""
    chart = plots.p95_so_far(series(samples.level("c=1", n, phase="soak")), "key")
    assert chart is not None
    assert chart.caption.endswith(said)
    (shape,) = pieces(chart, "band")
    top = min(float(point.split(" ")[1]) for point in (shape.get("d") or "").strip("MZ").split("L"))
    assert top == svg.TOP


@pytest.mark.parametrize(("every", "said"), [(16, "by now 3,"), (4, "by now beyond any time: above the limit.")])
def test_a_soak_of_failures_has_an_infinite_p95(every: int, said: str) -> None:
    """Where more than 5 % have no answer p95 is no figure, and once that is sure its band has no finite end."""
    found = series(samples.level("c=1", 500, failed=range(0, 500, every), phase="soak"))
    chart = plots.p95_so_far(found, "key")
    assert chart is not None
    assert chart.caption.startswith("p95 no answer (n = 500)")
    assert said in chart.caption


def test_no_band_where_nothing_asks_for_one() -> None:
    """Levels are judged once, at their end; without a limit or a confidence there is no question to answer."""
    assert plots.p95_so_far(series(samples.level("c=1")), "key") is None
    soak = samples.level("c=1", phase="soak")
    assert plots.p95_so_far(series(soak, total_ms_p50=4000.0, confidence=0.95), "key") is None
    assert plots.p95_so_far(series(soak, total_ms_p95=6000.0), "key") is None


def test_the_slowest_are_shown_apart() -> None:
    """The budget has a bar for all answered requests of a level and one for the slowest twentieth."""
    chart = plots.time_budget([series(samples.level("c=1")), series(samples.slow_soak())])
    assert chart is not None
    assert words(chart).count("slowest 5 %") == 2
    assert {"c=1, all", "soak, c=2, all"} <= set(words(chart))


def test_what_was_not_recorded_is_not_drawn() -> None:
    """Without times of day and execution times, two charts are left, in the order of the file."""
    records = [samples.record(seq, 3000.0 + seq, due=0.0, execution_ms=None) for seq in range(30)]
    found = plots.charts(series(records), "key")
    assert [chart.title for chart in found] == ["Latency distribution", "Over time"]
    assert "request, in the order of the file" in words(found[1])
    assert plots.time_budget([series(records)]) is None


def test_a_soak_shows_its_throughput() -> None:
    """Right answers per minute over the soak, with median, least and most in words."""
    chart = plots.charts(series(samples.slow_soak()), "key")[-1]
    assert chart.title == "Throughput"
    assert chart.caption.startswith("Median 33")


def test_a_wide_range_gets_a_logarithmic_axis() -> None:
    """400 ms against a limit of 6,000 ms is drawn on a logarithmic axis that says so; 3,400 ms on a linear one."""
    quick, slow = (plots.over_time(series(samples.level("c=1", base=base)), "key") for base in (400, 3400))
    assert "total time, ms (log scale)" in words(quick)
    assert "total time, ms" in words(slow)


@given(st.floats(1e-3, 1e7), st.floats(1.0001, 1e6), st.booleans())
def test_axes_keep_their_values_inside(low: float, factor: float, log: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """Ticks lie on the axis, in order, and every value is drawn between its ends."""
    axis = svg.Axis(low=low, high=low * factor, start=0, end=100, log=log)
    ticks = axis.ticks()
    assert ticks == sorted(ticks)
    assert all(-1e-6 <= axis.at(tick) <= 100 + 1e-6 for tick in ticks)
    assert 0 <= axis.at(low * math.sqrt(factor)) <= 100
    assert len(ticks) <= 16


REQUESTS = st.lists(
    st.tuples(st.floats(0.001, 1e6), st.sampled_from([None, *ErrorClass]), st.floats(0, 1e4), st.booleans()),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(
    REQUESTS,
    st.sampled_from(["load", "soak"]),
    st.dictionaries(st.sampled_from(["total_ms_p50", "total_ms_p95"]), st.floats(1, 1e5)),
)
def test_any_records_can_be_drawn(requests: list[Any], phase: str, limits: dict[str, float]) -> None:
    """Whatever was measured, each chart is well formed and its coordinates are finite."""
    records = [
        samples.record(
            seq, total, due=due, phase=phase, error=error, **({} if known else {"execution_ms": None, "delay_ms": None})
        )
        for seq, (total, error, due, known) in enumerate(requests)
    ]
    (found,) = series_of(records, {phase: limits | {"confidence": 0.95}}, ADDS_UP)
    for chart in plots.charts(found, "key"):
        assert drawn(chart).tag == "svg"
        assert "nan" not in chart.svg
        assert "inf" not in chart.svg.replace("information", "")
    plots.time_budget([found])
