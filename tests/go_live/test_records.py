"""A record says what came of one due request; a failure is an infinite latency wherever it is asked."""

import json
import math
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from go_live.records import ErrorClass, Record

moments = st.floats(0, 1e9)
maybe_moment = st.none() | moments
texts = st.none() | st.text(max_size=20)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record, times in any relation."""
    facts: dict[str, Any] = {
        "seq": draw(st.integers(0, 10**9)),
        "phase": draw(st.sampled_from(["warmup", "load", "soak", "smoke"])),
        "level": draw(st.sampled_from(["c=1", "rate=5"])),
        "due": draw(moments),
        "wall": draw(st.floats(1e9, 2e9)),
        "error": draw(st.none() | st.sampled_from(ErrorClass)),
        "http_status": draw(st.none() | st.integers(100, 599)),
        "output_tokens": draw(st.none() | st.integers(0, 2**31)),
    }
    facts |= {name: draw(maybe_moment) for name in ("sent", "first_token", "done", "delay_ms", "execution_ms")}
    facts |= {name: draw(texts) for name in ("job_status", "detail", "job", "worker", "prompt", "answer", "engine")}
    return Record(**facts)


@given(records())
def test_only_an_answered_request_has_a_finite_latency(record: Record) -> None:
    """An error, or no end, makes every judged figure infinite; an ok one counts from the due time."""
    figures = (record.total_ms, record.exec_ms, record.queue_ms)
    if record.error is None and record.done is not None:
        assert record.ok
        assert record.total_ms == (record.done - record.due) * 1000
        assert record.exec_ms == (math.inf if record.execution_ms is None else record.execution_ms)
        assert record.queue_ms == (math.inf if record.delay_ms is None else record.delay_ms)
    else:
        assert not record.ok
        assert figures == (math.inf,) * 3
    assert not any(math.isnan(figure) for figure in figures)


@given(records())
def test_a_record_survives_its_line_of_json(record: Record) -> None:
    """Written and read back, it is the same record; the line is plain JSON without NaN and without a line break."""
    line = msgspec.json.encode(record)
    assert msgspec.json.decode(line, type=Record) == record
    assert b"\n" not in line
    assert set(json.loads(line)) <= set(Record.__struct_fields__)


@given(records())
def test_lag_is_infinite_only_when_nothing_was_sent(record: Record) -> None:
    """Client lag is sent - due."""
    assert record.lag_ms == (math.inf if record.sent is None else (record.sent - record.due) * 1000)


def test_error_classes_are_told_apart_by_their_names() -> None:
    """Each class has its own name, which is what stands in the log."""
    assert len({error.value for error in ErrorClass}) == len(ErrorClass)
    assert all(error.value == error.name.lower() for error in ErrorClass)
