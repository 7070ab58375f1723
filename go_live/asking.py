"""Running the checks: pytest in this process, with the gate's plugin."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from go_live.begin import PYTEST_INI
from go_live.errors import MeasurementError
from go_live.pytest_plugin import GatePlugin


def run_checks(plugin: GatePlugin, folder: Path) -> None:
    """Run pytest on the checks in ``folder``, in this process.

    Raises:
        KeyboardInterrupt: the user stopped it.
        GoliveError: the checks do not fit the checklist.
        MeasurementError: pytest itself failed.
    """
    with _environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"):
        code = pytest.main(["-c", str(folder / PYTEST_INI), str(folder)], plugins=[plugin])
    if plugin.error is not None:
        raise plugin.error
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise MeasurementError(f"the checks could not be run (pytest ended with {code!r}); see the lines above")


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set variables for a while."""
    before: dict[str, str | None] = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
