"""Is a release what its tag says it is? One judgement in nine steps, from what a repository holds. Pure.

    tag            annotated, under its own name, on a commit that is here
    signature      by a pinned key that was valid when the evidence was gathered
    record         the one that the tag quotes, whole, and without strangers
    metadata       valid, about this version, commit and tree, and what the tag says
    attestations   signed by pinned keys of this profile, about exactly this release
    log            chained from the plan to the end, bound to what was concluded
    decision       follows again from plan and verdicts
    authorization  was in force when the tag was made
    after-tag      what was added later is attested, and about this tag

No step is skipped because another failed: each says what it found.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from go_live.errors import ExitCode
from go_live.outcome import Outcome, exit_code, worst
from go_live.release.found import Found
from go_live.release.recorded import Recorded
from go_live.release.signature import Signature
from go_live.release.trust import Trust

Name = Literal[
    "tag", "signature", "record", "metadata", "attestations", "log", "decision", "authorization", "after-tag"
]  # fmt: skip


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a step may look at."""

    found: Found
    recorded: Recorded
    signature: Signature
    trust: Trust


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one step found."""

    name: Name
    outcome: Outcome
    """PASS, FAIL, ERROR (it is not here to be looked at), NOT_RUN (what it looks at is missing), or NOT_APPLICABLE
    (unsigned, where that is allowed)."""
    reason: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a release."""

    version: str
    outcome: Outcome
    """The worst of the steps."""
    reason: str
    """One sentence: the first of the worst steps, or what holds."""
    profile: str
    """Whose trust root was asked."""
    steps: tuple[Step, ...]
    commit: str = ""
    """What the tag names; empty: nothing that is here."""
    tag: str = ""
    """Id of the tag object."""
    record: str = ""
    """The commit of the records branch that holds the record."""
    tagger: str = ""
    tagged_at: float | None = None
    """Unix time that the tagger claims; bounded by the authorization where that holds."""
    key: str = ""
    """The key that signed the tag."""
    metadata: dict[str, Any] | None = None
    """As recorded; believe it only if ``outcome`` is PASS."""
    judged_at: float | None = None
    """Unix time of the end of the evidence."""

    @property
    def good(self) -> bool:
        """Whether it is what it says it is."""
        return self.outcome is Outcome.PASS

    @property
    def exit_code(self) -> ExitCode:
        """Of a command that asks this."""
        return exit_code(self.outcome)


Need = Literal["nothing", "tag object", "record"]
"""What has to be there for a step to be taken."""


class Asked(msgspec.Struct, frozen=True):
    """A step, and what it needs; without that it is NOT_RUN, because another step says what is missing."""

    name: Name
    need: Need
    judge: Callable[[Case], Step]

    def take(self, case: Case) -> Step:
        """What the step finds."""
        here = {"nothing": True, "tag object": case.found.tag is not None, "record": bool(case.found.files)}
        if not here[self.need]:
            return Step(name=self.name, outcome=Outcome.NOT_RUN, reason=f"there is no {self.need} to look at")
        return self.judge(case)


def judge(case: Case, steps: Sequence[Asked]) -> Verification:
    """Take every step, and say what is known."""
    taken = tuple(step.take(case) for step in steps)
    outcome = worst(step.outcome for step in taken)
    outcome = Outcome.PASS if outcome is Outcome.NOT_APPLICABLE else outcome
    found, tag = case.found, case.found.tag
    return Verification(
        version=found.version,
        outcome=outcome,
        reason=_reason(case, taken, outcome),
        profile=case.trust.profile,
        steps=taken,
        commit=found.commit,
        tag=found.tag_id,
        record=found.records if found.files else "",
        tagger=tag.tagger if tag else "",
        tagged_at=tag.when if tag else None,
        key=case.signature.key,
        metadata=case.recorded.metadata,
        judged_at=case.recorded.judged_at,
    )


def _reason(case: Case, taken: Sequence[Step], outcome: Outcome) -> str:
    """The first step of the outcome speaks; when all hold, what that comes to."""
    if outcome is not Outcome.PASS:
        return next(step.reason for step in taken if step.outcome is outcome)
    signed = case.found.tag is not None and case.found.tag.signature
    by = f"signed by {case.signature.key}" if signed else "unsigned, which golive.toml allows"
    document = case.recorded.metadata or {}
    return f"{document['decision']['answer']} of {document['deployed_at']} on {case.found.commit[:12]}, {by}"
