"""Locust: a user class of ours (``locustfile.py``), its figures from its own statistics."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.load_tools.tool import Reported, Target, Tool


def _command(target: Target) -> Sequence[str]:
    return (
        str(target.bin / "locust"),
        *("--locustfile", str(Path(__file__).with_name("locustfile.py"))),
        *("--headless", "--host", target.base, "--only-summary"),
        *("--users", str(target.concurrency), "--spawn-rate", str(target.concurrency), "--run-time", "120s"),
    )


def _environment(target: Target) -> Mapping[str, str]:
    return target.environment() | {
        "GATE_OUT": str(target.folder / "locust.json"),
        "GATE_MODEL": target.model,
        "GATE_PROMPTS": "\n".join(target.prompts),
        "GATE_REQUESTS": str(target.requests),
        "GATE_P95_MS": f"{target.p95_limit_ms:g}",
        "GATE_FAIL_RATIO": f"{1 - target.success_min:.6f}",
    }


def _read(target: Target) -> Reported:
    said = json.loads((target.folder / "locust.json").read_text(encoding="utf-8"))
    return Reported(said["requests"], said["requests"] - said["failures"], said["p95_ms"])


LOCUST = Tool(
    name="locust",
    package="locust",
    gate="the exit code of its documentation's example: fail ratio and p95 (of all responses, failed ones included)",
    command=_command,
    read=_read,
    environment=_environment,
)
