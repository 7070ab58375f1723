"""What ``golive verify`` takes, from start to exit, beside an empty interpreter and git's own check of the tag."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.table import show
from go_live import config as configuration
from go_live.release.run import release_run
from tests.go_live.release.conftest import HERMETIC, ROOT, git, new_repository
from tests.go_live.release.releases import finished_run, new_key, pin, plan_of, signed_by

ROUNDS = 15
"""Turns of each command."""
BAR_MS = 1000.0
REQUESTS = 2556
"""Of a release: a soak of 60 minutes at c=2 (2,060) and four levels of 124."""
VERSION = "v1.0-production"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh clone of a signed release whose log has as many requests as a real one's."""
    for name, value in HERMETIC.items():
        monkeypatch.setenv(name, value)
    root, remote, key = new_repository(tmp_path / "project"), tmp_path / "remote.git", new_key(tmp_path / "key")
    shutil.copy(ROOT / "golive.toml", root / "golive.toml")
    pin(root / "release_signers", signed_by(key))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Pin the signers")
    git(tmp_path, "clone", "--quiet", "--bare", str(root), str(remote))
    git(root, "remote", "add", "origin", remote.as_uri())
    plan = plan_of(root, configuration.load(root / "golive.toml"), "production")
    begin = time.time() - 3060
    directory, data = finished_run(root, plan, start=begin, requests=REQUESTS)
    release_run(data, root, directory, environment={"GOLIVE_SIGNING_KEY": str(key.path)})
    git(tmp_path, "clone", "--quiet", remote.as_uri(), "clone")
    git(tmp_path / "clone", "config", "gpg.ssh.allowedSignersFile", str(root / "release_signers"))
    return tmp_path / "clone"


def run_ms(command: tuple[str, ...], folder: Path) -> float:
    """How long the command takes from start to exit, ms."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    begin = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, env=environment
    )
    return (time.perf_counter() - begin) * 1000


def test_verify_is_under_a_second(benchmark: BenchmarkFixture, clone: Path) -> None:
    """``golive verify`` of a release with a real soak's log takes less than a second at the median."""
    commands = {
        "empty interpreter": (sys.executable, "-c", ""),
        "git verify-tag": ("git", "verify-tag", VERSION),
        "golive verify": (sys.executable, "-m", "go_live", "verify", VERSION),
    }

    def take_turns() -> dict[str, list[float]]:
        turns = [[run_ms(command, clone) for command in commands.values()] for _ in range(1 + ROUNDS)][1:]
        return dict(zip(commands, map(list, zip(*turns, strict=True)), strict=True))

    times = benchmark.pedantic(take_turns)  # type: ignore[no-untyped-call]  # the plugin is untyped
    medians = {name: statistics.median(found) for name, found in times.items()}
    empty = medians["empty interpreter"]
    rows = [(name, ROUNDS, p50, min(times[name]), p50 / empty) for name, p50 in medians.items()]
    show(f"golive verify, {REQUESTS} requests", ("command", "n", "p50 ms", "best ms", "x empty"), rows)
    benchmark.extra_info.update({"n": ROUNDS, "p50 ms": medians["golive verify"], "bar ms": BAR_MS})
    assert medians["golive verify"] <= BAR_MS
