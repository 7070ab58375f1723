"""Requests within a destination's limits: every line once, in order of time."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.shipping import cloudwatch, datadog, loki
from go_live.shipping.batches import DAY_NS, Entry, Limits, cut, joined, others, stamped, timely
from go_live.shipping.payloads import intake

SMALL = Limits(most_bytes=100, most_entries=4, overhead_bytes=10, most_span_ns=1000)
ENTRIES = st.lists(st.builds(Entry, st.integers(0, 5000), st.text(min_size=1, max_size=20)), max_size=40)


@settings(deadline=None)
@given(ENTRIES)
def test_every_request_keeps_to_the_limits_and_nothing_is_lost(entries: list[Entry]) -> None:
    """Bytes with overhead, count and span; in order of time; every line in exactly one request."""
    requests = cut(entries, SMALL)
    assert [one for request in requests for one in request] == sorted(entries, key=lambda one: one.ns)
    for request in requests:
        assert request
        assert len(request) <= SMALL.most_entries
        assert len(request) == 1 or sum(one.size + 10 for one in request) <= SMALL.most_bytes
        assert request[-1].ns - request[0].ns <= 1000


@pytest.mark.parametrize(
    ("limits", "size", "entries"),
    [(cloudwatch.LIMITS, 1_048_576, 10_000), (datadog.LIMITS, 5_000_000, 1000), (loki.LIMITS, 4 * 2**20, 10_000)],
)
def test_the_limits_are_those_documented(limits: Limits, size: int, entries: int) -> None:
    """Never above what the destination's documentation allows."""
    assert limits.most_bytes <= size
    assert limits.most_entries <= entries


def test_cloudwatch_counts_26_bytes_an_event_and_a_day_a_request() -> None:
    """PutLogEvents' own arithmetic."""
    assert cloudwatch.LIMITS.overhead_bytes == 26
    lines = [Entry(number, "x" * 100) for number in range(10_001)]
    assert [len(request) for request in cut(lines, cloudwatch.LIMITS)] == [8322, 1679]  # 1,048,576 // 126
    assert [len(one) for one in cut([Entry(0, "a"), Entry(DAY_NS, "b")], cloudwatch.LIMITS)] == [1, 1]


def test_datadog_s_requests_stay_below_5_mb_whatever_json_makes_of_a_line() -> None:
    """Lines of nothing but quotes and backslashes double; the whole request is measured."""
    lines = [Entry(number, '"\\' * 4000) for number in range(1000)]
    for request in cut(lines, datadog.LIMITS):
        body = intake("w" * 60, request, "endpoint", {"service": "s" * 60, "team": "t" * 60})
        assert len(json.dumps(body).encode()) <= 5_000_000


def test_a_line_has_its_own_time_else_its_source_s_else_the_one_before_it() -> None:
    """And says it, so that it can be told apart."""
    own = stamped('{"ts":"2026-11-24T18:00:00.123Z","event":"end"}', told_ns=5, last_ns=7)
    assert own == Entry(1_795_543_200_123_000_000, '{"ts":"2026-11-24T18:00:00.123Z","event":"end"}')
    assert stamped('{"event":"other"}', told_ns=5_000_000, last_ns=7).ns == 5_000_000
    assert stamped('{"event":"other"}', told_ns=None, last_ns=7_000_000) == Entry(
        7_000_000, '{"ts":"1970-01-01T00:00:00.007Z","event":"other"}'
    )


def test_lines_that_are_not_sent_are_gathered() -> None:
    """Each run of them is one line at its last one's time; the counts add up."""
    other = '{"ts":"2026-11-24T18:00:00Z","event":"other","lines":1,"says":{"a traceback":1}}'
    line = '{"ts":"2026-11-24T18:00:00Z","event":"end"}'
    entries = [Entry(1, other), Entry(2, other), Entry(3, line), Entry(4, other)]
    done = joined(entries)
    assert [one.ns for one in done] == [2, 3, 4]
    assert json.loads(done[0].text)["lines"] == 2
    assert json.loads(done[0].text)["says"] == {"a traceback": 2}
    assert others(done) == 3


def test_what_a_destination_would_drop_without_a_word_is_not_sent() -> None:
    """Datadog takes logs up to 18 hours old."""
    hour = 3600 * 10**9
    told = timely([Entry(0, "old"), Entry(2 * hour, "fresh")], datadog.LIMITS, 19 * hour)
    assert told == ([Entry(2 * hour, "fresh")], [Entry(0, "old")], [])
    told = timely([Entry(DAY_NS, "fresh"), Entry(DAY_NS + 3 * hour, "ahead")], cloudwatch.LIMITS, DAY_NS)
    assert told == ([Entry(DAY_NS, "fresh")], [], [Entry(DAY_NS + 3 * hour, "ahead")])
