"""What is done to a project's repository and its remote: real git, on a real bare remote."""

import json
import secrets
import shutil
import subprocess
from pathlib import Path

from go_live.keys.fingerprint import fingerprint, new_salt
from go_live.release.metadata import KEY_FINGERPRINT, METADATA_NAME
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
        case _:
            _about_keys(act, project)


def _about_keys(act: Act, project: Path) -> None:
    """What concerns secrets; each is made up here, so that none stands in our own files."""
    file = project / "attestations.toml"
    match act:
        case "secret in the history":
            before = file.read_text(encoding="utf-8")
            for text, message in ((f"# {_token('ghp_')}\n{before}", "Add a token"), (before, "Remove it")):
                file.write_text(text, encoding="utf-8")
                git(project, "commit", "--quiet", "--all", "--message", message)
            git(project, "push", "--quiet", "origin", "main")
        case "secret in the work tree":
            file.write_text(f"# {_token('hf_')}\n", encoding="utf-8")
        case "key in a message":
            git(project, "commit", "--quiet", "--allow-empty", "--message", f"Try {_token('rpa_')}")
            git(project, "push", "--quiet", "origin", "main")
            git(project, "reset", "--quiet", "--hard", "HEAD~1")
            git(project, "push", "--quiet", "--force", "origin", "main")
        case "damaged object":
            file.write_text("# never committed\n", encoding="utf-8")
            blob = git(project, "hash-object", "-w", file.name)
            git(project, "checkout", "--quiet", "--", file.name)
            path = project / ".git" / "objects" / blob[:2] / blob[2:]
            path.chmod(0o644)
            path.write_bytes(b"damaged")
        case "released with another key":
            _record(project, fingerprint(_token("rpa_"), new_salt()))


def _token(prefix: str) -> str:
    """A key that nobody issued."""
    return prefix + secrets.token_hex(20)


def _record(project: Path, key_fingerprint: str) -> None:
    """The record of an earlier release on the records branch, of which only what concerns keys matters here."""
    version, file = "v0.9-production", project.with_name("metadata.json")
    fields = {
        "version": version,
        "deployed_at": "2025-01-01T00:00:00Z",
        "profile": "test",
        KEY_FINGERPRINT: key_fingerprint,
    }
    file.write_text(json.dumps(fields), encoding="utf-8")
    blob = git(project, "hash-object", "-w", str(file))
    inner = _tree(project, f"100644 blob {blob}\t{METADATA_NAME}")
    commit = git(project, "commit-tree", "-m", "Record", _tree(project, f"040000 tree {inner}\t{version}"))
    git(project, "update-ref", "refs/remotes/origin/releases", commit)


def _tree(project: Path, entry: str) -> str:
    """A tree of one entry."""
    done = subprocess.run(
        ["git", "mktree"],  # noqa: S607 - the machine's git
        cwd=project,
        input=f"{entry}\n",
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
