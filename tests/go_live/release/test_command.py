"""``golive release`` and ``golive verify`` as their users start them: real processes, a real remote, a real kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from go_live import config as configuration
from go_live.outcome import Outcome
from tests.go_live.release.conftest import HERMETIC, ROOT, git
from tests.go_live.release.releases import finished_run, new_key, pin, plan_of, signed_by

VERSION = "v1.0-production"


class Project(msgspec.Struct):
    """A project with its own golive.toml and pinned signers, and finished runs that are to be released."""

    root: Path
    remote: Path
    environment: dict[str, str]

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "go_live", *arguments]

    def golive(self, *arguments: str, root: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run golive to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=root or self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def run(self, *, outcome: Outcome = Outcome.PASS) -> str:
        """Id of a production run that ended a minute ago."""
        config = configuration.load(self.root / "golive.toml")
        plan = plan_of(self.root, config, "production", run_id=f"run-{outcome.value}")
        finished_run(self.root, plan, outcomes={"SMK-1": outcome}, start=time.time() - 3060)
        return plan.run_id

    def clone(self) -> Path:
        """A fresh clone."""
        git(self.root.parent, "clone", "--quiet", self.remote.as_uri(), "clone")
        return self.root.parent / "clone"


@pytest.fixture
def project(tmp_path: Path, root: Path, remote: Path) -> Project:
    """A project whose signers are committed, as a team would."""
    key = new_key(tmp_path / "key")
    shutil.copy(ROOT / "golive.toml", root / "golive.toml")
    pin(root / "release_signers", signed_by(key))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Pin the signers")
    git(root, "push", "--quiet", "origin", "main")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")},
        **HERMETIC,
        "PYTHONPATH": str(ROOT),
        "PYTHONSAFEPATH": "1",  # the released project has a worker.py of its own
        "GOLIVE_SIGNING_KEY": str(key.path),
    }
    return Project(root=root, remote=remote, environment=environment)


def hook(repository: Path, name: str, script: str) -> Path:
    """Install a hook."""
    path = repository / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.slow
def test_killed_completed_and_verified(project: Project) -> None:
    """Kill -9 while the push goes on; the same command completes it; a fresh clone and Python alone verify it."""
    run, pid = project.run(), project.root.parent / "pid"
    kill = hook(project.remote, "pre-receive", f"while [ ! -s {pid} ]; do sleep 0.02; done; kill -9 $(cat {pid})")
    process = subprocess.Popen(
        project.command("release", run), cwd=project.root, env=project.environment, stdout=subprocess.DEVNULL
    )
    pid.write_text(f"{process.pid}\n")
    assert process.wait(timeout=60) == -signal.SIGKILL
    journal = json.loads((project.root / "reports" / run / "release.json").read_text())
    assert (git(project.root, "tag"), (project.root / "DEPLOYMENT_METADATA.json").exists()) == ("", False)
    kill.unlink()

    done = project.golive("release", f"reports/{run}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"RELEASED {VERSION}: tag {VERSION} and its record on releases are on origin\n")
    assert "REL-3 PASS" in done.stdout
    assert git(project.remote, "rev-parse", VERSION) == journal["tag"] == git(project.root, "rev-parse", VERSION)
    assert git(project.root, "status", "--porcelain") == ""

    clone = project.clone()
    verified = project.golive("verify", VERSION, root=clone)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert verified.stdout.startswith(f"VERIFIED {VERSION}: GO of ")
    assert verified.stdout.count(" PASS ") == 9
    git(clone, "worktree", "add", "--quiet", "../records", "origin/releases")
    record = clone.parent / "records" / VERSION
    script = [sys.executable, "-I", "-S", str(record / "verify.py"), "--signers", str(clone / "release_signers")]
    audited = subprocess.run(script, capture_output=True, text=True, check=False, timeout=60)
    assert audited.returncode == 0, audited.stdout


@pytest.mark.slow
def test_refused_by_the_remote(project: Project) -> None:
    """A GO that the remote refuses: exit 5, the answer first, its own words, and nothing changed; then it is mended."""
    run = project.run()
    rule = hook(project.remote, "pre-receive", "echo 'releases are frozen' >&2; exit 1")
    refused = project.golive("release", run)
    assert refused.returncode == 5
    assert refused.stdout.startswith(f"NOT RELEASED {VERSION}: ")
    assert "releases are frozen" in refused.stdout
    assert git(project.root, "tag") == ""
    rule.unlink()
    done = project.golive("release", run, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["released"], told["version"], told["run_id"]) == (True, VERSION, run)


def test_no_key(project: Project) -> None:
    """Production without a signing key: exit 5, and the variable is named."""
    del project.environment["GOLIVE_SIGNING_KEY"]
    refused = project.golive("release", project.run())
    assert refused.returncode == 5
    assert "GOLIVE_SIGNING_KEY names no key" in refused.stdout


def test_a_key_that_nobody_pinned(project: Project) -> None:
    """A release whose signature nobody would believe is not pushed: exit 5."""
    project.environment["GOLIVE_SIGNING_KEY"] = str(new_key(project.root.parent / "stranger").path)
    refused = project.golive("release", project.run())
    assert refused.returncode == 5
    assert "it would not verify: the tag is signed by SHA256:" in refused.stdout
    assert git(project.remote, "tag") == ""


def test_a_no_go_is_not_released(project: Project) -> None:
    """A run whose decision is NO-GO keeps its own exit code, and nothing is pushed."""
    refused = project.golive("release", project.run(outcome=Outcome.FAIL))
    assert refused.returncode == 1
    assert refused.stdout.startswith(f"NOT RELEASED {VERSION}: SMK-1 is FAIL")
    assert git(project.remote, "tag") == ""


def test_no_such_run(project: Project) -> None:
    """A mistake in the name is one line and exit 2."""
    wrong = project.golive("release", "nothing")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
    assert "nothing: no such run" in wrong.stderr


def test_verify_as_json(project: Project) -> None:
    """One object with outcome, reason and steps; metadata only of what is verified."""
    assert project.golive("release", project.run()).returncode == 0
    told = json.loads(project.golive("verify", VERSION, "--json").stdout)
    assert (told["outcome"], told["version"], told["profile"]) == ("pass", VERSION, "production")
    assert told["metadata"]["version"] == VERSION
    assert [step["outcome"] for step in told["steps"]] == ["pass"] * 9
    stranger = pin(project.root.parent / "others", signed_by(new_key(project.root.parent / "stranger")))
    refused = project.golive("verify", VERSION, "--json", "--signers", str(stranger))
    assert refused.returncode == 1
    told = json.loads(refused.stdout)
    assert (told["outcome"], told["metadata"]) == ("fail", None)
    assert "not pinned in others" in told["reason"]


def test_verify_says_what_is_missing(project: Project) -> None:
    """A tag that is not here: exit 4 with the remedy; a rehearsal and a missing file: exit 2."""
    missing = project.golive("verify", VERSION)
    assert missing.returncode == 4
    assert missing.stdout.startswith(f"NOT VERIFIED {VERSION}: there is no tag {VERSION} here: `git fetch --tags`")
    assert project.golive("verify", VERSION, "--profile", "rehearsal").returncode == 2
    wrong = project.golive("verify", VERSION, "--signers", "nobody")
    assert (wrong.returncode, "cannot read the pinned signers nobody" in wrong.stderr) == (2, True)


@pytest.mark.parametrize("command", ["release", "verify"])
def test_help_has_an_example(project: Project, command: str) -> None:
    """Each command's help shows how it is used and what its exit codes mean."""
    text = project.golive(command, "--help").stdout
    assert f"golive {command} " in text
    assert "exit codes:" in text
