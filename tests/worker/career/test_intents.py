"""Intents: the order in which they are tried, whole words, and what is blocked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.career.intents import LOW_TRUST, Intent, blocked_message, classify

CASES = {
    Intent.CAREER_GUIDANCE: (
        "How do I become a data engineer?",
        "What skills do I need to work in cloud security?",
        "How can I move from support into development?",
        "Which certifications help a network engineer?",
        "Give me a learning path for machine learning.",
        "Should I switch from teaching to UX design?",
    ),
    Intent.INTERVIEW_SKILLS: (
        "How should I prepare for a system design interview?",
        "What belongs on a junior developer's resume?",
        "How long should a cover letter be?",
        "What do I say when a hiring manager asks why I left my last job in an interview?",
    ),
    Intent.MARKET_INTELLIGENCE: (
        "What are the hiring trends for data analysts?",
        "Are nurses in demand in Canada?",
        "Which companies hire junior testers?",
        "How is the job market for designers?",
    ),
    Intent.SALARY_INTELLIGENCE: (
        "What salary can a nurse expect in London?",
        "How much does a backend developer make in Berlin?",
        "What does a product manager earn?",
        "What is the pay of a DevOps engineer in Pune?",
    ),
}


@pytest.mark.parametrize(("intent", "prompt"), [(intent, prompt) for intent in CASES for prompt in CASES[intent]])
def test_plain_questions_get_their_intent(intent: Intent, prompt: str) -> None:
    """A question of each kind is recognised as that kind."""
    assert classify(prompt) is intent


@pytest.mark.parametrize(
    "prompt",
    [
        "How do I become a data engineer and what salary can I expect?",
        "What skills do I need, and how much does it pay?",
        "Is a career change to UX sensible in this job market?",
        "Which certifications help in an interview?",
    ],
)
def test_career_guidance_is_checked_first(prompt: str) -> None:
    """A prompt that asks for a way and for something else is career guidance."""
    assert classify(prompt) is Intent.CAREER_GUIDANCE


def test_the_order_after_career_guidance() -> None:
    """Interview comes before market, and market before salary."""
    assert classify("How do I answer a salary question in an interview?") is Intent.INTERVIEW_SKILLS
    assert classify("Does a portfolio matter when the job market is weak?") is Intent.INTERVIEW_SKILLS
    assert classify("How does the job market move salaries?") is Intent.MARKET_INTELLIGENCE


@pytest.mark.parametrize(
    "prompt",
    ["", "   ", "Test", "Hello there", "Tell me about payroll systems", "Is it accessible?", "🙂", "pay attention"],
)
def test_anything_else_is_career_guidance(prompt: str) -> None:
    """The default is career guidance; parts of words match nothing."""
    assert classify(prompt) is Intent.CAREER_GUIDANCE


@given(st.text())
def test_every_text_has_an_intent_whatever_its_case(prompt: str) -> None:
    """No text makes the classifier raise."""
    assert classify(prompt) in Intent


def test_low_trust_intents_and_only_they_have_a_message() -> None:
    """Market and salary answers are blocked with a message of their own; the others never are."""
    assert frozenset({Intent.MARKET_INTELLIGENCE, Intent.SALARY_INTELLIGENCE}) == LOW_TRUST
    assert len({blocked_message(intent) for intent in LOW_TRUST}) == len(LOW_TRUST)
    for intent in set(Intent) - LOW_TRUST:
        with pytest.raises(KeyError):
            blocked_message(intent)
