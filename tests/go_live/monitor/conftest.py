"""What the tests of monitoring share: the shipped configuration, and the programs that run the rules."""

from collections.abc import Callable
from pathlib import Path

import pytest

from go_live import config as configuration
from go_live.config import Config
from go_live.monitor import tools

ROOT = Path(__file__).parents[3]
Edit = Callable[[str, str], Config]


@pytest.fixture
def toml() -> str:
    """The shipped golive.toml."""
    return (ROOT / "golive.toml").read_text(encoding="utf-8")


@pytest.fixture
def config(toml: str) -> Config:
    """What it says."""
    return configuration.parse(toml)


@pytest.fixture
def edited(toml: str) -> Edit:
    """The shipped configuration with one text replaced by another."""

    def edit(old: str, new: str) -> Config:
        assert toml.count(old) == 1, old
        return configuration.parse(toml.replace(old, new))

    return edit


@pytest.fixture
def programs() -> None:
    """Asked for by tests that need promtool and amtool."""
    if lack := tools.missing():
        pytest.skip(lack)
