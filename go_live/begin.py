"""The beginning of a run, new or resumed: everything that can be refused is refused before the first request."""

import datetime as dt
import importlib.util
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from go_live import checklist, config, preflight
from go_live.api_key import read_key
from go_live.checklist import Plan
from go_live.errors import UsageError
from go_live.evidence import attestations, resume
from go_live.evidence.log import LogWriter, read_log
from go_live.evidence.run_directory import LOG, PLAN, RunLog, create, read_plan, sort_entries
from go_live.plan import Options, digest_files, make_plan, profile_name, versions, with_image
from go_live.planning.cost import costed, price
from go_live.planning.needs import undecidable
from go_live.records import Record
from go_live.release import waivers
from go_live.table import Columns
from go_live.tuning.adopting import with_cap
from go_live.tuning.record import LOCAL
from go_live.waivers import foreseen

PYTEST_INI = "pytest.ini"


MAX_RESUMES = 5
"""Random kills do no harm, but who could kill and resume at will could pick which open requests are asked again."""


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What a killed run has done, as far as it need not be done again."""

    columns: Columns
    """Every request that has ended."""
    again: tuple[Record, ...] = ()
    """Requests to be asked again under their numbers."""
    tests: frozenset[str] = frozenset()
    """Checks that have reported; what they said stands."""
    facts: Mapping[str, Any] = {}
    """What was found of the target."""


Begun = tuple[Plan, Path, LogWriter, Before, list[str]]
"""Plan, run directory, its log, what was done before, and what the user should know."""


def start(options: Options, root: Path) -> Begun:
    """A new run: everything that can be refused is refused before its directory is made.

    Raises:
        UsageError: configuration, checklist, repository or machine are not fit for the run.
    """
    plan, notes = prepare(options, root)
    directory, log = create(root, plan, time.time)
    return plan, directory, log, Before(columns=Columns()), notes


def go_on(options: Options, root: Path) -> Begun:
    """A killed run: its plan as it was frozen, its log as far as it was written.

    Raises:
        UsageError: there is no such run, it is finished or still going on, it was edited, or plan, commit, checks or
            tools have changed.
    """
    if msgspec.structs.replace(options, resume=None, max_cost=None, json=False) != Options(config=options.config):
        raise UsageError(
            "--resume takes nothing else but --max-cost: profile, items and worker are those of the run's plan"
        )
    if options.max_cost is not None:
        price(options.max_cost)
    directory = resume.find(root, options.resume or "")
    plan, digest = read_plan(directory)
    refuse_changes(plan, options, root)
    log, dropped = LogWriter.resume(directory / LOG, time.time)
    try:
        found = unfinished(directory, digest)
        left = resume.left_open(read_log(directory / LOG), resume.limits_of(plan.config))
        log.append("resume", {"dropped_bytes": dropped, "again": len(left.again), "missed": len(left.missed)})
        for record in left.missed:
            log.append("request", record)
    except BaseException:
        log.close()
        raise
    columns = Columns()
    for record in (*found.records, *left.missed):
        columns.add(record)
    note = (
        f"goes on from {len(found.records)} requests and {len(found.checks)} checks; of the requests that were open "
        f"when the run was killed, {len(left.again)} are asked again and {len(left.missed)} count as misses"
    )
    tests = frozenset(report.test for report in found.checks)
    before = Before(columns=columns, again=left.again, tests=tests, facts=found.facts)
    # What it may cost decides no verdict: it may differ from the plan's, and the note says so.
    if options.max_cost is None or plan.max_dollars is None:
        return plan, directory, log, before, [note]
    more = f"may cost ${price(options.max_cost):.2f} in all, and was planned with ${plan.max_dollars:.2f}"
    return msgspec.structs.replace(plan, max_dollars=options.max_cost), directory, log, before, [note, more]


def unfinished(directory: Path, plan_sha256: str) -> RunLog:
    """The log of a killed run.

    Raises:
        UsageError: it was not begun with this plan, or the run is finished.
    """
    found = sort_entries(read_log(directory / LOG))
    if found.plan_sha256 != plan_sha256:
        raise UsageError(f"{directory / PLAN} is not the plan this run was started with: it was changed afterwards")
    if found.resumed >= MAX_RESUMES:
        raise UsageError(f"{directory.name} was resumed {found.resumed} times already; start a new run")
    if found.finished is not None:
        raise UsageError(f"{directory.name} is finished: `golive judge {directory}` judges it again")
    return found


def refuse_changes(plan: Plan, options: Options, root: Path) -> None:
    """Refuse to go on when this project or this machine is no longer what the plan was made for.

    Raises:
        UsageError: naming what has changed, or why the machine is not fit.
    """
    facts = preflight.gather(root)
    digests = digest_files(root, sources(root, options, plan.config))
    resume.refuse_changed(plan, repository=facts.repository, digests=digests, versions=versions())
    if plan.target.kind == "local":
        preflight.check_rehearsal(facts, engine=plan.target.device in {"cpu", "cuda"})
    else:
        read_key(plan.config.keys, os.environ)


def sources(root: Path, options: Options, settings: config.Config) -> list[Path]:
    """The files that say what is asked and what is enough, and what people state."""
    statements = root / settings.attestations.file
    asked = [root / options.config, root / "GO_LIVE_CHECKLIST.md", *checks_folder(root).glob("*.py")]
    asked += [root / settings.client.cap_record] if settings.client.cap_record else []
    return [*asked, statements] if statements.exists() else asked


def prepare(options: Options, root: Path) -> tuple[Plan, list[str]]:
    """Everything that can be refused before the first request.

    Raises:
        UsageError: configuration, checklist, repository or machine are not fit for the run.
    """
    settings = with_image(config.load(root / options.config), options.image)
    target = settings.profile[profile_name(settings, options.profile)].target
    now = dt.datetime.now(dt.UTC)
    settings = with_cap(settings, root, endpoints=[LOCAL if target == "local" else settings.endpoint.id], now=now)
    items = checklist.load(root / "GO_LIVE_CHECKLIST.md")
    facts = preflight.gather(root)
    waived = waivers.load(
        root / options.config,
        settings,
        root=root,
        items=[item.id for item in items],
        now=now,
        environment=os.environ,
    )
    plan = make_plan(
        config=settings,
        items=items,
        options=options,
        repository=facts.repository,
        digests=digest_files(root, sources(root, options, settings)),
        now=now,
        waivers=waived,
    )
    plan = costed(plan, options.max_cost)
    notes = preflight.check_production(facts) if plan.config.profile[plan.profile].clean_tree else []
    if plan.target.kind == "local":
        notes = preflight.check_rehearsal(facts, engine=plan.target.device in {"cpu", "cuda"})
    else:
        # Without it nothing can be asked: said now, and not by every check.
        read_key(plan.config.keys, os.environ)
    attestations.load(root / settings.attestations.file)
    return plan, [*notes, *undecidable(plan), *foreseen(profile=plan.profile, terms=plan.terms(now.timestamp()))]


def checks_folder(root: Path) -> Path:
    """Where the checks are: the project's own, else those that are installed with golive.

    Raises:
        UsageError: neither is there.
    """
    if (root / "checks" / PYTEST_INI).is_file():
        return root / "checks"
    spec = importlib.util.find_spec("checks")
    if spec is None or spec.origin is None:
        raise UsageError("there are no checks: run golive in the project's root, or install it again")
    return Path(spec.origin).parent
