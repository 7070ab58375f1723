"""A look before a rollback, a rollback, a rehearsal of one: arguments -> clients -> what is printed."""

import argparse
import asyncio
import datetime as dt
import os
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path

from go_live import config as configuration
from go_live.api_key import read_key
from go_live.config import Config
from go_live.errors import ExitCode, MeasurementError, UsageError
from go_live.jobs.client import Endpoint as Jobs
from go_live.management.client import TIMEOUT_S, ManagementClient
from go_live.management.environment import digest_of
from go_live.management.hosts import refuse_other_hosts
from go_live.outcome import Outcome, exit_code
from go_live.plan import profile_name
from go_live.rollback import telling
from go_live.rollback.asked import Asked
from go_live.rollback.execute import Hands, calls, roll_back
from go_live.rollback.findings import Answer
from go_live.rollback.prerollback import CALL_S, PATIENT, Seen, look
from go_live.rollback.record import Book, Rollback, new_id, unfinished
from go_live.rollback.rehearse import Stage, rehearse
from go_live.rollback.rollout import Pace
from go_live.rollback.scratch import cancel_on
from go_live.tuning.adopting import with_cap, without_record
from go_live.user import user_name

REHEARSE = "rehearse"
"""The first word of ``golive rollback rehearse``."""


def prerollback(args: argparse.Namespace) -> int:
    """``golive prerollback``; the exit code of the answer.

    Raises:
        UsageError: arguments, configuration or key are not fit.
    """
    asked, key = _asked(args, args.tag, smoke=not args.no_smoke)
    return _run(_shown(args, asked, key))


def rollback(args: argparse.Namespace) -> int:
    """``golive rollback``; the exit code of what came of it.

    Raises:
        GoliveError: arguments are not fit, or it could not be done.
    """
    rehearses = args.words[0] == REHEARSE
    tags = args.words[rehearses:]
    if not tags and rehearses:
        tags = [previous] if (previous := configuration.load(args.config).release.previous) else []
        if not tags:
            telling.say("golive.toml declares the first release: there is no way back to rehearse")
            return ExitCode.GO
    if len(tags) != 1:
        raise UsageError(f"golive rollback TAG, or golive rollback rehearse [TAG]; not {' '.join(args.words)!r}")
    asked, key = _asked(args, tags[0], smoke=False)
    return _run(_rehearsed(args, asked, key) if rehearses else _rolled_back(args, asked, key))


def capped(args: argparse.Namespace, config: Config) -> Config:
    """``config`` with its measured cap; where that does not hold, with the declared one, and it says so.

    A rollback goes back to another image than the one whose cap was measured, and must not wait for a new sweep.
    """
    try:
        return with_cap(
            config, args.config.absolute().parent, endpoints=[config.endpoint.id], now=dt.datetime.now(dt.UTC)
        )
    except UsageError as error:
        sys.stderr.write(f"golive: {error}; this rollback measures up to client.concurrency_cap\n")
        return without_record(config)


def _asked(args: argparse.Namespace, version: str, *, smoke: bool) -> tuple[Asked, str]:
    """What is asked, and the key.

    Raises:
        UsageError: the configuration, the addresses, the key or a name are not fit.
    """
    config = configuration.load(args.config)
    profile = profile_name(config, args.profile)
    if config.profile[profile].target != "runpod":
        raise UsageError(f"the profile {profile} has no live endpoint: a rollback needs a target 'runpod'")
    refuse_other_hosts(config, profile, name=str(args.config))
    if args.image and digest_of(args.image) is None:
        raise UsageError("--image names the image by digest: NAME@sha256:..., because a tag can move")
    config = capped(args, config)
    asked = Asked(
        version=version,
        root=Path.cwd(),
        config=config,
        profile=profile,
        image=args.image,
        template_id=args.template,
        signers=args.signers,
        smoke=smoke,
    )
    return asked, read_key(config.keys, os.environ)


def _run(work: Coroutine[None, None, int]) -> int:
    """Run ``work``; a signal that ends a session or a job lets it put back what it has to."""

    async def guarded() -> int:
        task = asyncio.ensure_future(work)
        cancel_on(asyncio.get_running_loop(), task, signal.SIGTERM, signal.SIGHUP)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _management(config: Config, key: str, *, patient: bool) -> ManagementClient:
    """The management API; impatient for a screen that must not wait."""
    policy, timeout_s = (None, TIMEOUT_S) if patient else (PATIENT, CALL_S)
    return ManagementClient(config.endpoint.management_api, key, policy=policy, timeout_s=timeout_s)


def _jobs(config: Config, key: str, endpoint_id: str) -> Jobs:
    return Jobs(config.endpoint.job_api, endpoint_id, key, timeout_s=config.client.timeout_s)


async def _looked(asked: Asked, key: str) -> Seen:
    config = asked.config
    async with _management(config, key, patient=False) as client, _jobs(config, key, config.endpoint.id) as jobs:
        return await look(asked, client, jobs)


async def _shown(args: argparse.Namespace, asked: Asked, key: str) -> int:
    """Look, and show it."""
    seen = await _looked(asked, key)
    telling.answer(seen.answer, as_json=args.json)
    return seen.answer.exit_code


