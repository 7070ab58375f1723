"""What a prompt asks for, and which answers are not to be trusted without sources."""

import re
from enum import StrEnum


class Intent(StrEnum):
    """The four kinds of question, in the order in which they are tried."""

    CAREER_GUIDANCE = "career_guidance"
    INTERVIEW_SKILLS = "interview_skills"
    MARKET_INTELLIGENCE = "market_intelligence"
    SALARY_INTELLIGENCE = "salary_intelligence"


DEFAULT = Intent.CAREER_GUIDANCE
"""Nothing matched: the safest kind, because its answer states no figures."""

LOW_TRUST = frozenset({Intent.MARKET_INTELLIGENCE, Intent.SALARY_INTELLIGENCE})
"""Answers that quote figures the model cannot know to be current; blocked unless asked for."""


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(patterns) + r")\b", re.IGNORECASE)


# Career guidance comes first: "how do I become a data engineer, and what does it pay?" asks for a way, and an
# answer about the way is useful even where the figure is not to be trusted. Whole words only, so that "payroll"
# is no question about pay and "accessible" none about a CV.
_RULES: tuple[tuple[Intent, re.Pattern[str]], ...] = (
    (
        Intent.CAREER_GUIDANCE,
        _any_of(
            r"career (?:path|paths|change|changes|switch|goal|goals|plan|plans|advice|guidance|growth|options?|move)",
            r"(?:change|changing|switch|switching) (?:my )?careers?",
            r"(?:switch|switching|transition|transitions|transitioning|pivot|pivoting)",
            r"(?:how|what) (?:do|can|could|should|would|must|does|to|it takes)\b[^.?!\n]{0,40}\b"
            r"(?:become|becoming|get into|break into|move (?:from|into|to|up)|get started|get promoted|grow into)",
            r"(?:what|which) (?:\w+ ){0,3}skills",
            r"skills (?:do|should|must|will|would|to|i|are needed|needed|required)",
            r"(?:what|which|should i|where do i|how do i|how can i|how should i) (?:\w+ ){0,3}(?:learn|study)",
            r"(?:learning|study|career|skills?) (?:path|plan|roadmap|road map)",
            r"road ?map",
            r"certifications?",
        ),
    ),
    (
        Intent.INTERVIEW_SKILLS,
        _any_of(
            r"interview\w*",
            r"resumes?",
            r"r[ée]sum[ée]s?",
            r"cvs?",
            r"curriculum vitae",
            r"cover letters?",
            r"portfolios?",
            r"(?:showcase|demonstrate|highlight) (?:my |your )?\w+",
            r"star (?:method|answers?|stories|story|technique)",
            r"tell me about yourself",
            r"whiteboard",
        ),
    ),
    (
        Intent.MARKET_INTELLIGENCE,
        _any_of(
            r"(?:job|labou?r|employment|talent|hiring|tech) (?:market|markets|outlook|trends?)",
            r"hiring(?! managers?\b)",
            r"in[- ]demand",
            r"demand for",
            r"job (?:openings|opportunities|vacancies|prospects)",
            r"(?:which|what) (?:companies|industries|sectors|employers)",
            r"emerging technolog(?:y|ies)",
            r"(?:market|industry) (?:trends?|outlook|demand)",
            r"layoffs?",
        ),
    ),
    (
        Intent.SALARY_INTELLIGENCE,
        _any_of(
            r"salar(?:y|ies)",
            r"compensations?",
            r"remuneration",
            r"wages?",
            r"pay(?:s|check|cheque)?(?! (?:attention|back|for|off))",
            r"(?:be|being|get|getting|are|is|am|best|better|highest|well|over|under)[ -]?paid",
            r"earn(?:s|ed|ing|ings)?",
            r"income",
            r"ctc",
            r"lpa",
            r"(?:day|hourly|daily) rates?",
            r"how much (?:do|does|can|could|will|would|should|money)\b[^.?!\n]{0,60}\b(?:make|charge|get)",
        ),
    ),
)


def classify(prompt: str) -> Intent:
    """The first intent, in the order of ``Intent``, of which ``prompt`` holds a phrase; else ``DEFAULT``."""
    return next((intent for intent, phrases in _RULES if phrases.search(prompt)), DEFAULT)


_BLOCKED = {
    Intent.MARKET_INTELLIGENCE: (
        "Questions about the job market need current figures, which this model does not have. "
        "Please consult a current labour-market source, or ask about skills or interviews instead."
    ),
    Intent.SALARY_INTELLIGENCE: (
        "Questions about salaries need current figures, which this model does not have. "
        "Please consult a current salary survey, or ask about skills or interviews instead."
    ),
}


def blocked_message(intent: Intent) -> str:
    """What a caller reads in place of an answer of low trust.

    Raises:
        KeyError: answers of this intent are trusted, so there is nothing to block.
    """
    return _BLOCKED[intent]
