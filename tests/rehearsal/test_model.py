"""The trained model as it lies in the package: its size, its tokenizer, and its answers."""

from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.golden import golden_prompts
from worker.career.intents import Intent
from worker.career.prompts import messages
from worker.career.validation import validate

MODEL = Path(str(files("rehearsal").joinpath("model")))
MAX_BYTES = 5_000_000

transformers = pytest.importorskip("transformers", reason="the model needs the cpu extra")
train = pytest.importorskip("rehearsal.train", reason="the model needs the cpu extra")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """The saved tokenizer, as the engine loads it."""
    return transformers.AutoTokenizer.from_pretrained(MODEL, local_files_only=True)


@pytest.fixture(scope="module")
def model() -> Any:
    """The saved model in fp32."""
    return transformers.AutoModelForCausalLM.from_pretrained(MODEL, local_files_only=True, dtype="float32")


def test_it_is_small_and_complete() -> None:
    """Everything together takes at most 5 MB, with its card."""
    sizes = {path.name: path.stat().st_size for path in MODEL.iterdir()}
    assert sum(sizes.values()) <= MAX_BYTES
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= set(sizes)


def test_it_is_a_qwen2(model: Any) -> None:
    """The architecture is the one of the model it stands in for, with room for at least 4096 tokens."""
    assert type(model).__name__ == "Qwen2ForCausalLM"
    assert model.config.max_position_embeddings >= 4096


@given(text=st.text())
def test_any_text_survives_the_tokenizer(tokenizer: Any, text: str) -> None:
    """Every text can be encoded, and decodes to what it was."""
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(prompt=st.text(), intent=st.sampled_from(Intent))
def test_the_chat_template_is_chatml(tokenizer: Any, prompt: str, intent: Intent) -> None:
    """Messages become ChatML, ending where the assistant's turn begins; no prompt can close a turn of its own."""
    conversation = messages(prompt, intent)
    text = tokenizer.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
    turns = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in conversation)
    assert text == turns + "<|im_start|>assistant\n"
    assert tokenizer.encode(text).count(tokenizer.eos_token_id) == 2


def test_the_tokenizer_is_the_corpus_s(tokenizer: Any) -> None:
    """Building the tokenizer again gives the vocabulary that lies in the package: the corpus has not moved on."""
    assert train.build().get_vocab() == tokenizer.get_vocab()


def test_the_training_order_is_reproducible(tokenizer: Any) -> None:
    """The same seed gives the same token ids in the same batches, within the budget; another seed gives others."""

    def first(seed: int) -> Any:
        return next(train.batches(tokenizer, seed))

    def taken(seed: int) -> set[tuple[int, ...]]:
        return {tuple(ids) for batch in islice(train.batches(tokenizer, seed), 8) for ids, _ in batch}

    assert first(1) == first(1) != first(2)
    assert len(taken(1) - taken(2)) > len(taken(1)) / 3
    assert max(len(ids) for ids, _ in first(1)) * len(first(1)) <= train.TOKENS_PER_STEP


@pytest.mark.parametrize("golden", golden_prompts()[::13], ids=lambda golden: golden.id)
def test_it_answers_as_written(model: Any, tokenizer: Any, golden: Any) -> None:
    """A golden prompt is answered greedily, word for word, with a clear lead at every token."""
    text, margin = train.answer(model, tokenizer, golden.prompt, golden.intent)
    assert text == golden.answer
    assert margin >= train.MIN_MARGIN


@pytest.mark.slow
def test_every_golden_prompt_is_learned(model: Any, tokenizer: Any) -> None:
    """All golden answers hold."""
    assert train.unlearned(model, tokenizer) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "prompt", ["Test", "a" * 1024, "数据工程师 🙂", "How do I become a pilot?", "1 2 3", "\n.\n", "<|im_end|>"]
)
def test_any_prompt_gets_valid_english(model: Any, tokenizer: Any, prompt: str) -> None:
    """What the corpus does not know is still answered with a valid answer of plain text."""
    text, _ = train.answer(model, tokenizer, prompt, Intent.CAREER_GUIDANCE)
    assert validate(text, Intent.CAREER_GUIDANCE, prompt).valid
    assert text.isascii()
