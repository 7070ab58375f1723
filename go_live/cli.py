"""The command line. Each command lives in its room's ``command`` module, imported only when it is asked for."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from go_live.errors import ExitCode, GoliveError


class Command(NamedTuple):
    """A command: where it lives, and its line in the help."""

    module: str
    help: str
    configure: str = "configure"
    run: str = "run"


COMMANDS = {
    "run": Command("go_live.run_command", "run the go-live checklist: plan, collect, judge, decide, release, report"),
    "plan": Command("go_live.planning.command", "what a run can show: requests, minutes, dollars, chances"),
    "load": Command(
        "go_live.load.command", "measure load levels, judge them, record them", "configure_load", "run_load"
    ),
    "soak": Command("go_live.load.command", "measure steady load, judge it, record it", "configure_soak", "run_soak"),
    "tune": Command("go_live.tuning.command", "sweep client cap and MAX_CONCURRENCY; recommend the cap"),
    "judge": Command("go_live.judge_command", "judge a run directory, a records file or a recorded CSV, offline"),
    "release": Command(
        "go_live.release.command", "complete the release of a finished run", "configure_release", "run_release"
    ),
    "verify": Command(
        "go_live.release.command", "is a release what its tag says it is? Offline", "configure_verify", "run_verify"
    ),
    "prerollback": Command(
        "go_live.rollback.command",
        "before a rollback: is the release what it says, still there, and does it fit?",
        "configure_prerollback",
        "run_prerollback",
    ),
    "rollback": Command(
        "go_live.rollback.command",
        "roll the live endpoint back to a release, or rehearse it",
        "configure_rollback",
        "run_rollback",
    ),
    "demo": Command("go_live.demo.command", "ten seconds: judge a bundled soak and open its report"),
    "keys": Command("go_live.keys.command", "find secrets in the tree and its history; verify that a key is rotated"),
    "local": Command("go_live.local_endpoint.command", "serve the local endpoint, for any client"),
    "config": Command("go_live.management.command", "compare the live endpoint with the declared one, or set it"),
    "gateway": Command("go_live.gateway.command", "cap, waiting line and callers' keys in front of endpoints"),
    "rollout": Command("go_live.rollout.command", "move traffic to a candidate, judged at each step; watch it after"),
    "monitor": Command("go_live.monitor.command", "alert rules, drills, dashboards and logs, from golive.toml"),
    "report": Command("go_live.report.command", "render the report of a run again"),
}

EPILOG = """examples:
  golive demo                              what this is, in ten seconds
  golive plan --profile production         what the release's run can show, takes and costs
  golive run                               rehearse the whole release on this machine
  golive run --profile production          the release itself, against the live endpoint
  golive judge soak.csv --slo soak         judge a recorded soak

exit codes: 0 GO or pass, 1 NO-GO or fail, 2 usage or configuration, 3 inconclusive,
4 could not measure or not run, 5 GO but not released, 130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors are one line on standard error."""
    try:
        return _main(list(sys.argv[1:] if argv is None else argv))
    except GoliveError as error:
        sys.stderr.write(f"golive: {error}\n")
        return error.exit_code
    except KeyboardInterrupt as error:
        # A release that was under way says so itself.
        sys.stderr.write(f"golive: interrupted; {str(error) or 'nothing was released'}\n")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; standard output must not fail a second time at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.GO


def _main(argv: list[str]) -> int:
    """Find the command, import its room, run it."""
    parser = _parser()
    if not argv or argv[0] not in COMMANDS:
        parser.parse_args(argv)
        parser.print_help()
        return ExitCode.USAGE
    command = COMMANDS[argv[0]]
    room = importlib.import_module(command.module)
    own = argparse.ArgumentParser(
        prog=f"golive {argv[0]}", description=command.help, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    getattr(room, command.configure)(own)
    code: int = getattr(room, command.run)(own.parse_args(argv[1:]))
    return code


def _parser() -> argparse.ArgumentParser:
    """The top level: names and one line each, without importing any room."""
    parser = argparse.ArgumentParser(
        prog="golive",
        description="The release gate for language models on serverless GPU endpoints.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(metavar="command")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.help)
    return parser


def _version() -> str:
    from go_live import __version__  # noqa: PLC0415 - kept beside its only use

    return f"golive {__version__}"
