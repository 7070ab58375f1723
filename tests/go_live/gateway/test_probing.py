"""The device's memory is told by a probe."""

from typing import Any

import pytest

from go_live.gateway import probing
from tests.go_live.gateway.conftest import Behind


@pytest.mark.parametrize(
    ("told", "ratio"),
    [
        ({"device_memory_used_mib": 22000, "device_memory_total_mib": 24564}, 22000 / 24564),
        ({"device_memory_used_mib": None, "device_memory_total_mib": None}, None),
        ({"device_memory_used_mib": 1, "device_memory_total_mib": 0}, None),
        ({"device_memory_used_mib": float("nan"), "device_memory_total_mib": 2}, None),
        ({"device_memory_used_mib": True, "device_memory_total_mib": 2}, None),
        ({}, None),
    ],
)
def test_only_what_a_worker_tells_is_a_ratio(told: dict[str, Any], ratio: float | None) -> None:
    """Used over total, where both are numbers; else nothing is known."""
    assert probing.memory_ratio({"probe": told}) == ratio
    assert probing.memory_ratio(told) is None
    assert probing.memory_ratio(None) is None


async def test_a_worker_is_probed_within_the_cap_and_not_counted(gateway: Behind) -> None:
    """A probe is answered by a real worker (which has no device here), takes a place, and is no request."""
    upstream = gateway.gateway.gateway.upstreams["local"]
    assert await probing.probe(upstream, 20.0) is None
    assert upstream.sent == 1
    assert upstream.admission.line.under_way == 0
    assert gateway.kept == []
