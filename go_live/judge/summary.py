"""Several verdicts -> one outcome and one sentence."""

from collections.abc import Sequence

from go_live.outcome import Outcome, Verdict, worst

WORDS = {
    Outcome.PASS: "PASS",
    Outcome.FAIL: "NO-GO",
    Outcome.INCONCLUSIVE: "INCONCLUSIVE",
    Outcome.ERROR: "ERROR",
    Outcome.NOT_RUN: "NOT RUN",
    Outcome.NOT_APPLICABLE: "NOT APPLICABLE",
    Outcome.ATTESTED: "ATTESTED",
}
"""The answer, as a person reads it first."""

SAYS = {
    Outcome.FAIL: "shown not to hold",
    Outcome.INCONCLUSIVE: "undecided",
    Outcome.ERROR: "not measured",
    Outcome.NOT_RUN: "not judged",
}


def conclude(verdicts: Sequence[Verdict]) -> tuple[Outcome, str]:
    """The worst outcome, and a sentence that names the first claim that has it; no verdicts at all is an ERROR."""
    outcome = worst(verdict.outcome for verdict in verdicts)
    if not verdicts:
        return outcome, "no claim was judged"
    having = [verdict for verdict in verdicts if verdict.outcome is outcome]
    if outcome not in SAYS:
        return outcome, f"every one of {len(verdicts)} claims holds"
    count = f"{len(having)} of {len(verdicts)} claims {'is' if len(having) == 1 else 'are'} {SAYS[outcome]}"
    return outcome, f"{count}: {spoken(having[0])}"


def spoken(verdict: Verdict) -> str:
    """The verdict's reason, with the part of the run that it speaks of."""
    return f"{verdict.scope} {verdict.reason}" if verdict.scope else verdict.reason
