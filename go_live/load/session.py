"""A load or a soak run by hand: arguments -> plans -> records -> judgement."""

import argparse
import asyncio
import datetime as dt
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
from rich.text import Text

from go_live import config as configuration
from go_live.api_key import read_secret
from go_live.config import Config
from go_live.errors import UsageError
from go_live.jobs import Endpoint
from go_live.judge.asked import of_level, of_soak_alone
from go_live.judge.claims import judged
from go_live.judge.stopping import LevelWatch, SoakWatch
from go_live.judge.summary import conclude
from go_live.judge_view import claims_table, default_console, show
from go_live.judgement import Judgement
from go_live.load.progress import Progress
from go_live.load.prompts import golden_load, read_prompts
from go_live.load.recorder import Recorder
from go_live.load.runner import LoadPlan, run_load
from go_live.load.verdicts import load_verdicts, required_levels, soak_verdicts
from go_live.outcome import Verdict, exit_code
from go_live.records import Record
from go_live.tuning.adopting import addressed, with_cap
from go_live.tuning.effective import effective_cap

SPARE_CONNECTIONS = 8
"""Connections above the concurrency offered, for polls and cancels."""
SPARE_FILES = 64
"""Open files above the connections: records, standard streams, libraries."""


class LoadJudgement(Judgement, frozen=True, kw_only=True):
    """What ``--json`` prints: a judgement, and beside it what decides nothing."""

    reported: Sequence[Verdict] = ()
    """Verdicts that decide nothing: on levels above the client cap, or on a soak that was ended early by wish."""


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """Verdicts that decide nothing, and why."""

    why: str
    verdicts: list[Verdict]


BEYOND = "above the client cap: reported, not required"
NOT_SHOWN = "what only a whole soak shows: reported, not required with --stop-when-decided"


class Watching(Protocol):
    """Looks at requests as they end."""

    def begin(self, plan: LoadPlan) -> None:
        """The requests of ``plan`` come next."""

    def add(self, record: Record) -> list[str]:
        """One request ended, no warm-up; what is worth a line."""

    def stop(self) -> bool:
        """Whether no further request is to become due."""


class LoadWatching:
    """Tells what is certain to fail of each level; ends one of which everything is."""

    def __init__(self, config: Config) -> None:
        """Before the first level."""
        self.ended: dict[str, str] = {}
        """Levels that were ended early, and why."""
        self._asked = of_level(config.slo)
        self._level, self._watch = "", LevelWatch((), level="", planned=1)

    def begin(self, plan: LoadPlan) -> None:
        """The requests of ``plan`` come next."""
        self._level = plan.level
        self._watch = LevelWatch(self._asked, level=plan.level, planned=plan.requests or 1)

    def add(self, record: Record) -> list[str]:
        """What is now certain of its level."""
        return self._watch.add(record)

    def stop(self) -> bool:
        """Whether the level is to end; asked only where another request would be due."""
        if (why := self._watch.ended()) is not None:
            self.ended[self._level] = why
        return why is not None


class SoakWatching:
    """Ends a soak that is certain to fail, or, where the user wishes it, one of which every share is decided."""

    def __init__(self, config: Config, plan: LoadPlan, *, when_decided: bool) -> None:
        """Before the soak of ``plan``."""
        self.ended: str | None = None
        """Why it was ended early; None: it was not."""
        self._watch = SoakWatch(
            of_soak_alone(config),
            planned_s=plan.duration_s or 0,
            in_flight=plan.most_in_flight,
            when_decided=when_decided,
        )

    def begin(self, plan: LoadPlan) -> None:
        """It is the only plan."""

    def add(self, record: Record) -> list[str]:
        """Nothing is worth a line before the end."""
        self._watch.add(record)
        return []

    def stop(self) -> bool:
        """Whether it is to end; asked only where another request would be due."""
        self.ended = self._watch.ended()
        return self.ended is not None


def load(args: argparse.Namespace) -> int:
    """``golive load``; the exit code of the outcome.

    Raises:
        GoliveError: wrong arguments, or nothing could be measured.
    """
    config = configuration.load(args.config)
    endpoint = addressed(config, args.endpoint, args.url)
    config = with_cap(config, args.config.absolute().parent, endpoints=[endpoint], now=dt.datetime.now(dt.UTC))
    levels = list(dict.fromkeys(args.concurrency or config.load.concurrency))
    plans = load_plans(args, config, levels)
    watching = LoadWatching(config)
    recorder = _measure(args, config, plans, watching)
    required, reported = required_levels(levels, effective_cap(config))
    if args.rate is not None:
        required, reported = [plan.level for plan in plans], []
    deciding, beyond = load_verdicts(config, recorder.records.table(), required, reported, whole=not watching.ended)
    notes = [f"{level} was ended early: {why}" for level, why in watching.ended.items()]
    return _conclude(args, recorder, "load", deciding, Aside(why=BEYOND, verdicts=beyond), notes)


