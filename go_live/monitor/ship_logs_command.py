"""``golive monitor ship-logs``: the workers' logs to Loki, CloudWatch or Datadog, until it is told to end."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from go_live.errors import ExitCode

if TYPE_CHECKING:
    from go_live.config import Config

EXAMPLES = """\
examples:
  golive monitor ship-logs --to loki                        the live endpoint's logs, until Ctrl-C or SIGTERM
  golive monitor ship-logs --to loki --from /tmp/endpoint   a local endpoint's (its folder is what `local serve` tells)
  golive monitor ship-logs --from reports/RUN/worker-logs --to datadog --once
  golive monitor ship-logs --from /tmp/endpoint --to loki --dry-run       what would be sent
  golive monitor ship-logs --agent vector                   a configuration for those who run an agent

Where it goes, labels and limits stand in golive.toml, [logs]; keys come from the environment, or from a file that
NAME_FILE names. Prompts, answers and keys never leave: docs/logs.md says what does.

exit codes: 0 shipped, or ended by SIGTERM; 1 the destination refused lines for good (they are kept in refused.jsonl);
2 usage or configuration; 4 the destination could not be reached, or has to be set right first; 130 interrupted
"""
AGENTS = {"vector": Path("monitoring/vector.yaml"), "fluent-bit": Path("monitoring/fluent-bit.yaml")}


class ShippedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints at the end."""

    outcome: str
    """``pass``, ``fail`` (lines were refused for good) or ``error``."""
    reason: str
    destination: str
    shipped: int
    """Lines that arrived."""
    others: int
    """Lines of the log that were counted and not sent."""
    refused: int
    retries: int
    requests: int
    bytes: int
    """That arrived, uncompressed."""
    behind_bytes: int
    """That were read or can be read, and did not arrive."""
    trouble: list[str]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("--to", choices=("loki", "cloudwatch", "datadog"), help="default: logs.destination")
    parser.add_argument(
        "--from", dest="folder", type=Path, metavar="FOLDER", help="worker logs here (default: the live endpoint's)"
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--once", action="store_true", help="ship what is there, and end")
    mode.add_argument("--dry-run", action="store_true", help="print what would be sent; send and remember nothing")
    mode.add_argument("--agent", choices=tuple(AGENTS), help="write a configuration for this agent instead")
    parser.add_argument("--out", type=Path, help="where the agent's configuration goes (default: monitoring/)")
    parser.add_argument("--state", type=Path, help="folder that keeps how far was shipped (default: logs.state)")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="default: golive.toml")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")


def run(args: argparse.Namespace) -> int:
    """Ship, or write an agent's configuration.

    Raises:
        UsageError: configuration, a key or a folder is missing, or another golive ships with the same state.
        MeasurementError: the destination could not be reached, or has to be set right first.
    """
    from go_live import config as configuration  # noqa: PLC0415 - `golive monitor --help` needs no configuration

    config = configuration.load(args.config)
    return _written(args, config) if args.agent else _shipped(args, config)


def _written(args: argparse.Namespace, config: Config) -> int:
    """Write the agent's configuration."""
    from go_live.errors import UsageError  # noqa: PLC0415
    from go_live.evidence.run_directory import write_atomically  # noqa: PLC0415
    from go_live.shipping.agents import configuration_of  # noqa: PLC0415
    from go_live.shipping.settings import chosen  # noqa: PLC0415

    to = chosen(config, args.to)
    path = args.out or args.config.absolute().parent / AGENTS[args.agent]
    text = configuration_of(args.agent, to, config, folder=args.folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    reason = f"wrote {path}: {args.agent} to {to}"
    answer = {"outcome": "pass", "reason": reason, "file": str(path), "agent": args.agent, "destination": to}
    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n" if args.json else f"PASS: {reason}\n")
    return ExitCode.GO


def _shipped(args: argparse.Namespace, config: Config) -> int:
    """Ship until the end."""
    import asyncio  # noqa: PLC0415
    import os  # noqa: PLC0415

    from go_live.shipping.session import Asked, ship  # noqa: PLC0415
    from go_live.shipping.settings import chosen  # noqa: PLC0415

    to = chosen(config, args.to)
    root = args.config.absolute().parent
    asked = Asked(
        to=to,
        folder=_folder(args),
        state=(args.state or root / config.logs.state) / to,
        once=args.once,
        dry_run=args.dry_run,
    )
    told = asyncio.run(ship(config, asked, os.environ))
    if args.dry_run and not args.json:
        return ExitCode.GO
    answer = ShippedAnswer(**told.summary)
    if args.json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    else:
        sys.stdout.write(f"{answer.outcome.upper()}: {answer.reason}\n")
        sys.stdout.writelines(f"  note: {trouble}\n" for trouble in answer.trouble)
    return told.exit_code


def _folder(args: argparse.Namespace) -> Path | None:
    """The folder of ``--from``.

    Raises:
        UsageError: there is none.
    """
    from go_live.errors import UsageError  # noqa: PLC0415

    folder: Path | None = args.folder
    if folder is not None and not folder.is_dir():
        raise UsageError(f"--from {folder}: no such folder; `golive local serve` tells its own as logs")
    return folder.absolute() if folder is not None else None
