"""TOML as tables."""

import tomllib
from typing import Any

import msgspec

from go_live.errors import UsageError


def read_toml(text: str, name: str) -> dict[str, Any]:
    """The tables of a TOML file; dates as ISO 8601 writes them.

    Raises:
        UsageError: not TOML.
    """
    try:
        tables: dict[str, Any] = msgspec.to_builtins(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not valid TOML: {error}") from error
    return tables
