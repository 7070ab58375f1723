"""Records as columns: a million due requests in some 60 MB, and every figure of them as one array. Pure.

What judging needs is kept; what a job was asked, called and answered (``prompt``, ``job``, ``job_status``, ``answer``,
``detail``) and ``first_token`` stay in the log.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, Literal, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from go_live.records import ErrorClass, Record

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]

ERRORS = tuple(ErrorClass)
ERROR_CODES = {error: code for code, error in enumerate(ERRORS)}
NONE = -1
"""Code of what is not there."""
FLOATS: dict[str, Literal["d", "f"]] = {
    "due": "d",
    "wall": "d",
    "lag": "f",
    "done": "d",
    "delay_ms": "f",
    "execution_ms": "f",
}
"""Columns of times; seven digits are enough for what the platform tells in whole ms and for the client's lag (s)."""
CODES: dict[str, Literal["b", "h", "i"]] = {
    "seq": "i",
    "phase": "b",
    "level": "h",
    "error": "b",
    "http_status": "h",
    "worker": "i",
    "tokens": "i",
}
"""Columns of whole numbers, each as small as what it holds (array's type codes, which are numpy's)."""
LARGEST = 2**31 - 1
"""No answer has so many tokens; what claims more is kept as this."""


BLOCK = 65_536
"""Numbers in a block of a column."""

Number = TypeVar("Number", int, float)


class Names:
    """Strings that repeat, each kept once."""

    def __init__(self) -> None:
        """No names yet."""
        self.names: list[str] = []
        self._codes: dict[str | None, int] = {None: NONE}

    def code(self, name: str | None) -> int:
        """The code of ``name``, a new one for a new name; :data:`NONE` for None."""
        found = self._codes.get(name)
        if found is None:
            found = self._codes[name] = len(self.names)
            self.names.append(name or "")
        return found

    def find(self, name: str) -> int:
        """The code of ``name``; one that no row has when it is unknown."""
        return self._codes.get(name, len(self.names))

    def name(self, code: int) -> str | None:
        """The name of ``code``."""
        return None if code == NONE else self.names[code]


class Column(Generic[Number]):
    """Numbers of one kind, in blocks: an array that grows to millions is copied, and leaves holes behind in memory."""

    def __init__(self, code: str) -> None:
        """No numbers yet; ``code`` is array's type code, which is numpy's."""
        self._code = code
        self._blocks: list[array[Any]] = [array(code)]

    def append(self, value: Number) -> None:
        """One more."""
        block = self._blocks[-1]
        if len(block) == BLOCK:
            block = array(self._code)
            self._blocks.append(block)
        block.append(value)

    def __getitem__(self, row: int) -> Number:
        """The number of ``row``."""
        value: Number = self._blocks[row // BLOCK][row % BLOCK]
        return value

    def __len__(self) -> int:
        """How many."""
        return (len(self._blocks) - 1) * BLOCK + len(self._blocks[-1])

    def values(self) -> NDArray[Any]:
        """All of them, copied."""
        return np.concatenate(self._parts(0, len(self._blocks)))

    def take(self, rows: NDArray[np.int32], kind: type[np.generic]) -> NDArray[Any]:
        """The numbers of ``rows``, as ``kind``. Rows that lie near each other need no copy of the whole column."""
        taken = np.empty(len(rows), dtype=kind)
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK]
            first, last = int(part.min()) // BLOCK, int(part.max()) // BLOCK
            taken[start : start + BLOCK] = np.concatenate(self._parts(first, last + 1))[part - first * BLOCK]
        return taken

    def _parts(self, first: int, end: int) -> list[NDArray[Any]]:
        return [np.frombuffer(block, dtype=self._code) for block in self._blocks[first:end]]


