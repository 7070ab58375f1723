"""DEPLOYMENT_METADATA.json and the message of the tag. Pure, but for reading the schema that ships with golive."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import jsonschema
import msgspec

from go_live.checklist import Plan
from go_live.decide import RELEASED, Decision, ItemResult
from go_live.errors import MeasurementError, UsageError
from go_live.outcome import Verdict
from go_live.release.way_back import WayBack, unknown
from go_live.waivers import Judged, Standing

METADATA_NAME = "DEPLOYMENT_METADATA.json"
SCHEMA_NAME = "DEPLOYMENT_METADATA.schema.json"

NOTICES = {
    "rehearsal": "REHEARSAL: measured on a local endpoint; not evidence for any production release",
    "test": "TEST: made by the harness's own tests; not evidence for any production release",
}
"""What the metadata of every profile but production says first."""

KEY_FINGERPRINT = "api_key_fingerprint"
"""Names, here and in the log's facts, the fingerprint of the API key that a run measured with (go_live.keys)."""

WAIVED = "Waived: "
"""Begins each line of the tag's message that names a waiver."""
RUN, EVIDENCE, RECORD = "Run: ", "Evidence: sha256:", "Record: sha256:"
"""Begin the lines of the tag's message that bind it."""

FigureName = Literal["exec_ms_p50", "total_ms_p50", "queue_ms_p50", "success_rate"]
_FIGURES: tuple[FigureName, ...] = get_args(FigureName)
_MS_PER_S = 1000


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the readiness summary's ``performance``, with what it was measured on."""

    value: float
    """Milliseconds, or a rate from 0 to 1."""
    level: str
    """``c=2``, ``soak``, …: a figure of one level is never quoted beside another's without saying so."""
    n: int
    """Due requests it rests on."""


