"""The corpus: every question is what its entry says, and every answer is one the worker calls valid."""

import pytest

from rehearsal.corpus import Entry, entries, general
from worker.career.intents import LOW_TRUST, Intent, classify
from worker.career.sanitiser import sanitise
from worker.career.validation import validate

ENTRIES = {entry.id: entry for entry in entries()}
each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)


def test_ids_and_questions_are_unique() -> None:
    """One question has one answer."""
    questions = [text for entry in entries() for text in (entry.prompt, *entry.paraphrases)]
    assert len(ENTRIES) == len(entries())
    assert len(set(questions)) == len(questions)
    assert all(0 < len(question) <= 1024 for question in questions)


@each_entry
def test_questions_are_of_their_intent(entry: Entry) -> None:
    """The worker classifies each question, in each of its wordings, as the entry says."""
    assert {classify(text) for text in (entry.prompt, *entry.paraphrases)} == {entry.intent}


@each_entry
def test_answers_are_valid_for_each_wording(entry: Entry) -> None:
    """Each answer passes validation, mentions what it must, and is nothing the sanitiser would change."""
    for prompt in (entry.prompt, *entry.paraphrases):
        assert validate(entry.answer, entry.intent, prompt).issues == ()
    assert sanitise(entry.answer) == entry.answer
    assert not entry.mentions or any(word in entry.answer.casefold() for word in entry.mentions)


@each_entry
def test_answers_are_plain_english_of_moderate_length(entry: Entry) -> None:
    """Plain ASCII in 50-110 words, in whole sentences."""
    assert entry.answer.isascii()
    assert 50 <= len(entry.answer.split()) <= 110
    assert entry.answer.endswith(".")


@pytest.mark.parametrize("intent", Intent)
def test_each_intent_has_a_general_answer(intent: Intent) -> None:
    """A prompt about anything else has an answer too, whatever its intent."""
    assert general(intent).intent is intent
    assert not general(intent).mentions


def test_both_trusts_are_covered() -> None:
    """There are questions of every intent, of low trust and of high."""
    assert {entry.intent for entry in entries()} == set(Intent) > LOW_TRUST
