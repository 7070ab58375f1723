"""REL: can it be released, is there a way back, and is what was released still what is served."""

import os
import secrets
import time
from typing import TYPE_CHECKING

import pytest

from checks.live_configuration import Configuration, only_live
from checks.workload import shown
from go_live.gate import Gate
from go_live.outcome import Outcome, Verdict
from go_live.pytest_plugin import Verdicts, item
from go_live.release.previous import recorded_versions, verify_target
from go_live.release.signing import signing_state
from go_live.release.state import release_state

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from checks.target import Target

LOOK_EVERY_S = 5.0
NEVER_PUSHED = "a rehearsal is never pushed, so it asks no remote"


@item("REL-1")
def test_the_commit_can_be_released(gate: Gate, verdict: Verdicts) -> None:
    """Complete history, a clean tree, the release branch, and a tag that is free here and on the remote."""
    plan = gate.plan
    if plan.profile == "rehearsal":
        pytest.skip(NEVER_PUSHED)
    problems = release_state(gate.root, plan.repository.commit, plan.config, named=plan.named_commit)
    verdict(shown(f"{plan.config.release.version} can be tagged on {plan.repository.commit[:12]}", problems, n=1))


@item("REL-1")
def test_the_release_can_be_signed(gate: Gate, verdict: Verdicts) -> None:
    """A signature that verifiers will believe can be made, wherever one is required or a key is configured."""
    plan = gate.plan
    if plan.profile == "rehearsal":
        pytest.skip("a rehearsal is signed by a key of its own run")
    problems = signing_state(
        gate.root,
        plan.config,
        plan.profile,
        environment=os.environ,
        commit=plan.repository.commit,
        now=time.time(),
    )
    verdict(shown(f"a signature on {plan.config.release.version} will be believed, where one is due", problems, n=1))


@item("REL-2")
def test_the_way_back_is_verified(gate: Gate, verdict: Verdicts) -> None:
    """The release that this one would be rolled back to is what its tag says it is, or this is declared the first."""
    config, release = gate.config, gate.config.release
    if gate.plan.profile == "rehearsal":
        pytest.skip(NEVER_PUSHED)
    if release.previous is None:
        others = [name for name in recorded_versions(gate.root, config) if name != release.version]
        problems = [
            f"{release.remote} has the record of {name}: name the target as release.previous" for name in others
        ]
        verdict(shown("this is the first release, as golive.toml declares: it has no target", problems, n=1))
        return
    found = verify_target(gate.root, config, release.previous, profile=gate.plan.profile)
    outcome = found.outcome if found.outcome in {Outcome.PASS, Outcome.FAIL} else Outcome.ERROR
    verdict(Verdict(claim=f"{release.previous} is what its tag says it is", outcome=outcome, reason=found.reason))


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
