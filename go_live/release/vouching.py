"""Steps of a verification: the attestations are ours, say what the record says, and authorized the release. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from go_live.errors import UsageError
from go_live.evidence import dsse
from go_live.evidence.statement import (
    TEST_RESULT,
    Authorization,
    Check,
    Predicate,
    TestResult,
    decode,
    predicate_type,
)
from go_live.outcome import Outcome
from go_live.release.attest import AUTHORIZATION, CHECK, RESULT, sha256, states, subject
from go_live.release.binding import step
from go_live.release.metadata import METADATA_NAME
from go_live.release.trust import ATTESTATIONS, ed25519_raw, iso
from go_live.release.verification import Case, Step


def attestations_step(case: Case) -> Step:
    """Signed by pinned keys of this profile, about exactly this release, and saying what the record says."""
    files = case.found.files
    here = [name for name in (RESULT, CHECK, AUTHORIZATION) if name in files]
    if not here and not case.trust.required:
        reason = f"none: golive.toml does not require signatures of the profile {case.trust.profile}"
        return Step(name="attestations", outcome=Outcome.NOT_APPLICABLE, reason=reason)
    if case.recorded.metadata is None:
        return step("attestations", ["without metadata nothing says what the attestations have to be about"], "")
    problems = []
    for name, judged in ((RESULT, _result_problems), (CHECK, _check_problems), (AUTHORIZATION, _input_problems)):
        try:
            problems += list(judged(case, case.recorded.metadata))
        except UsageError as error:
            problems.append(f"{name}: {error}")
    return step("attestations", problems, f"{len(here)}, by keys that are pinned in {case.trust.source}")


def authorization_step(case: Case) -> Step:
    """The release was authorized at the time that its tag bears, no later than its evidence held."""
    document, tag = case.recorded.metadata, case.found.tag
    if AUTHORIZATION not in case.found.files and not case.trust.required:
        reason = f"none: golive.toml does not require signatures of the profile {case.trust.profile}"
        return Step(name="authorization", outcome=Outcome.NOT_APPLICABLE, reason=reason)
    if document is None or tag is None:
        return step("authorization", ["there is no tag or no metadata that could be authorized"], "")
    try:
        allowed = _opened(case, AUTHORIZATION, predicate_type("authorization", case.trust.profile), Authorization)
    except UsageError as error:
        return step("authorization", [f"{AUTHORIZATION}: {error}"], "")
    when = iso(tag.when)
    problems = list(_authorized_problems(case, allowed, document))
    if not allowed.not_before <= when <= allowed.not_after:
        problems.append(
            f"the tag is dated {when}, and the release was authorized from {allowed.not_before} to {allowed.not_after}"
        )
    return step("authorization", problems, f"{allowed.decision} in force from {allowed.not_before}")


def _opened(case: Case, name: str, kind: str, predicate: type[Predicate]) -> Predicate:
    """The predicate of an attestation of the record, whose signature counts.

    Raises:
        UsageError: it is missing, or its signature or statement is refused.
    """
    if name not in case.found.files:
        raise UsageError("the record has no such attestation")
    document = case.recorded.metadata or {}
    content = case.found.files[name]
    try:
        opened = dsse.unseal(content, _keys(case))
    except dsse.EnvelopeError as error:
        raise UsageError(_refused_key(case, content) or str(error)) from error
    about = subject(case.found.files[METADATA_NAME], document)
    return decode(opened.payload, kind, predicate, subject=about)


def _keys(case: Case) -> dict[str, bytes]:
    """The pinned keys that may sign attestations at the time of the evidence, by fingerprint.

    Without a time no key can be said to have been valid, and none counts.
    """
    at = case.recorded.judged_at
    if at is None:
        return {}
    return {
        signer.fingerprint: raw
        for signer in case.trust.signers
        if not signer.refusal(ATTESTATIONS, at) and (raw := ed25519_raw(signer.key)) is not None
    }


def _refused_key(case: Case, content: bytes) -> str:
    """Why a pinned key that an envelope names does not count; empty: it names none, or the key is not to blame."""
    at = case.recorded.judged_at
    told = () if at is None else dsse.keyids(content)
    for signer in case.trust.signers:
        if at is not None and signer.fingerprint in told and (why := signer.refusal(ATTESTATIONS, at)):
            return f"the key {signer.fingerprint} {why}, and its evidence is of {iso(at)}"
    return ""


def _result_problems(case: Case, document: Mapping[str, Any]) -> Iterator[str]:
    """The test result says what was decided, and names what was judged by."""
    found = _opened(case, RESULT, TEST_RESULT, TestResult)
    decision, plan = case.recorded.decision, case.recorded.plan
    if decision is None or plan is None:
        yield f"{RESULT}: there is no decision that it could attest"
        return
    waived = {one.item for one in decision.waived}
    if set(found.warned) != waived or set(found.passed) != set(plan.required) - waived or found.failed:
        yield f"{RESULT} lists other items than the decision"
    planned = {one.name: one.digest for one in found.configuration}.get("plan.json")
    if planned != {"sha256": document["evidence"].get("plan.json")}:
        yield f"{RESULT} was made by another plan"


def _check_problems(case: Case, document: Mapping[str, Any]) -> Iterator[str]:
    """The check statement says of each item what the recorded verdicts say, of this run and its evidence."""
    found = _opened(case, CHECK, predicate_type("check", case.trust.profile), Check)
    if found.mode != case.trust.profile:
        yield f"{CHECK} is of the mode {found.mode}, not of {case.trust.profile}"
    if found.run_id != document["run_id"]:
        yield f"{CHECK} is of run {found.run_id}"
    if {one.name: one.digest["sha256"] for one in found.evidence if "sha256" in one.digest} != document["evidence"]:
        yield f"{CHECK} rests on other evidence than the metadata"
    concluded = case.recorded.concluded
    if concluded is None or {one.id: one.state for one in found.checks} != states(concluded.items):
        yield f"{CHECK} states other outcomes than the recorded verdicts"


def _input_problems(case: Case, document: Mapping[str, Any]) -> Iterator[str]:
    """The authorization rests on the very attestations that are recorded."""
    del document
    found = _opened(case, AUTHORIZATION, predicate_type("authorization", case.trust.profile), Authorization)
    here = {name: {"sha256": sha256(case.found.files[name])} for name in (RESULT, CHECK) if name in case.found.files}
    if {one.name: one.digest for one in found.inputs} != here:
        yield f"{AUTHORIZATION} rests on other attestations than those of the record"


def _authorized_problems(case: Case, allowed: Authorization, document: Mapping[str, Any]) -> Iterator[str]:
    """What was authorized is what was decided and recorded."""
    decision = case.recorded.decision
    said = (allowed.decision, allowed.environment, allowed.run_id, allowed.rollback)
    if said != (document["decision"]["answer"], case.trust.profile, document["run_id"], document["previous_release"]):
        yield f"{AUTHORIZATION} allows something else than what was released"
    if decision is None or decision.valid_until is None or allowed.not_after != iso(decision.valid_until):
        yield f"{AUTHORIZATION} lasts longer or shorter than the evidence holds"
