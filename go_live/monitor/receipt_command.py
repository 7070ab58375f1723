"""``golive monitor receipt``: say that a test alert of a deployed Alertmanager arrived."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from go_live.errors import ExitCode

EXAMPLES = """\
examples:
  golive monitor receipt 7QX4-M2KD              the code that the test alert showed, in PagerDuty or in Slack
  golive monitor receipt 7QX4-M2KD 9FHW-CC3T    both

`golive monitor drill --alertmanager URL` sends the test alerts. Item MON-4 wants both receipts in production.

exit codes: 0 every receipt is there; 1 one is still missing; 2 the code is not theirs, or none were sent
"""


class ReceiptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints."""

    outcome: str
    """``pass``: every receipt is there; ``fail``."""
    reason: str
    waiting: list[str]
    """Channels whose receipt is missing."""
    record: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("code", nargs="+", help="what the test alert showed")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's root (default: this folder)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Confirm, record, say what is still missing.

    Raises:
        UsageError: no test alerts were sent, or the code is not theirs.
    """
    import time  # noqa: PLC0415 - `golive monitor --help` needs none of these

    from go_live.evidence.run_directory import encode  # noqa: PLC0415
    from go_live.monitor.drill import kept  # noqa: PLC0415
    from go_live.monitor.drill.receipts import confirmed, waiting  # noqa: PLC0415
    from go_live.user import user_name  # noqa: PLC0415

    receipts = confirmed(kept.sent_before(args.root), args.code, now=time.time(), by=user_name())
    path = kept.write_receipts(args.root, receipts)
    missing = waiting(receipts)
    reason = f"still missing: {', '.join(missing)}" if missing else "every test alert arrived where it belongs"
    answer = ReceiptAnswer(outcome="fail" if missing else "pass", reason=reason, waiting=missing, record=str(path))
    sys.stdout.write(
        encode(answer).decode() + "\n" if args.json else f"{answer.outcome.upper()}: {reason}\nrecord: {path}\n"
    )
    return ExitCode.NO_GO if missing else ExitCode.GO
