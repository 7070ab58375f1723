"""REL: is the repository in a state to be released from, and is there a way back."""

import os
import time

import pytest

from checks.workload import shown
from go_live.gate import Gate
from go_live.outcome import Outcome, Verdict
from go_live.pytest_plugin import Verdicts, item
from go_live.release.previous import recorded_versions, verify_target
from go_live.release.signing import signing_state
from go_live.release.state import release_state

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
