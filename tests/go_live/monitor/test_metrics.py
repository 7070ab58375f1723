"""Metric names and buckets."""

from pathlib import Path

import msgspec

from go_live import config as configuration
from go_live.monitor import metrics

ROOT = Path(__file__).parents[3]


def test_every_limit_ends_a_bucket() -> None:
    """Whatever limit golive.toml names, of levels, soak or alerts, a bucket ends exactly there."""
    config = configuration.load(ROOT / "golive.toml")
    odd = msgspec.structs.replace(config.slo, exec_ms_p95=4321, queue_ms_p50=777)
    changed = msgspec.structs.replace(config, slo=odd)
    ends = metrics.buckets_s(changed)
    assert {4.321, 0.777, 8.0, 6.0, 4.0, 2.0, 45.0} <= set(ends)
    assert list(ends) == sorted(set(ends))
