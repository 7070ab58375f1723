"""A table tells of its requests what the records tell one by one."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.records import ErrorClass, Record
from go_live.table import Column, Columns, Table
from tests.go_live.judge.builders import record, records
from tests.go_live.test_records import records as any_record

DROPPED = {"prompt": None, "job_status": None, "detail": None, "job": None, "answer": None, "first_token": None}


def kept(one: Record) -> Record:
    """What a table keeps of a record."""
    engine = one.engine if one.engine == "timed" else None
    tokens = None if one.output_tokens is None else min(one.output_tokens, 2**31 - 1)
    sent = None if one.sent is None else one.due + short(one.sent - one.due)
    delay, execution = (None if ms is None else short(ms) for ms in (one.delay_ms, one.execution_ms))
    rounded = msgspec.structs.replace(one, sent=sent, delay_ms=delay, execution_ms=execution)
    return msgspec.structs.replace(rounded, engine=engine, output_tokens=tokens, **DROPPED)


def short(value: float) -> float:
    """To seven digits."""
    return float(np.float32(value))


@given(st.lists(any_record(), max_size=20))
def test_each_request_comes_back(rows: list[Record]) -> None:
    """One by one, in due order, each is the record it was, without what the log alone keeps."""
    table = Table.of(rows)
    assert list(table) == sorted(map(kept, rows), key=lambda one: (one.wall, one.due, one.seq))
    assert len(table) == len(rows)


@given(st.lists(any_record(), min_size=1, max_size=20))
def test_figures_are_those_of_the_records(rows: list[Record]) -> None:
    """Every derived figure, as an array, is the record's own."""
    table = Table.of(rows)
    for name in ("ok", "total_ms", "exec_ms", "queue_ms", "lag_ms"):
        assert getattr(table, name).tolist() == [getattr(one, name) for one in table], name


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=3 * 7), st.data())
def test_rows_are_found_in_their_blocks(numbers: list[int], data: st.DataObject) -> None:
    """Whatever rows are asked for, in any order and again, a column of several blocks gives their own numbers."""
    rows = data.draw(st.lists(st.integers(0, len(numbers) - 1), max_size=30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("go_live.table.BLOCK", 7)
        column = Column[int]("i")
        for number in numbers:
            column.append(number)
        taken = column.take(np.array(rows, dtype=np.int32), np.float64)
        assert (len(column), column.values().tolist()) == (len(numbers), numbers)
    assert taken.tolist() == [float(numbers[row]) for row in rows]


def test_tokens_per_s_counts_a_failure_as_nothing() -> None:
    """150 tokens in 3 s are 50 a second; a request without an answer delivers none."""
    rows = [record(0, due=0.0, wall=0.0, done=3.0), record(1, error=ErrorClass.FAILED)]
    assert Table.of(rows).tokens_per_s.tolist() == [50.0, 0.0]


def test_parts_of_a_table() -> None:
    """By phase, level, mask and slice; warm-up apart; groups in order of first appearance."""
    rows = [record(0, phase="warmup"), *records(3), *records(2, level="c=8"), *records(2, phase="soak")]
    table = Table.of(rows)
    assert [len(table.where(phase=phase)) for phase in ("warmup", "load", "soak", "smoke")] == [1, 5, 2, 0]
    assert len(table.where(level="c=8")) == 2
    assert len(table.where()) == len(table) == 8
    assert len(table.without_warmup()) == 7
    assert len(table.under_load(["c=2"])) == 5
    assert len(table.at_levels(["c=8"])) == 2
    assert len(table.of_phases(["soak", "warmup"])) == 3
    assert len(table[1:4]) == 3
    assert table[0].phase == "warmup"
    assert table.groups() == [("warmup", "c=2"), ("load", "c=2"), ("load", "c=8"), ("soak", "c=2")]


def test_what_became_of_the_requests() -> None:
    """Each error class is counted under its name, the most frequent first; a request without an end is unfinished."""
    rows = [*records(5, bad=[1, 2]), record(5, done=None), record(6, error=ErrorClass.WRONG)]
    table = Table.of(rows)
    assert table.errors() == {"ok": 3, "failed": 2, "unfinished": 1, "wrong": 1}
    assert int(table.is_error(ErrorClass.FAILED, ErrorClass.WRONG).sum()) == 3


def test_what_is_not_there_is_nan() -> None:
    """A figure that was not told is NaN, never zero."""
    table = Table.of(
        [record(0, delay_ms=None, execution_ms=None, output_tokens=None, sent=None, done=None, worker=None)]
    )
    columns = (table.delay_ms, table.execution_ms, table.output_tokens, table.sent, table.done)
    assert all(np.isnan(column).all() for column in columns)
    assert math.isinf(table.lag_ms[0])
    assert (table.http_status[0], table.worker[0]) == (-1, -1)


def test_a_table_grows_with_its_columns() -> None:
    """Rows may be added after a table was read; the next one has them."""
    columns = Columns()
    columns.add(record(0))
    first = columns.table()
    columns.add(record(1, worker="w1", engine="timed"))
    assert (len(first), len(columns.table()), len(columns)) == (1, 2, 2)
    assert columns.table().timed.tolist() == [False, True]
    assert columns.table()[1].worker == "w1"


def test_a_number_beyond_sense_is_refused() -> None:
    """A sequence number that no run can have is an error, not a wrapped one."""
    with pytest.raises(OverflowError):
        Columns().add(record(2**40))
