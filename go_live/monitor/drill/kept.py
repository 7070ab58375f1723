"""Drills and receipts on disk, below reports/, and what lies in the project now."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from go_live.errors import UsageError
from go_live.evidence.run_directory import encode, write_atomically
from go_live.monitor.drill.receipts import NAME as RECEIPTS
from go_live.monitor.drill.receipts import Receipts
from go_live.monitor.drill.receipts import parse as parse_receipts
from go_live.monitor.drill.record import EVIDENCE, NAME, ROUTING, RULES, Drill, parse
from go_live.monitor.drill.timeline import timeline

TIMELINE = "timeline.svg"
ABSENT = "absent"
"""The digest of a file that is not there: no drill has it."""


def write(root: Path, drill: Drill) -> Path:
    """Keep ``drill`` below ``root``, with a picture of it; where.

    Raises:
        UsageError: it cannot be written.
    """
    _written(root / "reports" / drill.id / TIMELINE, timeline(drill).encode())
    return _written(root / "reports" / drill.id / NAME, encode(drill))


def write_receipts(root: Path, receipts: Receipts) -> Path:
    """Keep ``receipts`` below ``root``; where.

    Raises:
        UsageError: it cannot be written.
    """
    return _written(root / "reports" / receipts.id / RECEIPTS, encode(receipts))


def _written(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    return path


def newest(root: Path) -> Drill | None:
    """The newest drill below ``root``; None: there is none. One that cannot be read is never passed over.

    Raises:
        UsageError: a record cannot be read, or is none.
    """
    drills = [parse(content, name) for name, content in _contents(root, f"{EVIDENCE}-*/{NAME}")]
    return max(drills, key=lambda drill: drill.began_at, default=None)


def newest_receipts(root: Path) -> Receipts | None:
    """The newest test alerts that were sent from below ``root``; None: there are none.

    Raises:
        UsageError: a record cannot be read, or is none.
    """
    found = [parse_receipts(content, name) for name, content in _contents(root, f"receipt-*/{RECEIPTS}")]
    return max(found, key=lambda receipts: receipts.sent_at, default=None)


def sent_before(root: Path) -> Receipts:
    """As ``newest_receipts``, which are there.

    Raises:
        UsageError: there are none.
    """
    found = newest_receipts(root)
    if found is None:
        raise UsageError("no test alert was sent from here: golive monitor drill --alertmanager URL")
    return found


def _contents(root: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file below reports/ that fits."""
    for path in (root / "reports").glob(pattern):
        try:
            yield str(path.relative_to(root)), path.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error


def present(root: Path) -> dict[str, str]:
    """sha256 of the rules and the routing that lie in the project, by path."""
    return {path: _digest(root / path) for path in (RULES, ROUTING)}


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ABSENT
