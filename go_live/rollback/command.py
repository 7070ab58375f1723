"""``golive prerollback TAG`` and ``golive rollback [rehearse] TAG``: their arguments, and what they print."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from go_live.config import Config, ProfileName
    from go_live.jobs.client import Endpoint as Jobs
    from go_live.management.client import ManagementClient
    from go_live.rollback.findings import Answer
    from go_live.rollback.prerollback import Asked, Seen
    from go_live.rollback.record import Book, Rollback

PRE = """\
Is the release that you are about to roll back to what it says it is, is it still there, and does it fit? One screen, within
30 seconds, whatever the state of the current release. Nothing is changed.
"""
PRE_EXAMPLES = """\
examples:
  golive prerollback v0.9-production
  golive prerollback v0.9-production --no-smoke --json
  golive prerollback v0.8 --image registry.example/worker@sha256:...     of a tag made without golive

exit codes: 0 READY, 1 STOP: do not, 2 wrong arguments, 3 UNSURE: not all is shown, 4 BLIND: not everything could be
looked at
"""
BACK = """\
Roll the live endpoint back to a release: look, ask, write, wait until every worker runs it, smoke it, measure it under load.
`golive rollback rehearse TAG` boots the release on a scratch endpoint instead, smokes it and scales it to zero.
"""
BACK_EXAMPLES = """\
examples:
  golive rollback v0.9-production                    looks, shows what would change, asks, does it
  golive rollback v0.9-production --dry-run          prints the calls that it would make
  golive rollback v0.9-production --yes              for scripts: does not ask
  golive rollback v0.9-production --anyway "INC-42"  although not everything could be shown (never over a STOP)
  golive rollback rehearse v0.9-production           the dated proof that the way back works (REL-2)

A rollback that was cut off is gone on with by the same command. Its record is reports/rollback-.../rollback.json.

exit codes: 0 recovered, and the load checks pass; 1 not, or the target is refused; 2 wrong arguments; 3 recovered, and
the load checks are undecided, or not all of the target is shown; 4 could not be done or looked at; 130 interrupted
"""


def configure_prerollback(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``golive prerollback``."""
    parser.description, parser.epilog = PRE, PRE_EXAMPLES
    parser.add_argument("tag", metavar="TAG", help="the release, e.g. v0.9-production")
    parser.add_argument("--no-smoke", action="store_true", help="do not send jobs to the live endpoint")
    _common(parser)


