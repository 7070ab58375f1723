"""What ``golive judge`` concludes, as it is printed and as ``--json``. Pure."""

from collections.abc import Sequence

import msgspec

from go_live.judge.compare import Comparison
from go_live.outcome import Outcome, Verdict


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One answer and the verdicts it rests on."""

    outcome: Outcome
    reason: str
    n: int
    """Requests that were judged."""
    verdicts: list[Verdict]
    source: str
    """What was judged: a file's path, a run's id."""
    slo: str
    """``load``, ``soak`` or ``load and soak``."""
    not_in_file: Sequence[str] = ()
    """What the limits ask for and the file does not keep."""
    notes: Sequence[str] = ()
    """What else a reader has to know: where a run's recorded verdicts differ from these."""
    comparison: Comparison | None = None
