"""What is remembered of scrapes: bounded, whole across restarts, and never more than was seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.config import Config
from go_live.monitor import metrics
from go_live.monitor.live import exposition
from go_live.monitor.live.history import History, looking_from
from go_live.monitor.queries import Growth
from tests.go_live.monitor.live.gateways import Told

NAME = "golive_x_total"
KEY = (NAME, "")


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=2, max_size=40))
def test_a_restart_loses_nothing_that_was_scraped(steps: list[tuple[int, bool]]) -> None:
    """A counter that starts again at 0 goes on where it was: growth is what was added after the first scrape."""
    history, counter, added = History(keep_s=1e6, every_s=1.0), 0.0, 0
    for at, (more, restarts) in enumerate(steps):
        # A restart is seen only where the counter then stands below what it was.
        if at and restarts and more < counter:
            counter = 0.0
        counter += more
        added += more if at else 0
        history.add(float(at), {"e": {KEY: counter}})
    rows = history.rows("e")
    assert Growth(NAME, 10**6).value(looking_from(rows, len(rows) - 1)) == added


@given(st.lists(st.floats(0.1, 5.0), min_size=1, max_size=80), st.integers(1, 30))
def test_a_window_holds_no_older_row(pauses: list[float], window: int) -> None:
    """However irregular the scrapes are, a span begins within its window; what lies before a silence is not in it."""
    history, at = History(keep_s=1e6, every_s=0.1), 0.0
    for pause in pauses:
        at += pause
        history.add(at, {"e": {KEY: at}})
    rows = history.rows("e")
    span = looking_from(rows, len(rows) - 1)(window)
    assert 0 <= span.seconds <= window


def test_memory_is_bounded() -> None:
    """Neither a long run nor scrapes that come too fast keep more rows than the time to be kept asks for."""
    slow, fast = History(keep_s=60, every_s=5), History(keep_s=60, every_s=5)
    for step in range(1000):
        slow.add(step * 5.0, {"e": {KEY: 1.0}})
        fast.add(step * 0.001, {"e": {KEY: 1.0}})
    assert len(slow.rows("e")) == 13
    assert len(fast.rows("e")) <= 14


def test_an_endpoint_that_is_told_no_longer_is_forgotten_in_time() -> None:
    """Its rows are as old as they are, and go when they are too old."""
    history = History(keep_s=10, every_s=1)
    history.add(0.0, {"old": {KEY: 1.0}, "e": {KEY: 1.0}})
    history.add(20.0, {"e": {KEY: 2.0}})
    assert len(history.rows("old")) == 0
    assert len(history.rows("e")) == 1


def test_a_counter_that_comes_later_counts_from_there() -> None:
    """What it had counted before it was first told is not of this window."""
    history = History(keep_s=100, every_s=1)
    for at, samples in enumerate([{}, {KEY: 1000.0}, {KEY: 1002.0}]):
        history.add(float(at), {"e": {("other", ""): 1.0, **samples}})
    rows = history.rows("e")
    assert Growth(NAME, 100).value(looking_from(rows, 2)) == 2.0


def test_a_counter_that_was_away_never_shrinks() -> None:
    """A gateway that for one scrape did not tell of it takes nothing back."""
    history = History(keep_s=100, every_s=1)
    for at, samples in enumerate([{KEY: 5.0}, {KEY: 9.0}, {}, {KEY: 10.0}]):
        history.add(float(at), {"e": {("other", ""): 1.0, **samples}})
    rows = history.rows("e")
    assert Growth(NAME, 100).value(looking_from(rows, 3)) == 5.0


def test_what_a_gateway_serves_is_read(config: Config) -> None:
    """Every metric, by endpoint, with outcomes and ends of buckets as keys, and none of the library's own."""
    told = Told(config)
    told.ended(7)
    samples = told.scrape()[config.endpoint.id]
    assert samples[metrics.REQUESTS_TOTAL, "ok"] == 7
    assert samples[f"{metrics.REQUEST_DURATION}_bucket", "8"] == 7
    assert samples[f"{metrics.REQUEST_DURATION}_bucket", "inf"] == 7
    assert samples[metrics.OUTPUT_TOKENS, ""] == 7 * 150
    assert samples[metrics.CONCURRENCY_CAP, ""] == 3
    assert not [name for name, _ in samples if name.endswith("_created")]


@pytest.mark.parametrize("text", ["", "<!doctype html><h1>hello</h1>", "up 1\n", 'golive_x{endpoint="e"} NaN\n', "a{b"])
def test_what_are_no_metrics_of_a_gateway_is_refused(text: str) -> None:
    """An empty page, a web page, another exporter's metrics, no numbers, a torn line."""
    with pytest.raises(ValueError, match="what it serves are no metrics"):
        exposition.read(text)
