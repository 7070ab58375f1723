"""GPU: the engine on its device."""

from collections.abc import Mapping
from typing import Any

import pytest

from checks.target import Target
from checks.workload import shown
from go_live.gate import Gate
from go_live.judge.worker_log import headroom
from go_live.pytest_plugin import Verdicts, item


@pytest.fixture
def probe(target: Target, gate: Gate) -> Mapping[str, Any]:
    """The probe of a worker that is meant to run on CUDA."""
    if gate.plan.target.device in {"cpu", "timed"}:
        pytest.skip(f"the worker runs on {gate.plan.target.device}, not on a GPU")
    return target.probe("gpu")


@item("GPU-1")
def test_cuda_graphs_are_on(probe: Mapping[str, Any], verdict: Verdicts) -> None:
    """The engine runs on CUDA and captures CUDA graphs."""
    engine = probe["engine"]
    problems = []
    if engine.get("device") != "cuda":
        problems.append(f"the engine runs on {engine.get('device')}")
    if engine.get("enforce_eager") is not False:
        problems.append(f"enforce_eager is {engine.get('enforce_eager')}")
    loaded = " (weights are dummies)" if engine.get("load_format") == "dummy" else ""
    verdict(shown(f"the engine runs on CUDA with CUDA graphs{loaded}", problems, n=1))


@item("GPU-2")
def test_device_memory_has_headroom(probe: Mapping[str, Any], target: Target, gate: Gate, verdict: Verdicts) -> None:
    """The device's memory in use stays below the declared share of its total, whichever worker tells of it."""
    ready = target.log.read(lambda found: bool(found.ready)).ready
    told = [("the probe", probe), *(("a ready line", line) for line in ready)]
    limit = gate.config.gpu.memory_used_max
    verdict(headroom(told, limit, claim=f"at most {limit:.0%} of the device's memory is in use"))
