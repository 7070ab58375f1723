"""The rehearsal model's tokenizer: Qwen2's kind (byte-level BPE, ChatML), with a vocabulary of its own."""

from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from rehearsal.corpus import entries
from worker.career.intents import Intent
from worker.career.prompts import messages

VOCABULARY = 1536
PAD, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"

# Qwen2's own split: words with their leading space, single digits, runs of punctuation, line feeds.
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def build() -> Any:
    """Train the tokenizer on the corpus; the same corpus gives the same tokenizer.

    Every byte is in the vocabulary, so that any prompt can be encoded and is decoded to what it was.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, TURN_START, TURN_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=TURN_END,
        pad_token=PAD,
        additional_special_tokens=[TURN_START, TURN_END],
        chat_template=_CHATML,
        clean_up_tokenization_spaces=False,
    )


def prompt_ids(tokenizer: Any, prompt: str, intent: Intent) -> list[int]:
    """Token ids of ``prompt`` as the worker asks it."""
    text = tokenizer.apply_chat_template(messages(prompt, intent), add_generation_prompt=True, tokenize=False)
    ids: list[int] = tokenizer.encode(text)
    return ids


def _texts() -> list[str]:
    systems = [message["content"] for intent in Intent for message in messages("user\nassistant\nsystem\n", intent)]
    questions = [text for entry in entries() for text in (entry.prompt, *entry.paraphrases)]
    # Answers are what is generated: they get the most of the vocabulary, so that they take the fewest tokens.
    return [*systems, *questions, *(entry.answer for entry in entries() for _ in range(4))]
