"""``golive load`` and ``golive soak``: measure, judge, record."""

import argparse
from pathlib import Path

LOAD_EXAMPLES = """\
examples:
  golive load --concurrency 1 2 3 4 --runs 124
  golive load --rate 2 --runs 300 --seed 7 --json
  golive load --url http://127.0.0.1:8000/v2 --endpoint local --key-env GOLIVE_LOCAL_KEY

Every request that was due is one line of the records file; judge it again with `golive judge FILE`.
Levels above the client cap are reported and decide nothing, unless nothing else was asked for.
A level ends early once every claim on it is certain to FAIL.

exit codes: 0 pass, 1 NO-GO, 2 usage or configuration, 3 inconclusive, 4 not measured, 130 interrupted
"""
SOAK_EXAMPLES = """\
examples:
  golive soak --minutes 60 --concurrency 2
  golive soak --minutes 60 --stop-when-decided
  golive soak --minutes 1 --url http://127.0.0.1:8000/v2 --endpoint local --key-env GOLIVE_LOCAL_KEY

A soak ends early once a share of its requests is certain to FAIL, though not before a tenth of it was served. One that
passes is served to its end, since drift takes time to show; --stop-when-decided ends it once every share is decided,
and drift is then not judged.

Every request that was due is one line of the records file; judge it again with `golive judge FILE --slo soak`.

exit codes: 0 pass, 1 NO-GO, 2 usage or configuration, 3 inconclusive, 4 not measured, 130 interrupted
"""


def configure_load(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``golive load``."""
    loop = parser.add_mutually_exclusive_group()
    loop.add_argument("--concurrency", type=int, nargs="+", metavar="N", help="closed loops (default: golive.toml)")
    loop.add_argument("--rate", type=float, metavar="R", help="an open loop of R requests per second instead")
    parser.add_argument("--runs", type=int, metavar="N", help="requests a level (default: golive.toml)")
    parser.add_argument("--seed", type=int, help="with --rate: Poisson arrivals from this seed, not evenly spaced")
    _configure(parser, LOAD_EXAMPLES)


def configure_soak(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``golive soak``."""
    parser.add_argument("--minutes", type=float, help="how long (default: golive.toml)")
    parser.add_argument("--concurrency", type=int, metavar="N", help="requests in flight (default: golive.toml)")
    parser.add_argument(
        "--stop-when-decided", action="store_true", help="end once every share is decided; drift is then not judged"
    )
    _configure(parser, SOAK_EXAMPLES)


def _configure(parser: argparse.ArgumentParser, epilog: str) -> None:
    parser.epilog = epilog
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--url", help="job API base (default: endpoint.job_api of golive.toml)")
    parser.add_argument("--endpoint", metavar="ID", help="endpoint id (default: endpoint.id of golive.toml)")
    parser.add_argument("--key-env", metavar="NAME", help="variable that holds the key (default: keys.api_key_env)")
    parser.add_argument("--prompts", type=Path, metavar="FILE", help="JSON lines of id, input and answer digest")
    parser.add_argument("--warmup", type=int, metavar="N", help="requests before each level, counted apart")
    parser.add_argument("--stream", action="store_true", help="over /run and /stream, with first token times")
    parser.add_argument("--records", type=Path, metavar="FILE", help="where to record (default: a new one in reports/)")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="limits (default: golive.toml)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_load(args: argparse.Namespace) -> int:
    """Measure load levels, judge and print; returns the exit code of the outcome.

    Raises:
        GoliveError: wrong arguments, or nothing could be measured.
    """
    from go_live.load import session  # noqa: PLC0415 - the help must not wait for it

    return session.load(args)


def run_soak(args: argparse.Namespace) -> int:
    """Measure steady load, judge and print; returns the exit code of the outcome.

    Raises:
        GoliveError: wrong arguments, or nothing could be measured.
    """
    from go_live.load import session  # noqa: PLC0415 - the help must not wait for it

    return session.soak(args)
