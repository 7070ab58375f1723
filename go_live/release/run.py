"""From a GO to its release: a rehearsal's ref, or record and tag in one push."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from go_live.decide import RELEASED, Decision
from go_live.errors import MeasurementError, ReleaseIncompleteError
from go_live.evidence.binding import image
from go_live.evidence.log import pack
from go_live.evidence.run_directory import (
    DECISION,
    LOG,
    PLAN,
    VERDICTS,
    RunData,
    decide_run,
    digests,
    write_atomically,
)
from go_live.judge.percentiles import percentile
from go_live.release.metadata import KEY_FINGERPRINT, METADATA_NAME, Figure, FigureName, encode, metadata, tag_message
from go_live.release.publish import Published, publish, publish_rehearsal
from go_live.release.state import release_of
from go_live.release.verify import verify_pushed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from go_live.table import Floats, Table

EVIDENCE = (PLAN, LOG, VERDICTS, DECISION)
"""What a verdict is computed from, and what was concluded."""
RENDERED = ("report.html", "report.md", "junit.xml", "GO_LIVE_CHECKLIST.md", "PERFORMANCE_VALIDATION.md")
"""The report, for people; part of the record, never evidence."""


def release_run(data: RunData, root: Path, directory: Path, now: Callable[[], float] = time.time) -> list[str]:
    """Write metadata and tag of a GO or GO-WITH-WAIVERS; returns what was done, a line each.

    Args:
        data: the run, read back from its directory.
        root: the project's root.
        directory: the run directory.
        now: the clock, Unix time: evidence and waivers must hold when they are released, not only when the run ended.

    Raises:
        ReleaseIncompleteError: the release did not land, or the evidence is too old by now; nothing was changed.
        UsageError: the repository or its identity is not fit for a release.
    """
    when = int(now())
    if trouble := expired(data, when):
        raise ReleaseIncompleteError(f"{data.plan.config.release.version} was not released: {trouble}; run again")
    document = metadata(
        plan=data.plan,
        results=data.results,
        decision=data.decision,
        figures=figures(data),
        evidence=digests(directory, EVIDENCE),
        deployed_at=datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        image=image(data.log.told),
        key_fingerprint=data.log.facts.get(KEY_FINGERPRINT),
    )
    content, message = encode(document), tag_message(document)
    if data.plan.profile == "rehearsal":
        done = publish_rehearsal(root, directory, metadata=content, message=message, when=when)
        return _told(
            done, f"rehearsal ref {done.ref} names commit {done.commit[:12]}; nothing else was touched or pushed"
        )
    release = release_of(data.plan.config, data.plan.repository.commit, named=data.plan.named_commit)
    kept = [pack(directory / LOG), *(directory / name for name in (*EVIDENCE, *RENDERED) if name != LOG)]
    record = {path.name: path.read_bytes() for path in kept} | {METADATA_NAME: content}
    done = publish(root, release, message=message, record=record, when=when)
    write_atomically(directory / METADATA_NAME, content)
    wrong = verify_pushed(root, release.remote, release.version, release.commit, release.records_branch)
    if wrong:
        raise ReleaseIncompleteError(
            f"{release.version} was pushed, but {release.remote} does not show it: {'; '.join(wrong)}"
        )
    return _told(done, f"tag {release.version} and its record on {release.records_branch} are on {release.remote}")


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


def figures(data: RunData) -> dict[FigureName, Figure]:
    """The readiness summary's four figures: latencies at the soak's concurrency, success over all that counts.

    Raises:
        MeasurementError: nothing was measured under load.
    """
    config = data.plan.config
    level = f"c={config.soak.concurrency}"
    records = data.log.records
    at_level = records.where(phase="load", level=level)
    where = level if len(at_level) else "soak"
    at_level = at_level if len(at_level) else records.where(phase="soak")
    if not len(at_level):
        raise MeasurementError("no metadata without figures: the run has neither load nor soak records")
    counted = records.under_load(f"c={c}" for c in range(1, config.client.concurrency_cap + 1))
    return {
        "exec_ms_p50": _p50(at_level.exec_ms, where),
        "total_ms_p50": _p50(at_level.total_ms, where),
        "queue_ms_p50": _p50(at_level.queue_ms, where),
        "success_rate": _share(counted),
    }


def _p50(values: Floats, level: str) -> Figure:
    return Figure(value=round(percentile(values, 50), 1), level=level, n=len(values))


def _share(due: Table) -> Figure:
    return Figure(value=float(due.ok.mean()), level="levels up to the cap and soak", n=len(due))


def _told(done: Published, line: str) -> list[str]:
    return [line, f"{METADATA_NAME} is written (tag object {done.tag[:12]})", *done.notes]
