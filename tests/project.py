"""A project of its own to run the gate in: the shipped files, a git repository, a bare remote, the timed engine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

TEST_PROFILE = """
[profile.test]
target = "local"
device = "timed"
soak_minutes = 0.12
worker_command = ["python", "-m", "rehearsal.timed_worker"]
clean_tree = true

[profile.test.worker_env]
TIMED_EXEC_MS = "20"
ENABLE_STREAMING = "true"
MAX_MODEL_LEN = "4096"
"""

SMALLER = {
    # One level wide enough that the SDK's tenth of a second a job does not make the run long.
    "concurrency = [1, 2, 3, 4]": "concurrency = [8]",
    "requests_per_level = 124": "requests_per_level = 310",
    "concurrency = 2\n": "concurrency = 8\n",
    "concurrency_cap = 3": "concurrency_cap = 8",
}
"""What the test project measures otherwise than the shipped golive.toml."""

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder``; what it printed."""
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - the machine's git
        cwd=folder,
        env=os.environ | IDENTITY,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def make(folder: Path, *, config: str | None = None) -> Path:
    """A committed, clean project in ``folder``/project with a bare remote ``origin`` that has its branch."""
    project, remote = folder / "project", folder / "remote.git"
    project.mkdir()
    text = (ROOT / "golive.toml").read_text(encoding="utf-8")
    for old, new in SMALLER.items():
        assert old in text
        text = text.replace(old, new)
    # No commit is the first release's rollback target: the test profile does not ask for one.
    (project / "golive.toml").write_text(config or text + TEST_PROFILE, encoding="utf-8")
    (project / ".gitignore").write_text(
        "/reports/\n/DEPLOYMENT_METADATA.json\n/PERFORMANCE_VALIDATION.md\n", encoding="utf-8"
    )
    for name in ("GO_LIVE_CHECKLIST.md", "Dockerfile", "attestations.toml"):
        shutil.copy(ROOT / name, project / name)
    git(folder, "init", "--quiet", "--bare", str(remote))
    git(project, "init", "--quiet", "--initial-branch", "main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "The project")
    git(project, "remote", "add", "origin", str(remote))
    git(project, "push", "--quiet", "origin", "main")
    return project


def environment() -> dict[str, str]:
    """The environment of a golive process: this checkout's packages, a git identity, no proxy, no CI."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    kept.pop("GITHUB_STEP_SUMMARY", None)
    return kept | IDENTITY | {"PYTHONPATH": str(ROOT)}


def golive(project: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run golive in ``project``."""
    return subprocess.run(
        [sys.executable, "-m", "go_live", *arguments],
        cwd=project,
        env=environment() | extra,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
