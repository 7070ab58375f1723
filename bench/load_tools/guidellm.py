"""GuideLLM: a concurrent profile over a file of prompts, its figures from its own JSON."""

import json
from collections.abc import Sequence

from bench.load_tools.tool import TOKENIZER, Reported, Target, Tool


def _command(target: Target) -> Sequence[str]:
    prompts = target.folder / "prompts.jsonl"
    asked = (target.prompts[number % len(target.prompts)] for number in range(2 * target.requests))
    prompts.write_text("\n".join(json.dumps({"prompt": prompt}) for prompt in asked), encoding="utf-8")
    backend = f"kind=openai_http,target={target.base},api_key={target.key},model={target.model}"
    return (
        *(str(target.bin / "guidellm"), "run", "--disable-console-interactive"),
        *("--backend", f"{backend},request_format=/v1/chat/completions,validate_backend=false"),
        *("--profile", f"kind=concurrent,streams={target.concurrency}"),
        *("--constraint", f"kind=max_requests,count={target.requests}"),
        *("--constraint", f"kind=max_global_error_rate,rate={1 - target.success_min:.6f}"),
        *("--data", f"kind=json_file,path={prompts}"),
        *("--tokenizer", f"kind=huggingface_auto,model={TOKENIZER}"),
        *("--output", f"kind=json,path={target.folder / 'guidellm.json'}"),
    )


def _read(target: Target) -> Reported:
    (bench,) = json.loads((target.folder / "guidellm.json").read_text(encoding="utf-8"))["benchmarks"]
    totals, latency = bench["metrics"]["request_totals"], bench["metrics"]["request_latency"]["successful"]
    p95_s = latency["percentiles"]["p95"]
    return Reported(totals["successful"] + totals["errored"], totals["successful"], p95_s * 1000)


GUIDELLM = Tool(
    name="guidellm",
    package="guidellm",
    gate="`max_global_error_rate`: ends the run; p95 is of the successful requests",
    command=_command,
    read=_read,
    # Its default of ten processes, each with torch, takes two minutes to start on two cores.
    environment=lambda target: target.environment() | {"GUIDELLM__MAX_WORKER_PROCESSES": "1"},
)