def configure_rollback(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``golive rollback``."""
    parser.description, parser.epilog = BACK, BACK_EXAMPLES
    parser.add_argument("words", nargs="+", metavar="[rehearse] TAG", help="the release, e.g. v0.9-production")
    parser.add_argument("--dry-run", action="store_true", help="print the calls, change nothing")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--anyway", metavar="WHY", default="", help="go on from UNSURE or BLIND; WHY is recorded")
    parser.add_argument("--no-load", action="store_true", help="smoke the result, and leave out the load checks")
    parser.add_argument("--wait-minutes", type=float, default=15.0, help="longest wait for the workers (default: 15)")
    _common(parser)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", default="", metavar="REF", help="image of a tag without a record: NAME@sha256:...")
    parser.add_argument("--template", default="", metavar="ID", help="template of a tag without a record")
    parser.add_argument("--profile", default="production", help="production (default), or test for another address")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="default: golive.toml")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_prerollback(args: argparse.Namespace) -> int:
    """Look, and print one screen; the exit code is the answer's.

    Raises:
        UsageError: arguments, configuration or key are not fit.
    """
    asked, key = _asked(args, args.tag, smoke=not args.no_smoke)
    seen = _run(_looked(asked, key))
    _print_answer(seen.answer, as_json=args.json)
    return seen.answer.exit_code


def run_rollback(args: argparse.Namespace) -> int:
    """Roll back, or rehearse it.

    Raises:
        GoliveError: arguments are not fit, or it could not be done.
    """
    from go_live.errors import UsageError  # noqa: PLC0415 - `golive --help` needs none of these

    *verbs, version = args.words
    if verbs not in ([], ["rehearse"]):
        raise UsageError(f"golive rollback TAG, or golive rollback rehearse TAG; not {' '.join(args.words)!r}")
    asked, key = _asked(args, version, smoke=False)
    return _run(_rehearsed(args, asked, key) if verbs else _rolled_back(args, asked, key))


def _asked(args: argparse.Namespace, version: str, *, smoke: bool) -> "tuple[Asked, str]":
    """What is asked, and the key.

    Raises:
        UsageError: the configuration, the addresses, the key or a name are not fit.
    """
    import os  # noqa: PLC0415

    from go_live import config as configuration  # noqa: PLC0415
    from go_live.api_key import read_key  # noqa: PLC0415
    from go_live.errors import UsageError  # noqa: PLC0415
    from go_live.management.environment import digest_of  # noqa: PLC0415
    from go_live.management.hosts import refuse_other_hosts  # noqa: PLC0415
    from go_live.plan import profile_name  # noqa: PLC0415
    from go_live.rollback.prerollback import Asked  # noqa: PLC0415

    config = configuration.load(args.config)
    profile: ProfileName = profile_name(config, args.profile)
    if config.profile[profile].target != "runpod":
        raise UsageError(f"the profile {profile} has no live endpoint: a rollback needs a target 'runpod'")
    refuse_other_hosts(config, profile, name=str(args.config))
    if args.image and digest_of(args.image) is None:
        raise UsageError("--image names the image by digest: NAME@sha256:..., because a tag can move")
    asked = Asked(
        version=version,
        root=Path.cwd(),
        config=config,
        profile=profile,
        image=args.image,
        template_id=args.template,
        smoke=smoke,
    )
    return asked, read_key(config.keys, os.environ)


def _run(work: "Coroutine[Any, Any, Any]") -> Any:
    """Run ``work``; a signal that ends a session or a job lets it put back what it has to."""
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from go_live.rollback.scratch import cancel_on  # noqa: PLC0415

    async def guarded() -> Any:
        task = asyncio.ensure_future(work)
        cancel_on(asyncio.get_running_loop(), task, signal.SIGTERM, signal.SIGHUP)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _clients(config: "Config", key: str, *, patient: bool) -> "tuple[ManagementClient, Jobs]":
    """Both APIs. Impatient: for a screen that must not wait."""
    from go_live.jobs.client import Endpoint as Jobs  # noqa: PLC0415
    from go_live.management.client import ManagementClient  # noqa: PLC0415
    from go_live.rollback.prerollback import CALL_S, PATIENT  # noqa: PLC0415

    hurried = {} if patient else {"policy": PATIENT, "timeout_s": CALL_S}
    client = ManagementClient(config.endpoint.management_api, key, **hurried)  # type: ignore[arg-type]  # each of its own kind
    return client, _jobs(config, key, config.endpoint.id, Jobs)


def _jobs(config: "Config", key: str, endpoint_id: str, kind: "type[Jobs]") -> "Jobs":
    return kind(config.endpoint.job_api, endpoint_id, key, timeout_s=config.client.timeout_s)


async def _looked(asked: "Asked", key: str) -> "Seen":
    from go_live.rollback.prerollback import look  # noqa: PLC0415

    client, jobs = _clients(asked.config, key, patient=False)
    async with client, jobs:
        return await look(asked, client, jobs)


async def _rolled_back(args: argparse.Namespace, asked: "Asked", key: str) -> int:
    """Look, show, ask, do it, show what came of it."""
    from go_live.rollback.execute import Hands, calls, roll_back  # noqa: PLC0415
    from go_live.rollback.rollout import Pace  # noqa: PLC0415

    seen = await _looked(asked, key)
    answer, way = seen.answer, seen.way
    refused = _refused(args, answer)
    if args.dry_run and way is not None:
        _print_calls(args, answer, calls(asked.config.endpoint.id, asked.config.endpoint.management_api, way))
        return answer.exit_code if refused else 0
    if refused or way is None or seen.endpoint is None:
        _print_answer(answer, as_json=args.json)
        _say(refused or "the endpoint could not be read: nothing was changed")
        return answer.exit_code or 4
    if not args.json:
        _print_answer(answer, as_json=False)
    if not _agreed(args, asked, seen):
        _say("nothing was changed")
        return 1
    book = _book(args, asked, seen)
    client, jobs = _clients(asked.config, key, patient=True)
    try:
        async with client, jobs:
            hands = Hands(
                client=client,
                jobs=jobs,
                config=asked.config,
                say=_say,
                pace=Pace(limit_s=60 * args.wait_minutes),
                timed=asked.timed,
            )
            await roll_back(book, seen.target, way, hands, load=not args.no_load)
    finally:
        if book.entry.outcome is None:
            _say(f"stopped; {_where(book.entry)}. `golive rollback {asked.version}` goes on from there")
    return _print_result(args, book)


async def _rehearsed(args: argparse.Namespace, asked: "Asked", key: str) -> int:
    """Verify the target, boot it on the scratch endpoint, keep the proof."""
    from go_live.errors import MeasurementError  # noqa: PLC0415
    from go_live.jobs.client import Endpoint as Jobs  # noqa: PLC0415
    from go_live.outcome import Outcome  # noqa: PLC0415
    from go_live.rollback.rehearse import Stage, rehearse  # noqa: PLC0415
    from go_live.rollback.rollout import Pace  # noqa: PLC0415

    seen = await _looked(asked, key)
    tag = seen.answer.findings[0]
    if seen.endpoint is None or seen.way is None:
        raise MeasurementError(f"the live endpoint could not be read, so nothing was booted: {seen.answer.reason}")
    if tag.outcome is not Outcome.PASS and not (args.anyway and tag.outcome is not Outcome.FAIL):
        _print_answer(seen.answer, as_json=args.json)
        _say("nothing was booted: the tag is not verified")
        return seen.answer.exit_code or 4
    if not _may_boot(args, asked):
        return 1
    client, _ = _clients(asked.config, key, patient=True)
    async with client:
        stage = Stage(
            client=client,
            open_jobs=lambda endpoint_id: _jobs(asked.config, key, endpoint_id, Jobs),
            config=asked.config,
            root=asked.root,
            say=_say,
            pace=Pace(limit_s=60 * args.wait_minutes),
            timed=asked.timed,
            boot_limit_s=60 * args.wait_minutes,
        )
        proof = await rehearse(stage, seen.endpoint, seen.target, seen.way)
    return _print_proof(args, asked, proof, seen)


def _refused(args: argparse.Namespace, answer: "Answer") -> str:
    """Why the rollback is not begun; empty: it may be."""
    from go_live.errors import ExitCode  # noqa: PLC0415

    if answer.exit_code is ExitCode.NO_GO:
        return "nothing was changed: no --anyway helps over a STOP"
    if answer.exit_code is not ExitCode.GO and not args.anyway:
        return 'nothing was changed: --anyway "why" goes on although not everything was shown, and is recorded'
    return ""


def _agreed(args: argparse.Namespace, asked: "Asked", seen: "Seen") -> bool:
    """Whether a person, or --yes, agrees to the rollback."""
    return _yes(args, f"roll endpoint {asked.config.endpoint.id} back to {seen.target.version}? [y/N] ")


def _may_boot(args: argparse.Namespace, asked: "Asked") -> bool:
    """Whether a person, or --yes, agrees to a worker that costs money."""
    return _yes(args, f"boot {asked.version} on a scratch endpoint (one worker, scaled to zero afterwards)? [y/N] ")


def _yes(args: argparse.Namespace, question: str) -> bool:
    """Ask on the terminal.

    Raises:
        UsageError: nobody can be asked, and --yes was not given.
    """
    import sys  # noqa: PLC0415

    from go_live.errors import UsageError  # noqa: PLC0415

    if args.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here, so nothing was changed: pass --yes to go on without asking")
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _book(args: argparse.Namespace, asked: "Asked", seen: "Seen") -> "Book":
    """The record: a new one, or that of a rollback that was cut off."""
    import getpass  # noqa: PLC0415
    import time  # noqa: PLC0415

    from go_live.rollback.record import Book, Rollback, new_id, unfinished  # noqa: PLC0415

    target, endpoint, now = seen.target, seen.endpoint, time.time()
    found = unfinished(asked.root, target.version, asked.config.endpoint.id)
    if found is not None:
        folder, entry = found
        _say(f"going on with {entry.id}, which was cut off; {_where(entry)}")
        book = Book(folder, entry, time.time)
        book.write(resumed=entry.resumed + 1, reason="")
        return book
    try:
        by = getpass.getuser()
    except (KeyError, OSError):
        by = ""
    entry = Rollback(
        id=new_id(target.version, now),
        version=target.version,
        commit=target.commit,
        image=target.digest,
        endpoint_id=asked.config.endpoint.id,
        from_image=endpoint.image if endpoint else "",
        began_at=now,
        by=by,
        anyway=args.anyway,
        changes=seen.answer.changes,
    )
    book = Book(asked.root / "reports" / entry.id, entry, time.time)
    book.take("looked", "done", f"{seen.answer.word}: {seen.answer.reason}")
    return book


def _where(entry: "Rollback") -> str:
    """Where a rollback stands."""
    last = entry.steps[-1] if entry.steps else None
    return f"step {last.step} {last.state}" + (f" ({last.note})" if last.note else "") if last else "nothing was done"


def _print_answer(answer: "Answer", *, as_json: bool) -> None:
    import sys  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from go_live.rollback.screen import screen  # noqa: PLC0415

    if as_json:
        told = {"word": answer.word, "exit_code": int(answer.exit_code), **msgspec.to_builtins(answer)}
        _print_json(told)
        return
    lines = screen(answer)
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{line}\n" for line, _ in lines)
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    for line, style in lines:
        console.print(Text(line, style=style), soft_wrap=True)


def _print_calls(args: argparse.Namespace, answer: "Answer", lines: list[str]) -> None:
    import sys  # noqa: PLC0415

    if args.json:
        _print_json({"word": answer.word, "reason": answer.reason, "calls": lines})
        return
    sys.stdout.write(f"DRY RUN, nothing is changed. {answer.word}: {answer.reason}\n")
    sys.stdout.writelines(f"  {line}\n" for line in lines)


def _print_result(args: argparse.Namespace, book: "Book") -> int:
    """What came of it; the exit code of the outcome."""
    import sys  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from go_live.outcome import Outcome, exit_code  # noqa: PLC0415

    entry, path = book.entry, book.folder / "rollback.json"
    outcome = entry.outcome or Outcome.ERROR
    if args.json:
        _print_json({"record": str(path), **msgspec.to_builtins(entry)})
        return exit_code(outcome)
    back = entry.recover_s is not None
    word = "RECOVERED" if outcome is Outcome.PASS else "RECOVERED, NOT PROVEN" if back else "NOT RECOVERED"
    span = f" after {entry.recover_s:.0f} s" if entry.recover_s is not None else ""
    sys.stdout.write(f"{word}{span}: {entry.version} on endpoint {entry.endpoint_id}\n")
    sys.stdout.write(f"  {entry.reason}\n")
    if outcome is Outcome.FAIL:
        sys.stdout.write(f"  before this rollback it ran {entry.from_image}\n")
    sys.stdout.write(f"  record: {path}\n")
    return exit_code(outcome)


def _print_proof(args: argparse.Namespace, asked: "Asked", proof: Any, seen: "Seen") -> int:
    """The rehearsal's verdict; its exit code."""
    import sys  # noqa: PLC0415
    import time  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from go_live.outcome import Outcome, exit_code  # noqa: PLC0415
    from go_live.rollback.looks import proof_path  # noqa: PLC0415
    from go_live.rollback.proof import proof_verdict  # noqa: PLC0415

    verdict, path = proof_verdict(proof, seen.target, now=time.time()), proof_path(asked.root, asked.version)
    if args.json:
        _print_json({"outcome": verdict.outcome.value, "reason": verdict.reason, "proof": msgspec.to_builtins(proof)})
        return exit_code(verdict.outcome)
    word = "REHEARSED" if verdict.outcome is Outcome.PASS else "NOT REHEARSED"
    sys.stdout.write(f"{word} {asked.version}: {verdict.reason}\n  proof: {path}\n")
    return exit_code(verdict.outcome)


def _print_json(found: Any) -> None:
    import sys  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _say(line: str) -> None:
    """Progress, on standard error."""
    import sys  # noqa: PLC0415

    sys.stderr.write(f"  {line}\n")
