"""``golive monitor drill``: cause each incident for real, and see every alert fire, arrive and resolve."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from go_live.errors import ExitCode, MeasurementError, UsageError

if TYPE_CHECKING:
    from go_live.config import Config
    from go_live.monitor.drill.record import Drill

EXAMPLES = """\
examples:
  golive monitor drill                      every alert, on this machine; less than four minutes (nox -s drill)
  golive monitor drill --only silence       some incidents: to look at, no evidence for MON-4
  golive monitor drill --factor 5           times divided by 5: slower, nearer to production
  golive monitor drill --alertmanager https://alertmanager.example
                                            no drill: two labelled test alerts for a deployed Alertmanager, which
                                            pages; whoever receives them answers with golive monitor receipt CODE

It starts Prometheus, Alertmanager, the gateway and local endpoints with the timed engine on loopback, and ends all of
them. Its record is reports/drill-<time>/drill.json, which item MON-4 reads. The bearer token of a deployed
Alertmanager comes from the variable that alerts.alertmanager_token_env names. docs/drill.md tells the rest.

exit codes: 0 every alert fired in time, arrived and resolved; 1 one did not, or an alert came without a cause;
2 usage or configuration; 4 Prometheus or Alertmanager is not there, or the drill broke off; 130 interrupted
"""
LEAST, MOST = 5, 20
"""Bounds of ``--factor``, as of drill.time_factor."""


class DrillAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints."""

    outcome: str
    """``pass`` or ``fail``."""
    reason: str
    alerts: tuple[Any, ...]
    """``go_live.monitor.drill.judging.Row`` each."""
    problems: list[str]
    factor: int
    seconds: float
    simulated: tuple[str, ...]
    record: str
    """Where the whole of it lies."""


class SentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--alertmanager URL --json`` prints."""

    outcome: str
    """``not_run``: nothing is shown before somebody has said both codes."""
    reason: str
    waiting: list[str]
    """Channels whose receipt is missing."""
    record: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("--only", nargs="+", default=[], metavar="INCIDENT", help="cause these incidents only")
    parser.add_argument("--factor", type=int, help=f"divide times by it, {LEAST} to {MOST} (default: golive.toml)")
    parser.add_argument("--alertmanager", metavar="URL", help="send test alerts to this Alertmanager instead")
    parser.add_argument("--yes", action="store_true", help="with --alertmanager: send without asking")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="thresholds (default: golive.toml)")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's root (default: this folder)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Drill, record, show.

    Raises:
        UsageError: arguments or configuration are wrong, or the generated files differ from golive.toml.
        MeasurementError: a program is not there, or the drill broke off.
    """
    from go_live import config as configuration  # noqa: PLC0415 - `golive monitor --help` needs none of these
    from go_live.monitor import generated  # noqa: PLC0415
    from go_live.monitor.drill import kept  # noqa: PLC0415
    from go_live.monitor.stack import programs  # noqa: PLC0415

    config = configuration.load(args.config)
    if args.alertmanager is not None:
        return _sent(args, config)
    factor = config.drill.time_factor if args.factor is None else args.factor
    _refuse(args, factor)
    if differ := generated.drift(args.root, config):
        raise UsageError(f"{differ[0]} is not what golive.toml gives: golive monitor rules, then drill what it wrote")
    if lack := programs.missing():
        raise MeasurementError(lack)
    drill = _conducted(config, factor, args.only)
    path = kept.write(args.root, drill)
    return _shown(drill, config, path, as_json=args.json)


