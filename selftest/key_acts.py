"""What is done to a project about keys: secrets where none may stand, and a record made with another key."""

import json
import secrets
from pathlib import Path

from go_live.keys.fingerprint import fingerprint, new_salt
from go_live.release.metadata import KEY_FINGERPRINT, METADATA_NAME
from selftest.control import Act
from selftest.project import git, make_tree

ABOUT_KEYS = frozenset({
    "secret in the history",
    "secret in the work tree",
    "key in a message",
    "damaged object",
    "released with another key",
})  # fmt: skip
"""The acts that concern secrets."""


def about_keys(act: Act, project: Path) -> None:
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
    inner = make_tree(project, f"100644 blob {blob}\t{METADATA_NAME}")
    commit = git(project, "commit-tree", "-m", "Record", make_tree(project, f"040000 tree {inner}\t{version}"))
    git(project, "update-ref", "refs/remotes/origin/releases", commit)
