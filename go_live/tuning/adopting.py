"""The record that golive.toml names: read, found to hold, and put in the place of ``client.concurrency_cap``."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from go_live.config import Config, MeasuredCap
from go_live.errors import UsageError
from go_live.evidence.run_directory import write_atomically
from go_live.tuning.record import LOCAL, CapRecord, refusal

MAX_BYTES = 1 << 20
"""Far more than the counts of a sweep take."""
REMEDY = "measure again (golive tune, then golive tune --adopt), or take client.cap_record out of golive.toml"


def with_cap(config: Config, folder: Path, *, endpoints: Sequence[str], now: dt.datetime) -> Config:
    """``config`` with the cap of its record, if it declares one.

    Where one of the ``endpoints`` is neither the record's own nor the local one, nothing is known of that one: the
    smaller of both caps counts, and where that is ``concurrency_cap``, the record is left out of what is returned.

    Args:
        config: As golive.toml says.
        folder: Where golive.toml lies.
        endpoints: Ids of what the cap is for.
        now: The time, with its zone.

    Raises:
        UsageError: the record cannot be read, or does not hold; the message says why and what to do.
    """
    name = config.client.cap_record
    if name is None:
        return config
    record, digest = read_record(folder / name)
    local = all(endpoint == LOCAL for endpoint in endpoints)
    if why := refusal(record, config, age_s=_age_s(record, now), local=local):
        raise UsageError(f"client.cap_record {name} is refused: {why}; {REMEDY}")
    known = local or all(endpoint == record.endpoint_id for endpoint in endpoints)
    if not known and record.cap > config.client.concurrency_cap:
        return without_record(config)
    measured = MeasuredCap(
        cap=record.cap,
        record=name,
        sha256=digest,
        endpoint_id=record.endpoint_id,
        measured_at=record.measured_at,
    )
    return msgspec.structs.replace(config, client=msgspec.structs.replace(config.client, measured=measured))


def addressed(config: Config, endpoint: str | None, job_api: str | None) -> str:
    """What ``with_cap`` is told of an endpoint that a user named (None: golive.toml's): elsewhere it is another one."""
    name = endpoint or config.endpoint.id
    return name if name == LOCAL or job_api in {None, "", config.endpoint.job_api} else f"{name} at {job_api}"


def without_record(config: Config) -> Config:
    """``config`` as if it declared no record: for whoever has said why ``concurrency_cap`` has to do."""
    return msgspec.structs.replace(config, client=msgspec.structs.replace(config.client, cap_record=None))


def read_record(path: Path) -> tuple[CapRecord, str]:
    """The record in a file, and the file's sha256.

    Raises:
        UsageError: it cannot be read, or is no such record.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"client.cap_record: cannot read {path}: {error.strerror}; {REMEDY}") from error
    try:
        if len(content) > MAX_BYTES:
            raise UsageError(f"{path} is larger than any cap record; {REMEDY}")
        return msgspec.json.decode(content, type=CapRecord), hashlib.sha256(content).hexdigest()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no cap record: {error}; {REMEDY}") from error


def write_record(path: Path, record: CapRecord) -> None:
    """Write ``record``, all of it or nothing.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; name another file with --to") from error


def _age_s(record: CapRecord, now: dt.datetime) -> float:
    try:
        measured = dt.datetime.fromisoformat(record.measured_at)
    except ValueError as error:
        raise UsageError(f"client.cap_record: measured_at {record.measured_at!r} is no time; {REMEDY}") from error
    if measured.tzinfo is None:
        raise UsageError(f"client.cap_record: measured_at {record.measured_at!r} has no time zone; {REMEDY}")
    return (now - measured).total_seconds()
