"""promtool and amtool: the rules, their unit tests and the routing, looked at by the programs that will run them."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from go_live.errors import MeasurementError
from go_live.monitor import generated
from go_live.monitor.alertmanager import DEADMAN, RECEIVERS
from go_live.monitor.alerts import WATCHDOG

PACKAGES = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}
"""Debian package of each program."""
TIMEOUT_S = 60


class Proof(NamedTuple):
    """What one program said."""

    what: str
    passed: bool
    said: str


def missing() -> str | None:
    """One line on the programs that are not on PATH and how to get them; None: all are there."""
    absent = [program for program in PACKAGES if shutil.which(program) is None]
    if not absent:
        return None
    packages = " ".join(PACKAGES[program] for program in absent)
    return f"{' and '.join(absent)} not found on PATH: apt-get install {packages}"


def prove(root: Path) -> list[Proof]:
    """Let promtool and amtool look at the generated files below ``root``.

    Raises:
        MeasurementError: a program or a file is missing, or a program did not end.
    """
    if lack := missing():
        raise MeasurementError(lack)
    for path in (generated.RULES, generated.TESTS, generated.ALERTMANAGER, generated.PROMETHEUS):
        if not (root / path).is_file():  # promtool only warns of a rule file that is not there
            raise MeasurementError(f"{root / path} is missing: golive monitor rules writes it")
    rules, tests, manager = (str(root / path) for path in (generated.RULES, generated.TESTS, generated.ALERTMANAGER))
    return [
        ask("the rules are valid", ["promtool", "check", "rules", "--lint=all", "--lint-fatal", rules]),
        ask("the rules pass their unit tests", ["promtool", "test", "rules", tests]),
        ask("Prometheus' configuration is valid", ["promtool", "check", "config", str(root / generated.PROMETHEUS)]),
        ask("Alertmanager's configuration is valid", ["amtool", "check-config", manager]),
        *(_routed(manager, f"severity={severity}", receiver) for severity, receiver in _routes()),
        _routed(manager, f"alertname={WATCHDOG}", DEADMAN),
    ]


def ask(what: str, command: Sequence[str]) -> Proof:
    """Run one program.

    Raises:
        MeasurementError: it is not there, or did not end in time.
    """
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except OSError as error:
        raise MeasurementError(f"cannot run {command[0]}: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(f"{command[0]} did not end within {TIMEOUT_S} s") from error
    return Proof(what, done.returncode == 0, f"{done.stdout}\n{done.stderr}".strip())


def _routes() -> list[tuple[str, str]]:
    """Severities that a person is told of, with their receivers."""
    return [(severity, receiver) for severity, receiver in RECEIVERS.items() if receiver != DEADMAN]


def _routed(manager: str, label: str, receiver: str) -> Proof:
    """Where an alert with ``label`` goes."""
    command = [
        "amtool",
        "config",
        "routes",
        "test",
        f"--config.file={manager}",
        f"--verify.receivers={receiver}",
        label,
    ]
    return ask(f"{label} reaches {receiver}", command)