def _sent(args: argparse.Namespace, config: Config) -> int:
    """Send the test alerts, once somebody agrees; what is to be done now.

    Raises:
        UsageError: the address cannot be used, or nobody agreed.
        MeasurementError: Alertmanager did not take them.
    """
    import os  # noqa: PLC0415

    from go_live.evidence.run_directory import encode  # noqa: PLC0415
    from go_live.monitor.drill import deployed, kept  # noqa: PLC0415
    from go_live.monitor.drill.receipts import LASTS_S, waiting  # noqa: PLC0415

    bearer = deployed.token(config, os.environ)
    url = deployed.checked(args.alertmanager, secret=bearer is not None)
    _agree(url, yes=args.yes)
    receipts = deployed.send(url, bearer, config, kept.present(args.root))
    path = kept.write_receipts(args.root, receipts)
    missing = waiting(receipts)
    reason = (
        f"two test alerts were sent to {url} and end in {LASTS_S // 60} minutes; now read the code that each of "
        f"{' and '.join(missing)} shows, and say it: golive monitor receipt CODE CODE"
    )
    if args.json:
        answer = SentAnswer(outcome="not_run", reason=reason, waiting=missing, record=str(path))
        sys.stdout.write(encode(answer).decode() + "\n")
    else:
        sys.stdout.write(f"SENT: {reason}\nrecord: {path}\n")
    return ExitCode.GO


def _agree(url: str, *, yes: bool) -> None:
    """A person, or --yes, agrees.

    Raises:
        UsageError: not so; nothing was sent.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here, so nothing was sent: pass --yes to send without asking")
    sys.stderr.write(f"send a test alert through {url} to whoever is on call, and one to Slack? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise UsageError("nothing was sent")


def _refuse(args: argparse.Namespace, factor: int) -> None:
    """Arguments that make no drill.

    Raises:
        UsageError: there is no such incident, or no such factor.
    """
    from go_live.monitor.drill.incidents import BY_NAME  # noqa: PLC0415

    if unknown := [name for name in args.only if name not in BY_NAME]:
        raise UsageError(f"--only {unknown[0]}: there is no such incident; there are {', '.join(BY_NAME)}")
    if not LEAST <= factor <= MOST:
        raise UsageError(f"--factor {factor}: choose from {LEAST} to {MOST}")


def _conducted(config: Config, factor: int, names: list[str]) -> Drill:
    """The drill, in a folder that is gone afterwards; Ctrl-C and SIGTERM end all of it in order."""
    import asyncio  # noqa: PLC0415
    import logging  # noqa: PLC0415
    import signal  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    from go_live.monitor.alerts import alert_rules  # noqa: PLC0415
    from go_live.monitor.drill.conduct import conduct, expected_s  # noqa: PLC0415
    from go_live.monitor.drill.telling import Telling  # noqa: PLC0415

    logging.getLogger("golive.gateway").setLevel(logging.ERROR)  # what the incidents do to it is no news
    telling = Telling(expected_s(alert_rules(config), config, factor, names))

    async def drill(folder: Path) -> Drill:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio.run makes one
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, task.cancel)
        with telling.going():
            return await conduct(config, factor, folder, telling.note, names)

    with tempfile.TemporaryDirectory(prefix="golive-drill-") as folder:
        try:
            return asyncio.run(drill(Path(folder)))
        except asyncio.CancelledError:
            raise KeyboardInterrupt("the drill was ended; nothing of it is left running") from None


def _shown(drill: Drill, config: Config, path: Path, *, as_json: bool) -> int:
    """Print the answer; the exit code."""
    from rich.console import Console  # noqa: PLC0415

    from go_live.monitor.drill import view  # noqa: PLC0415
    from go_live.monitor.drill.judging import chosen_rows, problems  # noqa: PLC0415

    found = chosen_rows(drill, config)
    wrong = problems(found, drill, config)
    if as_json:
        answer = DrillAnswer(
            outcome="fail" if wrong else "pass",
            reason=view.sentence(drill, found, wrong),
            alerts=found,
            problems=wrong,
            factor=drill.factor,
            seconds=drill.seconds,
            simulated=drill.simulated,
            record=str(path),
        )
        from go_live.evidence.run_directory import encode  # noqa: PLC0415

        sys.stdout.write(encode(answer).decode() + "\n")
    else:
        view.show(Console(highlight=False), drill, config, path)
    return ExitCode.NO_GO if wrong else ExitCode.GO