class Columns:
    """Grows by one row a record; :meth:`table` then reads it."""

    def __init__(self) -> None:
        """No rows yet."""
        self.floats = {name: Column[float](code) for name, code in FLOATS.items()}
        self.codes = {name: Column[int](code) for name, code in CODES.items()}
        self.timed = Column[int]("b")
        self.phases, self.levels, self.workers = Names(), Names(), Names()

    def __len__(self) -> int:
        """Rows so far."""
        return len(self.timed)

    def add(self, record: Record) -> None:
        """Append ``record``.

        Raises:
            OverflowError: a number in it is far beyond anything that a request can have.
        """
        floats = self.floats
        floats["due"].append(record.due)
        floats["wall"].append(record.wall)
        floats["lag"].append(math.nan if record.sent is None else record.sent - record.due)
        floats["done"].append(math.nan if record.done is None else record.done)
        floats["delay_ms"].append(math.nan if record.delay_ms is None else record.delay_ms)
        floats["execution_ms"].append(math.nan if record.execution_ms is None else record.execution_ms)
        codes = self.codes
        codes["seq"].append(record.seq)
        codes["phase"].append(self.phases.code(record.phase))
        codes["level"].append(self.levels.code(record.level))
        codes["error"].append(NONE if record.error is None else ERROR_CODES[record.error])
        codes["http_status"].append(NONE if record.http_status is None else record.http_status)
        codes["worker"].append(self.workers.code(record.worker))
        codes["tokens"].append(NONE if record.output_tokens is None else min(record.output_tokens, LARGEST))
        self.timed.append(record.engine == "timed")

    def table(self) -> Table:
        """All rows, in due order. No row can be added while the table lives."""
        due = self.floats["due"].values()
        wall = self.floats["wall"].values()
        seq = self.codes["seq"].values()
        # By the wall clock first: after a resume the monotonic clock is another one.
        return Table(self, np.lexsort((seq, due, wall)).astype(np.int32))


