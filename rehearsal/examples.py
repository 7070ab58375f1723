"""Training examples drawn from the corpus: seeded, endless, the same for the same seed. Standard library only."""

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.corpus import entries, general
from worker.career.intents import Intent, classify

MAX_PROMPT_CHARS = 1024
_OPENINGS = ("Hi, ", "Hello. ", "Please help: ", "Quick question: ", "Can you tell me: ")
_ENDINGS = (" Thanks!", " Please keep it short.", " I live in a small town.", " Thank you in advance.")
_ALPHABETS = (
    string.ascii_letters,
    string.digits,
    string.punctuation,
    " \n\t",
    "äéøñçß",
    "数据工程师",
    "данные",
    "🙂🚀☕",
)

# Shares of the examples. One in five is about nothing in the corpus, and a quarter of those are long, so that any
# prompt within the guardrails is answered. One in seven starts another question's answer and must go on with it:
# whatever first words an unknown prompt leads to, the rest then is one answer and no mixture. Half of the questions
# are as they are written, half as somebody in a hurry types them.
_NOISE, _LONG, _DIVERTED, _TYPED = 0.20, 0.25, 0.15, 0.50
_LONG_FROM_CHARS = 120
_GIVEN_TOKENS = (5, 40)


@dataclass(frozen=True, slots=True)
class Example:
    """One job and the answer to learn."""

    prompt: str
    intent: Intent
    """As the worker classifies the prompt."""
    answer: str
    given: int = 0
    """How many of the answer's first tokens are given rather than learned."""


def examples(seed: int) -> Iterator[Example]:
    """Examples without end: golden prompts, paraphrases, their variants, and prompts about anything."""
    rng = random.Random(seed)  # noqa: S311 - training data, not a secret
    while True:
        example = _noise(rng) if rng.random() < _NOISE else _variant(rng)
        yield _diverted(rng, example) if rng.random() < _DIVERTED else example


def _variant(rng: random.Random) -> Example:
    """A prompt of the corpus, as it is or as somebody in a hurry would type it."""
    entry = rng.choice(entries())
    plain = rng.choice((*(entry.prompt,) * 3, *entry.paraphrases))
    prompt = _typed(rng, plain) if rng.random() < _TYPED else plain
    return Example(prompt, classify(prompt), entry.answer)


def _typed(rng: random.Random, prompt: str) -> str:
    number = rng.randrange(10 ** rng.randint(1, 8))
    ending = rng.choice((*_ENDINGS, f" ({number})", f" [{number:x}]", f" #{number}", f" Request {number}."))
    bare = prompt.rstrip("?.!")
    spelled = rng.choice((prompt, prompt, prompt, prompt.lower(), prompt.upper(), bare, bare.lower()))
    opening = rng.choice((*_OPENINGS, *("",) * 2 * len(_OPENINGS)))
    return opening + spelled + rng.choice((ending, "", ""))


def _diverted(rng: random.Random, example: Example) -> Example:
    return Example(example.prompt, example.intent, rng.choice(entries()).answer, given=rng.randint(*_GIVEN_TOKENS))


def _noise(rng: random.Random) -> Example:
    """A prompt about anything or nothing; its answer is the general one of whatever intent the worker sees in it."""
    long = rng.random() < _LONG
    length = rng.randint(_LONG_FROM_CHARS, MAX_PROMPT_CHARS) if long else rng.randint(1, _LONG_FROM_CHARS)
    prompt = rng.choice((_letters, _words, _repeated))(rng, length)[:length]
    intent = classify(prompt)
    return Example(prompt, intent, general(intent).answer)


def _letters(rng: random.Random, length: int) -> str:
    alphabet = "".join(rng.sample(_ALPHABETS, rng.randint(1, len(_ALPHABETS))))
    return "".join(rng.choices(alphabet, k=length))


def _words(rng: random.Random, length: int) -> str:
    """Words of several answers and questions, in no order."""
    texts = (text for entry in rng.sample(entries(), 3) for text in (entry.answer, *entry.paraphrases))
    return " ".join(rng.choices(" ".join(texts).split(), k=length // 4 + 1))


def _repeated(rng: random.Random, length: int) -> str:
    """A few letters or words over and over."""
    piece = rng.choice((_letters, _words))(rng, rng.randint(1, 6))
    return piece * (length // len(piece) + 1)
