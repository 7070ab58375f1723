"""Outcomes and verdicts: what a check concludes, and how conclusions combine. Pure."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from go_live.errors import ExitCode


class Outcome(StrEnum):
    """What is known about an item (design, section 2)."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    """Shown to hold."""
    FAIL = "fail"
    """Shown to be bad."""
    INCONCLUSIVE = "inconclusive"
    """Neither shown."""
    ERROR = "error"
    """We could not measure."""
    NOT_RUN = "not_run"
    """Nothing was tried, or the evidence has expired."""
    NOT_APPLICABLE = "not_applicable"
    """Proven that it cannot apply."""
    ATTESTED = "attested"
    """A person's dated statement, shown as such."""


SEVERITY = (
    Outcome.FAIL,
    Outcome.ERROR,
    Outcome.NOT_RUN,
    Outcome.INCONCLUSIVE,
    Outcome.ATTESTED,
    Outcome.PASS,
    Outcome.NOT_APPLICABLE,
)
"""Worst first: fail before error before inconclusive."""

SATISFYING = frozenset({Outcome.PASS, Outcome.ATTESTED, Outcome.NOT_APPLICABLE})
"""Outcomes that do not stand in the way of a GO."""

EXIT_CODES = {
    Outcome.FAIL: ExitCode.NO_GO,
    Outcome.ERROR: ExitCode.NOT_MEASURED,
    Outcome.NOT_RUN: ExitCode.NOT_MEASURED,
    Outcome.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    Outcome.ATTESTED: ExitCode.GO,
    Outcome.PASS: ExitCode.GO,
    Outcome.NOT_APPLICABLE: ExitCode.GO,
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One claim's conclusion, with the numbers it rests on.

    ``measured`` is None where the figure is infinite or does not exist; ``reason`` then says which.
    A NaN or an infinity never appears in a verdict: JSON has no word for them.
    """

    claim: str
    """What is claimed, as one sentence with its limit ("c=2: total p95 is at most 6000 ms")."""
    outcome: Outcome
    reason: str
    """One sentence: why this outcome, with n."""
    item: str | None = None
    """Checklist item id, e.g. ``PERF-2``; None outside a checklist."""
    scope: str | None = None
    """What part of the run it speaks of: ``c=2``, ``soak``; None when there is only one."""
    measured: float | None = None
    limit: float | None = None
    unit: str | None = None
    n: int | None = None
    """Due requests (or examples) the claim rests on."""
    misses: int | None = None
    """How many of the n were not ok."""
    needed: int | None = None
    """Size of a newly planned run that would decide, or None."""
    margin: int | None = None
    """How many misses more (of a PASS or an INCONCLUSIVE) or fewer (of a FAIL) would turn it; None: no such count."""
    points: dict[str, float] = {}
    """Plain nearest-rank figures: ``p50_ms``, ``p95_ms``, ``p99_ms``, and what else is worth a look."""


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of ``outcomes``; ``ERROR`` for none at all, because nothing was shown."""
    return min(outcomes, key=SEVERITY.index, default=Outcome.ERROR)


def exit_code(outcome: Outcome) -> ExitCode:
    """The exit code of a command that concludes ``outcome``."""
    return EXIT_CODES[outcome]
