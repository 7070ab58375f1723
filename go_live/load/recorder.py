"""Records on disk: JSON lines, each flushed as it is written, so that a killed run leaves what it has measured."""

from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from go_live.errors import MeasurementError, UsageError
from go_live.records import Record
from go_live.table import Columns


class Recorder:
    """Writes a new records file and keeps the records for judging."""

    def __init__(self, path: Path) -> None:
        """Create the file, and its folder.

        Raises:
            UsageError: it exists already, or cannot be created.
        """
        self.path = path
        self.records = Columns()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")
        except FileExistsError:
            raise UsageError(f"{path} exists already: records are never overwritten; name another file") from None
        except OSError as error:
            raise UsageError(f"cannot write records to {path}: {error.strerror}; name another file") from error

    def add(self, record: Record) -> None:
        """Append one record.

        Raises:
            MeasurementError: the disk took no more; the run cannot be evidence.
        """
        try:
            self._file.write(msgspec.json.encode(record) + b"\n")
            self._file.flush()
        except OSError as error:
            raise MeasurementError(f"cannot write to {self.path}: {error.strerror}; the run was given up") from error
        self.records.add(record)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()
