"""``golive config diff`` and ``golive config apply``: the declared endpoint against the live one."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.config import Config, ProfileName
    from go_live.management.client import ManagementClient
    from go_live.management.table import Live, Row

EXAMPLES = """\
examples:
  golive config diff                        every declared setting, live, and whether they agree
  golive config diff --json | jq .rows
  golive config apply                       shows what it would set, asks, sets it, reads it back
  golive config apply --yes                 for a pipeline: does not ask

The key comes from the variable that [keys].api_key_env names (RUNPOD_API_KEY), or from the file that the same name with
_FILE names.

exit codes: 0 the live endpoint is as declared, 1 it differs, 2 usage or configuration, 4 it could not be read or set
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = "Compare the live endpoint's configuration with the declared one, or set it."
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("action", choices=("diff", "apply"), help="compare, or set what differs")
    parser.add_argument("--profile", default="production", help="production (default), or test for another address")
    parser.add_argument("--image", metavar="REF", help="the image to be released (default: endpoint.expected.image)")
    parser.add_argument("--yes", action="store_true", help="apply without asking")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="default: golive.toml")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compare or set; the exit code says whether the endpoint is now as declared.

    Raises:
        UsageError: the configuration, the key or the arguments are not fit.
        ManagementError: the API could not be asked, or refused.
    """
    import asyncio  # noqa: PLC0415 - `golive --help` needs none of these

    from go_live import config as configuration  # noqa: PLC0415
    from go_live.errors import UsageError  # noqa: PLC0415
    from go_live.plan import profile_name, with_image  # noqa: PLC0415

    config = configuration.load(args.config)
    profile = profile_name(config, args.profile)
    if config.profile[profile].target != "runpod":
        raise UsageError(f"the profile {profile} has no live endpoint: `golive config` needs a target 'runpod'")
    return asyncio.run(_run(args, with_image(config, args.image), profile))


async def _run(args: argparse.Namespace, config: "Config", profile: "ProfileName") -> int:
    import os  # noqa: PLC0415

    from go_live.api_key import read_key  # noqa: PLC0415
    from go_live.management.client import ManagementClient  # noqa: PLC0415
    from go_live.management.hosts import refuse_other_hosts  # noqa: PLC0415

    refuse_other_hosts(config, profile, name=str(args.config))
    key = read_key(config.keys, os.environ)
    async with ManagementClient(config.endpoint.management_api, key) as client:
        if args.action == "diff":
            _, rows = await _compared(client, config)
            return _tell(args, config, rows)
        return await _apply(args, client, config)


async def _apply(args: argparse.Namespace, client: "ManagementClient", config: "Config") -> int:
    """Say what would be set, ask, set it, read it back."""
    from go_live.management import change as changing  # noqa: PLC0415
    from go_live.management import view  # noqa: PLC0415

    live, rows = await _compared(client, config)
    update = changing.change_for(config.endpoint.expected, live, rows)
    by_hand = changing.cannot_set(config.endpoint.expected, rows, live)
    if changing.is_empty(update):
        return _tell(args, config, rows)
    changes = view.changes(rows, by_hand)
    _say(args, f"endpoint {config.endpoint.id}: {len(changes)} settings to set")
    for line in changes:
        _say(args, f"  {line}")
    if changing.makes_a_release(update):
        _say(args, "  this makes a new release: every worker is replaced")
    for row in by_hand:
        _say(args, f"  not set, needs a hand: {row.reason}")
    if not _agreed(args):
        _say(args, "nothing was changed")
        return _tell(args, config, rows)
    await client.update(config.endpoint.id, update)
    _, rows = await _compared(client, config)
    return _tell(args, config, rows, changes)


async def _compared(client: "ManagementClient", config: "Config") -> "tuple[Live, tuple[Row, ...]]":
    from go_live.management.compare import compare  # noqa: PLC0415
    from go_live.management.look import look  # noqa: PLC0415

    live = await look(client, config.endpoint.id)
    return live, compare(config.endpoint.expected, live)


def _agreed(args: argparse.Namespace) -> bool:
    """Whether the user agrees.

    Raises:
        UsageError: nobody can be asked, and --yes was not given.
    """
    import sys  # noqa: PLC0415

    from go_live.errors import UsageError  # noqa: PLC0415

    if args.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here, so nothing was changed: pass --yes to apply without asking")
    sys.stderr.write("set this on the live endpoint? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _tell(args: argparse.Namespace, config: "Config", rows: "Sequence[Row]", changed: "Sequence[str]" = ()) -> int:
    """Answer first, then the table; the exit code of the worst row."""
    import sys  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from go_live.management import view  # noqa: PLC0415
    from go_live.outcome import exit_code  # noqa: PLC0415

    found = view.difference(config.endpoint.id, rows, changed)
    if args.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    else:
        sys.stdout.write("\n".join([found.reason, "", *view.lines(rows)]) + "\n")
    return exit_code(found.outcome)


def _say(args: argparse.Namespace, line: str) -> None:
    """A line beside the answer: on standard error where standard output is JSON."""
    import sys  # noqa: PLC0415

    (sys.stderr if args.json else sys.stdout).write(line + "\n")
