"""AIPerf: concurrent streams over a file of prompts, its figures from its own JSON."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.load_tools.tool import TOKENIZER, Reported, Target, Tool

NAME, REVISION = "rehearsal/model", "0" * 40
"""Offline it takes a tokenizer only from a cache of the hub's shape, so the rehearsal's is laid out as one."""


def _cache(folder: Path) -> Path:
    repository = folder / "hf" / "hub" / f"models--{NAME.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True, exist_ok=True)
    (repository / "refs" / "main").write_text(REVISION, encoding="utf-8")
    weights = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(TOKENIZER, repository / "snapshots" / REVISION, ignore=weights, dirs_exist_ok=True)
    return folder / "hf"


def _command(target: Target) -> Sequence[str]:
    prompts = target.folder / "prompts.jsonl"
    prompts.write_text("\n".join(json.dumps({"text": prompt}) for prompt in target.prompts), encoding="utf-8")
    return (
        *(str(target.bin / "aiperf"), "profile", "--model-names", target.model, "--url", target.base),
        *("--endpoint-type", "chat", "--streaming", f"--api-key={target.key}", "--tokenizer", NAME),
        *("--input-file", str(prompts), "--custom-dataset-type", "single_turn"),
        *("--concurrency", str(target.concurrency), "--request-count", str(target.requests)),
        *("--goodput", f"request_latency:{target.p95_limit_ms:g}"),
        *("--failed-request-threshold", f"{1 - target.success_min:.6f}"),
        *("--output-artifact-dir", str(target.folder / "aiperf"), "--ui", "simple"),
        *("--no-server-metrics", "--no-gpu-telemetry"),
    )


def _environment(target: Target) -> Mapping[str, str]:
    return target.environment() | {"HF_HOME": str(_cache(target.folder))}


def _read(target: Target) -> Reported:
    said = json.loads((target.folder / "aiperf" / "profile_export_aiperf.json").read_text(encoding="utf-8"))
    succeeded, failed = (
        int((said.get(name) or {"avg": 0})["avg"]) for name in ("request_count", "error_request_count")
    )
    return Reported(succeeded + failed, succeeded, said["request_latency"]["p95"] if succeeded else None)


AIPERF = Tool(
    name="aiperf",
    package="aiperf",
    gate="`--failed-request-threshold`: ends the run; p95 is of the successful requests",
    command=_command,
    read=_read,
    environment=_environment,
)
