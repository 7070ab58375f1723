"""Recorded load tests on disk: CSV of the recorded format -> samples, JSON lines -> records."""

import csv
import io
import math
import re
from pathlib import Path
from typing import TypeVar

import msgspec

from go_live.errors import UsageError
from go_live.judge.samples import Sample
from go_live.records import Record
from go_live.table import Columns, Table

COLUMNS = ["ok", "status", "latency_ms", "tokens_generated"]
HTTP_OK = 200
NO_OUTPUT = -1
"""``tokens_generated`` of a reply that carried no output."""

Rows = TypeVar("Rows", list[Sample], Table)


def read_samples(path: Path) -> list[Sample]:
    """Read a CSV of the recorded format (columns ok, status, latency_ms, tokens_generated).

    Raises:
        UsageError: unreadable, empty, of other columns, cut off, or with a figure that is no measurement; the
            message names file and line.
    """
    text = read_text(path)
    if not text.strip():
        raise UsageError(f"{path} is empty")
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows)
    if header != COLUMNS:
        raise UsageError(f"{path}, line 1: expected the columns {','.join(COLUMNS)}, found {','.join(header)[:80]}")
    if not text.endswith("\n"):
        raise UsageError(f"{path}, line {text.count(chr(10)) + 1}: the last line has no end; the file is cut off")
    try:
        samples = [_sample(number, row) for number, row in enumerate(rows, start=1)]
    except (ValueError, csv.Error) as error:
        raise UsageError(f"{path}, line {rows.line_num}: {error}") from error
    if not samples:
        raise UsageError(f"{path} has a header and no rows")
    return samples


def read_records(path: Path) -> Table:
    """Read a records file, one JSON object of :class:`go_live.records.Record` a line; never the whole text at once.

    Raises:
        UsageError: unreadable, empty, or a line is no record; the message names file and line.
    """
    decoder = msgspec.json.Decoder(Record)
    columns = Columns()
    try:
        with path.open("rb") as lines:
            for line in lines:
                columns.add(decoder.decode(line))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError) as error:
        raise UsageError(f"{path}, line {len(columns) + 1}: not a record: {error}") from error
    if not len(columns):
        raise UsageError(f"{path} is empty")
    return columns.table()


def first_character(path: Path) -> str:
    """The first character that is no white space; none for an empty file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with path.open("rb") as lines:
            return next((line.lstrip()[:1].decode(errors="replace") for line in lines if line.strip()), "")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def read_text(path: Path) -> str:
    """The file's text.

    Raises:
        UsageError: it cannot be read as UTF-8 text.
    """
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def select(rows: Rows, span: str | None) -> Rows:
    """The rows of ``span``, ``31-60``: from 1, both ends included; all of them for None.

    Raises:
        UsageError: not of that form, or not all of those rows exist.
    """
    if span is None:
        return rows
    match = re.fullmatch(r"(\d{1,9})-(\d{1,9})", span)
    first, last = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= first <= last:
        raise UsageError(f"--rows takes the first and the last row, such as 31-60, not {span!r}")
    if last > len(rows):
        raise UsageError(f"--rows {span}: there are only {len(rows)} rows")
    return rows[first - 1 : last]


def _sample(number: int, row: list[str]) -> Sample:
    """One row.

    Raises:
        ValueError: a column is missing, or is not what it has to be.
    """
    if len(row) != len(COLUMNS):
        raise ValueError(f"expected {len(COLUMNS)} columns, found {len(row)}")
    ok, status, latency, tokens = row
    if ok not in ("True", "False"):
        raise ValueError(f"ok is neither True nor False: {ok[:20]!r}")
    code, count = _integer("status", status), _integer("tokens_generated", tokens)
    if count < NO_OUTPUT:
        raise ValueError(f"tokens_generated is {count}; -1 is the least")
    answered = ok == "True" and code == HTTP_OK and count > 0
    return Sample(number, answered, _milliseconds(latency), count)


def _integer(name: str, text: str) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise ValueError(f"{name} is not an integer: {text[:20]!r}")
    return int(text)


def _milliseconds(text: str) -> float:
    """A latency; the pattern leaves out what float() would also take (nan, inf, 1_000, blanks)."""
    if not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text, re.ASCII):
        raise ValueError(f"latency_ms is not a number: {text[:20]!r}")
    value = float(text)
    if value < 0 or not math.isfinite(value):
        raise ValueError(f"latency_ms is negative or infinite: {text[:20]!r}")
    return value
