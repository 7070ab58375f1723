"""The timed engine's pace: what it draws is what its closed form says."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.pace import Pace
from rehearsal.timed_worker import WRONG, TimedEngine, configured
from worker.settings import Settings, SettingsError

N = 20_000
PACES = st.builds(
    Pace,
    exec_ms=st.floats(1, 10_000),
    spread=st.floats(0, 0.3),
    slow_share=st.floats(0.01, 0.99),
    slow_factor=st.floats(2, 20),
    seed=st.integers(1, 2**31),
)


@settings(max_examples=30)
@given(PACES, st.floats(0.01, 0.99))
def test_the_closed_form_is_a_percentile_of_what_is_drawn(pace: Pace, q: float) -> None:
    """A share q of 20,000 draws lies at or below it, give or take five standard errors."""
    stream, limit = pace.draws(), pace.exec_ms_at(q)
    drawn = [pace.draw(stream, 0).exec_ms for _ in range(N)]
    below = sum(one <= limit for one in drawn)
    # At the border between usual and slow answers, and where all are equal, more than q lie at or below it.
    assert below / N >= q - 5 * math.sqrt(q * (1 - q) / N)
    strictly = sum(one < limit for one in drawn)
    assert strictly / N <= q + 5 * math.sqrt(q * (1 - q) / N)


@given(PACES)
def test_percentiles_rise_with_their_share(pace: Pace) -> None:
    """From the fastest usual answer to the slowest slow one."""
    values = [pace.exec_ms_at(q / 20) for q in range(21)]
    assert values == sorted(values)


def test_one_seed_makes_one_sequence() -> None:
    """The same numbers for the same seed, others for another."""
    paces = [Pace(exec_ms=100, spread=0.1, seed=seed) for seed in (3, 3, 4)]
    drawn = [[pace.draw(stream, 0) for _ in range(5)] for pace, stream in ((pace, pace.draws()) for pace in paces)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_growth_and_leak_are_straight_lines_over_the_hour_that_is_set() -> None:
    """Half of a 20 s hour at +60 % and 512 MiB an hour: 1.3 times the time, 256 MiB."""
    pace = Pace(exec_ms=100, growth_per_hour=0.6, leak_mib_per_hour=512, hour_s=20)
    assert pace.draw(pace.draws(), 10).exec_ms == pytest.approx(130)
    assert pace.leaked_bytes(10) == 256 * 2**20


def test_slow_answers_that_overlap_with_the_others_are_refused() -> None:
    """The closed form would be wrong."""
    with pytest.raises(ValueError, match="TIMED_SLOW_FACTOR"):
        Pace(exec_ms=100, spread=0.5, slow_share=0.1, slow_factor=1.5)


@pytest.mark.parametrize("q", [-0.1, 1.1])
def test_no_share_lies_outside_0_and_1(q: float) -> None:
    """A slip is said, not computed with."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        Pace(exec_ms=100).exec_ms_at(q)


async def answer(engine: TimedEngine) -> str:
    """The text of one answer."""
    prompt = engine.render([{"role": "user", "content": "How do I become a data engineer?"}])
    chunks = engine.generate("r", prompt, 150, {}, stream=False)
    return "".join([chunk.text async for chunk in chunks])


async def test_the_engine_is_wrong_as_often_as_it_is_told() -> None:
    """Of 400 answers at 15 %, 60 give or take five standard deviations are the wrong text."""
    engine = TimedEngine(Settings(), pace=Pace(exec_ms=0, wrong_share=0.15))
    wrong = [await answer(engine) == WRONG for _ in range(400)]
    assert abs(sum(wrong) - 60) < 5 * math.sqrt(400 * 0.15 * 0.85)


async def test_the_engine_keeps_what_it_leaks() -> None:
    """Two answers with time between them: the second finds memory taken since the first."""
    engine = TimedEngine(Settings(), pace=Pace(exec_ms=5, leak_mib_per_hour=1000, hour_s=1))
    await answer(engine)
    await answer(engine)
    assert sum(map(len, engine._leaked)) >= 1000 * 2**20 * 0.005


def test_the_environment_sets_every_part_of_the_pace() -> None:
    """Each TIMED_ variable arrives in its field."""
    environment = {
        "TIMED_EXEC_MS": "50",
        "TIMED_SPREAD": "0.1",
        "TIMED_SLOW_SHARE": "0.2",
        "TIMED_SLOW_FACTOR": "4",
        "TIMED_WRONG_SHARE": "0.3",
        "TIMED_GROWTH_PER_HOUR": "0.4",
        "TIMED_LEAK_MIB_PER_HOUR": "5",
        "TIMED_HOUR_S": "20",
        "TIMED_SEED": "7",
    }
    engine, _ = configured(environment)
    assert engine._pace == Pace(
        exec_ms=50,
        spread=0.1,
        slow_share=0.2,
        slow_factor=4,
        wrong_share=0.3,
        growth_per_hour=0.4,
        leak_mib_per_hour=5,
        hour_s=20,
        seed=7,
    )


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"TIMED_SPREAD": "1"}, "TIMED_SPREAD"),
        ({"TIMED_SPREAD": "0.5", "TIMED_SLOW_SHARE": "0.1", "TIMED_SLOW_FACTOR": "1.5"}, "TIMED_SLOW_FACTOR"),
    ],
)
def test_a_wrong_setting_is_named(environment: Mapping[str, str], named: str) -> None:
    """Out of range alone, or wrong together."""
    with pytest.raises(SettingsError, match=named):
        configured(environment)
