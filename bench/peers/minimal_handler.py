"""The least that puts vLLM's engine behind the SDK: no guardrails, no validation, no log lines.

The engine's arguments are the worker's own, read from the same environment; what differs is the handler.
"""

import os
from typing import Any

from worker import settings
from worker.engine import engine_args

MAX_CONCURRENCY = 30


def main() -> None:
    """Start the engine, then answer jobs."""
    import runpod.serverless  # noqa: PLC0415 - the engine's processes import this file and need none of it
    from vllm import AsyncEngineArgs, SamplingParams  # noqa: PLC0415 - likewise
    from vllm.sampling_params import RequestOutputKind  # noqa: PLC0415 - likewise
    from vllm.v1.engine.async_llm import AsyncLLM  # noqa: PLC0415 - likewise

    llm = AsyncLLM.from_engine_args(AsyncEngineArgs(**engine_args(settings.read(os.environ))))

    async def handler(job: dict[str, Any]) -> dict[str, Any]:
        told = job["input"]
        params = SamplingParams(**told["sampling_params"], output_kind=RequestOutputKind.FINAL_ONLY)
        answer: dict[str, Any] = {}
        async for output in llm.generate(told["prompt"], params, job["id"]):
            (choice,) = output.outputs
            usage = {"input": len(output.prompt_token_ids), "output": len(choice.token_ids)}
            answer = {"choices": [{"text": choice.text}], "usage": usage}
        return answer

    runpod.serverless.start({"handler": handler, "concurrency_modifier": lambda _: MAX_CONCURRENCY})


if __name__ == "__main__":
    main()
