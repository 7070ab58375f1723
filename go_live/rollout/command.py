"""``golive rollout``: move traffic to a candidate step by step, hold it, end it, watch it."""

import argparse
from pathlib import Path

ABOUT = """\
Move the requests that callers send to the current endpoint to a candidate, step by step (rollout.steps_percent). At
each step both are judged on the same interval; the gateway acts on signed decisions only. A candidate that is shown to
be worse is turned back at once; while nothing is shown, the weight stays, and what is missing is said.
"""
EXAMPLES = """\
examples:
  golive gateway serve --endpoint OLD NEW --routes route.json --rollout-signers rollout_signers     beforehand
  golive rollout start --candidate NEW --current OLD      10 %, 50 %, 100 %; goes on with one that was cut off
  golive rollout status                                   where it stands, who runs it, what is missing
  golive rollout pause                                    holds the weight; a candidate shown to be bad still goes back
  golive rollout resume
  golive rollout abort                                    0 % at once, whoever runs it
  golive rollout watch                                    the 24 hours after 100 %; its verdict completes the record

The key that signs decisions: GOLIVE_ROLLOUT_KEY (rollout.key_env) holds its path; make one with
`ssh-keygen -t ed25519 -N ''` and pin it in rollout_signers. docs/rollout.md tells the rest.

exit codes: 0 all of the traffic is with the candidate, or the watch passed; 1 turned back, aborted, or the watch
failed; 2 wrong arguments, or another controller runs it; 3 under way, or the watch is undecided; 4 could not be judged;
130 interrupted: the candidate gets nothing more once its last decision runs out
"""
ACTIONS = ("start", "status", "pause", "resume", "abort", "watch")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description, parser.epilog = ABOUT, EXAMPLES
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--candidate", metavar="ID", help="where traffic is to go (start; default: endpoint.id)")
    parser.add_argument("--current", metavar="ID", help="whom callers ask (start; default: endpoint.id)")
    parser.add_argument("--sticky", action="store_true", help="a caller's requests all go to one of both (start)")
    parser.add_argument("--routes", type=Path, default=Path("route.json"), help="the gateway's --routes file")
    parser.add_argument(
        "--record", type=Path, default=Path("reports/gateway.jsonl"), help="the gateway's --record file"
    )
    parser.add_argument("--signers", type=Path, help="whose decisions count (default: rollout.signers)")
    parser.add_argument("--directory", type=Path, default=Path("reports/rollout"), help="where rollouts are kept")
    parser.add_argument(
        "--profile", default="production", help="of the release that is rolled out (default: production)"
    )
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="default: golive.toml")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; the exit code.

    Raises:
        GoliveError: arguments are not fit, another controller holds the rollout, or it could not be judged.
    """
    from go_live.rollout import session  # noqa: PLC0415 - the help must not wait for it

    return session.ACTIONS[args.action](args)
