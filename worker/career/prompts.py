"""The chat messages the model is asked with; the tokenizer's own template turns them into ChatML."""

from worker.career.intents import Intent

_COACH = "You are a career coach. Answer in plain English in at most 120 words."

_SYSTEM = {
    Intent.CAREER_GUIDANCE: f"{_COACH} Name concrete skills to learn and a realistic timeline.",
    Intent.INTERVIEW_SKILLS: f"{_COACH} Name concrete skills to show and steps to practise.",
    Intent.MARKET_INTELLIGENCE: f"{_COACH} Name the skills in demand and how to develop them.",
    Intent.SALARY_INTELLIGENCE: f"{_COACH} Give a salary range in the local currency and what moves it.",
}


def messages(prompt: str, intent: Intent) -> list[dict[str, str]]:
    """System and user message for ``prompt``.

    Qwen's control tokens all begin with ``<|``. In the user's text that mark is split, so that a prompt cannot
    end its own turn or open a system turn; ordinary text is untouched.
    """
    return [
        {"role": "system", "content": _SYSTEM[intent]},
        {"role": "user", "content": prompt.replace("<|", "< |")},
    ]
