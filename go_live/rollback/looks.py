"""Each thing that is looked at before a rollback. A look ends with a finding, whatever it meets."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from go_live.config import Config
from go_live.errors import GoliveError, MeasurementError, UsageError
from go_live.jobs.client import Endpoint as Jobs
from go_live.jobs.transport import HealthWorkers, JobApiError, TransportError
from go_live.management.client import ManagementClient
from go_live.management.errors import NotFoundError
from go_live.management.models import Endpoint, Template
from go_live.outcome import Outcome
from go_live.release import trust as trusts
from go_live.release.found import Refs
from go_live.release.found import read as read_release
from go_live.release.git import GitError
from go_live.release.repository import open_work_tree
from go_live.release.trust import iso
from go_live.release.verification import Verification
from go_live.release.verify import verify, verify_on_remote
from go_live.rollback.asked import Asked
from go_live.rollback.changes import Way, doubts, full_image, problems, short
from go_live.rollback.findings import Finding, Name
from go_live.rollback.proof import DAY_S, Proof, parse, proof_verdict
from go_live.rollback.registry import image_exists
from go_live.rollback.smoke import serves, smoke
from go_live.rollback.smoke import shown as smoke_shown
from go_live.rollback.target import Target, made_without_golive, named_by_hand, target_of

Told = TypeVar("Told")


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The target, and what verifying it found."""

    target: Target
    finding: Finding


