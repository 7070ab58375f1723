"""Where was it slow? Stretches that hold far more slow requests than the rest, to be named in one sentence.

Each request scores 1 - t when slow and -t when not, with t halfway between the overall share of slow ones and 1; the
stretches of the largest sum are taken one after another (Ruzzo & Tompa 1999: all maximal scoring subsequences). One
counts as an episode when it holds a fair part of the slow ones and chance would hardly have put them there.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge.binomial import at_least_probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.judge.percentiles import Figures
    from go_live.table import Bools

MIN_PART = 0.05
"""An episode holds at least this part of all slow requests."""

CHANCE = 0.01
"""Probability, over all places where it could begin, below which an episode is not chance."""


class Episode(msgspec.Struct, frozen=True):
    """A slow stretch; ``first`` and ``last`` count from 1 and are included."""

    first: int
    last: int
    slow: int


def find(slow: Sequence[bool] | Bools) -> list[Episode]:
    """The episodes of ``slow``, in order; none when the slow ones are spread over the whole."""
    marks = np.asarray(slow, dtype=np.bool_)
    total, n = int(marks.sum()), marks.size
    if total in (0, n):
        return []
    found = (Episode(low + 1, high, int(marks[low:high].sum())) for low, high in _stretches(marks, (1 + total / n) / 2))
    return [one for one in found if _stands_out(one, total, n)]


def where(values_ms: Figures, limit_ms: float, *, first: int = 1) -> str:
    """One half sentence: ``requests 1-320 and 1507-1649 hold 437 of them``.

    Args:
        values_ms: Latencies in due order (or in the order they were kept in).
        limit_ms: Above it a request is slow.
        first: Number of the first request.
    """
    found = find(np.asarray(values_ms, dtype=np.float64) > limit_ms)
    if not found:
        return "they are spread over the whole run"
    stretches = [f"{one.first + first - 1}-{one.last + first - 1}" for one in found]
    return f"requests {' and '.join(stretches)} hold {sum(one.slow for one in found)} of them"


class _Candidate(msgspec.Struct):
    """A stretch [low, high) and the sums of all scores before it and up to its end."""

    low: int
    high: int
    before: float
    after: float
    link: int
    """Place of the nearest earlier candidate that began on a lower sum; -1 for none."""


def _stretches(marks: Bools, weight: float) -> list[tuple[int, int]]:
    """All maximal scoring stretches [low, high), in order, in one pass over the runs of equal marks."""
    edges = np.flatnonzero(np.diff(marks)) + 1
    bounds = [0, *edges.tolist(), marks.size]
    found: list[_Candidate] = []
    total, slow = 0.0, bool(marks[0])
    for low, high in itertools.pairwise(bounds):
        score = (high - low) * ((1 - weight) if slow else -weight)
        if slow:
            _add(found, _Candidate(low, high, total, total + score, -1))
        total += score
        slow = not slow
    return [(one.low, one.high) for one in found]


def _add(found: list[_Candidate], new: _Candidate) -> None:
    """Put ``new`` behind ``found``, joined with what it makes one stretch with (Ruzzo & Tompa 1999, section 2)."""
    while True:
        place = len(found) - 1
        # Whatever lies between a candidate and its link began on a sum at least as high: it can be jumped over.
        while place >= 0 and found[place].before >= new.before:
            place = found[place].link
        if place < 0 or found[place].after >= new.after:
            new.link = place
            found.append(new)
            return
        new.low, new.before = found[place].low, found[place].before
        del found[place:]


def _stands_out(one: Episode, total: int, n: int) -> bool:
    length = one.last - one.first + 1
    return one.slow >= MIN_PART * total and n * at_least_probability(one.slow, length, total / n) < CHANCE
