"""``golive release RUN`` and ``golive verify TAG``: their arguments, and what they print."""

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec

from go_live import config
from go_live.config import ProfileName
from go_live.errors import ExitCode, UsageError
from go_live.outcome import Outcome
from go_live.release import trust as trusts
from go_live.release.trust import iso
from go_live.release.verification import Verification
from go_live.release.verify import verify

WORDS = {Outcome.PASS: "VERIFIED", Outcome.FAIL: "REFUSED"}
"""The word on top; any other outcome could not be looked at."""

RELEASE = """\
Complete the release of a finished run: what was killed, or refused for a cause that is mended since. What has landed
already is not pushed again. Evidence that has expired by now is refused.
"""
RELEASE_EXAMPLE = """\
example:
  golive release reports/20261123T101500Z-production-1f2e3d

exit codes: 0 released, 2 no such run, 5 the decision is GO but the release did not land; of any other run its own
"""
VERIFY = """\
Is a release what its tag says it is? Offline, in a fresh clone: tag, signature, record, metadata, attestations, log,
decision, authorization and what was added later, each with its own reason. Whom to believe is read from this checkout,
never from the release: stand on the release branch, not on the tag.
"""
VERIFY_EXAMPLE = """\
examples:
  golive verify v1.0-production
  golive verify v1.0-production --signers /etc/golive/signers --json

exit codes: 0 verified, 1 refused, 2 wrong arguments, 4 not everything is here to be looked at
"""


def configure_release(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``golive release``."""
    parser.description, parser.epilog = RELEASE, RELEASE_EXAMPLE
    parser.add_argument("run", metavar="RUN", help="directory of the run, or its id below reports/")
    parser.add_argument("--json", action="store_true", help="print what was done as one JSON object")


def run_release(args: argparse.Namespace) -> int:
    """Complete the release of a run."""
    # A run's log is a table: `golive verify` must not wait for numpy and the report.
    from go_live.after_tag import ask_after  # noqa: PLC0415
    from go_live.evidence import resume  # noqa: PLC0415
    from go_live.evidence.run_directory import read_run  # noqa: PLC0415
    from go_live.load.progress import Progress  # noqa: PLC0415
    from go_live.release.completing import complete  # noqa: PLC0415
    from go_live.report import render  # noqa: PLC0415
    from go_live.report.command import view_of  # noqa: PLC0415

    root = Path.cwd()
    directory = resume.find(root, args.run, asked="")
    data = read_run(directory)
    done = complete(data, root, directory, after=lambda: ask_after(data, root, directory, Progress()))
    render.write_all(view_of(data, done.lines), directory)
    code = data.decision.exit_code if done.problem is None else ExitCode.NOT_RELEASED
    version, landed = data.plan.config.release.version, bool(done.lines) and done.problem is None
    reason = data.decision.reason if not done.lines else done.lines[0]
    if args.json:
        told = {
            "released": landed,
            "reason": reason,
            "version": version,
            "run_id": data.plan.run_id,
            "lines": done.lines,
        }
        _print_json(told)
    else:
        word = "RELEASED" if landed else "NOT RELEASED"
        sys.stdout.write(f"{word} {version}: {reason.removeprefix('not released: ')}\n")
        sys.stdout.writelines(f"  {line}\n" for line in done.lines[1:])
    return code


def configure_verify(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``golive verify``."""
    parser.description, parser.epilog = VERIFY, VERIFY_EXAMPLE
    parser.add_argument("tag", metavar="TAG", help="name of the release's tag, e.g. v1.0-production")
    parser.add_argument("--signers", type=Path, metavar="FILE", help="whom to believe (default: signing.signers)")
    parser.add_argument(
        "--profile", choices=get_args(ProfileName), default="production", help="whose trust root (default: production)"
    )
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="default: golive.toml")
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")


def run_verify(args: argparse.Namespace) -> int:
    """Verify a release.

    Raises:
        UsageError: wrong arguments, no repository, or no trust root.
    """
    if args.profile == "rehearsal":
        raise UsageError(
            "a rehearsal is signed by a key of its own run, which nobody trusts: there is nothing to verify"
        )
    root = Path.cwd()
    settings = config.load(args.config)
    trust = trusts.load(settings, root, profile=args.profile, file=args.signers)
    where = {"remote": settings.release.remote, "records_branch": settings.release.records_branch}
    found = verify(root, args.tag, trust=trust, **where)
    if args.json:
        _print_json(as_json(found))
    else:
        sys.stdout.write(as_text(found))
    return found.exit_code


def as_text(found: Verification) -> str:
    """The answer, the reason, then each step."""
    lines = [f"{WORDS.get(found.outcome, 'NOT VERIFIED')} {found.version}: {found.reason}", ""]
    lines += [f"  {step.name:<14} {step.outcome.name:<14} {step.reason}" for step in found.steps]
    if found.profile != "production":
        lines += ["", f"  by the trust root of the profile {found.profile}: this says nothing about production"]
    return "\n".join(lines) + "\n"


def as_json(found: Verification) -> dict[str, Any]:
    """Everything, in the habit of the other commands."""
    return {
        "outcome": found.outcome.value,
        "reason": found.reason,
        "version": found.version,
        "profile": found.profile,
        "commit": found.commit or None,
        "tag": found.tag or None,
        "record": found.record or None,
        "tagger": found.tagger or None,
        "tagged_at": None if found.tagged_at is None else iso(found.tagged_at),
        "key": found.key or None,
        "steps": msgspec.to_builtins(found.steps),
        "metadata": found.metadata if found.good else None,
    }


def _print_json(found: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
