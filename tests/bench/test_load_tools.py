"""What is read of each load tool's own output, and how the table shows it."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.load_tools.__main__ import Cell, table
from bench.load_tools.aiperf import AIPERF
from bench.load_tools.guidellm import GUIDELLM
from bench.load_tools.locust import LOCUST
from bench.load_tools.tool import Reported, Target, Tool
from bench.load_tools.vllm_bench import VLLM

TOOLS = (LOCUST, GUIDELLM, AIPERF, VLLM)
KEY = "key-of-a-test"


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A run whose results lie in the test's folder."""
    return Target(
        base="http://127.0.0.1:1/v2/local/openai",
        key=KEY,
        model="worker",
        prompts=("first", "second"),
        concurrency=16,
        requests=320,
        p95_limit_ms=800,
        success_min=0.99,
        folder=tmp_path,
        python=tmp_path / "bin" / "python",
    )


GUIDELLM_SAYS = {
    "benchmarks": [
        {
            "metrics": {
                "request_totals": {"successful": 26, "errored": 6, "incomplete": 5, "total": 37},
                "request_latency": {"successful": {"percentiles": {"p50": 0.3, "p95": 0.445}}},
            }
        }
    ]
}


@pytest.mark.parametrize(
    ("tool", "file", "says", "expected"),
    [
        (LOCUST, "locust.json", {"requests": 320, "failures": 32, "p95_ms": 430}, Reported(320, 288, 430)),
        (GUIDELLM, "guidellm.json", GUIDELLM_SAYS, Reported(32, 26, 445)),
        (
            AIPERF,
            "aiperf/profile_export_aiperf.json",
            {"request_count": {"avg": 10.0}, "error_request_count": {"avg": 1.0}, "request_latency": {"p95": 449.2}},
            Reported(11, 10, 449.2),
        ),
        (
            AIPERF,
            "aiperf/profile_export_aiperf.json",
            {"request_count": {"avg": 320.0}, "request_latency": {"p95": 361.0}},
            Reported(320, 320, 361.0),
        ),
        (AIPERF, "aiperf/profile_export_aiperf.json", {"error_request_count": {"avg": 9.0}}, Reported(9, 0, None)),
        (VLLM, "vllm.json", {"completed": 288, "failed": 32, "p95_e2el_ms": 376.7}, Reported(320, 288, 376.7)),
    ],
)
def test_a_tools_own_figures_are_read(
    target: Target, tool: Tool, file: str, says: dict[str, Any], expected: Reported
) -> None:
    """Requests it counted, requests it calls successful, its p95 in ms."""
    path = target.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(says), encoding="utf-8")
    read = tool.read(target)
    assert (read.requests, read.succeeded) == (expected.requests, expected.succeeded)
    assert read.p95_ms == (None if expected.p95_ms is None else pytest.approx(expected.p95_ms))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_is_asked_the_same(target: Target, tool: Tool) -> None:
    """The endpoint, the concurrency and the count stand in its command or its environment; it is kept offline."""
    environment = tool.environment(target)
    said = [*tool.command(target), *environment.values()]
    assert any(target.base in word for word in said)
    assert any("16" in word for word in said)
    assert any("320" in word for word in said)
    assert (environment["HF_HUB_OFFLINE"], environment["DO_NOT_TRACK"]) == ("1", "1")


def test_the_table_says_what_could_not_be_run() -> None:
    """Exit status, share and p95 where there are any; else that there are none."""
    cells = [
        Cell(scenario="healthy", tool="a", exit_code=0, reported=Reported(320, 288, 376.7)),
        Cell(scenario="healthy", tool="b", exit_code=None, reported=None, note="no wheel"),
        Cell(scenario="healthy", tool="c", exit_code=1, reported=None, note="no file"),
        Cell(scenario="healthy", tool="d", exit_code=1, reported=Reported(320, 0, None)),
    ]
    assert table(cells, ["healthy"], ["a", "b", "c", "d"]) == (
        "| scenario | a | b | c | d |\n"
        "|---|---|---|---|---|\n"
        "| healthy | **exit 0**, 90.0% of 320, p95 377 ms | could not be run | exit 1, no figures "
        "| **exit 1**, 0.0% of 320, p95 infinite |\n"
    )
