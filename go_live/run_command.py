"""``golive run``: its arguments."""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "examples:\n  golive run --only PERF SOAK-2\n  golive run --profile production --max-cost 5\n"
        "  golive run --resume 20261010T121412Z-rehearsal-1f2e3d"
    )
    parser.add_argument("--profile", default="rehearsal", help="rehearsal (default) or production")
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="items or families to answer; never a GO")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="run the local worker on this device")
    parser.add_argument(
        "--worker-env",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="more environment for the local worker, e.g. MODEL_PATH=/models/qwen2-7b LOAD_FORMAT=dummy",
    )
    parser.add_argument(
        "--max-cost",
        type=float,
        metavar="DOLLARS",
        help="what a live run may cost (default: price.max_dollars): more is refused before it starts, or stops it",
    )
    parser.add_argument("--commit", metavar="SHA", help="the commit to release, where HEAD is on no branch")
    parser.add_argument("--image", metavar="REF", help="the image to release, by digest (repository@sha256:…)")
    parser.add_argument("--config", default="golive.toml", help="the configuration file (default: golive.toml)")
    parser.add_argument(
        "--resume", metavar="RUN", help="go on with a killed run (its directory or id); its plan says everything else"
    )
    parser.add_argument("--json", action="store_true", help="print the decision as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run the gate."""
    from go_live.plan import Options  # noqa: PLC0415 - the help must not wait for pytest
    from go_live.run import run_gate  # noqa: PLC0415 - likewise

    options = Options(
        profile=args.profile,
        only=tuple(args.only),
        device=args.device,
        worker_env=tuple(args.worker_env),
        config=args.config,
        commit=args.commit,
        max_cost=args.max_cost,
        image=args.image,
        resume=args.resume,
        json=args.json,
    )
    return run_gate(options)
