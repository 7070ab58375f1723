"""How fast requests came, and how long a run that would decide takes at that pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.outcome import Outcome

if TYPE_CHECKING:
    from go_live.outcome import Verdict
    from go_live.table import Table

MAX_GAP_S = 5.0
"""A pause of the load up to this length is no interruption."""

MINUTE_S = 60
HOUR_S = 3600
LONG_S = 90 * MINUTE_S
"""From here on a length of time is told in hours."""


def served_s(due: Table) -> float:
    """Seconds during which requests were in flight, pauses up to :data:`MAX_GAP_S` included.

    On the wall clock, because a resumed soak continues on another monotonic one.
    """
    took = np.nan_to_num(due.done - due.due)
    starts, ends = due.wall, np.maximum.accumulate(due.wall + took)
    # In due order: a pause is where a request begins long after every earlier one has ended.
    pauses = starts[1:] - ends[:-1]
    return float(ends[-1] - starts[0] - pauses[pauses > MAX_GAP_S].sum())


def timed(verdict: Verdict, due: Table) -> Verdict:
    """``verdict`` with the time that the run which would decide takes at the pace of ``due``, where one is named."""
    if verdict.outcome is not Outcome.INCONCLUSIVE or verdict.needed is None or not len(due):
        return verdict
    seconds = served_s(due)
    # Requests that all came at once, or at no time, have no pace.
    if not seconds > 0:
        return verdict
    return msgspec.structs.replace(verdict, reason=f"{verdict.reason}, {about(verdict.needed * seconds / len(due))}")


def about(seconds: float) -> str:
    """``about 20 seconds``, ``about 4 minutes``, ``about 3 hours``."""
    if seconds < MINUTE_S:
        return _counted(seconds, "second")
    return _counted(seconds / MINUTE_S, "minute") if seconds < LONG_S else _counted(seconds / HOUR_S, "hour")


def _counted(amount: float, unit: str) -> str:
    whole = max(1, round(amount))
    return f"about {whole:,} {unit}{'s' if whole > 1 else ''}"
