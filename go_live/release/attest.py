"""What is attested of a release: three statements, made of plan, results and decision, and signed. Pure."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from go_live.checklist import Plan
from go_live.decide import Answer, Decision, ItemResult
from go_live.errors import MeasurementError
from go_live.evidence import dsse
from go_live.evidence.statement import (
    TEST_RESULT,
    Authorization,
    Check,
    Checked,
    Resource,
    TestResult,
    encode,
    predicate_type,
)
from go_live.release.metadata import METADATA_NAME
from go_live.release.trust import iso

RESULT, CHECK, AUTHORIZATION = "test-result.intoto.json", "check.intoto.json", "authorization.intoto.json"
"""Files of the record, each a signed envelope."""

_IMAGE = re.compile(r"sha256:([0-9a-f]{64})$")


def attestations(
    *,
    plan: Plan,
    results: Sequence[ItemResult],
    decision: Decision,
    metadata: bytes,
    document: Mapping[str, Any],
    keys: Mapping[str, Ed25519PrivateKey],
    when: float,
) -> dict[str, bytes]:
    """The signed envelopes of a release, by file name. A rehearsal authorizes nothing: it has no authorization.

    Args:
        plan: of the run.
        results: of all items.
        decision: a GO or GO-WITH-WAIVERS.
        metadata: the bytes of DEPLOYMENT_METADATA.json.
        document: what they say.
        keys: name (``SHA256:…``) -> key that signs.
        when: Unix time of the release.

    Raises:
        MeasurementError: nothing says until when the decision holds, so that it cannot be authorized.
    """
    about = subject(metadata, document)
    checked = _check(plan, results, decision, document)
    sealed = {
        RESULT: dsse.seal(encode(about, TEST_RESULT, _result(plan, decision, document)), keys),
        CHECK: dsse.seal(encode(about, predicate_type("check", plan.profile), checked), keys),
    }
    if plan.profile == "rehearsal":
        return sealed
    allowed = _authorization(plan, decision, document, inputs=sealed, when=when)
    statement = encode(about, predicate_type("authorization", plan.profile), allowed)
    return sealed | {AUTHORIZATION: dsse.seal(statement, keys)}


def subject(metadata: bytes, document: Mapping[str, Any]) -> tuple[Resource, ...]:
    """What every statement of a release is about: commit, metadata, and the image where it has a digest."""
    about = [
        Resource(name="git", digest={"gitCommit": document["git_commit"], "gitTree": document["git_tree"]}),
        Resource(name=METADATA_NAME, digest={"sha256": sha256(metadata)}),
    ]
    if image := _IMAGE.search(document["image"]):
        about.append(Resource(name="image", digest={"sha256": image[1]}))
    return tuple(about)


def subject_after(tag: str, verdict: bytes) -> tuple[Resource, ...]:
    """What a statement after the tag is about: the tag object, and the file of the verdict."""
    return (
        Resource(name="tag", digest={"gitTag": tag}),
        Resource(name="verdict", digest={"sha256": sha256(verdict)}),
    )


def sha256(content: bytes) -> str:
    """Hex."""
    return hashlib.sha256(content).hexdigest()


def _planned(document: Mapping[str, Any]) -> Resource:
    """The plan: thresholds, items and the digests of what was judged by."""
    return Resource(name="plan.json", digest={"sha256": document["evidence"]["plan.json"]})


def _result(plan: Plan, decision: Decision, document: Mapping[str, Any]) -> TestResult:
    """The required items in in-toto's words."""
    waived = tuple(one.item for one in decision.waived)
    configuration = [Resource(name=name, digest={"sha256": one}) for name, one in sorted(plan.digests.items())]
    return TestResult(
        result="WARNED" if waived else "PASSED",
        configuration=(_planned(document), *configuration),
        passed=tuple(item for item in plan.required if item not in waived),
        warned=waived,
        failed=(),
    )


def _authorization(
    plan: Plan, decision: Decision, document: Mapping[str, Any], *, inputs: Mapping[str, bytes], when: float
) -> Authorization:
    """What may be done because of it, and until when: the first evidence or waiver that ends, ends it."""
    if decision.valid_until is None or plan.profile == "rehearsal":
        raise MeasurementError("nothing says until when this decision holds, so nothing can be authorized by it")
    return Authorization(
        decision="GO-WITH-WAIVERS" if decision.answer is Answer.GO_WITH_WAIVERS else "GO",
        environment=plan.profile,
        run_id=plan.run_id,
        not_before=iso(when),
        not_after=iso(decision.valid_until),
        inputs=tuple(Resource(name=name, digest={"sha256": sha256(one)}) for name, one in inputs.items()),
        policy=(_planned(document),),
        rollback=document["previous_release"],
    )


def _check(plan: Plan, results: Sequence[ItemResult], decision: Decision, document: Mapping[str, Any]) -> Check:
    """Every item, whether required or not, as it came out."""
    waived = {one.item for one in decision.waived}
    ages = {item.id: item.evidence_days for item in plan.items}
    return Check(
        mode=plan.profile,
        run_id=plan.run_id,
        gate={"id": "golive", "version": plan.versions.get("golive", "unknown")},
        endpoint={
            "id": plan.target.endpoint_id,
            "uri": plan.target.job_api,
            "observedCommit": document["git_commit"],
            "observedImage": document["image"],
        },
        evidence=tuple(Resource(name=name, digest={"sha256": one}) for name, one in document["evidence"].items()),
        checks=tuple(
            checked(one, required=one.item in plan.required, waived=one.item in waived, days=ages[one.item])
            for one in results
        ),
    )


def checked(result: ItemResult, *, required: bool, waived: bool, days: int) -> Checked:
    """One item as a check statement tells it; ``days``: how long it stays valid."""
    return Checked(
        id=result.item,
        state=result.outcome.value,
        required=required,
        waived=waived,
        concluded_on=None if result.concluded_at is None else iso(result.concluded_at),
        valid_for=f"P{days}D",
        reason=result.reason,
    )


def states(results: Sequence[ItemResult]) -> dict[str, str]:
    """Item -> outcome, as the check statement has to say it."""
    return {one.item: one.outcome.value for one in results}
