"""Step of a verification: what was added to the record after the tag is ours, and about this tag. Pure.

What it says does not change whether the release is what its tag says it is: a FAIL after the tag is shown as such.
"""

from collections.abc import Iterator

import msgspec

from go_live.decide import ItemResult
from go_live.errors import UsageError
from go_live.evidence import dsse
from go_live.evidence.statement import Check, decode, predicate_type
from go_live.release.attest import subject_after
from go_live.release.binding import step
from go_live.release.found import AFTER
from go_live.release.trust import ATTESTATIONS, ed25519_raw
from go_live.release.verification import Case, Step

ATTESTED, VERDICT = ".intoto.json", ".json"


def after_step(case: Case) -> Step:
    """Each verdict after the tag is attested by a key that was pinned and valid when it was drawn."""
    # REL-4.json before REL-4.2.json: in the order in which they were added.
    added = sorted((name for name in case.found.files if name.startswith(AFTER)), key=lambda name: (len(name), name))
    verdicts = [name for name in added if name.endswith(VERDICT) and not name.endswith(ATTESTED)]
    expected = {*verdicts, *(name.removesuffix(VERDICT) + ATTESTED for name in verdicts)}
    problems = [f"{name} was added to the record, and is no verdict" for name in added if name not in expected]
    told = []
    for name in verdicts:
        try:
            result = msgspec.json.decode(case.found.files[name], type=ItemResult)
            problems += [f"{name} {problem}" for problem in _problems(case, name, result)]
            told.append(f"{result.item} {result.outcome.name}")
        except (UsageError, msgspec.DecodeError) as error:
            problems.append(f"{name}: {error}")
    return step("after-tag", problems, ", ".join(told) or "nothing was added yet")


def _problems(case: Case, name: str, result: ItemResult) -> Iterator[str]:
    """Why a verdict does not count.

    Raises:
        UsageError: its attestation is refused.
    """
    if not name.startswith(f"{AFTER}{result.item}."):
        yield f"is about {result.item}"
    envelope = case.found.files.get(name.removesuffix(VERDICT) + ATTESTED)
    if envelope is None:
        if case.trust.required:
            yield "was added without an attestation"
        return
    at = result.concluded_at
    if at is None or (case.recorded.judged_at is not None and at < case.recorded.judged_at):
        yield "was not drawn after the evidence"
        return
    keys = {
        signer.fingerprint: raw
        for signer in case.trust.signers
        if not signer.refusal(ATTESTATIONS, at) and (raw := ed25519_raw(signer.key)) is not None
    }
    about = subject_after(case.found.tag_id, case.found.files[name])
    payload = dsse.unseal(envelope, keys).payload
    said = decode(payload, predicate_type("check", case.trust.profile), Check, subject=about)
    if [(one.id, one.state) for one in said.checks] != [(result.item, result.outcome.value)]:
        yield "says something else than its attestation"
