"""``vllm bench serve``: random prompts of the rehearsal's tokenizer, its figures from its own JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

from bench.load_tools.tool import TOKENIZER, Reported, Target, Tool


def _command(target: Target) -> Sequence[str]:
    return (
        *(str(target.python), "-P", str(Path(__file__).with_name("vllm_driver.py"))),
        *("--backend", "openai-chat", "--base-url", target.base, "--endpoint", "/v1/chat/completions"),
        *("--model", target.model, "--tokenizer", str(TOKENIZER), "--disable-tqdm"),
        *("--dataset-name", "random", "--random-input-len", "24", "--random-output-len", "150"),
        *("--num-prompts", str(target.requests), "--max-concurrency", str(target.concurrency)),
        *("--percentile-metrics", "e2el", "--metric-percentiles", "95", "--goodput", f"e2el:{target.p95_limit_ms:g}"),
        *("--save-result", "--result-dir", str(target.folder), "--result-filename", "vllm.json"),
    )


def _read(target: Target) -> Reported:
    said = json.loads((target.folder / "vllm.json").read_text(encoding="utf-8"))
    return Reported(said["completed"] + said["failed"], said["completed"], said["p95_e2el_ms"])


VLLM = Tool(
    name="vllm bench serve",
    package=None,
    gate="none (`--goodput` is reported and decides nothing); p95 is of the successful requests",
    command=_command,
    read=_read,
)
