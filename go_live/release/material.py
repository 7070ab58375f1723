"""What a release is made of: figures, metadata, attestations, record and the tag's message."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any

from go_live.errors import MeasurementError
from go_live.evidence.binding import image
from go_live.evidence.log import pack
from go_live.evidence.run_directory import DECISION, LOG, PLAN, VERDICTS, RunData, digests
from go_live.judge.percentiles import percentile
from go_live.release.attest import attestations
from go_live.release.found import SUMS, sums
from go_live.release.metadata import (
    KEY_FINGERPRINT,
    METADATA_NAME,
    Figure,
    FigureName,
    Fingerprints,
    encode,
    metadata,
    tag_message,
)
from go_live.release.previous import previous_of
from go_live.release.trust import iso
from go_live.release.way_back import way_back
from go_live.tuning.effective import effective_cap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from go_live.release.signing import Key
    from go_live.table import Floats, Table

EVIDENCE = (PLAN, LOG, VERDICTS, DECISION)
"""What a verdict is computed from, and what was concluded."""
RENDERED = ("report.html", "report.md", "junit.xml", "GO_LIVE_CHECKLIST.md", "PERFORMANCE_VALIDATION.md")
"""The report, for people; part of the record, never evidence."""
AUDITOR = "verify.py"
"""Of the record: checks it with Python alone."""


def material(
    data: RunData, root: Path, directory: Path, key: Key | None, *, when: int
) -> tuple[bytes, str, dict[str, bytes]]:
    """Metadata, the tag's message, and the record: the same run and date give the same bytes."""
    content, document, envelopes = attested(data, root, directory, key, when=when)
    kept = [pack(directory / LOG), *(directory / name for name in (*EVIDENCE, *RENDERED) if name != LOG)]
    auditor = resources.files("go_live.release").joinpath("record_verify.py").read_bytes()
    record = {path.name: path.read_bytes() for path in kept} | {METADATA_NAME: content, AUDITOR: auditor} | envelopes
    record[SUMS] = sums(record)
    return content, tag_message(document, record=hashlib.sha256(record[SUMS]).hexdigest()), record


def attested(
    data: RunData, root: Path, directory: Path, key: Key | None, *, when: int
) -> tuple[bytes, Mapping[str, Any], dict[str, bytes]]:
    """Metadata, what it says, and its attestations; none without a key."""
    document = metadata(
        plan=data.plan,
        results=data.results,
        decision=data.decision,
        figures=figures(data),
        evidence=digests(directory, EVIDENCE),
        deployed_at=iso(when),
        back=way_back(data.log.told, image=image(data.log.told), previous=previous_of(data.plan, root)),
        fingerprints=Fingerprints(
            signing_key=key.fingerprint if key else "none", api_key=data.log.facts.get(KEY_FINGERPRINT)
        ),
    )
    content = encode(document)
    if key is None:
        return content, document, {}
    sealed = attestations(
        plan=data.plan,
        results=data.results,
        decision=data.decision,
        metadata=content,
        document=document,
        keys={key.fingerprint: key.private},
        when=when,
    )
    return content, document, sealed


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
    counted = records.under_load(f"c={c}" for c in range(1, effective_cap(config) + 1))
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
