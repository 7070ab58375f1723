"""Where was it slow?"""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from go_live.judge.episodes import Episode, find, where


def scattered(n: int, rate: float, seed: int) -> list[bool]:
    """Slow requests by chance, seeded."""
    source = random.Random(seed)  # noqa: S311 - a seeded test, not a secret
    return [source.random() < rate for _ in range(n)]


def test_two_episodes_are_found_exactly() -> None:
    """Two solid slow stretches in a fast run, and a stray slow request that belongs to neither."""
    slow = [100 <= i < 200 or 700 <= i < 760 or i == 450 for i in range(1000)]
    assert find(slow) == [Episode(101, 200, 100), Episode(701, 760, 60)]


def test_an_episode_may_have_gaps() -> None:
    """A stretch where nine of ten are slow is one episode."""
    slow = [i < 300 and i % 10 != 5 for i in range(2000)]
    assert find(slow) == [Episode(1, 300, 270)]


def test_chance_makes_no_episodes() -> None:
    """In 200 seeded runs of slow requests strewn at random, hardly any shows an episode."""
    shown = sum(bool(find(scattered(1000, rate, seed))) for seed in range(100) for rate in (0.05, 0.3))
    assert shown <= 2


def test_all_or_none_has_no_place() -> None:
    """Where everything is slow, or nothing, there is no stretch to name."""
    assert find([True] * 50) == []
    assert find([False] * 50) == []
    assert find([]) == []


@given(st.lists(st.booleans(), max_size=300))
def test_episodes_are_apart_and_counted(slow: list[bool]) -> None:
    """Episodes are in order, do not overlap, begin and end with a slow request, and count what they hold."""
    found = find(slow)
    assert all(before.last < after.first for before, after in itertools.pairwise(found))
    assert all(slow[one.first - 1] and slow[one.last - 1] for one in found)
    assert all(one.slow == sum(slow[one.first - 1 : one.last]) for one in found)


def test_the_sentence() -> None:
    """The half sentence counts from the number of the first row that is judged."""
    values = [9000.0 if i < 40 else 3000.0 for i in range(400)]
    assert where(values, 6000) == "requests 1-40 hold 40 of them"
    assert where(values, 6000, first=101) == "requests 101-140 hold 40 of them"


def test_the_sentence_without_a_place() -> None:
    """Slow ones that lie everywhere are said to."""
    values = [9000.0 if slow else 3000.0 for slow in scattered(400, 0.2, seed=1)]
    assert where(values, 6000) == "they are spread over the whole run"


def test_a_small_cluster_is_no_episode() -> None:
    """A cluster that holds less than a twentieth of the slow requests is not worth naming, chance or not."""
    slow = [i < 300 or 700 <= i < 708 for i in range(1000)]
    assert find(slow) == [Episode(1, 300, 300)]
