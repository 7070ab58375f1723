"""Training examples: the same for the same seed, each as the worker would see it."""

from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.corpus import entries
from rehearsal.examples import MAX_PROMPT_CHARS, Example, examples
from worker.career.intents import classify


def drawn(seed: int, count: int = 40) -> list[Example]:
    """The first examples of ``seed``."""
    return list(islice(examples(seed), count))


@given(st.integers(min_value=0))
@settings(max_examples=25)
def test_a_seed_decides_the_examples(seed: int) -> None:
    """Equal seeds give equal examples, and the next seed others."""
    assert drawn(seed) == drawn(seed)
    assert drawn(seed) != drawn(seed + 1)


@given(st.integers(min_value=0))
@settings(max_examples=25)
def test_examples_are_jobs_the_worker_would_take(seed: int) -> None:
    """Each prompt is within the guardrails and of the intent the worker sees in it, and so is what it is to learn."""
    answers = {entry.answer: entry.intent for entry in entries()}
    for example in drawn(seed):
        assert 0 < len(example.prompt) <= MAX_PROMPT_CHARS
        assert classify(example.prompt) is example.intent
        assert example.given or answers[example.answer] is example.intent


def test_every_entry_is_taught() -> None:
    """Two thousand examples hold every answer to its own question, and every golden prompt word for word."""
    found = [example for example in drawn(0, 2000) if not example.given]
    assert {example.answer for example in found} == {entry.answer for entry in entries()}
    taught = {(example.prompt, example.answer) for example in found}
    assert taught >= {(entry.prompt, entry.answer) for entry in entries() if entry.mentions}


def test_what_is_given_leaves_something_to_learn() -> None:
    """Where an answer is begun for the model, most of it is still to be said."""
    given = [example for example in drawn(0, 2000) if example.given]
    assert 0.1 < len(given) / 2000 < 0.2
    assert all(example.given < len(example.answer.split()) for example in given)
