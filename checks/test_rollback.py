"""REL-2: the way back from this release was tried, and the way back to it will be known."""

import os
import time

import pytest
from anyio.from_thread import BlockingPortal

from checks.live_configuration import Configuration
from checks.workload import shown
from go_live.gate import Gate
from go_live.management.environment import digest_of
from go_live.outcome import Outcome, Verdict
from go_live.pytest_plugin import Verdicts, item
from go_live.release.previous import verify_target
from go_live.release.way_back import FACT
from go_live.rollback.deployed import deployment_fact
from go_live.rollback.looks import read_proof
from go_live.rollback.proof import AGE_DAYS, proof_verdict
from go_live.rollback.target import target_of

ITEM = "REL-2"
KNOWN = "what a rollback to this release needs is known"
LOCAL = "a local endpoint is started by the run itself: there is no deployment that could be gone back from, or to"


@item("REL-2")
def test_the_way_back_was_rehearsed(gate: Gate, verdict: Verdicts) -> None:
    """The rollback target was booted on a scratch endpoint lately and answered; of a first release there is none."""
    plan, previous = gate.plan, gate.config.release.previous
    if plan.profile == "rehearsal":
        pytest.skip("a rehearsal is never deployed, so nothing is ever rolled back from it")
    claim = "the way back was rehearsed"
    if previous is None:
        why = "golive.toml declares the first release: there is nothing to go back to"
        verdict(Verdict(claim=claim, outcome=Outcome.NOT_APPLICABLE, reason=why))
        return
    if plan.target.kind != "runpod":
        verdict(Verdict(claim=claim, outcome=Outcome.NOT_APPLICABLE, reason=LOCAL))
        return
    target = target_of(verify_target(gate.root, gate.config, previous, profile=plan.profile))
    days = next((one.evidence_days for one in plan.items if one.id == ITEM), AGE_DAYS)
    proof = read_proof(gate.root, previous)
    if proof is not None:
        gate.fact({"rollback_rehearsal": proof})
    verdict(proof_verdict(proof, target, now=time.time(), days=days))


@item("REL-2")
def test_this_release_can_be_come_back_to(gate: Gate, portal: BlockingPortal, verdict: Verdicts) -> None:
    """Image, settings and environment of the live endpoint are noted for the metadata, and the image is pinned."""
    if gate.plan.profile == "rehearsal":
        pytest.skip("a rehearsal is never deployed, so nothing ever comes back to it")
    if gate.plan.target.kind != "runpod":
        verdict(Verdict(claim=KNOWN, outcome=Outcome.NOT_APPLICABLE, reason=LOCAL))
        return
    endpoint, legacy = Configuration(gate, portal, dict(os.environ)).deployed()
    gate.fact({FACT: deployment_fact(endpoint, legacy)})
    pinned = digest_of(endpoint.image) is not None
    problems = [] if pinned else [f"the image {endpoint.image!r} is not pinned by digest: no way leads back to it"]
    verdict(shown(KNOWN, problems, n=1))
