"""Everything that on-call needs to know before a rollback, looked at all at once, each look within its own bound."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from go_live.errors import GoliveError, MeasurementError
from go_live.jobs.client import Endpoint as Jobs
from go_live.management.client import ManagementClient
from go_live.management.models import Endpoint, Template
from go_live.management.retries import Policy
from go_live.outcome import Outcome
from go_live.rollback import looks
from go_live.rollback.asked import Asked
from go_live.rollback.changes import Way, short, way_to
from go_live.rollback.findings import Answer, Finding, decide
from go_live.rollback.looks import Verified, finding, in_thread, within
from go_live.rollback.target import Target

LOOK_S = 20.0
"""Longest that any look but the smoke may take; all begin at once."""
VERIFY_S = 12.0
"""Longest that the tag may take, of which the looks at image and template wait for the end."""
SMOKE_S = 60.0
"""Longest that a job of the smoke may take: a cold start may lie in it."""
PATIENT = Policy(attempts=2, first_s=0.5, most_s=1.0, patience_s=3.0)
"""How often the management API is asked again: at 3 a.m. "could not look" within seconds beats patience."""
CALL_S = 8.0
"""Longest that one call of the management API may take."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a rollback goes on from."""

    answer: Answer
    target: Target
    endpoint: Endpoint | None
    """As the management API tells it; None: it could not be read."""
    way: Way | None


async def look(asked: Asked, client: ManagementClient, jobs: Jobs, *, now: Callable[[], float] = time.time) -> Seen:
    """Look at everything; raises nothing but for a bug, because what could not be seen is part of the answer."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        tag = group.create_task(_verified(asked))
        live = group.create_task(_live(client, asked.config.endpoint.id))
        up = group.create_task(within(LOOK_S, "endpoint", looks.endpoint_finding(jobs), decides=False))
        answering = group.create_task(_smoke(asked, tag, jobs))
        deployed = group.create_task(_deployable(client, tag, live))
    verified, (image, settings, way) = tag.result(), deployed.result()
    target, endpoint = verified.target, live.result()
    findings = (
        verified.finding,
        image,
        settings,
        looks.measured_finding(target, now()),
        _rehearsed(asked.root, target, now()),
        up.result(),
        *([answering.result()] if asked.smoke else []),
    )
    known = endpoint if isinstance(endpoint, Endpoint) else None
    answer = _answer(asked, target, known, way, findings, seconds=time.monotonic() - began)
    return Seen(answer=answer, target=target, endpoint=known, way=way)


def _answer(
    asked: Asked,
    target: Target,
    endpoint: Endpoint | None,
    way: Way | None,
    findings: tuple[Finding, ...],
    *,
    seconds: float,
) -> Answer:
    outcome, reason = decide(findings)
    image = short(way.image) if way is not None and way.image else target.digest.removeprefix("sha256:")[:12]
    return Answer(
        version=asked.version,
        outcome=outcome,
        reason=reason,
        findings=findings,
        changes=way.changes if way else (),
        stays=way.stays if way else (),
        commit=target.commit,
        image=image,
        now_image=short(endpoint.image) if endpoint else "",
        how=way.how if way else "unknown",
        seconds=round(seconds, 1),
    )


async def _verified(asked: Asked) -> Verified:
    work = in_thread(lambda: looks.verified(asked))
    target = Target(version=asked.version)
    began = time.monotonic()
    try:
        async with asyncio.timeout(VERIFY_S):
            found = await work
    except TimeoutError:
        why = f"it could not be verified within {VERIFY_S:g} s"
        return Verified(target=target, finding=finding("tag", Outcome.ERROR, why))
    except GoliveError as error:
        return Verified(target=target, finding=finding("tag", Outcome.ERROR, str(error)))
    seconds = round(time.monotonic() - began, 2)
    return Verified(target=found.target, finding=msgspec.structs.replace(found.finding, seconds=seconds))


async def _live(client: ManagementClient, endpoint_id: str) -> Endpoint | str:
    """The endpoint, or why it could not be read."""
    try:
        async with asyncio.timeout(LOOK_S):
            return await client.endpoint(endpoint_id)
    except TimeoutError:
        return f"the management API did not answer within {LOOK_S:g} s"
    except GoliveError as error:
        return str(error)


async def _deployable(
    client: ManagementClient, tag: "asyncio.Task[Verified]", live: "asyncio.Task[Endpoint | str]"
) -> tuple[Finding, Finding, Way | None]:
    """What would be deployed: does it still exist, does it fit, and how is it reached."""
    target = (await tag).target
    endpoint, template, trouble = await live, None, ""
    try:
        async with asyncio.timeout(CALL_S):
            template = await looks.template_of(client, target)
    except TimeoutError:
        trouble = f"the management API did not answer within {CALL_S:g} s"
    except GoliveError as error:
        trouble = str(error)
    if isinstance(endpoint, str):
        image = await within(LOOK_S, "image", looks.image_finding(target, None, template, None))
        return image, finding("settings", Outcome.ERROR, endpoint), None
    way = way_to(target, endpoint, template)
    image = await within(LOOK_S, "image", _image(target, endpoint, template, way, trouble))
    return image, looks.settings_finding(target, endpoint, way), way


async def _image(target: Target, endpoint: Endpoint, template: Template | None, way: Way, trouble: str) -> Finding:
    if trouble and way.how == "unknown":
        raise MeasurementError(f"the template {target.template_id} could not be looked at: {trouble}")
    return await looks.image_finding(target, endpoint, template, way)


async def _smoke(asked: Asked, tag: "asyncio.Task[Verified]", jobs: Jobs) -> Finding:
    """A smoke of the endpoint as it is now, unless none is wanted."""
    if not asked.smoke:
        return finding("smoke", Outcome.NOT_RUN, "not asked for", decides=False)
    target = (await asyncio.shield(tag)).target
    work = looks.smoke_finding(jobs, asked.config, target, deadline_s=SMOKE_S, timed=asked.timed)
    return await within(SMOKE_S + LOOK_S, "smoke", work, decides=False)


def _rehearsed(root: Path, target: Target, now: float) -> Finding:
    try:
        return looks.rehearsed_finding(root, target, now)
    except GoliveError as error:
        return finding("rehearsed", Outcome.ERROR, str(error), decides=False)
