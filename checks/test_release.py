"""REL: is the repository in a state to be released from."""

import pytest

from checks.workload import shown
from go_live.gate import Gate
from go_live.pytest_plugin import Verdicts, item
from go_live.release.state import release_state


@item("REL-1")
def test_the_commit_can_be_released(gate: Gate, verdict: Verdicts) -> None:
    """Complete history, a clean tree, the release branch, and a tag that is free here and on the remote."""
    plan = gate.plan
    if plan.profile == "rehearsal":
        pytest.skip("a rehearsal is never pushed, so it asks no remote")
    problems = release_state(gate.root, plan.repository.commit, plan.config, named=plan.named_commit)
    verdict(shown(f"{plan.config.release.version} can be tagged on {plan.repository.commit[:12]}", problems, n=1))
