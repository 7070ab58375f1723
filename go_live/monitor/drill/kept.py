"""Drills on disk: reports/drill-<time>/drill.json, and what lies in the project now."""

import hashlib
from pathlib import Path

from go_live.errors import UsageError
from go_live.evidence.run_directory import encode, write_atomically
from go_live.monitor.drill.record import NAME, ROUTING, RULES, Drill, parse

ABSENT = "absent"
"""The digest of a file that is not there: no drill has it."""


def write(root: Path, drill: Drill) -> Path:
    """Keep ``drill`` below ``root``; where.

    Raises:
        UsageError: it cannot be written.
    """
    path = root / "reports" / drill.id / NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, encode(drill))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    return path


def newest(root: Path) -> Drill | None:
    """The newest drill below ``root``; None: there is none. One that cannot be read is never passed over.

    Raises:
        UsageError: a record cannot be read, or is none.
    """
    drills = []
    for path in (root / "reports").glob(f"drill-*/{NAME}"):
        try:
            drills.append(parse(path.read_bytes(), str(path.relative_to(root))))
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
    return max(drills, key=lambda drill: drill.began_at, default=None)


def present(root: Path) -> dict[str, str]:
    """sha256 of the rules and the routing that lie in the project, by path."""
    return {path: _digest(root / path) for path in (RULES, ROUTING)}


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ABSENT
