"""``golive tune``: sweep client cap and MAX_CONCURRENCY, and recommend the cap."""

import argparse
from pathlib import Path

DESCRIPTION = """\
Measure how many requests may be in flight: at each level, and for each value of the worker's MAX_CONCURRENCY, is every
limit of golive.toml met, where does queueing begin, and what does one more level add? The highest level that meets
every limit, as all below it do, and still adds throughput, is the recommended client cap (docs/tuning.md).
"""
EXAMPLES = """\
examples:
  golive tune                                           the local endpoint, real engine, MAX_CONCURRENCY 1 and default
  golive tune --engine timed --exec-ms 300 --workers 2  the same in minutes, without a model: shows, proves nothing
  golive tune --max-concurrency 4 8 default --concurrency 1 2 4 8
  golive tune --target runpod --max-cost 5              the live endpoint as it is: only the client cap is swept
  golive tune --judge reports/tune-20261124T180000Z     judge a sweep again, offline: the same answer
  golive tune --adopt reports/tune-20261124T180000Z     write tuning/record.json, which client.cap_record may name

MAX_CONCURRENCY of a live endpoint is never changed here: golive config apply does that, and every worker is replaced.

exit codes: 0 a cap is recommended, 1 no level meets the limits, 2 usage or configuration, 3 inconclusive,
4 could not measure, 130 interrupted
"""
RECORD = Path("tuning/record.json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--judge", type=Path, metavar="DIR", help="judge a sweep again, offline")
    what.add_argument("--adopt", type=Path, metavar="DIR", help="write the record of a sweep's cap")
    parser.add_argument("--to", type=Path, default=RECORD, metavar="FILE", help=f"--adopt: where (default: {RECORD})")
    parser.add_argument("--target", choices=("local", "runpod"), default="local", help="what is measured")
    parser.add_argument("--concurrency", type=int, nargs="+", metavar="N", help="levels (default: tuning.concurrency)")
    parser.add_argument(
        "--max-concurrency", nargs="+", metavar="N", help="local: values of MAX_CONCURRENCY, or default (1 default)"
    )
    parser.add_argument("--runs", type=int, metavar="N", help="judged requests a level (default: golive.toml)")
    parser.add_argument("--seed", type=int, help="of the order in which levels are measured (default: a new one)")
    parser.add_argument("--engine", choices=("cpu", "cuda", "timed"), help="local: what answers (default: cpu)")
    parser.add_argument("--exec-ms", type=float, default=2788.0, help="the timed engine's execution time, ms")
    parser.add_argument("--workers", type=int, metavar="N", help="local workers (default: profile.rehearsal.workers)")
    parser.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="one more local worker setting"
    )
    parser.add_argument("--url", help="runpod: job API base (default: endpoint.job_api)")
    parser.add_argument("--endpoint", metavar="ID", help="runpod: endpoint id (default: endpoint.id)")
    parser.add_argument("--key-env", metavar="NAME", help="runpod: variable of the key (default: keys.api_key_env)")
    parser.add_argument("--max-cost", type=float, metavar="DOLLARS", help="runpod: stop there (price.max_dollars)")
    parser.add_argument(
        "--directory", type=Path, metavar="DIR", help="where to record (default: a new one in reports/)"
    )
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="limits (default: golive.toml)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code of the outcome.

    Raises:
        GoliveError: wrong arguments, or nothing could be measured.
    """
    from go_live.tuning import session  # noqa: PLC0415 - the help must not wait for it

    return session.tune(args)
