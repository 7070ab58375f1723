"""golive.toml -> Config. Every number a release is judged by; an unknown or missing key is an error that names it."""

from typing import TYPE_CHECKING

import msgspec

from go_live.config.checking import cross_check
from go_live.config.logs import CloudWatch, Logs, Loki
from go_live.config.measuring import Attribution, Burst, Cold, Drift, Load, Slo, Soak, Tuning
from go_live.config.operating import Alert, Alerts, Rollout
from go_live.config.release import Keys, Profile, Signing
from go_live.config.root import Config
from go_live.config.service import Assumed, Client, ExpectedEndpoint, MeasuredCap
from go_live.config.tables import read_toml
from go_live.config.values import Day, Port, ProfileName, Text
from go_live.config.waivers import WaiverEntry, parse_waivers
from go_live.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Alert",
    "Alerts",
    "Assumed",
    "Attribution",
    "Burst",
    "Client",
    "CloudWatch",
    "Cold",
    "Config",
    "Day",
    "Drift",
    "ExpectedEndpoint",
    "Keys",
    "Load",
    "Logs",
    "Loki",
    "MeasuredCap",
    "Port",
    "Profile",
    "ProfileName",
    "Rollout",
    "Signing",
    "Slo",
    "Soak",
    "Text",
    "Tuning",
    "WaiverEntry",
    "load",
    "parse",
    "parse_waivers",
    "read_toml",
]


def parse(text: str, *, name: str = "golive.toml") -> Config:
    """Parse and validate the text of a golive.toml.

    Raises:
        UsageError: not TOML, or a key is unknown, missing or of the wrong kind; the message names it.
    """
    tables = read_toml(text, name)
    parse_waivers(tables, name)
    try:
        config = msgspec.convert(tables, Config)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}: {error}") from error
    cross_check(config, name)
    return config


def load(path: "Path") -> Config:
    """Read and validate the golive.toml at ``path``.

    Raises:
        UsageError: the file cannot be read, or is not valid.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}; run golive in the project's root or name the file") from error
    return parse(text, name=str(path))
