"""``golive tune``: arguments -> plan -> rounds -> judgement -> what is printed and kept."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from go_live import config as configuration
from go_live.api_key import read_secret
from go_live.errors import ExitCode, GoliveError, UsageError
from go_live.evidence.run_directory import encode, write_atomically
from go_live.jobs import Endpoint
from go_live.load.progress import Progress
from go_live.load.recorder import Recorder
from go_live.local_endpoint.command import worker_command, worker_env
from go_live.local_endpoint.launch import launched
from go_live.local_endpoint.settings import EndpointSettings
from go_live.outcome import exit_code
from go_live.spending import Meter
from go_live.tuning import directory as kept
from go_live.tuning import view
from go_live.tuning.adopting import write_record
from go_live.tuning.arguments import assumed_ms, make_plan
from go_live.tuning.judging import Told, Tuning
from go_live.tuning.measure import SPARE_CONNECTIONS, Sweeping, Target, look, probed, watch_spending
from go_live.tuning.page import page
from go_live.tuning.plan import DEFAULT, TuningPlan
from go_live.tuning.record import record_of

READY_TIMEOUT_S = 600.0
SAY_EVERY_S = 5.0


def tune(args: argparse.Namespace) -> int:
    """Measure, judge again, or adopt; the exit code of the outcome.

    Raises:
        GoliveError: wrong arguments, or nothing could be measured.
    """
    if args.adopt is not None:
        return _adopt(args)
    if args.judge is not None:
        return _conclude(args, args.judge, *kept.judged(args.judge))
    plan, notes = make_plan(args, configuration.load(args.config))
    directory = args.directory or Path("reports") / plan.run_id
    kept.begin(directory, plan)
    progress = Progress(aside=lambda: _left(sweeping))
    sweeping: list[Sweeping] = []
    for line in [*view.announced(plan, directory, assumed_ms(plan)), *notes]:
        progress.note(line)
    try:
        asyncio.run(_measure(args, plan, directory, progress, sweeping))
    except KeyboardInterrupt:
        progress.note(f"what was measured lies in {directory}: golive tune --judge {directory}")
        raise
    finally:
        progress.finish()
    return _conclude(args, directory, *kept.judged(directory))


async def _measure(
    args: argparse.Namespace, plan: TuningPlan, directory: Path, progress: Progress, sweeping: list[Sweeping]
) -> None:
    """Start what is measured, and carry the rounds out."""
    async with AsyncExitStack() as stack:
        with ExitStack() as local:
            endpoints = {
                setting: await stack.enter_async_context(_endpoint(args, plan, setting, directory, progress, local))
                for setting in plan.settings
            }
            told: dict[str, Told] = {}
            for setting, endpoint in endpoints.items():
                await endpoint.health()  # a dead endpoint or a refused key is no measurement
                told[setting] = await probed(endpoint, plan.run_id, setting)
            kept.write_told(directory, told)
            for line in view.told(told):
                progress.note(line)
            targets = {
                setting: Target(endpoint, stack.enter_context(Recorder(kept.records_path(directory, setting))))
                for setting, endpoint in endpoints.items()
            }
            meter = _meter(plan)
            sweeping.append(Sweeping(plan, targets, progress, assumed_ms=assumed_ms(plan), meter=meter))
            async with _paid(endpoints[plan.settings[0]], meter):
                await sweeping[0].run()


@asynccontextmanager
async def _endpoint(
    args: argparse.Namespace,
    plan: TuningPlan,
    setting: str,
    directory: Path,
    progress: Progress,
    local: ExitStack,
) -> AsyncIterator[Endpoint]:
    """A client of the endpoint with one setting; a local one is started first, and ends with ``local``."""
    if plan.where.kind == "runpod":
        job_api, endpoint_id = plan.where.job_api, plan.where.endpoint_id
        key = read_secret(args.key_env or plan.config.keys.api_key_env, os.environ)
    else:
        settings = _settings(args, plan, setting, directory)
        progress.note(f"starting {plan.where.workers} worker(s) with MAX_CONCURRENCY {setting}")
        started = local.enter_context(
            launched(settings, ready_timeout_s=READY_TIMEOUT_S, on_wait=_waiting(progress, setting))
        )
        job_api, endpoint_id, key = started.job_api, started.endpoint_id, started.key
    async with Endpoint(
        job_api,
        endpoint_id,
        key,
        connections=plan.levels[-1] + SPARE_CONNECTIONS,
        timeout_s=plan.config.client.timeout_s,
    ) as endpoint:
        yield endpoint


def _settings(args: argparse.Namespace, plan: TuningPlan, setting: str, directory: Path) -> EndpointSettings:
    """The local endpoint with one setting: the rehearsal's, with as many workers from the start to the end."""
    number = None if setting == DEFAULT else int(setting)
    asked = argparse.Namespace(config=args.config, exec_ms=args.exec_ms, max_concurrency=number, env=args.env)
    engine, expected = plan.where.engine, plan.config.endpoint.expected
    env = worker_env(asked, engine)
    if setting == DEFAULT:
        env.pop("MAX_CONCURRENCY", None)
    return EndpointSettings(
        workers_min=plan.where.workers,
        workers_max=plan.where.workers,
        idle_timeout_s=expected.idle_timeout_s,
        execution_timeout_s=expected.execution_timeout_s,
        worker_command=worker_command(engine),
        worker_env=env | {"GIT_COMMIT": plan.commit},
        directory=(directory / "endpoints" / setting).absolute(),
        engine=engine,
    )


