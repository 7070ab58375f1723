"""From a GO to its release: a rehearsal's ref, or record and tag in one push, and the verdict on what then is there."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from go_live.decide import RELEASED, Decision, ItemResult
from go_live.errors import ReleaseIncompleteError
from go_live.evidence.run_directory import (
    DECISION,
    LOG,
    PLAN,
    VERDICTS,
    RunData,
    decide_run,
    write_atomically,
)
from go_live.outcome import SATISFYING, Outcome, Verdict
from go_live.release import trust as trusts
from go_live.release.after import add_after, after_files
from go_live.release.git import Git, GitError
from go_live.release.journal import Entry, Journal, held
from go_live.release.landing import landed, silent
from go_live.release.material import attested, material
from go_live.release.metadata import METADATA_NAME, tag_message
from go_live.release.publish import Published, publish, settle
from go_live.release.rehearse import publish_rehearsal
from go_live.release.repository import open_work_tree
from go_live.release.signing import Key, key_of_this_run, load_key, make_tag, required_key
from go_live.release.state import release_of
from go_live.release.verify import verify_objects, verify_on_remote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from go_live.checklist import Plan
    from go_live.release.landing import Step
    from go_live.release.record import Stamp
    from go_live.release.state import Release

EVIDENCE = (PLAN, LOG, VERDICTS, DECISION)
"""What a verdict is computed from, and what was concluded."""
RENDERED = ("report.html", "report.md", "junit.xml", "GO_LIVE_CHECKLIST.md", "PERFORMANCE_VALIDATION.md")
"""The report, for people; part of the record, never evidence."""
AUDITOR = "verify.py"
"""Of the record: checks it with Python alone."""
ON_THE_REMOTE = "REL-3"
"""The item that is answered after the push: tag and record on the remote name the validated commit."""


After = Callable[[], Sequence[ItemResult]]
"""Asks what is answered after the push."""


def nothing_more() -> Sequence[ItemResult]:
    """Nothing else is asked after the push."""
    return ()


def release_run(
    data: RunData,
    root: Path,
    directory: Path,
    now: Callable[[], float] = time.time,
    *,
    environment: Mapping[str, str] = os.environ,
    step: Step = silent,
    after: After = nothing_more,
) -> list[str]:
    """Write metadata and tag of a GO or GO-WITH-WAIVERS; returns what was done, a line each.

    A release that was killed at any step is completed by calling this again; one that has landed already is neither
    made nor pushed a second time, and needs no evidence that is still valid.

    Args:
        data: the run, read back from its directory.
        root: the project's root.
        directory: the run directory.
        now: the clock, Unix time: evidence and waivers must hold when they are released, not only when the run ended.
        environment: names the signing key.
        step: is told the name of each step when it is done.
        after: asks what else is answered after the push; its results complete the record.

    Raises:
        ReleaseIncompleteError: the release did not land, or the evidence is too old by now; nothing was changed.
        UsageError: the repository, its identity or the signing key is not fit for a release.
    """
    plan = data.plan
    if plan.profile == "rehearsal":
        return _rehearse(data, root, directory, when=int(now()))
    release = release_of(plan.config, plan.repository.commit, named=plan.named_commit)
    with held(directory, version=release.version, commit=release.commit, when=int(now())) as journal:
        if _has_landed(open_work_tree(root), release, journal):
            done, key = settle(root, release, journal, step=step), load_key(plan.config.signing, environment)
        else:
            if trouble := expired(data, now()):
                raise ReleaseIncompleteError(f"{release.version} was not released: {trouble}; run again")
            key = required_key(plan.config, plan.profile, environment)
            done = _publish(data, root, directory, release, journal=journal, key=key, step=step)
        write_atomically(directory / METADATA_NAME, done.metadata)
        step("metadata in the run")
        told = _after_the_push(data, root, release, done, key, now=now())
        told += _later(data, root, release, done, key, after=after, now=now)
        step("verdict recorded")
    return _told(
        done, f"tag {release.version} and its record on {release.records_branch} are on {release.remote}", told
    )


def _publish(
    data: RunData, root: Path, directory: Path, release: Release, *, journal: Journal, key: Key | None, step: Step
) -> Published:
    """Make the release's objects, see that they verify, and push them."""
    signing, trust = data.plan.config.signing, trusts.load(data.plan.config, root, profile=data.plan.profile)
    journal.write()
    step("journal begun")
    _, message, record = material(data, root, directory, key, when=journal.entry.when)
    step("material made")

    def make(git: Git, release: Release, message: str, stamp: Stamp) -> str:
        return make_tag(git, signing, key, name=release.version, commit=release.commit, message=message, stamp=stamp)

    def approve(git: Git, entry: Entry) -> str:
        found = verify_objects(git, release.version, trust, tag=entry.tag or "", record=entry.record or "")
        return "" if found.good else found.reason

    return publish(
        root, release, message=message, record=record, journal=journal, make=make, approve=approve, step=step
    )


