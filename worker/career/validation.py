"""Is an answer what its question asks for? It is judged and logged, never generated again."""

import re
from dataclasses import dataclass

from worker.career import money
from worker.career.intents import Intent

MIN_WORDS = 10
MAX_WORDS = 250
MIN_UNIQUE_RATIO = 0.20
"""Distinct words / words, upper and lower case alike."""
RATIO_FROM_WORDS = 20
"""Answers of up to this many words are too short for the ratio to mean anything."""

_SKILL_WORDS = re.compile(
    r"\b(?:skill(?:s|ed|set|sets)?|learn(?:s|ed|t|ing|er|ers)?|practi[cs](?:e|es|ed|ing|al)|develop(?:s|ed|ing|ment)?|"
    r"master(?:s|ed|ing|y)?|stud(?:y|ies|ied|ying)|train(?:ed|ing)?|certif(?:y|ied|icate|icates|ication|ications)|"
    r"experiences?|knowledge|competenc(?:e|y|es|ies)|expertise|proficien(?:t|cy)|courses?|projects?|portfolios?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdict on one answer; ``issues`` is empty exactly when it is valid, and quotes no text of the answer."""

    valid: bool
    issues: tuple[str, ...]


def validate(text: str, intent: Intent, prompt: str) -> Validation:
    """Judge the answer ``text`` to ``prompt``.

    A valid answer has 10-250 words, a unique-word ratio of at least 0.20 when it is longer than 20 words, and
    skill vocabulary; a salary answer has, in place of that, a numeric range in the currency of the place the
    prompt names (any currency where it names none).
    """
    words = text.casefold().split()
    found = (_length_issue(words), _repetition_issue(words), _content_issue(text, intent, prompt))
    issues = tuple(issue for issue in found if issue is not None)
    return Validation(valid=not issues, issues=issues)


def _length_issue(words: list[str]) -> str | None:
    if len(words) < MIN_WORDS:
        return f"too short: {len(words)} words, at least {MIN_WORDS} needed"
    if len(words) > MAX_WORDS:
        return f"too long: {len(words)} words, at most {MAX_WORDS} allowed"
    return None


def _repetition_issue(words: list[str]) -> str | None:
    if len(words) <= RATIO_FROM_WORDS:
        return None
    distinct = len(set(words))
    if distinct >= MIN_UNIQUE_RATIO * len(words):
        return None
    return f"repetitive: {distinct} of {len(words)} words are distinct, at least {MIN_UNIQUE_RATIO:.0%} needed"


def _content_issue(text: str, intent: Intent, prompt: str) -> str | None:
    if intent is Intent.SALARY_INTELLIGENCE:
        return _salary_issue(text, prompt)
    return None if _SKILL_WORDS.search(text) else "no skill vocabulary"


def _salary_issue(text: str, prompt: str) -> str | None:
    wanted = money.currencies_for(prompt)
    ranges = money.range_currencies(text)
    if not ranges:
        return "no numeric salary range with a currency"
    if wanted and not wanted & ranges:
        return f"wrong currency: {', '.join(sorted(ranges))}, {' or '.join(sorted(wanted))} expected"
    return None
