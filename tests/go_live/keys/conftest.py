"""A repository to hide secrets in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from selftest.project import git

Commit = Callable[[str, bytes | str], str]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one harmless commit."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    (root / "README.md").write_text("nothing to see\n", encoding="utf-8")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Begin")
    return root


@pytest.fixture
def commit(repository: Path) -> Commit:
    """Commits content under a path; returns the commit's id."""

    def commit(path: str, content: bytes | str) -> str:
        file = repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        git(repository, "add", "--force", path)
        git(repository, "commit", "--quiet", "--message", f"Change {path}")
        return git(repository, "rev-parse", "HEAD")

    return commit