def _waiting(progress: Progress, setting: str) -> Callable[[dict[str, Any]], None]:
    """Says, every few seconds, that the workers are still starting."""
    began = said = time.monotonic()

    def on_wait(_state: dict[str, Any]) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= SAY_EVERY_S:
            said = now
            progress.note(
                f"  MAX_CONCURRENCY {setting}: starting for {now - began:.0f} s (an engine takes about a minute)"
            )

    return on_wait


def _meter(plan: TuningPlan) -> Meter | None:
    """What counts the cost; None where nothing is paid for."""
    if plan.max_dollars is None:
        return None
    return Meter(
        dollars_per_hour=plan.config.price.dollars_per_worker_hour,
        workers_max=plan.config.endpoint.expected.workers_max,
        limit=plan.max_dollars,
        run_id=plan.run_id,
    )


@asynccontextmanager
async def _paid(endpoint: Endpoint, meter: Meter | None) -> AsyncIterator[None]:
    """Count, until the context ends, what the workers cost."""
    if meter is None:
        yield
        return
    watching = asyncio.create_task(watch_spending(endpoint, meter))
    try:
        yield
    finally:
        watching.cancel()
        await look(endpoint, meter)


def _left(sweeping: list[Sweeping]) -> str:
    """``the whole sweep: about 3 minutes left``."""
    return f"the whole sweep: about {view.span(sweeping[0].left_s())} left" if sweeping else "starting"


def _conclude(args: argparse.Namespace, directory: Path, plan: TuningPlan, tuning: Tuning) -> int:
    """Keep and print what follows; its outcome's exit code."""
    try:
        write_atomically(directory / kept.TUNING, encode(tuning))
        write_atomically(directory / kept.PAGE, page(plan, tuning).encode())
    except OSError as error:
        raise GoliveError(f"cannot write into {directory}: {error.strerror}") from error
    if args.json:
        sys.stdout.write(msgspec.json.encode(view.answer(plan, tuning, directory)).decode() + "\n")
    else:
        view.show(plan, tuning, directory)
    return exit_code(tuning.outcome)


def _adopt(args: argparse.Namespace) -> int:
    """Write the record of a sweep, from its files and nothing else.

    Raises:
        UsageError: the sweep recommends nothing that could be adopted.
    """
    directory: Path = args.adopt
    plan, tuning = kept.judged(directory)
    if not (directory / kept.TUNING).exists():
        raise UsageError(f"{directory} was never concluded: golive tune --judge {directory}")
    record = record_of(tuning, plan, tuning.evidence | kept.digests(directory, [kept.TUNING]))
    write_record(args.to, record)
    lines = view.adopted(record, args.to)
    if args.json:
        told = {"outcome": "pass", "reason": lines[0], "cap": record.cap, "record": str(args.to)}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    else:
        sys.stdout.write("\n".join(lines) + "\n")
    return ExitCode.GO
