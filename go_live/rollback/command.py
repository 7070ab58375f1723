"""``golive prerollback TAG`` and ``golive rollback [rehearse] TAG``: their arguments, and what they print."""

import argparse
from pathlib import Path

PRE = """\
Is the release that you are about to roll back to what it says it is, is it still there, and does it fit? One screen,
within 30 seconds, whatever the state of the current release. Nothing is changed.
"""
PRE_EXAMPLES = """\
examples:
  golive prerollback v0.9-production
  golive prerollback v0.9-production --no-smoke --json
  golive prerollback v0.8 --image registry.example/worker@sha256:...     of a tag made without golive

exit codes: 0 READY, 1 STOP: do not, 2 wrong arguments, 3 UNSURE: not all is shown, 4 BLIND: not everything could be
looked at
"""
BACK = """\
Roll the live endpoint back to a release: look, ask, write, wait until every worker runs it, smoke it, measure it under
load. `golive rollback rehearse TAG` boots the release on a scratch endpoint instead, smokes it and scales it to zero.
"""
BACK_EXAMPLES = """\
examples:
  golive rollback v0.9-production                    looks, shows what would change, asks, does it
  golive rollback v0.9-production --dry-run          prints the calls that it would make
  golive rollback v0.9-production --yes              for scripts: does not ask
  golive rollback v0.9-production --anyway "INC-42"  although not everything could be shown (never over a STOP)
  golive rollback rehearse v0.9-production           the dated proof that the way back works (REL-2)
  golive rollback rehearse                           of the release that golive.toml names as release.previous

A rollback that was cut off is gone on with by the same command. Its record is reports/rollback-.../rollback.json.

exit codes: 0 recovered, and the load checks pass; 1 not, or the target is refused; 2 wrong arguments; 3 recovered, and
the load checks are undecided, or not all of the target is shown; 4 could not be done or looked at; 130 interrupted
"""


def configure_prerollback(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``golive prerollback``."""
    parser.description, parser.epilog = PRE, PRE_EXAMPLES
    parser.add_argument("tag", metavar="TAG", help="the release, e.g. v0.9-production")
    parser.add_argument("--no-smoke", action="store_true", help="do not send jobs to the live endpoint")
    _common(parser)


def configure_rollback(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``golive rollback``."""
    parser.description, parser.epilog = BACK, BACK_EXAMPLES
    parser.add_argument("words", nargs="+", metavar="[rehearse] TAG", help="the release, e.g. v0.9-production")
    parser.add_argument("--dry-run", action="store_true", help="print the calls, change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--anyway", metavar="WHY", default="", help="go on from UNSURE or BLIND; WHY is recorded")
    parser.add_argument("--no-load", action="store_true", help="smoke the result, and leave out the load checks")
    parser.add_argument("--wait-minutes", type=float, default=15.0, help="longest wait for the workers (default: 15)")
    _common(parser)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", default="", metavar="REF", help="image of a tag without a record: NAME@sha256:...")
    parser.add_argument("--template", default="", metavar="ID", help="template of a tag without a record")
    parser.add_argument("--signers", type=Path, metavar="FILE", help="whom to believe (default: signing.signers)")
    parser.add_argument("--profile", default="production", help="production (default), or test for another address")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="default: golive.toml")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_prerollback(args: argparse.Namespace) -> int:
    """Look, and print one screen; the exit code is the answer's.

    Raises:
        UsageError: arguments, configuration or key are not fit.
    """
    from go_live.rollback import session  # noqa: PLC0415 - the help must not wait for it

    return session.prerollback(args)


def run_rollback(args: argparse.Namespace) -> int:
    """Roll back, or rehearse it.

    Raises:
        GoliveError: arguments are not fit, or it could not be done.
    """
    from go_live.rollback import session  # noqa: PLC0415 - the help must not wait for it

    return session.rollback(args)
