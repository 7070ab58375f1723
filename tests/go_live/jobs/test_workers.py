"""What /health tells of workers, in each shape that it is known to have."""

import json
from typing import Any

import pytest

from go_live.jobs.transport import Reply
from go_live.jobs.workers import paid, up, workers_of


def told(body: Any, status: int = 200) -> Any:
    """What a reply tells."""
    return workers_of(Reply(status, "application/json", json.dumps(body).encode()))


def test_the_live_shape() -> None:
    """All six counts; ready holds the running ones."""
    workers = told(
        {"workers": {"idle": 1, "initializing": 2, "ready": 3, "running": 2, "throttled": 4, "unhealthy": 1}}
    )
    assert (up(workers), paid(workers)) == (3, 6)


def test_the_documented_shape_and_a_ready_that_leaves_the_running_out() -> None:
    """Idle and running alone; ready alone; and ready beside running, where it does not hold them."""
    assert up(told({"workers": {"ready": 2, "idle": 0, "running": 0}})) == 2
    assert up(told({"workers": {"idle": 1, "running": 2}})) == 3
    assert up(told({"workers": {"ready": 1, "running": 3}})) == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"workers": None},
        {"workers": {}},
        {"workers": {"throttled": 2}},
        {"workers": {"idle": "two"}},
        {"workers": {"idle": -1, "running": 0}},
        {"jobs": {"completed": 3}},
        [1, 2],
    ],
)
def test_what_is_not_told_is_not_zero(body: Any) -> None:
    """A body without usable counts tells nothing."""
    assert told(body) is None


def test_a_refusal_tells_nothing() -> None:
    """Whatever stands in its body."""
    assert told({"workers": {"idle": 1}}, status=401) is None
