"""What ``golive --help`` costs over an interpreter that does nothing."""

import statistics
import subprocess
import sys
import time

from pytest_benchmark.fixture import BenchmarkFixture

from bench.table import show

ROUNDS = 40
"""Turns of each command."""
BAR_MS = 150.0
EMPTY = (sys.executable, "-c", "")
HELP = (sys.executable, "-m", "go_live", "--help")


def run_ms(command: tuple[str, ...]) -> float:
    """How long the command takes from start to exit, ms."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begin) * 1000


def take_turns() -> tuple[list[float], list[float]]:
    """Times of the empty interpreter and of the help, after one turn of each that does not count."""
    turns = [(run_ms(EMPTY), run_ms(HELP)) for _ in range(1 + ROUNDS)][1:]
    return [empty for empty, _ in turns], [helped for _, helped in turns]


def test_help_is_quick(benchmark: BenchmarkFixture) -> None:
    """``golive --help`` takes at most 150 ms more than an empty interpreter, at the median."""
    empty, helped = benchmark.pedantic(take_turns)  # type: ignore[no-untyped-call]  # the plugin is untyped
    medians = statistics.median(empty), statistics.median(helped)
    added = medians[1] - medians[0]
    benchmark.extra_info.update({"n": ROUNDS, "added p50 ms": added, "bar ms": BAR_MS})
    show(
        "golive --help",
        ("command", "n", "p50 ms", "best ms", "added p50 ms", "bar ms"),
        [
            ("empty interpreter", ROUNDS, medians[0], min(empty), "", ""),
            ("golive --help", ROUNDS, medians[1], min(helped), added, BAR_MS),
        ],
    )
    assert added <= BAR_MS
