"""How fast a long soak is judged: a million records, from the file to the verdicts, beside json alone."""

import json
import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.table import show
from go_live import config
from go_live.judge_command import judge
from go_live.outcome import Outcome
from tests.go_live.many_records import write

REQUESTS = 1_000_000
ROUNDS = 2
RECORDS_PER_S_MIN = 100_000
CONFIG = config.load(Path("golive.toml"))


def judged(path: Path) -> float:
    """Seconds from the file to the verdicts."""
    began = time.perf_counter()
    found = judge(path, CONFIG, slo="soak")
    assert (found.outcome, found.n) == (Outcome.PASS, REQUESTS)
    return time.perf_counter() - began


def parsed(path: Path) -> float:
    """Seconds in which json alone reads the lines and keeps none."""
    began = time.perf_counter()
    with path.open("rb") as lines:
        assert sum("seq" in json.loads(line) for line in lines) == REQUESTS
    return time.perf_counter() - began


@pytest.mark.timeout(400)
def test_a_million_records_are_judged(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Judging reaches 100,000 records a second, hash chains apart, and stands beside what json needs to read them."""
    path = tmp_path / "records.jsonl"
    write(path, REQUESTS)

    def take_turns() -> list[tuple[float, float]]:
        return [(judged(path), parsed(path)) for _ in range(ROUNDS)]

    turns: list[tuple[float, float]] = benchmark.pedantic(take_turns)  # type: ignore[no-untyped-call]  # untyped
    ours, theirs = min(one for one, _ in turns), min(other for _, other in turns)
    rate = REQUESTS / ours
    benchmark.extra_info.update(
        {"n": REQUESTS, "records_per_s": rate, "bar": RECORDS_PER_S_MIN, "ratio": ours / theirs}
    )
    show(
        "a soak of a million records, from its file to its verdicts",
        ("what", "seconds", "records/s", "bar"),
        [
            ("golive judge", ours, rate, RECORDS_PER_S_MIN),
            ("json.loads alone", theirs, REQUESTS / theirs, ""),
        ],
    )
    assert rate >= RECORDS_PER_S_MIN
