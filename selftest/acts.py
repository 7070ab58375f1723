"""What is done to a project's repository and its remote: real git, on a real bare remote."""

import shutil
from pathlib import Path

from selftest.control import Act
from selftest.project import git

VERSION = "v1.0-production"
"""release.version of the shipped golive.toml."""


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