async def within(seconds: float, name: Name, look: Awaitable[Finding], *, decides: bool = True) -> Finding:
    """What ``look`` found; an ERROR when it raised or took longer than ``seconds``."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            found = await look
    except TimeoutError:
        found = finding(name, Outcome.ERROR, f"no answer within {seconds:g} s", decides=decides)
    except GoliveError as error:
        found = finding(name, Outcome.ERROR, str(error), decides=decides)
    return msgspec.structs.replace(found, seconds=round(time.monotonic() - began, 2))


def finding(name: Name, outcome: Outcome, reason: str, *, decides: bool = True) -> Finding:
    """A finding."""
    return Finding(name=name, outcome=outcome, reason=reason, decides=decides)


async def in_thread(work: Callable[[], Told]) -> Told:
    """Run ``work`` beside the loop. One that hangs is left behind, and does not keep the process alive."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Told] = loop.create_future()

    def settle(result: Told | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def run() -> None:
        try:
            result, error = work(), None
        except Exception as raised:  # noqa: BLE001 - handed to whoever waits
            result, error = None, raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await done


# The tag


def verified(asked: Asked) -> Verified:
    """Verify the release here, or as the remote holds it where it is not here.

    Raises:
        GoliveError: it could not be looked at.
    """
    root, version = asked.root, asked.version
    there = read_release(open_work_tree(root), version, Refs(tag=f"refs/tags/{version}", records=(), sought=()))
    try:
        found = _verify(asked)
    except UsageError as error:
        # Without a trust root nothing is believed; what the tag names is still worth telling.
        target = Target(version=version, commit=there.commit, tag=there.tag_id)
        return Verified(target=_by_hand(asked, target), finding=_tag(Outcome.ERROR, str(error)))
    target = target_of(found)
    if found.good:
        return Verified(target=target, finding=_tag(Outcome.PASS, _vouched(found)))
    if not found.tag:
        return Verified(target=target, finding=_tag(Outcome.FAIL, f"neither here nor on the remote is a tag {version}"))
    if made_without_golive(there.tag) and not found.record and found.commit:
        return Verified(target=_by_hand(asked, target), finding=_tag(Outcome.INCONCLUSIVE, _without_golive(found)))
    return Verified(target=target, finding=_tag(found.outcome, found.reason))


def _by_hand(asked: Asked, target: Target) -> Target:
    return named_by_hand(target, image=asked.image, template_id=asked.template_id)


def _verify(asked: Asked) -> Verification:
    """Of this clone, completed by the remote where the clone lacks the tag or the record."""
    root, config, version = asked.root, asked.config, asked.version
    trust = trusts.load(config, root, profile=asked.profile, file=asked.signers)
    where = {"remote": config.release.remote, "records_branch": config.release.records_branch}
    here = verify(root, version, trust=trust, **where)
    if here.tag and not any(step.outcome is Outcome.ERROR for step in here.steps):
        return here
    try:
        there = verify_on_remote(root, version, trust=trust, **where)
    except GitError as error:
        if any(step.outcome is Outcome.FAIL for step in here.steps if step.name in {"tag", "signature"} and here.tag):
            return here
        missing = "its record is not" if here.tag else f"no tag {version} is"
        raise MeasurementError(f"{missing} here, and the remote could not be asked: {error}") from error
    return there if there.tag or not here.tag else here


def _vouched(found: Verification) -> str:
    """What was verified, short enough to be read at a glance; ``golive verify`` tells all of it."""
    document = found.metadata or {}
    by = f"signed by {found.tagger.rpartition('<')[2].rstrip('>')}" if found.key else "unsigned, which is allowed"
    return f"verified: {document['decision']['answer']} of {document['deployed_at'][:10]}, {by}"


def _without_golive(found: Verification) -> str:
    who = f" by {found.tagger}" if found.tagger else ""
    when = f" on {iso(found.tagged_at)[:10]}" if found.tagged_at else ""
    return f"made without golive{who}{when}: no record says what was measured, nor which image it is"


def _tag(outcome: Outcome, reason: str) -> Finding:
    return finding("tag", outcome, reason)


# What would be deployed


async def template_of(client: ManagementClient, target: Target) -> Template | None:
    """The target's template as it is now; None: it has none, or it is gone.

    Raises:
        ManagementError: it could not be looked at.
    """
    if not target.template_id:
        return None
    try:
        return await client.template(target.template_id)
    except NotFoundError:
        return None


async def image_finding(
    target: Target, endpoint: Endpoint | None, template: Template | None, way: Way | None
) -> Finding:
    """Whether what would be deployed still exists: its image by its registry, or a template that holds it."""
    image = full_image(target, endpoint) if endpoint else target.image if "@" in target.image else ""
    if not image and way is not None and way.how in {"template", "none"} and template is not None:
        return finding("image", Outcome.PASS, f"template {template.id} is there, with image {short(template.image)}")
    if not image:
        gone = f"; its template {target.template_id} is gone" if target.template_id and template is None else ""
        known = (
            f"of image {target.digest[7:19]} no name is known" if target.digest else "nothing tells which image it ran"
        )
        return finding("image", Outcome.INCONCLUSIVE, f"{known}{gone}: name it with --image NAME@sha256:...")
    asked = await image_exists(image)
    held = template is not None and template.image.endswith(target.digest or "-")
    if asked.outcome in {Outcome.INCONCLUSIVE, Outcome.ERROR} and held and template is not None:
        return finding("image", Outcome.PASS, f"template {template.id} still holds it; {asked.reason}")
    return finding("image", asked.outcome, f"{short(image)}: {asked.reason}")


def settings_finding(target: Target, endpoint: Endpoint, way: Way) -> Finding:
    """Whether the endpoint, as it is now, can run the target."""
    if wrong := problems(target, endpoint, way):
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        return finding("settings", Outcome.FAIL, wrong[0] + more)
    if unsure := doubts(target, endpoint, way):
        return finding("settings", Outcome.INCONCLUSIVE, unsure[0])
    stays = f"; {len(way.stays)} other than when it was measured" if way.stays else ""
    return finding("settings", Outcome.PASS, f"compatible: GPU, bounds and the worker's own settings{stays}")


# What is known of it


def measured_finding(target: Target, now: float) -> Finding:
    """When and how it was last measured healthy. Its age is told and judged by nobody but the reader."""
    known = target.measured
    if known is None:
        return finding("measured", Outcome.INCONCLUSIVE, "no verified record says that it ever was", decides=False)
    days = max(0.0, (now - known.at) / DAY_S)
    told = f"{iso(known.at)[:10]} ({days:.0f} d ago), {known.how}, {known.success}"
    return finding("measured", Outcome.PASS, told, decides=False)


def proof_path(root: Path, version: str) -> Path:
    """Where the newest rehearsal of the way back to ``version`` lies."""
    return root / "reports" / f"rehearsal-{version.replace('/', '-')}.json"


def read_proof(root: Path, version: str) -> Proof | None:
    """The newest proof; None: there is none.

    Raises:
        UsageError: the file cannot be read, or is none.
    """
    path = proof_path(root, version)
    try:
        return parse(path.read_bytes(), path.name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def rehearsed_finding(root: Path, target: Target, now: float) -> Finding:
    """Whether the way back was rehearsed lately; only a rehearsal that failed speaks against going back."""
    verdict = proof_verdict(read_proof(root, target.version), target, now=now)
    return finding("rehearsed", verdict.outcome, verdict.reason, decides=verdict.outcome is Outcome.FAIL)


# The endpoint as it is now


async def endpoint_finding(jobs: Jobs) -> Finding:
    """How the endpoint is now. That it is down is why somebody asks, and nothing against going back."""
    try:
        health = await jobs.health()
    except (TransportError, JobApiError) as error:
        said = str(error).removeprefix(f"{jobs.url}/health: ")
        return finding("endpoint", Outcome.ERROR, f"/health does not answer: {said}", decides=False)
    told, workers, queued = _workers(health.workers), health.workers, health.jobs.in_queue
    up = workers.idle + workers.ready + workers.running
    down = up == 0 or workers.unhealthy > 0
    reason = f"now {told}; {queued} jobs queued, {health.jobs.in_progress} in progress"
    return finding("endpoint", Outcome.FAIL if down else Outcome.PASS, reason, decides=False)


async def smoke_finding(jobs: Jobs, config: Config, target: Target, *, deadline_s: float, timed: bool) -> Finding:
    """Whether the endpoint answers now, and as what."""
    found = await smoke(jobs, max_tokens=config.load.max_tokens, deadline_s=deadline_s, timed=timed)
    build = f", it serves commit {found.commit[:12]}" if found.commit else ""
    there = " (the target already)" if found.commit and not serves(found, commit=target.commit, digest="") else ""
    reason = f"{smoke_shown(found.problems, asked=found.asked)}{build}{there}"
    return finding("smoke", Outcome.PASS if found.good else Outcome.FAIL, reason, decides=False)


def _workers(counts: HealthWorkers) -> str:
    """Workers by state, those that there are."""
    known = {name: getattr(counts, name) for name in counts.__struct_fields__}
    return ", ".join(f"{count} {name}" for name, count in known.items() if count) or "no workers"
