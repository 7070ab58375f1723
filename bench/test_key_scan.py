"""How fast secrets are looked for: beside git, which only prints the same history, and beside detect-secrets."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.table import show
from go_live.keys.scan import scan
from tests.go_live.keys.long_history import make, sources

COMMITS = 3000
ROUNDS = 5
TREE_FACTOR_MIN = 10.0
HISTORY_RATIO_MAX = 1.0


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def git_log(root: Path) -> None:
    """Print every patch of the history to nowhere."""
    command = ["git", "-C", str(root), "log", "-p", "--all"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"GIT_PAGER": ""})


@pytest.mark.timeout(600)
def test_a_history_is_scanned_faster_than_it_is_printed(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Every object, index and work tree take at most the time in which ``git log -p --all`` prints the patches."""
    root = make(tmp_path / "long", COMMITS)
    scan(root)

    def take_turns() -> list[tuple[float, float]]:
        return [(seconds(lambda: scan(root)), seconds(lambda: git_log(root))) for _ in range(ROUNDS)]

    turns: list[tuple[float, float]] = benchmark.pedantic(take_turns)  # type: ignore[no-untyped-call]  # untyped
    ours, theirs = min(one for one, _ in turns), min(other for _, other in turns)
    seen = scan(root)
    ratio = ours / theirs
    benchmark.extra_info.update({"n": seen.objects, "ratio": ratio, "bar": HISTORY_RATIO_MAX})
    show(
        f"a history of {COMMITS} commits, {seen.objects} objects, {seen.bytes / 2**20:.0f} MiB",
        ("what", "best s", "MiB/s", "ratio", "bar"),
        [
            ("golive keys scan", ours, seen.bytes / ours / 2**20, ratio, HISTORY_RATIO_MAX),
            ("git log -p --all", theirs, "", 1.0, ""),
        ],
    )
    assert ratio <= HISTORY_RATIO_MAX


@pytest.mark.timeout(600)
@pytest.mark.skipif(importlib.util.find_spec("detect_secrets") is None, reason="detect-secrets is not installed")
def test_a_tree_is_scanned_ten_times_faster_than_detect_secrets(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """As commands on one tree, start included, ours takes at most a tenth of what detect-secrets takes."""
    root = make(tmp_path / "tree", 1)
    size = sum(map(len, sources()))
    golive = [sys.executable, "-m", "go_live", "keys", "scan", str(root)]
    peer = [sys.executable, "-m", "detect_secrets", "scan", "--all-files", "."]
    environment = os.environ | {"PYTHONPATH": os.getcwd()}  # noqa: PTH109 - as bench runs: in the project's root

    def run(command: list[str], folder: Path) -> None:
        subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)

    def take_turns() -> list[tuple[float, float]]:
        return [(seconds(lambda: run(golive, root)), seconds(lambda: run(peer, root))) for _ in range(2)]

    turns: list[tuple[float, float]] = benchmark.pedantic(take_turns)  # type: ignore[no-untyped-call]  # untyped
    ours, theirs = min(one for one, _ in turns), min(other for _, other in turns)
    factor = theirs / ours
    benchmark.extra_info.update({"n": size, "factor": factor, "bar": TREE_FACTOR_MIN})
    show(
        f"a tree of {size / 2**20:.1f} MiB",
        ("what", "best s", "MiB/s", "factor", "bar"),
        [
            ("golive keys scan", ours, size / ours / 2**20, factor, TREE_FACTOR_MIN),
            ("detect-secrets scan", theirs, size / theirs / 2**20, 1.0, ""),
        ],
    )
    assert factor >= TREE_FACTOR_MIN