def soak(args: argparse.Namespace) -> int:
    """``golive soak``; the exit code of the outcome.

    Raises:
        GoliveError: wrong arguments, or nothing could be measured.
    """
    config = configuration.load(args.config)
    plan = soak_plan(args, config)
    watching = SoakWatching(config, plan, when_decided=args.stop_when_decided)
    recorder = _measure(args, config, [plan], watching)
    ended, records, planned_s = watching.ended, recorder.records.table(), plan.duration_s or 0
    deciding, aside = soak_verdicts(config, records, planned_s, ended=ended, wished=args.stop_when_decided)
    notes = [f"the soak was ended early: {ended}"] if ended is not None else []
    return _conclude(args, recorder, "soak", deciding, Aside(why=NOT_SHOWN, verdicts=aside), notes)


def load_plans(args: argparse.Namespace, config: Config, levels: Sequence[int]) -> list[LoadPlan]:
    """One plan a level, or the one of an open loop.

    Raises:
        UsageError: the arguments make no plan.
    """
    if args.seed is not None and args.rate is None:
        raise UsageError("--seed is for an open loop: give --rate as well")
    loops: list[dict[str, Any]] = [{"concurrency": level} for level in levels]
    if args.rate is not None:
        loops = [{"rate": args.rate, "seed": args.seed}]
    runs = config.load.requests_per_level if args.runs is None else args.runs
    common = _common(args, config)
    return [LoadPlan(phase="load", requests=runs, **common, **loop) for loop in loops]


def soak_plan(args: argparse.Namespace, config: Config) -> LoadPlan:
    """The soak's plan.

    Raises:
        UsageError: the arguments make no plan.
    """
    minutes = config.soak.minutes if args.minutes is None else args.minutes
    concurrency = config.soak.concurrency if args.concurrency is None else args.concurrency
    return LoadPlan(phase="soak", concurrency=concurrency, duration_s=60 * minutes, **_common(args, config))


def _common(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    """What load and soak have in common."""
    return {
        "warmup": config.load.warmup_requests if args.warmup is None else args.warmup,
        "prompts": read_prompts(args.prompts) if args.prompts else golden_load(config.load.max_tokens),
        "deadline_s": config.client.timeout_s,
        "streaming": args.stream,
    }


def _measure(args: argparse.Namespace, config: Config, plans: Sequence[LoadPlan], watching: Watching) -> Recorder:
    """Carry out all plans, one after another, into one records file.

    Raises:
        GoliveError: no key, no answer from the endpoint's /health, or the records cannot be written.
    """
    progress = Progress()
    endpoint = _endpoint(args, config, plans)
    path = args.records or Path("reports") / f"{plans[0].phase}-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}.jsonl"
    with Recorder(path) as recorder:
        try:
            asyncio.run(_carry_out(endpoint, plans, recorder, progress, watching))
        finally:
            progress.finish()
            progress.note(f"{len(recorder.records)} requests recorded in {path}")
    return recorder


async def _carry_out(
    endpoint: Endpoint, plans: Sequence[LoadPlan], recorder: Recorder, progress: Progress, watching: Watching
) -> None:
    def on_record(record: Record) -> None:
        recorder.add(record)
        progress.update(record)
        if record.phase == plans[0].phase:
            for line in watching.add(record):
                progress.note(f"  {line}")

    async with endpoint:
        # A dead endpoint or a refused key is no measurement: say so before the first request.
        await endpoint.health()
        for plan in plans:
            progress.start(f"{plan.phase} {plan.level}", total=plan.requests, duration_s=plan.duration_s)
            watching.begin(plan)
            await run_load(endpoint, plan, on_record=on_record, stop=watching.stop)
            progress.finish()


def _endpoint(args: argparse.Namespace, config: Config, plans: Sequence[LoadPlan]) -> Endpoint:
    """The target, with a connection for every request that can be in flight.

    Raises:
        UsageError: the key is neither in the environment nor in a file that it names, or the machine allows too few
            open connections.
    """
    key = read_secret(args.key_env or config.keys.api_key_env, os.environ)
    connections = max(plan.most_in_flight for plan in plans) + SPARE_CONNECTIONS
    _allow_open_files(connections + SPARE_FILES)
    return Endpoint(
        args.url or config.endpoint.job_api,
        args.endpoint or config.endpoint.id,
        key,
        connections=connections,
        timeout_s=config.client.timeout_s,
    )


def _allow_open_files(needed: int) -> None:
    """Raise the soft limit of open files where needed; a client's shortage would look like the service's failure.

    Raises:
        UsageError: the hard limit is too low.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(f"this load may need {needed} open files, {hard} are allowed: raise `ulimit -n` or offer less")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _conclude(
    args: argparse.Namespace,
    recorder: Recorder,
    slo: str,
    deciding: list[Verdict],
    aside: Aside,
    notes: Sequence[str] = (),
) -> int:
    """Print the judgement, as JSON or for a reader; its outcome's exit code."""
    outcome, reason = conclude(deciding)
    judgement = LoadJudgement(
        outcome=outcome,
        reason=reason,
        n=len(judged(recorder.records.table())),
        verdicts=deciding,
        source=str(recorder.path),
        slo=slo,
        reported=aside.verdicts,
        notes=notes,
    )
    if args.json:
        sys.stdout.write(msgspec.json.encode(judgement).decode() + "\n")
        return exit_code(outcome)
    show(judgement)
    if aside.verdicts:
        console = default_console()
        console.print(Text(f"\n{aside.why}"))
        console.print(claims_table(aside.verdicts))
    return exit_code(outcome)
