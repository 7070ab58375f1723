"""``golive report RUN``: render a run again from its directory."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from go_live.errors import UsageError
from go_live.report import render
from go_live.report.view import run_view

if TYPE_CHECKING:
    from go_live.evidence.run_directory import RunData
    from go_live.report.model import View

RELEASED = "released.json"
"""In the run's directory: what its release wrote or pushed, as a list of lines."""

EXAMPLE = """\
example:
  golive report reports/20261123T101500Z-rehearsal --out /srv/www/go-live

The exit code is the run's own: 0 GO, 1 NO-GO, 3 inconclusive, 4 not measured; 2 when there is nothing to render.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``golive report``."""
    parser.description = "Render a run again: HTML, Markdown, JUnit XML, the filled checklist, the performance table."
    parser.epilog = EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", type=Path, metavar="RUN", help="directory of the run, e.g. reports/<run-id>")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write (default: the run's directory)")
    parser.add_argument("--json", action="store_true", help="print the answer and the files as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Render; answer with the exit code of the run's decision.

    Raises:
        UsageError: not a run directory, or one that was changed.
        GoliveError: the report cannot be written.
    """
    from go_live.evidence.run_directory import read_run  # noqa: PLC0415 - only this command reads a run

    data = read_run(args.run)
    view = view_of(data, released_of(args.run))
    files = render.write_all(view, args.out or args.run)
    render.step_summary(view, os.environ)
    if args.json:
        found = {
            "answer": data.decision.answer,
            "reason": data.decision.reason,
            "files": {k: str(v) for k, v in files.items()},
        }
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        render.terminal(view, Console(), report=files["report.html"])
    return data.decision.exit_code


def view_of(data: "RunData", released: tuple[str, ...] = ()) -> "View":
    """The view of a run that was read back; ``released`` is what its release wrote or pushed."""
    return run_view(
        plan=data.plan,
        results=data.results,
        decision=data.decision,
        records=data.log.records,
        facts=data.log.facts,
        notes=data.log.notes,
        started=_iso(data.log.started),
        finished="" if data.log.finished is None else _iso(data.log.finished),
        released=released,
    )


def released_of(directory: Path) -> tuple[str, ...]:
    """What the release of this run wrote or pushed, as :data:`RELEASED` keeps it; empty without that file.

    Raises:
        UsageError: the file is not a list of lines.
    """
    try:
        return msgspec.json.decode((directory / RELEASED).read_bytes(), type=tuple[str, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"{directory / RELEASED} cannot be read: {error}; remove it to render without it") from error


def _iso(seconds: float) -> str:
    """Unix time as UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
