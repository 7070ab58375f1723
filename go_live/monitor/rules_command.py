"""``golive monitor rules``: what Prometheus and Alertmanager are given, from golive.toml."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from go_live.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from go_live import config as configuration
    from go_live.monitor.tools import Proof

PLACEHOLDER = ".example"
EXAMPLES = """\
examples:
  golive monitor rules            write monitoring/, ALERTING_RULES.md and docs/runbooks/ from golive.toml
  golive monitor rules --check    do they say what golive.toml says? (nox -s lint)
  golive monitor rules --prove    let promtool and amtool test what is written

exit codes: 0 written, or as it should be; 1 a file differs, or promtool or amtool refuses; 2 usage or configuration;
4 promtool or amtool is not there
"""


class RulesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints."""

    outcome: str
    """``pass`` or ``fail``."""
    reason: str
    files: list[str]
    """That were written, or with ``--check`` differ."""
    proofs: dict[str, bool]
    notes: list[str]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="write nothing; fail where a file differs")
    mode.add_argument("--prove", action="store_true", help="write nothing; run promtool and amtool on the files")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="thresholds (default: golive.toml)")
    parser.add_argument("--root", type=Path, default=Path(), help="the project's root (default: this folder)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Write, check or prove the generated files.

    Raises:
        UsageError: configuration is wrong, or a file cannot be written.
        MeasurementError: promtool or amtool is not there.
    """
    from go_live import config as configuration  # noqa: PLC0415 - `golive monitor --help` needs no configuration

    config = configuration.load(args.config)
    if args.prove:
        answer = _proved(args.root)
    elif args.check:
        answer = _checked(args.root, config)
    else:
        answer = _written(args.root, config)
    _show(answer, as_json=args.json)
    return ExitCode.GO if answer.outcome == "pass" else ExitCode.NO_GO


def _written(root: Path, config: configuration.Config) -> RulesAnswer:
    from go_live.monitor import generated  # noqa: PLC0415 - imports yaml

    try:
        changed = [str(path) for path in generated.write(root, config)]
    except OSError as error:
        raise UsageError(f"cannot write below {root}: {error}") from error
    reason = f"wrote {', '.join(changed)}" if changed else "every file says what golive.toml says; nothing to write"
    return RulesAnswer(outcome="pass", reason=reason, files=changed, proofs={}, notes=_notes(config))


def _checked(root: Path, config: configuration.Config) -> RulesAnswer:
    from go_live.monitor import generated  # noqa: PLC0415 - imports yaml

    differ = [str(path) for path in generated.drift(root, config)]
    reason = (
        f"{', '.join(differ)}: not what golive.toml gives; run golive monitor rules and commit"
        if differ
        else "every file says what golive.toml says"
    )
    return RulesAnswer(
        outcome="fail" if differ else "pass", reason=reason, files=differ, proofs={}, notes=_notes(config)
    )


def _proved(root: Path) -> RulesAnswer:
    from go_live.monitor.tools import prove  # noqa: PLC0415 - imports yaml

    proofs = prove(root)
    failed = [proof for proof in proofs if not proof.passed]
    reason = (
        f"not shown: {failed[0].what}" if failed else f"{len(proofs)} of {len(proofs)} shown by promtool and amtool"
    )
    return RulesAnswer(
        outcome="fail" if failed else "pass",
        reason=reason,
        files=[],
        proofs={proof.what: proof.passed for proof in proofs},
        notes=[_tail(proof) for proof in failed],
    )


def _notes(config: configuration.Config) -> list[str]:
    """What still has to be filled in."""
    host, docs = (url.split("/")[2] for url in (config.alerts.deadman_url, config.alerts.docs_url))
    notes = []
    if host.endswith(PLACEHOLDER):
        notes.append(f"alerts.deadman_url is a place-holder ({host}): nobody notices when alerting itself dies")
    if docs.endswith(PLACEHOLDER):
        notes.append(f"alerts.docs_url is a place-holder ({docs}): what notifications link to is not there")
    return notes


def _tail(proof: Proof) -> str:
    """The end of what a program said."""
    return f"{proof.what}: {proof.said[-1500:]}"


def _show(answer: RulesAnswer, *, as_json: bool) -> None:
    """The answer, then what else is to be known."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
        return
    sys.stdout.write(f"{answer.outcome.upper()}: {answer.reason}\n")
    sys.stdout.writelines(f"  {'ok' if passed else 'FAIL':<5}{what}\n" for what, passed in answer.proofs.items())
    sys.stdout.writelines(f"  note: {note}\n" for note in answer.notes)
