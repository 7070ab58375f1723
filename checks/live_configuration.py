"""The live endpoint's configuration, read once for all checks of it, and again where a check asks what it is now."""

from typing import Any

import msgspec
import pytest
from anyio.from_thread import BlockingPortal

from checks.target import Target
from go_live.api_key import read_key
from go_live.gate import Gate
from go_live.management.client import ManagementClient
from go_live.management.compare import compare
from go_live.management.look import look
from go_live.management.rebuild import rebuild_verdicts
from go_live.management.table import Live, Row
from go_live.outcome import Verdict
from go_live.release import way_back
from go_live.rollback.deployed import deployment_fact

FACT = "configuration"
"""Under this name the log keeps the table: declared, live, verdict."""


class Configuration:
    """What is declared, what is live, and how they compare."""

    def __init__(self, gate: Gate, portal: BlockingPortal, environment: dict[str, str]) -> None:
        """The key is read from ``environment``; nothing is asked yet.

        Raises:
            UsageError: there is no key.
        """
        self._endpoint = gate.config.endpoint
        self._plan = gate.plan
        self._portal = portal
        self._key = read_key(gate.config.keys, environment)

    def read(self) -> Live:
        """The endpoint as it is now.

        Raises:
            ManagementError: it could not be read.
        """

        async def ask() -> Live:
            async with ManagementClient(self._endpoint.management_api, self._key) as client:
                return await look(client, self._endpoint.id)

        return self._portal.call(ask)

    def rebuilt(self, target: Target, nonce: str) -> tuple[Verdict, ...]:
        """Whether the newest release is everywhere, and is the build that is released, as of now."""
        probe: dict[str, Any] = dict(target.probe(nonce))
        plan, image = self._plan, self._endpoint.expected.image
        return rebuild_verdicts(self.read(), probe, commit=plan.repository.commit, image=image)


def only_live(gate: Gate) -> None:
    """Skip what a local endpoint cannot answer."""
    if gate.plan.target.kind != "runpod":
        pytest.skip("a local endpoint has no configuration of its own: the live one is compared")


def table(gate: Gate, configuration: Configuration) -> tuple[Row, ...]:
    """Declared against live; the log keeps it, and what a release's way back needs to know."""
    live = configuration.read()
    rows = compare(gate.config.endpoint.expected, live)
    gate.fact({FACT: msgspec.to_builtins(rows), way_back.FACT: deployment_fact(live.endpoint, live.legacy)})
    return rows
