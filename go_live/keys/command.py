"""``golive keys``: find secrets, verify a rotation, name a key by its fingerprint."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from go_live.config import Config, load
from go_live.errors import ExitCode, UsageError
from go_live.keys import baseline
from go_live.keys.fingerprint import fingerprint, new_salt
from go_live.keys.probe import live_runpod_keys
from go_live.keys.rotation import Exposed, judge
from go_live.keys.rules import RUNPOD
from go_live.keys.scan import Scan, scan
from go_live.keys.verify import gather, key_of
from go_live.outcome import Outcome, exit_code, worst

if TYPE_CHECKING:
    from go_live.keys.baseline import Judged
    from go_live.outcome import Verdict

SCAN = """\
Look for secrets in the work tree, the index, stashes, the whole history of all refs, the messages of commits and tags,
and in objects that nothing leads to any more. Nothing of a secret is printed but its kind and its length.
"""
VERIFY = """\
Verify a rotation: the new key works, the old one is refused with 401 and is the last release's, no key stands in the
tree or its history, gateway and CI use the new one. Keys come from the environment, or from the file that
<variable>_FILE names.
"""
FINGERPRINT = """\
Print the fingerprint of the key in the environment: a slow salted hash that may be shown and committed.
"""
EPILOG = """\
examples:
  golive keys scan                        exit 0: nothing found, 1: findings, 2: shallow clone, 4: unreadable
  golive keys scan --probe-runpod         also ask RunPod whether the RunPod keys that were found still work
  golive keys scan --draft >> keys-baseline.toml      entries for what was found, to be completed by hand
  golive keys verify                      exit 0: rotated, 1: not, 3: not shown, 4: could not reach the API
  golive keys fingerprint                 of RUNPOD_API_KEY, where the gateway or CI runs

docs/keys.md has the rotation step by step.
"""
_SHOWN = 40


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    raw = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog, parser.formatter_class = "Secrets: find them, rotate them.", EPILOG, raw
    actions = parser.add_subparsers(dest="action", required=True, metavar="scan|verify|fingerprint")
    for name, text in (("scan", SCAN), ("verify", VERIFY), ("fingerprint", FINGERPRINT)):
        action = actions.add_parser(name, description=text, epilog=EPILOG, formatter_class=raw)
        action.add_argument("--config", type=Path, default=Path("golive.toml"), help="default: golive.toml")
        action.add_argument("--json", action="store_true", help="print one JSON object")
        if name == "scan":
            action.add_argument("path", type=Path, nargs="?", default=Path(), help="the repository (default: here)")
            action.add_argument("--baseline", type=Path, help="accepted findings (default: keys.baseline)")
            action.add_argument("--probe-runpod", action="store_true", help="ask RunPod whether its keys still work")
            action.add_argument("--draft", action="store_true", help="print baseline entries for what is not accepted")


def run(args: argparse.Namespace) -> int:
    """Scan, verify or print a fingerprint; returns the exit code.

    Raises:
        UsageError: configuration, baseline or clone are not fit.
        MeasurementError: something could not be read or reached.
    """
    actions = {"scan": _scan, "verify": _verify, "fingerprint": _fingerprint}
    return actions[args.action](args)


def _scan(args: argparse.Namespace) -> int:
    config = _config(args.config)
    where = args.baseline or args.path / (config.keys.baseline if config else "keys-baseline.toml")
    if args.baseline and not args.baseline.is_file():
        raise UsageError(f"there is no baseline {args.baseline}")
    entries, found = baseline.load(where), scan(args.path, _told)
    live = _probe(found, _needed(config, args.config)) if args.probe_runpod else frozenset()
    today = _today()
    judged = baseline.judge(found.found, entries, today, live)
    if args.draft:
        blocking = set(judged.blocking)
        sys.stdout.write(baseline.draft([one for one in found.found if one.finding in blocking], today))
    elif args.json:
        sys.stdout.buffer.write(msgspec.json.encode(_as_json(found, judged, live)) + b"\n")
    else:
        _show(found, judged, live)
    return ExitCode.NO_GO if judged.blocking else ExitCode.GO


def _config(path: Path) -> Config | None:
    """The configuration; None where there is none: any repository can be scanned."""
    return load(path) if path.is_file() else None


def _needed(config: Config | None, path: Path) -> Config:
    if config is None:
        raise UsageError(f"there is no {path}, which names the API: run golive in the project's root")
    return config


def _probe(found: Scan, config: Config) -> frozenset[bytes]:
    endpoint = config.endpoint
    ask = live_runpod_keys(
        found.found, job_api=endpoint.job_api, endpoint_id=endpoint.id, management_api=endpoint.management_api
    )
    return asyncio.run(ask)


def _told(objects: int) -> None:
    """Progress, on a terminal alone."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{objects} objects read")
        sys.stderr.flush()