def expired(data: RunData, now: float) -> str:
    """What of a run no longer holds at ``now`` (Unix time), as half a sentence; empty when all of it does.

    A run that was not finished, and one that is no GO, have nothing that could end.
    """
    if data.decision.answer not in RELEASED:
        return ""
    today: Decision = decide_run(data.plan, data.results, now=now)
    if today.answer is data.decision.answer:
        return ""
    return f"what held at the end of the run holds no longer: {today.reason}"


def _has_landed(git: Git, release: Release, journal: Journal) -> bool:
    """Whether an earlier attempt is on the remote.

    Raises:
        ReleaseIncompleteError: the remote cannot say, or holds another tag of that name.
    """
    try:
        return landed(git, release, journal.entry)
    except GitError as error:
        raise ReleaseIncompleteError(f"{release.version} was not released: {error}") from error


def _rehearse(data: RunData, root: Path, directory: Path, *, when: int) -> list[str]:
    """The rehearsal's ref, metadata and attestations, by a key that was made for it and is gone afterwards."""
    if trouble := expired(data, when):
        raise ReleaseIncompleteError(f"{data.plan.config.release.version} was not rehearsed: {trouble}; run again")
    key = key_of_this_run()
    content, document, envelopes = attested(data, root, directory, key, when=when)
    public = trusts.line("rehearsal", key.blob)
    for name, envelope in {**envelopes, "rehearsal_signers": public.encode()}.items():
        write_atomically(directory / name, envelope)
    done = publish_rehearsal(root, directory, metadata=content, message=tag_message(document), when=when)
    return _told(done, f"rehearsal ref {done.ref} names commit {done.commit[:12]}; nothing else was touched or pushed")


def _after_the_push(
    data: RunData, root: Path, release: Release, done: Published, key: Key | None, *, now: float
) -> list[str]:
    """Verify what the remote holds, and add the verdict to the record.

    Raises:
        ReleaseIncompleteError: the remote does not show the release.
    """
    plan = data.plan
    result, days = _on_the_remote(plan, root, release, now=now)
    line = _recorded(data, root, release, done, key, result=result, days=days, when=int(now))
    if result.outcome is not Outcome.PASS:
        raise ReleaseIncompleteError(
            f"{release.version} was pushed, but {release.remote} does not show it: {result.reason}"
        )
    return [line]


def _later(
    data: RunData,
    root: Path,
    release: Release,
    done: Published,
    key: Key | None,
    *,
    after: After,
    now: Callable[[], float],
) -> list[str]:
    """Ask what is answered after the push, and add it to the record, whatever it says.

    Raises:
        ReleaseIncompleteError: an item that the profile requires is not satisfied: the release is out, and not as it
            was validated.
    """
    plan = data.plan
    items = {item.id: item for item in plan.items}
    results = list(after())
    lines = [
        _recorded(data, root, release, done, key, result=result, days=items[result.item].evidence_days, when=int(now()))
        for result in results
    ]
    required = [result for result in results if plan.profile in items[result.item].required_by]
    if wrong := [result for result in required if result.outcome not in SATISFYING]:
        first = wrong[0]
        raise ReleaseIncompleteError(
            f"{release.version} is pushed, but {first.item} is {first.outcome.name}: {first.reason}; "
            f"mend it, then `golive release {plan.run_id}` asks again, or go back with `golive rollback`"
        )
    return lines


def _recorded(
    data: RunData,
    root: Path,
    release: Release,
    done: Published,
    key: Key | None,
    *,
    result: ItemResult,
    days: int,
    when: int,
) -> str:
    """Add a verdict to the record; the line that tells of it."""
    plan = data.plan
    made = functools.partial(
        after_files, result, tag=done.tag, profile=plan.profile, run_id=plan.run_id, days=days, key=key
    )
    line = f"{result.item} {result.outcome.name}: {result.reason}"
    try:
        add_after(root, release, result.item, made, when=when)
    except GitError as error:
        line += f" (not recorded: {error}; `golive release {plan.run_id}` tries again)"
    return line


def _on_the_remote(plan: Plan, root: Path, release: Release, *, now: float) -> tuple[ItemResult, int]:
    """The verdict on the item of the release itself, and how many days it stays valid."""
    item = next((item for item in plan.items if item.id == ON_THE_REMOTE), None)
    claim = item.claim if item else "The tag and the release record on the remote name the validated commit"
    try:
        trust = trusts.load(plan.config, root, profile=plan.profile)
        where = {"remote": release.remote, "records_branch": release.records_branch}
        found = verify_on_remote(root, release.version, trust=trust, **where)
        outcome, reason = found.outcome, found.reason
    except GitError as error:
        outcome, reason = Outcome.ERROR, str(error)
    verdict = Verdict(claim=claim, outcome=outcome, reason=reason)
    result = ItemResult(item=ON_THE_REMOTE, outcome=outcome, reason=reason, verdicts=(verdict,), concluded_at=now)
    return result, item.evidence_days if item else 1


def _told(done: Published, line: str, more: list[str] | None = None) -> list[str]:
    return [line, f"{METADATA_NAME} is written (tag object {done.tag[:12]})", *(more or []), *done.notes]
