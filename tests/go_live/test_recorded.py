"""Recorded files: what is no whole, honest recording is refused in one line that names file and line."""

import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from go_live import recorded
from go_live.errors import UsageError
from go_live.judge.samples import Sample
from go_live.table import Table
from tests.go_live.judge.builders import record

HEADER = "ok,status,latency_ms,tokens_generated\r\n"
GOOD = "True,200,3449.25,150\r\n"


def write(folder: Path, text: str) -> Path:
    """A CSV of this text."""
    path = folder / "run.csv"
    path.write_bytes(text.encode())
    return path


def test_a_recording_is_read(tmp_path: Path) -> None:
    """Rows in order, numbered from 1, both kinds of line end."""
    path = write(tmp_path, HEADER + GOOD + "False,500,12,0\n" + "True,200,1e3,64\r\n")
    assert recorded.read_samples(path) == [
        Sample(1, ok=True, latency_ms=3449.25, tokens=150),
        Sample(2, ok=False, latency_ms=12.0, tokens=0),
        Sample(3, ok=True, latency_ms=1000.0, tokens=64),
    ]


@pytest.mark.parametrize(
    "row", ["False,500,3,150", "True,500,3,150", "True,200,3,-1", "True,200,3,0", "False,200,3,150"]
)
def test_ok_needs_200_and_output(tmp_path: Path, row: str) -> None:
    """Not ok, another status, no output (-1), an empty output: none is a success, and each is infinitely slow."""
    (sample,) = recorded.read_samples(write(tmp_path, f"{HEADER}{row}\r\n"))
    assert not sample.ok
    assert sample.total_ms == math.inf


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\r\n \r\n", "is empty"),
        (HEADER, "has a header and no rows"),
        ("a,b\r\n1,2\r\n", "line 1: expected the columns ok,status,latency_ms,tokens_generated, found a,b"),
        ("status,ok,latency_ms,tokens_generated\r\n" + GOOD, "line 1: expected the columns"),
        (HEADER.strip(), "the file is cut off"),
        (HEADER + GOOD + "True,200,34", "line 3: the last line has no end; the file is cut off"),
        (HEADER + GOOD + GOOD.strip(), "line 3: the last line has no end; the file is cut off"),
        (HEADER + GOOD + "True,200\r\n", "line 3: expected 4 columns, found 2"),
        (HEADER + GOOD + "\r\n", "line 3: expected 4 columns, found 0"),
        (HEADER + "True,200,3449,150,7\r\n", "line 2: expected 4 columns, found 5"),
        (HEADER + "True,200,nan,150\r\n", "line 2: latency_ms is not a number: 'nan'"),
        (HEADER + "True,200,inf,150\r\n", "line 2: latency_ms is not a number: 'inf'"),
        (HEADER + "True,200,1e999,150\r\n", "line 2: latency_ms is negative or infinite: '1e999'"),
        (HEADER + "True,200,-3449,150\r\n", "line 2: latency_ms is negative or infinite: '-3449'"),
        (HEADER + "True,200,,150\r\n", "line 2: latency_ms is not a number: ''"),
        (HEADER + "True,200,3_449,150\r\n", "line 2: latency_ms is not a number"),
        (HEADER + "True,200,3449,\r\n", "line 2: tokens_generated is not an integer: ''"),
        (HEADER + "True,200,3449,1.5\r\n", "line 2: tokens_generated is not an integer"),
        (HEADER + "True,200,3449,-2\r\n", "line 2: tokens_generated is -2; -1 is the least"),
        (HEADER + "True,OK,3449,150\r\n", "line 2: status is not an integer: 'OK'"),
        (HEADER + "yes,200,3449,150\r\n", "line 2: ok is neither True nor False: 'yes'"),
        (HEADER + "False,x,3449,150\r\n", "line 2: status is not an integer: 'x'"),
        (HEADER + '"True,200,3449,150\r\n', "line"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """Empty, cut off, of other columns, NaN, infinite, negative, not a number: one line, the file and the line."""
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        recorded.read_samples(path)
    assert str(caught.value).startswith(f"{path}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, len(HEADER + GOOD * 3) - 1))
def test_no_truncation_goes_unseen(tmp_path: Path, cut: int) -> None:
    """Cut anywhere but after a whole line, a recording is refused."""
    text = (HEADER + GOOD * 3)[:cut]
    path = write(tmp_path, text)
    if text.endswith("\n") and text != HEADER:
        assert len(recorded.read_samples(path)) == text.count("\n") - 1
    else:
        with pytest.raises(UsageError):
            recorded.read_samples(path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    """No text makes the reader fail otherwise, and whatever it reads is finite and not negative."""
    path = write(tmp_path, HEADER + text)
    try:
        found = recorded.read_samples(path)
    except UsageError:
        return
    assert all(0 <= sample.latency_ms < math.inf for sample in found)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no text are refused alike."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "bytes"):
        with pytest.raises(UsageError, match="cannot read"):
            recorded.read_samples(path)


def test_rows_are_counted_from_one_both_ends_included() -> None:
    """31-60 of sixty rows are the second half."""
    rows = Table.of(record(seq) for seq in range(60))
    assert [one.seq for one in recorded.select(rows, "31-60")] == list(range(30, 60))
    assert list(recorded.select(rows, "7-7")) == [rows[6]]
    assert recorded.select(rows, None) is rows


@pytest.mark.parametrize("span", ["0-5", "5-4", "31-61", "31", "a-b", "-3-5", "", "1-2-3", "1 - 2"])
def test_rows_that_do_not_exist(span: str) -> None:
    """Row 0, a reversed or half span, rows beyond the end: refused, never clipped."""
    with pytest.raises(UsageError, match="--rows"):
        recorded.select(Table.of(record(seq) for seq in range(60)), span)


def test_records_are_read(tmp_path: Path) -> None:
    """JSON lines of records come back as they were."""
    path = tmp_path / "records.jsonl"
    kept = [record(seq) for seq in range(3)]
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in kept))
    assert list(recorded.read_records(path)) == list(Table.of(kept))


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is empty"), ('{"seq": 1}\n', "line 1: not a record"), ('{"seq": 1, "pha', "line 1: not a record")],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """Empty, another object, a cut line: refused, naming the line."""
    path = tmp_path / "records.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        recorded.read_records(path)
