"""vLLM's engine and nothing around it: what the worker's execution time is measured against.

One prompt as a JSON string a line on stdin; for each, one line on stdout: ``ms`` (from the prompt's token ids to the
whole answer) and the numbers of tokens. The engine's arguments are the worker's own, read from the same environment.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any

from worker import settings
from worker.engine import engine_args


async def answer(llm: Any, number: int, prompt: list[int], max_tokens: int) -> dict[str, float]:
    """Generate ``max_tokens`` tokens, whatever they say, as the worker asks for them: whole, at the end."""
    from vllm import SamplingParams  # noqa: PLC0415 - imported by main already
    from vllm.inputs import tokens_input  # noqa: PLC0415 - likewise
    from vllm.sampling_params import RequestOutputKind  # noqa: PLC0415 - likewise

    generated = 0
    begin = time.monotonic()
    kind = RequestOutputKind.FINAL_ONLY
    params = SamplingParams(max_tokens=max_tokens, temperature=0.0, ignore_eos=True, output_kind=kind)
    async for output in llm.generate(tokens_input(prompt), params, str(number)):
        generated += len(output.outputs[0].token_ids)
    return {"ms": (time.monotonic() - begin) * 1000, "input": len(prompt), "output": generated}


async def serve(max_tokens: int) -> None:
    """Answer one prompt at a time until stdin ends."""
    from vllm import AsyncEngineArgs  # noqa: PLC0415 - 16 s of imports
    from vllm.v1.engine.async_llm import AsyncLLM  # noqa: PLC0415 - likewise

    with os.fdopen(os.dup(1), "w") as replies:
        os.dup2(2, 1)  # stdout is for replies; whatever else vLLM has to say goes to stderr
        llm = AsyncLLM.from_engine_args(AsyncEngineArgs(**engine_args(settings.read(os.environ))))
        try:
            number = 0
            while line := await asyncio.to_thread(sys.stdin.readline):
                number += 1
                prompt = llm.get_tokenizer().encode(json.loads(line))
                replies.write(json.dumps(await answer(llm, number, prompt, max_tokens)) + "\n")
                replies.flush()
        finally:
            llm.shutdown()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
