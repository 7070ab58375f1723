"""A project of its own to run the gate in: the shipped files, a git repository, a bare remote, the timed engine."""

import compileall
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from go_live.toml_text import edited

ROOT = Path(__file__).parents[1]

TEST_PROFILE = """
[profile.test]
target = "local"
device = "timed"
soak_minutes = 0.12
assumed_total_ms = 75
worker_command = ["python", "-m", "rehearsal.timed_worker"]
clean_tree = true

[profile.test.worker_env]
TIMED_EXEC_MS = "20"
ENABLE_STREAMING = "true"
MAX_MODEL_LEN = "4096"
"""

SMALLER = {
    # One level wide enough that the SDK's tenth of a second a job does not make the run long.
    "load.concurrency": "[8]",
    "load.requests_per_level": "310",
    "soak.concurrency": "8",
    "client.concurrency_cap": "8",
}
"""What the test project measures otherwise than the shipped golive.toml."""

FILES = (
    "GO_LIVE_CHECKLIST.md",
    "Dockerfile",
    "attestations.toml",
    "release_signers",
    "rollout_signers",
    "monitoring/rules.yml",
    "monitoring/alertmanager.yml",
    "monitoring/dashboard.json",
)
PACKAGES = ("go_live", "checks", "worker", "rehearsal")

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def make_tree(root: Path, entry: str) -> str:
    """Id of a new tree of one ``entry``, as ``git ls-tree`` writes it, in the repository at ``root``."""
    done = subprocess.run(
        ["git", "mktree"],  # noqa: S607 - the machine's git
        cwd=root,
        input=f"{entry}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder``; what it printed.

    Raises:
        subprocess.CalledProcessError: git refused.
    """
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - the machine's git
        cwd=folder,
        env=os.environ | IDENTITY,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def shipped_config(values: Mapping[str, str] | None = None) -> str:
    """The shipped golive.toml, smaller and with the test profile; ``values`` by dotted key come last."""
    text = (ROOT / "golive.toml").read_text(encoding="utf-8")
    # A cap that was measured on the live endpoint says nothing of these projects.
    text = re.sub(r"^cap_record = .*\n", "", text, flags=re.MULTILINE)
    # No commit is the first release's rollback target: the test profile does not ask for one.
    return edited(edited(text, SMALLER) + TEST_PROFILE, values or {})


def pack(folder: Path) -> Path:
    """A compiled copy of every package in the new ``folder``: copies of it start without compiling anything again."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("model", "__pycache__"))
    compileall.compile_dir(folder, quiet=2)
    return folder


def fill(project: Path, config: str, *, packed: Path | None = None) -> None:
    """Put the shipped files, ``config`` as golive.toml and what is ``packed`` into the new folder ``project``."""
    project.mkdir()
    (project / "golive.toml").write_text(config, encoding="utf-8")
    (project / ".gitignore").write_text(
        "__pycache__/\n/reports/\n/DEPLOYMENT_METADATA.json\n/PERFORMANCE_VALIDATION.md\n", encoding="utf-8"
    )
    for name in FILES:
        (project / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, project / name)
    if packed is not None:
        # Compiled files hold for what is copied with its time.
        shutil.copytree(packed, project, dirs_exist_ok=True)


def publish(project: Path) -> None:
    """Make ``project`` a git repository with one commit, and with a bare remote ``origin`` that has its branch."""
    remote = project.with_name("remote.git")
    git(project, "init", "--quiet", "--initial-branch", "main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "The project")
    git(project.parent, "clone", "--quiet", "--bare", str(project), str(remote))
    git(remote, "remote", "remove", "origin")
    git(project, "remote", "add", "origin", str(remote))
    git(project, "fetch", "--quiet", "origin")


def make(folder: Path, *, config: str | None = None) -> Path:
    """A committed, clean project in ``folder``/project with a bare remote ``origin`` that has its branch."""
    project = folder / "project"
    fill(project, config or shipped_config())
    publish(project)
    return project


SIGNED = {
    "signing.required": '["production", "test"]',
    "signing.signers": '{ production = "release_signers", test = "test_signers" }',
}
"""Values of a project whose test profile has a trust root of its own, and demands signatures by it."""


def make_signed(folder: Path) -> tuple[Path, Path]:
    """As :func:`make`, with a trust root for the test profile; also the path of the key that it pins."""
    project, key = folder / "project", folder / "signing_key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    public = " ".join(key.with_name(f"{key.name}.pub").read_text(encoding="utf-8").split()[:2])
    fill(project, shipped_config(SIGNED))
    line = f'{IDENTITY["GIT_COMMITTER_EMAIL"]} namespaces="git,golive" {public}\n'
    (project / "test_signers").write_text(line, encoding="utf-8")
    publish(project)
    return project, key


def environment(root: Path = ROOT) -> dict[str, str]:
    """The environment of a golive process: the packages in ``root``, a git identity, no proxy, no CI."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    kept.pop("GITHUB_STEP_SUMMARY", None)
    return kept | IDENTITY | {"PYTHONPATH": str(root)}


def golive(
    project: Path, *arguments: str, root: Path = ROOT, timeout_s: float = 110, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run golive, as it stands in ``root``, in ``project``.

    Raises:
        subprocess.TimeoutExpired: it did not end in time.
    """
    return subprocess.run(
        [sys.executable, "-m", "go_live", *arguments],
        cwd=project,
        env=environment(root) | extra,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
