"""reports/tune-<time>/: what was planned, told and measured, and what follows from it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from go_live.errors import UsageError
from go_live.evidence.run_directory import encode, write_atomically
from go_live.recorded import read_records
from go_live.tuning.judging import Told, Tuning, judge
from go_live.tuning.plan import TuningPlan

if TYPE_CHECKING:
    from go_live.table import Table

_Told = TypeVar("_Told")

PLAN, TOLD, TUNING, PAGE = "plan.json", "told.json", "tuning.json", "tuning.html"


def records_path(directory: Path, setting: str) -> Path:
    """Where the requests of one setting are recorded, as ``golive load`` records them."""
    return directory / "records" / f"max-concurrency-{setting.replace(' ', '-')}.jsonl"


def begin(directory: Path, plan: TuningPlan) -> None:
    """Make the directory of a new sweep, with its plan.

    Raises:
        UsageError: it exists already, or cannot be written.
    """
    try:
        directory.mkdir(parents=True)
        write_atomically(directory / PLAN, encode(plan))
    except FileExistsError:
        raise UsageError(f"{directory} exists already: a sweep is never overwritten; name another folder") from None
    except OSError as error:
        raise UsageError(f"cannot write {directory}: {error.strerror}; name another folder with --directory") from error


def write_told(directory: Path, told: Mapping[str, Told]) -> None:
    """Keep what the workers of each setting told of themselves."""
    write_atomically(directory / TOLD, encode(told))


def read_plan(directory: Path) -> TuningPlan:
    """The plan of a sweep.

    Raises:
        UsageError: there is none, or it is of another version.
    """
    return _read(directory / PLAN, TuningPlan)


def judged(directory: Path) -> tuple[TuningPlan, Tuning]:
    """Judge what lies in the directory of a sweep; the same files give the same answer.

    Raises:
        UsageError: it is no such directory, or its files are no longer those that were concluded from.
    """
    plan = read_plan(directory)
    paths = {setting: records_path(directory, setting) for setting in plan.settings}
    there = {setting: path for setting, path in paths.items() if path.exists() and path.stat().st_size}
    told = _read(directory / TOLD, dict[str, Told])
    evidence = digests(directory, [PLAN, TOLD, *(str(path.relative_to(directory)) for path in there.values())])
    _refuse_changed(directory, evidence)
    records: dict[str, Table] = {setting: read_records(path) for setting, path in there.items()}
    return plan, judge(plan, records, told, evidence=evidence)


def digests(directory: Path, names: list[str]) -> dict[str, str]:
    """sha256 (hex) of files below ``directory``, by their names."""
    return {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in names}


def _refuse_changed(directory: Path, evidence: Mapping[str, str]) -> None:
    """Refuse files that were changed after the sweep was concluded."""
    path = directory / TUNING
    if not path.exists():
        return
    concluded = _read(path, Tuning).evidence
    changed = sorted(name for name in {*evidence, *concluded} if evidence.get(name) != concluded.get(name))
    if changed:
        raise UsageError(f"{directory}: {', '.join(changed)} changed after {TUNING} was written: this is no evidence")


def _read(path: Path, kind: type[_Told]) -> _Told:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise UsageError(f"{path} is missing: name the directory of a sweep (reports/tune-…)") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not what this version of golive writes: {error}") from error
