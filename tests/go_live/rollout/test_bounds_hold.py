"""The confidence sequence of a share holds at all looks at once."""

import numpy as np
import pytest

from go_live.rollout.bounds import highest, lowest


@pytest.mark.parametrize("rate", [0.95, 0.99])
def test_the_true_share_hardly_ever_leaves_its_bounds(rate: float) -> None:
    """Looked at ten times within 500 requests, both bounds together are wrong in at most 2 alpha of 200 runs."""
    draw, alpha, wrong = np.random.default_rng(3), 0.05, 0
    for _ in range(200):
        misses = np.cumsum(draw.random(500) >= rate)
        looks = [(int(misses[n - 1]), n) for n in range(50, 501, 50)]
        wrong += any(not lowest(*look, alpha) <= rate <= highest(*look, alpha) for look in looks)
    assert wrong <= 2 * alpha * 200
