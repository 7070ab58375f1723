"""``golive monitor dashboard``: the Grafana dashboard, from golive.toml."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from go_live.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from go_live import config as configuration

SDK = "grafana_foundation_sdk"
PLACEHOLDER = ".example"
EXAMPLES = """\
examples:
  golive monitor dashboard            write monitoring/dashboard.json from golive.toml
  golive monitor dashboard --check    does it say what golive.toml says? (nox -s lint)

Grafana takes the file by import, by provisioning or over its HTTP API: docs/dashboard.md.
`golive monitor serve` shows the same panels without Grafana.

exit codes: 0 written, or as it should be; 1 the file differs; 2 usage or configuration
"""


class DashboardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints."""

    outcome: str
    """``pass`` or ``fail``."""
    reason: str
    file: str
    panels: int
    notes: list[str]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file differs")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="limits (default: golive.toml)")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's root (default: this folder)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Write or check the dashboard.

    Raises:
        UsageError: configuration is wrong, Grafana's SDK is not there, or the file cannot be written.
    """
    from go_live import config as configuration  # noqa: PLC0415 - `golive monitor --help` needs no configuration

    answer = _answer(args.root, configuration.load(args.config), check=args.check)
    if args.json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
    else:
        sys.stdout.write(f"{answer.outcome.upper()}: {answer.reason}\n")
        sys.stdout.writelines(f"  note: {note}\n" for note in answer.notes)
    return ExitCode.GO if answer.outcome == "pass" else ExitCode.NO_GO


def _answer(root: Path, config: configuration.Config, *, check: bool) -> DashboardAnswer:
    if find_spec(SDK) is None:
        raise UsageError("grafana-foundation-sdk is not installed: pip install 'golive[dashboard]' (docs/dashboard.md)")
    from go_live.monitor import generated, grafana, panels  # noqa: PLC0415 - imports Grafana's SDK

    texts = {generated.DASHBOARD: grafana.dashboard_file(config)}
    if check:
        differs = bool(generated.differing(root, texts))
        wrong = f"{generated.DASHBOARD}: not what golive.toml gives; run golive monitor dashboard and commit"
        right = f"{generated.DASHBOARD} says what golive.toml says"
    else:
        try:
            written = bool(generated.put(root, texts))
        except OSError as error:
            raise UsageError(f"cannot write below {root}: {error}") from error
        differs, wrong = False, ""
        right = f"wrote {generated.DASHBOARD}" if written else f"{generated.DASHBOARD} is as it should be"
    return DashboardAnswer(
        outcome="fail" if differs else "pass",
        reason=wrong if differs else right,
        file=str(generated.DASHBOARD),
        panels=len(panels.panels(config)),
        notes=_notes(config),
    )


def _notes(config: configuration.Config) -> list[str]:
    """What still has to be filled in."""
    host = config.alerts.docs_url.split("/")[2]
    if not host.endswith(PLACEHOLDER):
        return []
    return [f"alerts.docs_url is a place-holder ({host}): the dashboard's links lead nowhere"]
