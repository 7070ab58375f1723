"""The CI workflows: what their linters do not know about this project."""

import re
from pathlib import Path

import pytest

from go_live.config import Config
from tests.go_live.release.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """Every action is named by a full commit id, with its version beside it."""
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", line)] == []


def test_release_hands_over_the_keys_that_golive_reads(config: Config) -> None:
    """The secrets bear the names that golive.toml gives to the environment variables; no other is handed over.

    The signing key goes into a file first: golive reads its path, so that no process has the key in its environment.
    """
    named = re.findall(r"(\w+): \$\{\{ secrets\.(\w+) \}\}", (ROOT / ".github/workflows/release.yml").read_text())
    keys = [(key, key) for key in (config.keys.api_key_env, config.keys.old_api_key_env)]
    assert named == [("SIGNING_KEY", config.signing.key_env), *keys]


def test_only_the_approved_job_may_write() -> None:
    """Write permission stands once, in the job that waits for the approval of the production environment."""
    text = (ROOT / ".github/workflows/release.yml").read_text()
    before, _, job = text.partition("\n  release:\n")
    assert "write" not in re.sub(r"#.*", "", before)
    assert "environment: production" in job
    assert job.count("contents: write") == 1
    assert "write" not in re.sub(r"#.*", "", (ROOT / ".github/workflows/pull-request.yml").read_text())
