"""Golden prompts: enough of each kind, and readable without torch."""

import subprocess
import sys

import pytest

from rehearsal.golden import Golden, golden_prompts
from worker.career.intents import Intent

GOLDEN = {golden.id: golden for golden in golden_prompts()}


def test_there_are_enough_of_each_kind() -> None:
    """At least sixteen prompts that are never blocked, and at least two of each blocked intent; blocked ones last."""
    intents = [golden.intent for golden in golden_prompts()]
    assert sum(not golden.blocked for golden in golden_prompts()) >= 16
    assert intents.count(Intent.INTERVIEW_SKILLS) >= 2
    assert intents.count(Intent.SALARY_INTELLIGENCE) >= 2
    assert intents.count(Intent.MARKET_INTELLIGENCE) >= 2
    assert [golden.blocked for golden in golden_prompts()] == sorted(golden.blocked for golden in golden_prompts())


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=GOLDEN)
def test_an_answer_is_recognised_by_what_it_mentions(golden: Golden) -> None:
    """The golden answer has its own property, in any case; an empty or evasive one has not."""
    assert golden.mentioned_in(golden.answer)
    assert golden.mentioned_in(golden.answer.upper())
    assert not golden.mentioned_in("")
    assert not golden.mentioned_in("Sorry, but nothing can be said here.")


def test_answers_differ() -> None:
    """No two prompts share an answer, so that an answer of the wrong job is seen."""
    assert len({golden.answer for golden in golden_prompts()}) == len(golden_prompts())


def test_reading_them_needs_no_torch() -> None:
    """A machine with the core package alone can read the golden prompts."""
    script = (
        "import sys, rehearsal.golden as g; g.golden_prompts(); print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
