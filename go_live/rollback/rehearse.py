"""The rehearsal of a way back: the target is booted on the scratch endpoint and smoked, and a dated proof is kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from go_live.config import Config
from go_live.errors import UsageError
from go_live.evidence.run_directory import encode, write_atomically
from go_live.jobs.client import Endpoint as Jobs
from go_live.management.client import ManagementClient
from go_live.management.models import Endpoint
from go_live.rollback.changes import Way
from go_live.rollback.looks import proof_path
from go_live.rollback.proof import Proof
from go_live.rollback.rollout import LIMIT_S, Pace
from go_live.rollback.scratch import booted
from go_live.rollback.smoke import serves, smoke
from go_live.rollback.target import Target

SMOKE_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a rehearsal works with."""

    client: ManagementClient
    open_jobs: Callable[[str], Jobs]
    """A client of the job API for an endpoint id."""
    config: Config
    root: Path
    say: Callable[[str], None]
    pace: Pace
    now: Callable[[], float] = time.time
    timed: bool = False
    boot_limit_s: float = LIMIT_S


async def rehearse(stage: Stage, live: Endpoint, target: Target, way: Way) -> Proof:
    """Boot ``target`` beside the live endpoint, smoke it, scale it to zero, keep the proof; the proof.

    Raises:
        GoliveError: it could not be booted or asked; there is no new proof then, and nothing is left on.
    """
    if way.how == "unknown":
        raise UsageError(f"nothing tells which image {target.version} ran: nothing was booted")
    began = stage.pace.clock()
    async with (
        booted(stage.client, live, target, way, say=stage.say, pace=stage.pace) as scratch,
        stage.open_jobs(scratch.id) as jobs,
    ):
        boot_s, problems = await _answered(stage, jobs, target, began)
    proof = Proof(
        version=target.version,
        tag=target.tag,
        commit=target.commit,
        image=target.digest,
        scratch=scratch.id,
        at=stage.now(),
        boot_s=boot_s,
        problems=problems,
        scaled_to_zero=scratch.at_zero,
    )
    path = proof_path(stage.root, target.version)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, encode(proof))
    return proof


async def _answered(stage: Stage, jobs: Jobs, target: Target, began: float) -> tuple[float | None, tuple[str, ...]]:
    """Seconds until the first answer, and what was wrong with the answers."""
    first = await jobs.complete({"probe": {"nonce": "boot"}}, deadline_s=stage.boot_limit_s, needs_text=False)
    if first.error is not None:
        return None, (f"it never answered: {first.error}: {first.detail}",)
    boot_s = stage.pace.clock() - began
    stage.say(f"it answered after {boot_s:.0f} s; asking it golden prompts")
    found = await smoke(jobs, max_tokens=stage.config.load.max_tokens, deadline_s=SMOKE_S, timed=stage.timed)
    return boot_s, (*found.problems, *serves(found, commit=target.commit, digest=target.digest))
