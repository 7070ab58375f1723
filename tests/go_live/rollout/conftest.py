"""Worlds in which rollouts are simulated."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.traffic import Quality
from selftest.rollout_world import World, settings

Worlds = Callable[..., World]


@pytest.fixture
def worlds(tmp_path: Path) -> Worlds:
    """Make a world around a candidate; its controller looks every two minutes, unless told otherwise."""

    def make(candidate: Quality | None = None, *, rollout: dict[str, Any] | None = None, **options: Any) -> World:
        chosen = {"look_every_s": 120.0, "lease_s": 400.0, "decision_valid_s": 400.0} | (rollout or {})
        return World(tmp_path / "rollouts", candidate or Quality(), config=settings(**chosen), **options)

    return make
