"""Arguments and golive.toml -> the plan of a sweep; everything that can be refused is refused here."""

import argparse
import datetime as dt
import random

import msgspec

from go_live import preflight
from go_live.config import Config
from go_live.errors import UsageError
from go_live.management.hosts import refuse_other_hosts
from go_live.planning.cost import price
from go_live.tuning.plan import (
    DEFAULT,
    DEPLOYED,
    TuningPlan,
    Where,
    checked_levels,
    checked_requests,
    checked_settings,
    expected_dollars,
)
from go_live.tuning.record import LOCAL, VARIABLE

MOST_WORKERS = 8
"""Workers of one setting on one machine."""


def make_plan(args: argparse.Namespace, config: Config) -> tuple[TuningPlan, list[str]]:
    """What the arguments and golive.toml ask for, and what the user should know.

    Raises:
        UsageError: they make no sweep, or one that would cost more than it may; or this machine cannot carry it.
    """
    facts = preflight.gather(args.config.absolute().parent)
    levels = checked_levels(tuple(args.concurrency or config.tuning.concurrency))
    runs = config.load.requests_per_level if args.runs is None else args.runs
    live = args.target == "runpod"
    now = dt.datetime.now(dt.UTC)
    plan = TuningPlan(
        run_id=f"tune-{now:%Y%m%dT%H%M%SZ}",
        created_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        where=_live(args, config) if live else _local(args, config),
        settings=_deployed(args) if live else checked_settings(tuple(args.max_concurrency or ("1", DEFAULT))),
        levels=levels,
        requests=checked_requests(runs, levels, config),
        warmup=config.load.warmup_requests,
        seed=random.SystemRandom().randrange(1 << 31) if args.seed is None else args.seed,
        commit=facts.repository.commit,
        dirty=facts.repository.dirty,
        config=config,
    )
    if live:
        return _costed(plan, args.max_cost), []
    return plan, preflight.check_rehearsal(facts, engine=plan.where.engine != "timed")


def _costed(plan: TuningPlan, max_cost: float | None) -> TuningPlan:
    """``plan`` with what it is expected to cost, and may.

    Raises:
        UsageError: it is expected to cost more than it may.
    """
    limit = plan.config.price.max_dollars if max_cost is None else price(max_cost)
    dollars = expected_dollars(plan, plan.config.profile["production"].assumed_total_ms)
    if dollars > limit:
        raise UsageError(
            f"this sweep is expected to cost ${dollars:.2f} and may cost ${limit:.2f}: nothing was started. Allow more "
            f"with --max-cost or price.max_dollars, or ask for fewer levels or --runs"
        )
    return msgspec.structs.replace(plan, expected_dollars=dollars, max_dollars=limit)


def _live(args: argparse.Namespace, config: Config) -> Where:
    """The live endpoint.

    Raises:
        UsageError: an argument for local workers was given, or there is no profile of a live endpoint.
    """
    given = [name for name in ("engine", "workers", "env") if getattr(args, name)]
    if given:
        raise UsageError(f"--{given[0]} is for local workers: a live endpoint has its own")
    if "production" not in config.profile:
        raise UsageError(f"{args.config} has no [profile.production]: it says how long a live request takes")
    if args.url is None:
        refuse_other_hosts(config, "production", name=str(args.config))
    return Where(
        kind="runpod",
        endpoint_id=args.endpoint or config.endpoint.id,
        job_api=args.url or config.endpoint.job_api,
        engine="live",
        workers=config.endpoint.expected.workers_min,
        workers_max=config.endpoint.expected.workers_max,
    )


def _deployed(args: argparse.Namespace) -> tuple[str, ...]:
    """The one setting of a live endpoint.

    Raises:
        UsageError: another was asked for.
    """
    if args.max_concurrency:
        raise UsageError(
            "--max-concurrency would roll out another setting: a live endpoint is swept as it is. Declare "
            "MAX_CONCURRENCY in [endpoint.expected.env], set it with golive config apply, and sweep again"
        )
    return (DEPLOYED,)


def _local(args: argparse.Namespace, config: Config) -> Where:
    """The local endpoint.

    Raises:
        UsageError: an argument for a live endpoint was given, or a number of workers that is none.
    """
    given = [name for name in ("url", "endpoint", "key_env", "max_cost") if getattr(args, name) is not None]
    if given:
        raise UsageError(f"--{given[0].replace('_', '-')} is for a live endpoint: give --target runpod as well")
    if any(pair.partition("=")[0] == VARIABLE for pair in args.env):
        raise UsageError(f"--env {VARIABLE}: it is what is swept; give --max-concurrency")
    workers = config.profile["rehearsal"].workers if args.workers is None else args.workers
    if not 1 <= workers <= MOST_WORKERS:
        raise UsageError(f"--workers takes 1 to {MOST_WORKERS}, not {workers}")
    engine = args.engine or "cpu"
    return Where(
        kind="local",
        endpoint_id=LOCAL,
        job_api="",
        engine=engine,
        workers=workers,
        workers_max=workers,
        exec_ms=args.exec_ms if engine == "timed" else None,
    )


def assumed_ms(plan: TuningPlan) -> float:
    """What a request is taken to need, before anything is measured."""
    profile = plan.config.profile["rehearsal" if plan.where.kind == "local" else "production"]
    return profile.assumed_total_ms if plan.where.exec_ms is None else plan.where.exec_ms
