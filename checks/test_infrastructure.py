"""INF: is the live endpoint the declared one."""

import os
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import BlockingPortal

from checks.live_configuration import Configuration, only_live, table
from go_live.gate import Gate
from go_live.management.table import Row
from go_live.outcome import Verdict
from go_live.pytest_plugin import Verdicts, item

if TYPE_CHECKING:
    from checks.target import Target


@pytest.fixture(scope="module")
def rows(gate: Gate, portal: BlockingPortal) -> tuple[Row, ...]:
    """The table: each declared setting with its live value and verdict."""
    only_live(gate)
    return table(gate, Configuration(gate, portal, dict(os.environ)))


def of(name: str, rows: Sequence[Row]) -> list[Verdict]:
    """The verdicts of the rows that belong to an item."""
    return [row.verdict() for row in rows if row.item == name]


@item("INF-1")
def test_workers_are_bounded_as_declared(rows: tuple[Row, ...], verdict: Verdicts) -> None:
    """The live workersMin and workersMax are the declared ones, not what the platform made of an idle endpoint."""
    verdict(*of("INF-1", rows))


@item("INF-2")
def test_scaling_and_time_outs_are_as_declared(rows: tuple[Row, ...], verdict: Verdicts) -> None:
    """Scaler type and value, idle and execution timeout of the live endpoint are the declared ones."""
    verdict(*of("INF-2", rows))


@item("INF-3")
def test_the_gpu_is_the_declared_one(rows: tuple[Row, ...], verdict: Verdicts) -> None:
    """The live endpoint may run on the declared GPU alone, and its workers do."""
    verdict(*of("INF-3", rows))


@item("INF-4")
def test_flashboot_is_as_declared(rows: tuple[Row, ...], verdict: Verdicts) -> None:
    """FlashBoot of the live endpoint is on where it is declared."""
    verdict(*of("INF-4", rows))


@item("INF-8")
def test_image_and_environment_are_sound(rows: tuple[Row, ...], verdict: Verdicts) -> None:
    """The image is pinned, the lengths are a safe pair, and every variable has a value and a name that is read."""
    verdict(*of("INF-8", rows))


@item("INF-7")
def test_the_rebuild_is_complete(gate: Gate, request: pytest.FixtureRequest, verdict: Verdicts) -> None:
    """The newest release is on every worker, and endpoint, workers and probe name the build that is released."""
    only_live(gate)
    target: Target = request.getfixturevalue("target")
    portal: BlockingPortal = request.getfixturevalue("portal")
    verdict(*Configuration(gate, portal, dict(os.environ)).rebuilt(target, secrets.token_hex(8)))