async def _rolled_back(args: argparse.Namespace, asked: Asked, key: str) -> int:
    """Look, show, ask, do it, show what came of it."""
    seen, endpoint = await _looked(asked, key), asked.config.endpoint
    answer, way = seen.answer, seen.way
    refused = refusal(answer, anyway=args.anyway)
    if args.dry_run and way is not None:
        told = calls(endpoint.id, endpoint.management_api, way) if not refused else [refused]
        telling.calls(answer, told, as_json=args.json)
        return answer.exit_code if refused else ExitCode.GO
    if refused or way is None:
        telling.answer(answer, as_json=args.json)
        telling.say(refused or "the endpoint could not be read: nothing was changed")
        return answer.exit_code or ExitCode.NOT_MEASURED
    if not args.json:
        telling.answer(answer)
    if not _yes(args, f"roll endpoint {endpoint.id} back to {answer.version}? [y/N] "):
        telling.say("nothing was changed")
        return ExitCode.NO_GO
    book = begin(asked, seen, anyway=args.anyway, now=time.time())
    await _carry_out(args, asked, key, seen, book)
    return telling.result(book, as_json=args.json)


async def _carry_out(args: argparse.Namespace, asked: Asked, key: str, seen: Seen, book: Book) -> None:
    """Do it; when it is cut off, say where."""
    config = asked.config
    if seen.way is None:
        raise MeasurementError("the endpoint could not be read: nothing was changed")
    try:
        async with _management(config, key, patient=True) as client, _jobs(config, key, config.endpoint.id) as jobs:
            hands = Hands(
                client=client,
                jobs=jobs,
                config=config,
                say=telling.say,
                pace=Pace(limit_s=60 * args.wait_minutes),
                timed=asked.timed,
            )
            await roll_back(book, seen.target, seen.way, hands, load=not args.no_load)
    finally:
        if book.entry.outcome is None:
            telling.say(f"cut off: {book.stands}; `golive rollback {asked.version}` goes on from there")


async def _rehearsed(args: argparse.Namespace, asked: Asked, key: str) -> int:
    """Verify the target, boot it on the scratch endpoint, keep the proof."""
    seen, config = await _looked(asked, key), asked.config
    tag = seen.answer.findings[0]
    if tag.outcome is not Outcome.PASS and not (args.anyway and tag.outcome is Outcome.INCONCLUSIVE):
        telling.answer(seen.answer, as_json=args.json)
        telling.say("nothing was booted: the tag is not verified")
        return exit_code(tag.outcome)
    if seen.endpoint is None or seen.way is None:
        raise MeasurementError(f"the live endpoint could not be read, so nothing was booted: {seen.answer.reason}")
    if not _yes(args, f"boot {asked.version} on a scratch endpoint (one worker, to zero afterwards)? [y/N] "):
        telling.say("nothing was booted")
        return ExitCode.NO_GO
    limit_s = 60 * args.wait_minutes
    async with _management(config, key, patient=True) as client:
        stage = Stage(
            client=client,
            open_jobs=lambda endpoint_id: _jobs(config, key, endpoint_id),
            config=config,
            root=asked.root,
            say=telling.say,
            pace=Pace(limit_s=limit_s),
            timed=asked.timed,
            boot_limit_s=limit_s,
        )
        proof = await rehearse(stage, seen.endpoint, seen.target, seen.way)
    return telling.rehearsal(proof, seen.target, asked.root, now=time.time(), as_json=args.json)


def refusal(answer: Answer, *, anyway: str) -> str:
    """Why a rollback is not begun; empty: it may be."""
    if answer.exit_code is ExitCode.NO_GO:
        return "nothing was changed: no --anyway helps over a STOP"
    if answer.exit_code is not ExitCode.GO and not anyway.strip():
        return 'nothing was changed: --anyway "why" goes on although not everything was shown, and is recorded'
    return ""


def _yes(args: argparse.Namespace, question: str) -> bool:
    """Whether a person, or --yes, agrees.

    Raises:
        UsageError: nobody can be asked, and --yes was not given.
    """
    if args.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here, so nothing was changed: pass --yes to go on without asking")
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def begin(asked: Asked, seen: Seen, *, anyway: str, now: float) -> Book:
    """The record: a new one, or that of a rollback that was cut off.

    Args:
        asked: what is asked.
        seen: what was looked at.
        anyway: why it is done although not everything was shown.
        now: Unix time at which somebody agreed.

    Raises:
        UsageError: the record cannot be written.
    """
    target, endpoint_id = seen.target, asked.config.endpoint.id
    found = unfinished(asked.root, target.version, endpoint_id)
    if found is not None:
        folder, entry = found
        book = Book(folder, entry, time.time)
        telling.say(f"going on with {entry.id}, which was cut off: {book.stands}")
        book.write(resumed=entry.resumed + 1, anyway=anyway or entry.anyway)
        return book
    entry = Rollback(
        id=new_id(target.version, now),
        version=target.version,
        commit=target.commit,
        image=target.digest,
        endpoint_id=endpoint_id,
        from_image=seen.endpoint.image if seen.endpoint else "",
        began_at=now,
        by=user_name(),
        anyway=anyway,
        changes=seen.answer.changes,
    )
    book = Book(asked.root / "reports" / entry.id, entry, time.time)
    book.take("looked", "done", f"{seen.answer.word}: {seen.answer.reason}")
    return book
