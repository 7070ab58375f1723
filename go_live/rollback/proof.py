"""A rehearsed way back: what its dated proof says, and whether it still shows anything. Pure.

A proof is about one tag object and one image. It is worth as much as REL-2's evidence age says (GO_LIVE_CHECKLIST.md);
after that the image may be gone, or the platform another.
"""

import msgspec

from go_live.errors import UsageError
from go_live.outcome import Outcome, Verdict
from go_live.release.trust import iso
from go_live.rollback.target import Target

DAY_S = 86_400.0
CLOCK_S = 300.0
"""How far another machine's clock may be ahead."""
AGE_DAYS = 1
"""How long a proof counts where no checklist says it."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A rehearsal that ended, well or not (``rehearsal-<tag>.json``)."""

    version: str
    tag: str
    """Id of the tag object."""
    commit: str
    image: str
    """``sha256:…`` of what was booted; empty: the platform was told a template alone."""
    scratch: str
    """Id of the endpoint that it was booted on."""
    at: float
    """Unix time of its end."""
    boot_s: float | None
    """From the write to the first answer; None: it never answered."""
    problems: tuple[str, ...]
    """What was wrong; empty: it booted and answered as the target's build."""
    scaled_to_zero: bool
    """Whether the scratch endpoint was seen without a worker afterwards."""


def parse(content: bytes, name: str) -> Proof:
    """The proof in a file's bytes.

    Raises:
        UsageError: it is none.
    """
    try:
        return msgspec.json.decode(content, type=Proof)
    except msgspec.DecodeError as error:
        raise UsageError(f"{name} is no proof of a rehearsal: {error}; rehearse again") from error


def proof_verdict(proof: Proof | None, target: Target, *, now: float, days: float = AGE_DAYS) -> Verdict:
    """Whether ``proof`` shows that the way back to ``target`` works.

    Args:
        proof: the newest of the target's version; None: there is none.
        target: as it was verified.
        now: Unix time.
        days: how long a proof counts.
    """
    claim = f"the way back to {target.version} was rehearsed"
    if proof is None:
        why = f"never: `golive rollback rehearse {target.version}` boots it on a scratch endpoint"
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason=why)
    if trouble := _foreign(proof, target):
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason=f"the proof is about something else: {trouble}")
    when = iso(proof.at)
    if not now - days * DAY_S <= proof.at <= now + CLOCK_S:
        why = f"expired: the rehearsal of {when} counts for {days:g} d" if proof.at < now else f"dated ahead: {when}"
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason=why)
    if proof.problems:
        return Verdict(claim=claim, outcome=Outcome.FAIL, reason=f"{when}: {proof.problems[0]}", n=1, misses=1)
    if proof.boot_s is None:
        return Verdict(claim=claim, outcome=Outcome.ERROR, reason=f"{when}: it does not say that it booted")
    left = "" if proof.scaled_to_zero else f"; {proof.scratch} was not seen scaled to zero: look at it"
    why = f"booted and answered in {proof.boot_s:.0f} s on {when}{left}"
    return Verdict(claim=claim, outcome=Outcome.PASS, reason=why, n=1, misses=0)


def _foreign(proof: Proof, target: Target) -> str:
    """Where a proof is not about the target: version, tag, commit and image must all be the same."""
    if proof.version != target.version:
        return f"it names {proof.version}"
    if proof.tag != target.tag:
        return f"it names the tag {proof.tag[:12]}, which is {target.tag[:12]} now"
    if proof.commit != target.commit:
        return f"it names commit {proof.commit[:12]}, and the tag {target.commit[:12]}"
    if target.digest and proof.image != target.digest:
        return f"it names image {proof.image.removeprefix('sha256:')[:12]}, and the release {target.digest[7:19]}"
    return ""
