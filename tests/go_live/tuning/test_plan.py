"""What is swept, and in which order."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.errors import UsageError
from go_live.tuning.plan import (
    DEFAULT,
    ROUNDS,
    Cell,
    checked_levels,
    checked_requests,
    checked_settings,
    expected_dollars,
    order,
)
from tests.go_live.tuning.simulated import SHIPPED, planned


@given(st.integers(0, 2**31), st.integers(0, ROUNDS - 1))
def test_a_round_has_every_cell_once(seed: int, number: int) -> None:
    """Whatever the seed: each setting comes at each level exactly once in a round, and the same seed draws the same."""
    plan = msgspec.structs.replace(planned(settings=("1", DEFAULT)), seed=seed)
    cells = order(plan, number)
    assert Counter(cells) == Counter(Cell(s, c) for s in plan.settings for c in plan.levels)
    assert cells == order(plan, number)


def test_rounds_differ_in_their_order() -> None:
    """Rounds and seeds each draw their own order: no cell is always measured last."""
    plan = planned(settings=("1", DEFAULT))
    orders = [tuple(order(plan, number)) for number in range(ROUNDS)]
    orders += [tuple(order(msgspec.structs.replace(plan, seed=8), 0))]
    assert len(set(orders)) == len(orders)


@pytest.mark.parametrize("levels", [(), (0,), (-1, 2), (65,), tuple(range(1, 18))])
def test_levels_that_make_no_sweep(levels: tuple[int, ...]) -> None:
    """None, too many, and levels out of range are refused."""
    with pytest.raises(UsageError, match="--concurrency"):
        checked_levels(levels)


@pytest.mark.parametrize("setting", ["0", "-1", "1.5", "many", "", "٣", "01"])
def test_settings_that_the_worker_would_refuse(setting: str) -> None:
    """Only whole numbers from 1 and ``default``."""
    with pytest.raises(UsageError, match="--max-concurrency takes whole numbers"):
        checked_settings((setting,))


def test_requests_that_could_show_nothing() -> None:
    """Fewer than p95 needs without a miss, and rounds that do not outlast their own beginning, are refused."""
    with pytest.raises(UsageError, match="takes 59 requests to be shown good"):
        checked_requests(58, (1, 2), SHIPPED)
    with pytest.raises(UsageError, match="give at least 132"):
        checked_requests(124, (1, 32), SHIPPED)
    assert checked_requests(59, (1, 2), SHIPPED) == 60


def test_what_a_live_sweep_costs() -> None:
    """The workers that the scaler starts for a level, for as long as its requests take; nothing locally."""
    plan = planned(levels=(1, 4))
    seconds = {1: (31 + 1) * ROUNDS * 2.0, 4: (31 + 4) * ROUNDS / 4 * 2.0}
    dollars = sum({1: 2, 4: 4}[c] * s for c, s in seconds.items()) / 3600 * SHIPPED.price.dollars_per_worker_hour
    assert expected_dollars(plan, 2000) == pytest.approx(dollars)
    local = msgspec.structs.replace(plan, where=msgspec.structs.replace(plan.where, kind="local"))
    assert expected_dollars(local, 2000) == 0