class Table(Sequence[Record]):
    """Due requests in due order: as columns, or one by one as records without what :class:`Columns` leaves out.

    Times are seconds, figures in ``_ms`` milliseconds; NaN in a float column means "not there". The derived figures
    (``total_ms``, ``exec_ms``, ``queue_ms``, ``lag_ms``) are infinite where :class:`Record` has them so.
    """

    def __init__(self, columns: Columns, rows: NDArray[np.int32]) -> None:
        """Those ``rows`` of ``columns``."""
        self._columns = columns
        self._rows = rows

    @classmethod
    def of(cls, records: Iterable[Record]) -> Table:
        """``records`` as a table, in due order; a table as it is."""
        if isinstance(records, Table):
            return records
        columns = Columns()
        for record in records:
            columns.add(record)
        return columns.table()

    def __len__(self) -> int:
        """Requests."""
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Table: ...
    def __getitem__(self, index: int | slice) -> Record | Table:
        """One request, or some of them."""
        if isinstance(index, slice):
            return Table(self._columns, self._rows[index])
        return self._record(int(self._rows[index]))

    def __iter__(self) -> Iterator[Record]:
        """Each request."""
        return (self._record(int(row)) for row in self._rows)

    def take(self, mask: Bools) -> Table:
        """The requests for which ``mask`` is true."""
        return Table(self._columns, self._rows[mask])

    def where(self, *, phase: str | None = None, level: str | None = None) -> Table:
        """The requests of ``phase`` and ``level`` (None: any)."""
        mask = np.ones(len(self), dtype=np.bool_)
        if phase is not None:
            mask &= self._code("phase") == self._columns.phases.find(phase)
        if level is not None:
            mask &= self._code("level") == self._columns.levels.find(level)
        return self.take(mask)

    def of_phases(self, phases: Iterable[str]) -> Table:
        """The requests of ``phases``."""
        return self.take(np.isin(self._code("phase"), [self._columns.phases.find(phase) for phase in phases]))

    def at_levels(self, levels: Iterable[str]) -> Table:
        """The requests of ``levels``, of any phase."""
        return self.take(np.isin(self._code("level"), [self._columns.levels.find(level) for level in levels]))

    def under_load(self, levels: Iterable[str]) -> Table:
        """The requests of the load at ``levels``, and of the soak."""
        names = self._columns
        phase, level = self._code("phase"), self._code("level")
        wanted = np.isin(level, [names.levels.find(name) for name in levels])
        return self.take((phase == names.phases.find("load")) & wanted | (phase == names.phases.find("soak")))

    def without_warmup(self) -> Table:
        """All but the warm-up, which is never judged."""
        return self.take(self._code("phase") != self._columns.phases.find("warmup"))

    def groups(self) -> list[tuple[str, str]]:
        """Each phase and level, in order of first appearance."""
        phase, level = self._code("phase"), self._code("level")
        first = {}
        for one, name in enumerate(self._columns.phases.names):
            of_phase = phase == one
            for other in np.unique(level[of_phase]).tolist():
                first[name, self._columns.levels.names[other]] = int(np.argmax(of_phase & (level == other)))
        return sorted(first, key=first.__getitem__)

    @property
    def due(self) -> Floats:
        """When each was due, on the run's monotonic clock."""
        return self._float("due")

    @property
    def wall(self) -> Floats:
        """Unix time of ``due``."""
        return self._float("wall")

    @property
    def sent(self) -> Floats:
        """When each was sent."""
        return self.due + self._float("lag")

    @property
    def done(self) -> Floats:
        """When each ended."""
        return self._float("done")

    @property
    def delay_ms(self) -> Floats:
        """``delayTime`` as reported."""
        return self._float("delay_ms")

    @property
    def execution_ms(self) -> Floats:
        """``executionTime`` as reported."""
        return self._float("execution_ms")

    @property
    def seq(self) -> Codes:
        """Number within phase and level."""
        return self._code("seq")

    @property
    def http_status(self) -> Codes:
        """HTTP status; :data:`NONE` where there was none."""
        return self._code("http_status")

    @property
    def worker(self) -> Codes:
        """A code for each worker id; :data:`NONE` where none was told."""
        return self._code("worker")

    @property
    def output_tokens(self) -> Floats:
        """Output tokens."""
        tokens = self._code("tokens").astype(np.float64)
        tokens[tokens == NONE] = np.nan
        return tokens

    @property
    def timed(self) -> Bools:
        """Answered by the timed engine."""
        return self._columns.timed.take(self._rows, np.bool_)

    @property
    def error(self) -> Codes:
        """Index into :data:`ERRORS`; :data:`NONE` for no error."""
        return self._code("error")

    @property
    def ok(self) -> Bools:
        """Whether a right answer came."""
        ok: Bools = (self.error == NONE) & ~np.isnan(self.done)
        return ok

    @property
    def total_ms(self) -> Floats:
        """Latency from the due time; infinite unless ok."""
        # In place: of a million, each array more is 8 MB more.
        total = self.done
        total -= self.due
        total *= 1000
        total[~self.ok] = np.inf
        return total

    @property
    def exec_ms(self) -> Floats:
        """Execution time; infinite unless ok and reported."""
        return self._reported("execution_ms")

    @property
    def queue_ms(self) -> Floats:
        """``delayTime``; infinite unless ok and reported."""
        return self._reported("delay_ms")

    @property
    def lag_ms(self) -> Floats:
        """Client lag (sent - due); infinite if never sent."""
        lag = self.sent
        lag -= self.due
        lag *= 1000
        lag[np.isnan(lag)] = np.inf
        return lag

    @property
    def tokens_per_s(self) -> Floats:
        """Output tokens by the total time of the request, not the engine's rate; 0 without a right answer."""
        tokens = self.output_tokens
        tokens[np.isnan(tokens)] = 0.0
        tokens /= self.total_ms
        tokens *= 1000
        return tokens

    def errors(self) -> dict[str, int]:
        """How many ended in each way, the most frequent first: ``ok``, an error class, or ``unfinished``."""
        error, ok = self.error, self.ok
        counts = {"ok": int(ok.sum()), "unfinished": int(((error == NONE) & ~ok).sum())}
        counts |= {found.value: int((error == code).sum()) for code, found in enumerate(ERRORS)}
        return {name: count for name, count in sorted(counts.items(), key=lambda pair: -pair[1]) if count}

    def is_error(self, *classes: ErrorClass) -> Bools:
        """Which requests ended in one of ``classes``."""
        found: Bools = np.isin(self.error, [ERROR_CODES[one] for one in classes])
        return found

    def _reported(self, name: str) -> Floats:
        value = self._float(name)
        value[np.isnan(value)] = np.inf
        value[~self.ok] = np.inf
        return value

    def _float(self, name: str) -> Floats:
        return self._columns.floats[name].take(self._rows, np.float64)

    def _code(self, name: str) -> Codes:
        return self._columns.codes[name].take(self._rows, np.int32)

    def _record(self, row: int) -> Record:
        columns = self._columns
        codes = {name: column[row] for name, column in columns.codes.items()}
        floats: dict[str, Any] = {
            name: None if math.isnan(column[row]) else column[row] for name, column in columns.floats.items()
        }
        lag = floats.pop("lag")
        floats["sent"] = None if lag is None else floats["due"] + lag
        return Record(
            **floats,
            seq=codes["seq"],
            phase=columns.phases.names[codes["phase"]],
            level=columns.levels.names[codes["level"]],
            error=None if codes["error"] == NONE else ERRORS[codes["error"]],
            http_status=None if codes["http_status"] == NONE else codes["http_status"],
            worker=columns.workers.name(codes["worker"]),
            output_tokens=None if codes["tokens"] == NONE else codes["tokens"],
            engine="timed" if columns.timed[row] else None,
        )
