"""What is done to a project's repository and its remote: real git, on a real bare remote."""

import shutil
import time
from pathlib import Path

from go_live.evidence.run_directory import encode
from go_live.rollback.looks import proof_path
from go_live.rollback.proof import Proof
from selftest.control import Act
from selftest.key_acts import ABOUT_KEYS, about_keys
from selftest.project import git, make_tree
from selftest.rollout_acts import ABOUT_ROLLOUTS, about_rollouts

VERSION = "v1.0-production"
"""release.version of the shipped golive.toml."""
TARGET = "v0.9-production"
"""The rollback target, where a control names one."""


def perform(act: Act, project: Path) -> None:
    """Do ``act`` to the committed ``project`` and its remote, which lies beside it."""
    remote = project.with_name("remote.git")
    match act:
        case "dirty tree":
            (project / "attestations.toml").write_text("# edited after the commit\n", encoding="utf-8")
        case "shallow clone":
            git(project, "commit", "--quiet", "--allow-empty", "--message", "One more")
            git(project, "push", "--quiet", "origin", "main")
            git(project, "fetch", "--quiet", "--depth", "1", remote.as_uri(), "main")
        case "other branch":
            git(project, "switch", "--quiet", "--create", "feature")
        case "detached head":
            git(project, "switch", "--quiet", "--detach")
        case "tag here":
            git(project, "tag", VERSION)
        case "tag on the remote":
            git(remote, "tag", VERSION, "main")
        case "no branch on the remote":
            git(remote, "branch", "--move", "main", "master")
        case "not pushed":
            git(project, "commit", "--quiet", "--allow-empty", "--message", "Never pushed")
        case "remote gone":
            shutil.rmtree(remote)
        case _:
            otherwise = about_keys if act in ABOUT_KEYS else to_the_target
            otherwise = about_rollouts if act in ABOUT_ROLLOUTS else otherwise
            otherwise(act, project)


def to_the_target(act: Act, project: Path) -> None:
    """Record the rollback target on the remote, and give it the tag that ``act`` names, if any."""
    remote = project.with_name("remote.git")
    record_of_the_target(remote)
    if act == "lightweight tag of the target":
        git(remote, "tag", TARGET, "main")
    if act in {"target by a stranger", "rehearsal that failed"}:
        git(remote, "tag", "--annotate", "--message", "made without golive", TARGET, "main")
    if act == "rehearsal that failed":
        proof_of_failure(project, remote)


def proof_of_failure(project: Path, remote: Path) -> None:
    """Leave the proof of a rehearsal of the target that never answered."""
    proof = Proof(
        version=TARGET,
        tag=git(remote, "rev-parse", TARGET),
        commit=git(remote, "rev-parse", f"{TARGET}^{{commit}}"),
        image="",
        scratch="scratch",
        at=time.time(),
        boot_s=None,
        problems=("it never answered",),
        scaled_to_zero=True,
    )
    path = proof_path(project, TARGET)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode(proof))


def record_of_the_target(remote: Path) -> None:
    """Put a folder of the target's name on the remote's records branch."""
    blob = git(remote, "rev-parse", "main:golive.toml")
    folder = make_tree(remote, f"100644 blob {blob}\tnotes.txt")
    tree = make_tree(remote, f"040000 tree {folder}\t{TARGET}")
    git(remote, "update-ref", "refs/heads/releases", git(remote, "commit-tree", tree, "-m", "The record"))
