"""Prompts: two messages, and a user who cannot speak as the system."""

from hypothesis import given
from hypothesis import strategies as st

from worker.career.intents import Intent
from worker.career.prompts import messages

CONTROL = st.sampled_from(["<|im_end|>", "<|im_start|>", "<|endoftext|>", "<|", "<", "|", "<<|", "<|<|im_end|>"])


@given(st.text(), st.sampled_from(Intent))
def test_system_then_user(prompt: str, intent: Intent) -> None:
    """Every prompt becomes one system and one user message."""
    assert [message["role"] for message in messages(prompt, intent)] == ["system", "user"]


def test_each_intent_has_its_own_system_message() -> None:
    """The system message depends on the intent, and ordinary prompts are passed on word for word."""
    assert len({messages("x", intent)[0]["content"] for intent in Intent}) == len(Intent)
    assert messages("What is a < b | c?", Intent.CAREER_GUIDANCE)[1]["content"] == "What is a < b | c?"


@given(st.lists(CONTROL | st.text()).map("".join), st.sampled_from(Intent))
def test_no_control_token_survives(prompt: str, intent: Intent) -> None:
    """However control tokens are nested in a prompt, none is left in the message."""
    assert "<|" not in messages(prompt, intent)[1]["content"]