def _show(found: Scan, judged: Judged, live: frozenset[bytes]) -> None:
    """The answer, then each finding."""
    working = {one.finding for one in found.found if one.secret in live}
    what = f"{found.objects} objects and {found.files} files"
    count = len(judged.blocking)
    head = f"{count} secret{'s' if count != 1 else ''} found in {what}" if count else f"no secret found in {what}"
    lines = [head + (f"; {len(judged.accepted)} accepted by the baseline" if judged.accepted else "")]
    for one in judged.blocking[:_SHOWN]:
        more = f", {one.versions} versions" if one.versions > 1 else ""
        alive = "  THIS KEY WORKS" if one in working else ""
        lines.append(f"  {one.rule:12}  {one.where}  {one.masked}  ({', '.join(one.places)}{more}){alive}")
    if count > _SHOWN:
        lines.append(f"  and {count - _SHOWN} more: --json lists them all")
    lines += [f"note: {note}" for note in (*judged.notes, *found.notes)]
    if count:
        lines.append("Rotate what was found first: removing it from the history does not make it secret again.")
    sys.stdout.write("\n".join(lines) + "\n")


def _as_json(found: Scan, judged: Judged, live: frozenset[bytes]) -> dict[str, object]:
    working = {one.finding for one in found.found if one.secret in live}
    outcome = Outcome.FAIL if judged.blocking else Outcome.PASS
    return {
        "outcome": outcome,
        "reason": f"{len(judged.blocking)} secrets found" if judged.blocking else "no secret found",
        "commit": found.head,
        "n": found.objects,
        "bytes": found.bytes,
        "files": found.files,
        "findings": [
            msgspec.to_builtins(one) | {"where": one.where, "live": one in working} for one in judged.blocking
        ],
        "accepted": [
            msgspec.to_builtins(one) | {"owner": entry.owner, "reason": entry.reason, "expires": entry.expires}
            for one, entry in judged.accepted
        ],
        "notes": [*judged.notes, *found.notes],
    }


def _verify(args: argparse.Namespace) -> int:
    config = load(args.config)
    judged = baseline.judge(scan(Path(), _told).found, baseline.load(Path(config.keys.baseline)), _today())
    exposed = Exposed(count=sum(one.rule == RUNPOD for one in judged.blocking))
    verdicts = judge(gather(config, Path(), os.environ, exposed=exposed, profile="production"))
    outcome = worst(one.outcome for one in verdicts)
    if args.json:
        said = {"outcome": outcome, "reason": _why(verdicts, outcome), "n": len(verdicts), "verdicts": verdicts}
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    else:
        lines = [f"  {one.outcome.upper():14} {one.claim}: {one.reason}" for one in verdicts]
        head = "the key is rotated" if outcome is Outcome.PASS else f"{outcome.upper()}: {_why(verdicts, outcome)}"
        sys.stdout.write("\n".join([head, *lines]) + "\n")
    return exit_code(outcome)


def _why(verdicts: list[Verdict], outcome: Outcome) -> str:
    return next(one.reason for one in verdicts if one.outcome is outcome)


def _fingerprint(args: argparse.Namespace) -> int:
    config = _config(args.config)
    name = config.keys.api_key_env if config else "RUNPOD_API_KEY"
    key = key_of(os.environ, name)
    if not key:
        raise UsageError(f"{name} is not set: put the key into it, or the path of its file into {name}_FILE")
    text = fingerprint(key, new_salt())
    sys.stdout.write(msgspec.json.encode({"fingerprint": text}).decode() + "\n" if args.json else f"{text}\n")
    return ExitCode.GO


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