class Fingerprints(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a release, by what can be told of them."""

    signing_key: str = "none"
    """That signs the attestations, as ``SHA256:…``; ``none`` where nothing is signed."""
    api_key: str | None = None
    """Of the API key that was verified (:mod:`go_live.keys.fingerprint`); None where no key was."""


NO_KEYS = Fingerprints()


def metadata(
    *,
    plan: Plan,
    results: Sequence[ItemResult],
    decision: Decision,
    figures: Mapping[FigureName, Figure],
    evidence: Mapping[str, str],
    deployed_at: str,
    back: WayBack,
    fingerprints: Fingerprints = NO_KEYS,
) -> dict[str, Any]:
    """The metadata of a release (or rehearsal), valid against its schema.

    Args:
        plan: of the run; its commit is the one that is released.
        results: of all items.
        decision: must be GO or GO-WITH-WAIVERS, be this plan's, and follow from ``results``.
        figures: the four of the readiness summary; ``queue_ms_p50`` is the platform's ``delayTime``.
        evidence: file name in the run directory -> sha256.
        deployed_at: UTC, ``2025-10-10T12:14:12Z``.
        back: image, deployment and rollback target, as far as they are known.
        fingerprints: of the keys that sign and that were used.

    Raises:
        UsageError: the decision is not a GO of this plan on these results, or the way back is not to the plan's target.
        MeasurementError: a figure is missing or not finite, or a production release lacks what its way back needs.
    """
    _only_go(plan, results, decision)
    _can_go_back(plan, back)
    notice = {"notice": NOTICES[plan.profile]} if plan.profile in NOTICES else {}
    document = {
        **notice,
        "version": plan.config.release.version,
        "git_commit": plan.repository.commit,
        "git_tree": plan.repository.tree,
        "deployed_at": deployed_at,
        "endpoint_id": plan.target.endpoint_id,
        "image": back.image,
        "template_id": back.template_id,
        "environment_sha256": back.environment_sha256,
        "endpoint_config": back.endpoint_config,
        "first_release": plan.config.release.first_release,
        "previous_release": msgspec.to_builtins(back.previous),
        "signing_key": fingerprints.signing_key,
        "model": plan.config.model.name,
        "performance": {name: _finite(name, figures) for name in _FIGURES},
        "performance_basis": {name: {"level": figures[name].level, "n": figures[name].n} for name in _FIGURES},
        "run_id": plan.run_id,
        "profile": plan.profile,
        "target": {"kind": plan.target.kind, "device": plan.target.device},
        "clean_tree": not plan.repository.dirty,
        "decision": {
            "answer": decision.answer.value,
            "reason": decision.reason,
            "required": decision.required,
            "satisfied": decision.satisfied,
        },
        "waivers": [_waiver(one, decision) for one in decision.waivers if one.standing is Standing.USED],
        "slo_results": [
            _slo_result(result.item, verdict)
            for result in results
            for verdict in result.verdicts
            if verdict.limit is not None
        ],
        "evidence": dict(sorted(evidence.items())),
        "evidence_sha256": evidence_digest(evidence),
    }
    if fingerprints.api_key is not None:
        document[KEY_FINGERPRINT] = fingerprints.api_key
    validate(document)
    return document


def encode(document: Mapping[str, Any]) -> bytes:
    """The bytes of DEPLOYMENT_METADATA.json: the same document gives the same bytes."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def read(content: bytes) -> dict[str, Any]:
    """The document in the bytes of a DEPLOYMENT_METADATA.json.

    Raises:
        UsageError: not JSON, or not valid against the schema.
    """
    try:
        document = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{METADATA_NAME} is not a JSON object: {error}") from error
    validate(document)
    return document


def validate(document: Mapping[str, Any]) -> None:
    """Check ``document`` against DEPLOYMENT_METADATA.schema.json.

    Raises:
        UsageError: it is not valid; the message names the field.
    """
    error = jsonschema.exceptions.best_match(_validator().iter_errors(document))
    if error is not None:
        raise UsageError(f"{METADATA_NAME}: {error.json_path}: {error.message}")


def evidence_digest(evidence: Mapping[str, str]) -> str:
    """One sha256 for all evidence: of the lines ``sha256sum`` prints for it, in order of file name."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(evidence.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def tag_message(document: Mapping[str, Any], *, record: str = "") -> str:
    """The tag's message: readiness in one line, then what binds the tag to its run, evidence and ``record``.

    ``record`` is the sha256 of the record's list of digests; empty for a rehearsal, which has no record.
    """
    title = (
        "Production release"
        if document["profile"] == "production"
        else f"{document['profile'].capitalize()} of a release"
    )
    success, basis = document["performance"]["success_rate"], document["performance_basis"]["success_rate"]
    notice = [document["notice"], ""] if "notice" in document else []
    waivers = document["waivers"]
    lines = [
        f"{title}{' with waivers' if waivers else ''}: {readiness(document)}",
        "",
        *notice,
        f"Success: {success:.2%} of {basis['n']} requests ({basis['level']})",
        f"Items: {document['decision']['satisfied']} of {document['decision']['required']} satisfied",
        *map(_waived_line, waivers),
        f"{RUN}{document['run_id']}",
        f"{EVIDENCE}{document['evidence_sha256']}",
        *([f"{RECORD}{record}"] if record else []),
    ]
    return "\n".join(lines)


def waived_lines(message: str) -> list[str]:
    """The lines of a tag's message that name waivers."""
    return [line for line in message.splitlines() if line.startswith(WAIVED)]


def readiness(document: Mapping[str, Any]) -> str:
    """``2.8 s exec, 3.5 s total p50 at c=2``; figures of two levels each name their own."""
    performance, basis = document["performance"], document["performance_basis"]
    execution, total = _seconds(performance["exec_ms_p50"]), _seconds(performance["total_ms_p50"])
    levels = (basis["exec_ms_p50"]["level"], basis["total_ms_p50"]["level"])
    if levels[0] == levels[1]:
        return f"{execution} exec, {total} total p50 at {levels[0]}"
    return f"{execution} exec p50 at {levels[0]}, {total} total p50 at {levels[1]}"


def _only_go(plan: Plan, results: Sequence[ItemResult], decision: Decision) -> None:
    """Refuse whatever is not a GO that follows from this plan and these results."""
    if decision.answer not in RELEASED:
        raise UsageError(f"no metadata without a GO; the decision is {decision.answer}: {decision.reason}")
    if (decision.run_id, decision.profile) != (plan.run_id, plan.profile):
        raise UsageError(f"the decision is of run {decision.run_id} ({decision.profile}), not of {plan.run_id}")
    from go_live.evidence.run_directory import decide_run  # noqa: PLC0415 - numpy; reading metadata must not wait for it

    again = decide_run(plan, results, now=decision.at)
    if (again.answer, again.waivers) != (decision.answer, decision.waivers):
        raise UsageError(f"the decision says {decision.answer}, but the results say {again.answer}: {again.reason}")


def _can_go_back(plan: Plan, back: WayBack) -> None:
    """Refuse a production release from which nobody could find back to it, or back from it."""
    target, found = plan.config.release.previous, back.previous.version if back.previous else None
    if target != found:
        raise UsageError(f"the plan's rollback target is {target}, and what was verified is {found}")
    if plan.profile == "production" and (missing := unknown(back)):
        raise MeasurementError(f"no production release without what its way back needs: unknown {', '.join(missing)}")


def _finite(name: FigureName, figures: Mapping[FigureName, Figure]) -> float:
    """The value of a figure; JSON has no word for infinity, and a release none for a figure that does not exist."""
    if name not in figures or not math.isfinite(figures[name].value):
        raise MeasurementError(f"no metadata without a finite {name}: measure the load levels again")
    return figures[name].value


def _slo_result(item: str, verdict: Verdict) -> dict[str, Any]:
    """One claim with a limit, and the figures it rests on."""
    return {
        "item": item,
        "claim": verdict.claim,
        "scope": verdict.scope,
        "outcome": verdict.outcome.value,
        "measured": verdict.measured,
        "limit": verdict.limit,
        "unit": verdict.unit,
        "n": verdict.n,
        "misses": verdict.misses,
    }


def _waiver(judged: Judged, decision: Decision) -> dict[str, Any]:
    """A waiver that the decision rests on, with what it waives."""
    waiver = judged.waiver
    outcome = next(one.outcome for one in decision.waived if one.item == waiver.item)
    return {
        "item": waiver.item,
        "outcome": outcome.value,
        "owner": waiver.owner,
        "approver": waiver.approver,
        "approval": waiver.approval,
        "reason": waiver.reason,
        "issued": waiver.issued,
        "expires": waiver.expires,
        "for": f"commit {waiver.commit}" if waiver.commit else f"version {waiver.version}",
    }


def _waived_line(waiver: Mapping[str, str]) -> str:
    """One waiver in the tag's message; a line break in what a person wrote ends no line here."""
    who = f"owner {waiver['owner']}, approved by {waiver['approver']} ({waiver['approval']})"
    line = f"{WAIVED}{waiver['item']} ({waiver['outcome']}), {who}, until {waiver['expires']}: {waiver['reason']}"
    return " ".join(line.split())


def _seconds(milliseconds: float) -> str:
    """``2.8 s``; below one second ``350 ms``."""
    return f"{milliseconds / _MS_PER_S:.1f} s" if milliseconds >= _MS_PER_S else f"{milliseconds:.0f} ms"


@cache
def _validator() -> jsonschema.Draft202012Validator:
    """The validator of the schema that ships with golive: beside this file in a wheel, at the root of a clone."""
    here = Path(__file__).resolve()
    packaged, cloned = here.with_name(SCHEMA_NAME), here.parents[2] / SCHEMA_NAME
    schema = msgspec.json.decode((packaged if packaged.is_file() else cloned).read_bytes())
    return jsonschema.Draft202012Validator(schema)
