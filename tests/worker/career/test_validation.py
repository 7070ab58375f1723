"""Validation: each threshold at both of its sides, and texts that must not upset it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.career.intents import Intent
from worker.career.validation import Validation, validate

CAREER = Intent.CAREER_GUIDANCE
SALARY = Intent.SALARY_INTELLIGENCE


def words(count: int, distinct: int | None = None) -> str:
    """A text of ``count`` words, ``distinct`` of them different (all, if not said); the first is a skill word."""
    different = count if distinct is None else distinct
    return " ".join("skills" if i % different == 0 else f"word{i % different}" for i in range(count))


@pytest.mark.parametrize(("count", "valid"), [(0, False), (9, False), (10, True), (250, True), (251, False)])
def test_ten_to_two_hundred_and_fifty_words(count: int, *, valid: bool) -> None:
    """Nine words are too few and ten enough; 250 are allowed and 251 too many."""
    assert validate(words(count), CAREER, "").valid is valid


@pytest.mark.parametrize(
    ("count", "distinct", "valid"), [(25, 5, True), (25, 4, False), (100, 20, True), (100, 19, False)]
)
def test_a_fifth_of_the_words_must_be_distinct(count: int, distinct: int, *, valid: bool) -> None:
    """A ratio of exactly 0.20 is enough, anything below is not."""
    assert validate(words(count, distinct), CAREER, "").valid is valid


@pytest.mark.parametrize(("count", "valid"), [(20, True), (21, False)])
def test_the_ratio_counts_from_twenty_one_words(count: int, *, valid: bool) -> None:
    """Twenty equal words are not judged repetitive; 21 are."""
    assert validate(words(count, 1), CAREER, "").valid is valid


def test_upper_and_lower_case_are_one_word() -> None:
    """Changing case does not make a repeated word distinct."""
    text = " ".join(["skills", "SKILLS", "Skills"] * 7)
    assert validate(text, CAREER, "").issues == ("repetitive: 1 of 21 words are distinct, at least 20% needed",)


@pytest.mark.parametrize("intent", [intent for intent in Intent if intent is not SALARY])
def test_skill_vocabulary(intent: Intent) -> None:
    """Ten words without one about skills are no answer to a career question; "developer" alone is none either."""
    text = "one two three four five six seven eight nine"
    assert validate(f"{text} developer", intent, "").issues == ("no skill vocabulary",)
    assert validate(f"{text} Practise", intent, "").valid


def salary(text: str, prompt: str = "What is the salary?") -> Validation:
    """The verdict on ``text`` as a salary answer long enough to be judged."""
    return validate(f"As far as one can say for this role, the usual pay is {text}", SALARY, prompt)


@pytest.mark.parametrize(
    "text",
    [
        *("USD 80,000 to USD 110,000", "$80k-$110k", "$80,000 \u2013 110,000 a year", "between $80k and $110k"),
        *("80,000 to 110,000 dollars", "80-110k USD", "$80k to 110k.", "80k$ - 110k$"),
    ],
)
def test_ranges_as_people_write_them(text: str) -> None:
    """A range in dollars is found in each of its spellings, for a city that pays in dollars and for no city."""
    assert salary(text, "What does a nurse earn in Boston?").valid
    assert salary(text).valid


@pytest.mark.parametrize(
    ("city", "text"),
    [
        *(("London", "£45,000 to £60,000"), ("Berlin", "EUR 55k-70k"), ("Paris", "45 000? no: 45,000 to 60,000 euros")),
        *(("Bengaluru", "₹8\u201312 LPA"), ("Mumbai", "Rs. 8 lakh to 12 lakh"), ("Pune", "INR 8,00,000 to 12,00,000")),
        *(("Toronto", "C$80,000-C$110,000"), ("Sydney", "AU$90k to AU$120k"), ("Singapore", "SGD 5,000 - SGD 13,000")),
        *(
            ("Stockholm", "between SEK 445,000 and SEK 630,000"),
            ("Zürich", "CHF 90k to 120k"),
            ("Tokyo", "¥5-8 million"),
        ),
    ],
)
def test_the_currency_of_the_city(city: str, text: str) -> None:
    """A range counts in the city's own currency, and fails for a city with another one."""
    assert salary(text, f"What is the salary in {city}?").valid
    assert not salary(text, "What is the salary in Warsaw?").valid


@pytest.mark.parametrize(
    "text",
    [
        *("good", "$80,000", "80,000 to 110,000", "$110,000 to $80,000", "$80k to $80k", "$110-80k", "2 to 5 years"),
        *("$80,000 after 2 to 5 years", "HK$80,000 to HK$90,000", "USD many to USD more"),
    ],
)
def test_what_is_no_range_with_a_currency(text: str) -> None:
    """One figure, a bare range, a falling one, years and words are not a salary range."""
    assert salary(text).issues == ("no numeric salary range with a currency",)


def test_a_wrong_currency_is_named() -> None:
    """The issue says what was found and what the city needs; places are whole words."""
    found = salary("$80k to $110k", "What is the salary in London?")
    assert found.issues == ("wrong currency: USD, GBP expected",)
    assert salary("$80k to $110k", "What is the salary of a Londoner?").valid


def test_one_of_several_cities_is_enough() -> None:
    """Where a prompt names two places, a range in the currency of either counts."""
    prompt = "Is the salary higher in London or in Berlin?"
    assert salary("£45k to £60k", prompt).valid
    assert salary("€45k to €60k", prompt).valid
    assert not salary("$45k to $60k", prompt).valid


def test_every_issue_is_named() -> None:
    """Issues add up; a valid answer has none."""
    assert len(validate("skillet " * 251, CAREER, "").issues) == 3
    assert validate(words(30), CAREER, "") == Validation(valid=True, issues=())


@given(st.text(), st.sampled_from(Intent), st.text())
def test_no_text_raises(text: str, intent: Intent, prompt: str) -> None:
    """Any answer to any prompt gets a verdict that is valid exactly when it has no issues."""
    verdict = validate(text, intent, prompt)
    assert verdict.valid is (not verdict.issues)


MONEY = st.sampled_from(
    ["$", "€", "USD ", "k", " to ", "-", ",", ".", " lakh", "1", "00", "999999999", " and ", "kr", " "]
)


@given(st.lists(MONEY, max_size=30).map("".join))
def test_no_figure_raises(text: str) -> None:
    """Whatever amounts, scales and joins follow each other, a salary answer gets a verdict."""
    assert isinstance(validate(text, SALARY, "salary in London").valid, bool)
