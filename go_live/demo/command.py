"""``golive demo``: ten seconds, the core alone: judge a bundled soak and open its report."""

import argparse
import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

import msgspec
from rich.text import Text

from go_live.demo import reconstruction
from go_live.errors import GoliveError
from go_live.judge import soak
from go_live.judge.summary import WORDS, conclude
from go_live.judge_view import default_console, show
from go_live.judgement import Judgement
from go_live.outcome import Verdict, exit_code
from go_live.records import Record

HEADLINE = "A team tagged a soak like this; here is why it is a NO-GO."

NOT_KEPT = ("exec_ms", "job status (timeouts)", "start times (duration)")
"""What the soak's criteria ask for and the recorded file did not keep."""

DESCRIPTION = f"""\
Judge a bundled soak and open its report. Needs no model, no GPU and no account.

The soak is {reconstruction.NAME}.
"""

EXAMPLE = """\
example:
  golive demo --no-open --output demo-report

The demonstration itself exits 0; a real soak like this one would exit 1 (NO-GO).
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--no-open", action="store_true", help="write the report, but do not open a browser")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to write it (default: a temporary folder)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and open nothing")


def run(args: argparse.Namespace) -> int:
    """Judge, report, open; returns 0.

    Raises:
        GoliveError: the report cannot be written.
    """
    records = reconstruction.records()
    judgement = judge(records)
    page = write_report(judgement, records, args.output or Path(tempfile.mkdtemp(prefix="golive-demo-")))
    code = int(exit_code(judgement.outcome))
    if args.json:
        found: dict[str, Any] = {"report": str(page), "judged_exit_code": code, "reconstruction": True}
        sys.stdout.write(msgspec.json.encode(msgspec.to_builtins(judgement) | found).decode() + "\n")
        return 0
    _tell(judgement, page, code)
    if not args.no_open and can_open(dict(os.environ), sys.platform, terminal=sys.stdout.isatty()):
        webbrowser.open(page.resolve().as_uri())
    return 0


def judge(records: list[Record]) -> Judgement:
    """The claims that the recorded file could answer, on its reconstruction."""
    limits, slo = reconstruction.SOAK, reconstruction.SLO
    watched = soak.trends(limits, records)
    verdicts: list[Verdict] = [
        soak.total_p50(limits, slo, records),
        soak.total_p95(limits, slo, records),
        soak.success(limits, slo, records),
        *(watched[name] for name in (soak.TOTAL, soak.TOKENS, soak.RIGHT)),
    ]
    outcome, reason = conclude(verdicts)
    return Judgement(
        outcome=outcome,
        reason=reason,
        n=len(records),
        verdicts=verdicts,
        source=reconstruction.NAME,
        slo="soak",
        not_in_file=NOT_KEPT,
    )


def write_report(judgement: Judgement, records: list[Record], directory: Path) -> Path:
    """Write ``report.html`` into ``directory`` and return its path.

    Raises:
        GoliveError: the directory cannot be written to.
    """
    # Imported here: the answer needs neither templates nor charts.
    from go_live.evidence.run_directory import write_atomically  # noqa: PLC0415
    from go_live.report.render import html  # noqa: PLC0415
    from go_live.report.view import soak_view  # noqa: PLC0415

    view = soak_view(
        title=HEADLINE,
        subtitle=f"{len(records)} requests at c={reconstruction.CONCURRENCY}; {reconstruction.NAME}",
        source_note=f"This soak is {reconstruction.NAME}. Not kept, and so not judged: {', '.join(NOT_KEPT)}.",
        verdicts=judgement.verdicts,
        records=records,
        limits=msgspec.to_builtins(reconstruction.SOAK) | {"confidence": reconstruction.SLO.confidence},
        answer=WORDS[judgement.outcome],
        reason=judgement.reason,
    )
    page = directory / "report.html"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(page, html(view).encode())
    except OSError as error:
        raise GoliveError(f"cannot write the report into {directory}: {error}; choose another with --output") from error
    return page


def can_open(environment: dict[str, str], platform: str, *, terminal: bool) -> bool:
    """Whether a window could open: somebody watches, and it is no CI job; a text browser would take the terminal."""
    graphical = platform in {"darwin", "win32"} or bool(environment.keys() & {"DISPLAY", "WAYLAND_DISPLAY"})
    return terminal and graphical and "CI" not in environment


def _tell(judgement: Judgement, page: Path, code: int) -> None:
    console = default_console()
    console.print(Text(f"{HEADLINE}\n(The soak is {reconstruction.NAME}.)\n"), soft_wrap=True)
    show(judgement, console)
    console.print(Text(f"\nreport: {page}"), soft_wrap=True)
    console.print(Text(f"This demonstration exits 0; the judged soak would exit {code}."), soft_wrap=True)
