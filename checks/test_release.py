"""REL: is the repository in a state to be released from, and is what was released still what is served."""

import os
import secrets
import time
from typing import TYPE_CHECKING

import pytest

from checks.live_configuration import Configuration, only_live
from checks.workload import shown
from go_live.gate import Gate
from go_live.outcome import Outcome
from go_live.pytest_plugin import Verdicts, item
from go_live.release.state import release_state

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from checks.target import Target

LOOK_EVERY_S = 5.0


@item("REL-1")
def test_the_commit_can_be_released(gate: Gate, verdict: Verdicts) -> None:
    """Complete history, a clean tree, the release branch, and a tag that is free here and on the remote."""
    plan = gate.plan
    if plan.profile == "rehearsal":
        pytest.skip("a rehearsal is never pushed, so it asks no remote")
    problems = release_state(gate.root, plan.repository.commit, plan.config, named=plan.named_commit)
    verdict(shown(f"{plan.config.release.version} can be tagged on {plan.repository.commit[:12]}", problems, n=1))


@item("REL-4")
def test_the_platform_still_serves_the_validated_build(
    gate: Gate, request: pytest.FixtureRequest, verdict: Verdicts
) -> None:
    """For as long as a push may set off a rebuild, every worker serves the build that was validated."""
    only_live(gate)
    target: Target = request.getfixturevalue("target")
    portal: BlockingPortal = request.getfixturevalue("portal")
    configuration = Configuration(gate, portal, dict(os.environ))
    end = time.monotonic() + gate.config.release.watch_after_push_s
    gate.progress.note(f"  watching for a rebuild: {gate.config.release.watch_after_push_s:g} s")
    while True:
        verdicts = configuration.rebuilt(target, secrets.token_hex(8))
        left = end - time.monotonic()
        if left <= 0 or any(one.outcome is not Outcome.PASS for one in verdicts):
            break
        time.sleep(min(LOOK_EVERY_S, left))
    verdict(*verdicts)
