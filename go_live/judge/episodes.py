"""Where was it slow? Stretches that hold far more slow requests than the rest, to be named in one sentence.

Each request scores 1 - t when slow and -t when not, with t halfway between the overall share of slow ones and 1; the
stretches of the largest sum are taken one after another (Ruzzo & Tompa 1999: all maximal scoring subsequences). One
counts as an episode when it holds a fair part of the slow ones and chance would hardly have put them there.
"""

from collections.abc import Sequence

import msgspec

from go_live.judge.binomial import at_least_probability

MIN_PART = 0.05
"""An episode holds at least this part of all slow requests."""

CHANCE = 0.01
"""Probability, over all places where it could begin, below which an episode is not chance."""


class Episode(msgspec.Struct, frozen=True):
    """A slow stretch; ``first`` and ``last`` count from 1 and are included."""

    first: int
    last: int
    slow: int


def find(slow: Sequence[bool]) -> list[Episode]:
    """The episodes of ``slow``, in order; none when the slow ones are spread over the whole."""
    total, n = sum(slow), len(slow)
    if total in (0, n):
        return []
    weight = (1 + total / n) / 2
    found = (_episode(slow, *stretch) for stretch in _stretches([is_slow - weight for is_slow in slow]))
    return [one for one in found if _stands_out(one, total, n)]


def where(values_ms: Sequence[float], limit_ms: float, *, first: int = 1) -> str:
    """One half sentence: ``requests 1-320 and 1507-1649 hold 437 of them``.

    Args:
        values_ms: Latencies in due order (or in the order they were kept in).
        limit_ms: Above it a request is slow.
        first: Number of the first request.
    """
    found = find([value > limit_ms for value in values_ms])
    if not found:
        return "they are spread over the whole run"
    stretches = [f"{one.first + first - 1}-{one.last + first - 1}" for one in found]
    return f"requests {' and '.join(stretches)} hold {sum(one.slow for one in found)} of them"


def _stretches(scores: Sequence[float]) -> list[tuple[int, int]]:
    """All maximal scoring stretches [low, high), in order: the best one, then those to its left and right."""
    todo, done = [(0, len(scores))], []
    while todo:
        low, high = todo.pop()
        best = _best(scores, low, high)
        if best is None:
            continue
        done.append(best)
        todo += [(low, best[0]), (best[1], high)]
    return sorted(done)


def _best(scores: Sequence[float], low: int, high: int) -> tuple[int, int] | None:
    """The stretch of the largest positive sum within [low, high) (Kadane); None when no score is positive."""
    best, best_sum, start, running = None, 0.0, low, 0.0
    for i in range(low, high):
        if running <= 0:
            start, running = i, 0.0
        running += scores[i]
        if running > best_sum:
            best, best_sum = (start, i + 1), running
    return best


def _episode(slow: Sequence[bool], low: int, high: int) -> Episode:
    return Episode(low + 1, high, sum(slow[low:high]))


def _stands_out(one: Episode, total: int, n: int) -> bool:
    length = one.last - one.first + 1
    return one.slow >= MIN_PART * total and n * at_least_probability(one.slow, length, total / n) < CHANCE
