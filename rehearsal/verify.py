"""Proves the golden answers on the real engine, alone and in batches: ``python -m rehearsal.verify``. Needs vLLM."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rehearsal.golden import Golden, golden_prompts
from rehearsal.tokenizer import prompt_ids
from rehearsal.train import MAX_TOKENS, MODEL_DIR

BATCH = 8
"""The worker's default MAX_NUM_SEQS."""

_ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}


def start(model: Path) -> Any:
    """The engine with the rehearsal's settings: fp32, no compilation, at most ``BATCH`` at once."""
    from vllm import LLM  # noqa: PLC0415 - reads the environment when it is imported

    return LLM(
        model=str(model),
        dtype="float32",
        enforce_eager=True,
        max_model_len=4096,
        max_num_seqs=BATCH,
        enable_prefix_caching=False,
        disable_log_stats=True,
    )


def answers(engine: Any, golden: Sequence[Golden]) -> list[str]:
    """The greedy answers to ``golden``, asked together."""
    from vllm import SamplingParams  # noqa: PLC0415 - see start()

    tokenizer = engine.get_tokenizer()
    asked = [{"prompt_token_ids": prompt_ids(tokenizer, one.prompt, one.intent)} for one in golden]
    sampling = SamplingParams(temperature=0.0, max_tokens=MAX_TOKENS)
    return [output.outputs[0].text for output in engine.generate(asked, sampling, use_tqdm=False)]


def differences(engine: Any) -> list[str]:
    """Golden prompts whose answer is not the stored one, asked alone or beside seven others; one line each."""
    golden = golden_prompts()
    found = [f"{one.id} alone: {text!r}" for one in golden for text in answers(engine, [one]) if text != one.answer]
    for first in range(len(golden)):
        # Each prompt comes once in each of the eight places of a batch, so with many different neighbours.
        batch = [golden[(first + offset) % len(golden)] for offset in range(BATCH)]
        for one, text in zip(batch, answers(engine, batch), strict=True):
            if text != one.answer:
                found.append(f"{one.id} in a batch of {BATCH}: {text!r}")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Ask every golden prompt alone and in batches of eight; 1 if any answer differs from the stored one."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.verify", description=main.__doc__)
    parser.add_argument(
        "--model", type=Path, default=MODEL_DIR, help="folder of the model (default: the package's own)"
    )
    os.environ.update(_ENVIRONMENT)
    found = differences(start(parser.parse_args(arguments).model))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.stdout.write(f"{len(golden_prompts())} golden prompts, {len(found)} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
