"""Two runs side by side: latency, and the time spent waiting. Point figures; no verdict."""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from go_live.judge.percentiles import POINTS, Figures, percentile, percentiles


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison needs of a run."""

    name: str
    totals_ms: Figures
    tokens: Figures
    """Output tokens of each request, 0 for one without an answer."""
    queues_ms: Figures | None = None
    """``delayTime``; None when it was not kept, and the queue is estimated."""


class Pair(msgspec.Struct, frozen=True):
    """One figure of both runs; None where it is infinite."""

    ours: float | None
    theirs: float | None
    change: float | None
    """Relative difference of ours to theirs: -0.64 is 64 % lower; None when there is none."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """``ours`` against ``theirs``."""

    ours: str
    theirs: str
    totals: dict[str, Pair]
    queue_p50: Pair
    queue_how: str
    """Where the queue time comes from: the platform, or which estimate."""


def compare(ours: Run, theirs: Run) -> Comparison:
    """Compare two runs.

    Where ``delayTime`` was not kept, the queue is estimated as the total minus the fastest answer of the usual
    length in either run: that one waited least, so what exceeds it is taken for waiting (docs/decisions/0040).

    Raises:
        ValueError: a run without requests, or without any answer to estimate from.
    """
    totals = zip(percentiles(ours.totals_ms, POINTS), percentiles(theirs.totals_ms, POINTS), strict=True)
    if ours.queues_ms is not None and theirs.queues_ms is not None:
        waits = (percentile(ours.queues_ms, 50), percentile(theirs.queues_ms, 50))
        how = "delayTime, as the platform reports it"
    else:
        base = fastest_usual((ours, theirs))
        waits = (percentile(ours.totals_ms, 50) - base, percentile(theirs.totals_ms, 50) - base)
        how = f"estimated: total minus {base:.0f} ms, the fastest answer of the usual length in either"
    return Comparison(
        ours=ours.name,
        theirs=theirs.name,
        totals={f"p{q}_ms": _pair(*pair) for q, pair in zip(POINTS, totals, strict=True)},
        queue_p50=_pair(*waits),
        queue_how=how,
    )


def fastest_usual(runs: Sequence[Run]) -> float:
    """The fastest answer, in ms, of the token count that is the most common over ``runs``.

    Raises:
        ValueError: no request was answered.
    """
    answers = [
        (ms, tokens)
        for run in runs
        for ms, tokens in zip(run.totals_ms, run.tokens, strict=True)
        if math.isfinite(ms) and tokens > 0
    ]
    if not answers:
        raise ValueError("no request was answered: there is nothing to compare")
    usual = Counter(tokens for _, tokens in answers).most_common(1)[0][0]
    return float(min(ms for ms, tokens in answers if tokens == usual))


def _pair(ours: float, theirs: float) -> Pair:
    change = ours / theirs - 1 if math.isfinite(ours) and math.isfinite(theirs) and theirs > 0 else None
    return Pair(_known(ours), _known(theirs), change)


def _known(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None
