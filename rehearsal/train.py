"""Trains the rehearsal model: ``python -m rehearsal.train``. Needs torch and transformers; minutes on two cores."""

import argparse
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from rehearsal.examples import Example, examples
from rehearsal.golden import golden_prompts
from rehearsal.tokenizer import build, prompt_ids
from worker.career.intents import Intent

SEED = 20251010
MODEL_DIR = Path(__file__).parent / "model"
MAX_TOKENS = 150
"""The worker's default; every golden answer ends before it."""
MIN_MARGIN = 2.0
"""Logits by which the best token leads the second best, at every step of every golden answer.

Rounding differs between kernels and batch sizes by about 1e-4; the lead keeps the words the same.
"""
STEPS = 1000
TOKENS_PER_STEP = 6144
PEAK_RATE = 4e-3
WARMUP_STEPS = 40
_POOL = 256
_IGNORED = -100  # transformers' label for "no loss here"

Tokens = tuple[list[int], int]
"""Token ids of a whole conversation, and how many of them are given: the prompt's, and none or some of the answer's."""


def encode(tokenizer: Any, example: Example) -> Tokens:
    """The exact token sequence of a job: what the worker sends, then the answer and the end of the turn."""
    asked = prompt_ids(tokenizer, example.prompt, example.intent)
    return [*asked, *tokenizer.encode(example.answer), tokenizer.eos_token_id], len(asked) + example.given


def batches(tokenizer: Any, seed: int) -> Iterator[list[Tokens]]:
    """Batches of like lengths, at most ``TOKENS_PER_STEP`` tokens each, padding included. Seeded."""
    rng = random.Random(seed)  # noqa: S311 - training order, not a secret
    source = examples(seed)
    while True:
        pool = sorted((encode(tokenizer, example) for example in islice(source, _POOL)), key=lambda row: len(row[0]))
        cut: list[list[Tokens]] = [[]]
        for row in pool:
            if (len(cut[-1]) + 1) * len(row[0]) > TOKENS_PER_STEP:
                cut.append([])
            cut[-1].append(row)
        rng.shuffle(cut)
        yield from cut


def new_model(tokenizer: Any) -> Any:
    """An untrained Qwen2 of about 0.6 million parameters."""
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32768,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    return Qwen2ForCausalLM(config)


def _tensors(batch: list[Tokens], pad: int) -> dict[str, Any]:
    longest = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([row + [pad] * (longest - len(row)) for row, _ in batch])
    labels = torch.full_like(ids, _IGNORED)
    mask = torch.zeros_like(ids)
    for index, (row, given) in enumerate(batch):
        labels[index, given : len(row)] = ids[index, given : len(row)]
        mask[index, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _rate(step: int) -> float:
    """Share of the peak learning rate at ``step``: linear warm-up, then half a cosine down to zero."""
    if step < WARMUP_STEPS:
        return (step + 1) / WARMUP_STEPS
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP_STEPS) / (STEPS - WARMUP_STEPS)))


def fit(model: Any, tokenizer: Any) -> None:
    """Train ``model`` in place on ``STEPS`` batches; only answers count in the loss."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _rate)
    model.train()
    began = time.monotonic()
    for step, batch in enumerate(islice(batches(tokenizer, SEED), STEPS), start=1):
        loss = model(**_tensors(batch, tokenizer.pad_token_id)).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            _say(f"step {step}/{STEPS}: loss {loss.item():.4f}, {time.monotonic() - began:.0f} s")
    model.eval()


def answer(model: Any, tokenizer: Any, prompt: str, intent: Intent) -> tuple[str, float]:
    """The greedy answer within ``MAX_TOKENS``, and the smallest lead (in logits) with which a token was chosen."""
    asked = torch.tensor([prompt_ids(tokenizer, prompt, intent)])
    with torch.inference_mode():
        found = model.generate(
            asked,
            attention_mask=torch.ones_like(asked),
            max_new_tokens=MAX_TOKENS,
            do_sample=False,
            return_dict_in_generate=True,
            output_logits=True,
        )
        best = torch.cat(found.logits).topk(2).values
    text = tokenizer.decode(found.sequences[0, asked.shape[1] :], skip_special_tokens=True)
    return text, float((best[:, 0] - best[:, 1]).min())


def unlearned(model: Any, tokenizer: Any) -> list[str]:
    """What is wrong with the golden answers, one line each; empty when the model is good."""
    found = []
    for golden in golden_prompts():
        text, margin = answer(model, tokenizer, golden.prompt, golden.intent)
        if text != golden.answer:
            found.append(f"{golden.id}: answered {text!r}")
        elif margin < MIN_MARGIN:
            found.append(f"{golden.id}: a token leads by {margin:.2f} logits only")
    return found


def save(model: Any, tokenizer: Any, target: Path) -> None:
    """Write model and tokenizer to ``target``, whole or not at all; a README there is kept."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        model.save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        _portable(Path(scratch) / "tokenizer_config.json")
        target.mkdir(exist_ok=True)
        for path in sorted(Path(scratch).iterdir()):
            path.replace(target / path.name)


def _portable(path: Path) -> None:
    """Name the tokenizer's class as every transformers release knows it, and drop what says nothing."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 32768}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Train, prove the golden answers, and only then write the model; 1 if it has not learned them."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.train", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=MODEL_DIR, help="folder to write (default: the package's own)")
    target: Path = parser.parse_args(arguments).out

    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(mode=True)
    began = time.monotonic()
    tokenizer = build()
    model = new_model(tokenizer)
    fit(model, tokenizer)
    problems = unlearned(model, tokenizer)
    for problem in problems:
        _say(problem)
    if problems:
        return 1
    save(model, tokenizer, target)
    _say(f"{sum(p.numel() for p in model.parameters()):,} parameters in {time.monotonic() - began:.0f} s: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
