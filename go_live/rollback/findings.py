"""What was found out before a rollback, and the answer that follows. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from go_live.errors import ExitCode
from go_live.outcome import Outcome, exit_code, worst

Name = Literal["tag", "image", "settings", "measured", "rehearsed", "endpoint", "smoke"]
WORDS = {
    ExitCode.GO: "READY",
    ExitCode.NO_GO: "STOP",
    ExitCode.INCONCLUSIVE: "UNSURE",
    ExitCode.NOT_MEASURED: "BLIND",
}
"""The one word on top, by exit code."""
MEANS = {
    ExitCode.GO: "it can be rolled back to",
    ExitCode.NO_GO: "do not roll back to it",
    ExitCode.INCONCLUSIVE: "nothing against it, and not all of it is shown",
    ExitCode.NOT_MEASURED: "not everything could be looked at",
}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found."""

    name: Name
    outcome: Outcome
    reason: str
    """One sentence, fit to be shown."""
    decides: bool = True
    """False: it is told, and decides nothing: that the endpoint is down now is why somebody wants to go back."""
    seconds: float = 0.0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that on-call has to know, in the order of the screen."""

    version: str
    outcome: Outcome
    reason: str
    """The finding that decided."""
    findings: tuple[Finding, ...]
    changes: tuple[str, ...]
    stays: tuple[str, ...]
    commit: str
    image: str
    now_image: str
    """What the endpoint runs now; empty: unknown."""
    how: str
    """``image``, ``template``, ``none`` or ``unknown``."""
    seconds: float

    @property
    def exit_code(self) -> ExitCode:
        """0 ready, 1 do not, 3 not all is shown, 4 not everything could be looked at."""
        return exit_code(self.outcome)

    @property
    def word(self) -> str:
        """One of :data:`WORDS`."""
        return WORDS[self.exit_code]

    @property
    def unknown(self) -> tuple[Finding, ...]:
        """What could not be checked, the deciding ones first."""
        open_ends = {Outcome.ERROR, Outcome.NOT_RUN, Outcome.INCONCLUSIVE}
        found = [finding for finding in self.findings if finding.outcome in open_ends]
        return tuple(sorted(found, key=lambda finding: not finding.decides))


def decide(findings: Sequence[Finding]) -> tuple[Outcome, str]:
    """The worst of the findings that decide, and its reason: nothing that was not looked at is ever ready."""
    deciding = [finding for finding in findings if finding.decides]
    outcome = worst(finding.outcome for finding in deciding)
    outcome = Outcome.PASS if outcome in {Outcome.NOT_APPLICABLE, Outcome.ATTESTED} else outcome
    if outcome is Outcome.PASS:
        return outcome, "it is what it says it is, it is still there, and it fits"
    return outcome, next((one.reason for one in deciding if one.outcome is outcome), "nothing was looked at")
