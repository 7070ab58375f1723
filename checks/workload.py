"""What the load asks, and when an answer is right."""

from collections.abc import Sequence
from typing import Any

from go_live.jobs.answer import Answer
from go_live.load.runner import Prompt
from go_live.outcome import Outcome, Verdict
from go_live.records import ErrorClass
from rehearsal.golden import Golden, golden_prompts
from worker.career.validation import validate


def job_input(prompt: str, *, max_tokens: int, **sampling: Any) -> dict[str, Any]:
    """A valid request with a greedy answer, so that it can be compared."""
    return {
        "prompt": prompt,
        "sampling_params": {"max_tokens": max_tokens, "temperature": 0.0, **sampling},
        "enable_validation": True,
    }


def open_prompts() -> list[Golden]:
    """The golden prompts whose intents are never blocked."""
    return [golden for golden in golden_prompts() if not golden.blocked]


def is_right(golden: Golden, answer: Answer, *, word_for_word: bool) -> bool:
    """Whether ``answer`` is the golden one (the rehearsal's model), or has its properties (any other model)."""
    if answer.error is not None or answer.text is None:
        return False
    if word_for_word:
        return answer.text == golden.answer
    return golden.mentioned_in(answer.text) and validate(answer.text, golden.intent, golden.prompt).valid


def load_prompts(*, max_tokens: int, word_for_word: bool) -> tuple[Prompt, ...]:
    """The golden prompts as a load, each answer judged as it comes."""

    def expecting(golden: Golden) -> Prompt:
        def judge(answer: Answer) -> ErrorClass | None:
            return None if is_right(golden, answer, word_for_word=word_for_word) else ErrorClass.WRONG

        return Prompt(id=golden.id, input=job_input(golden.prompt, max_tokens=max_tokens), expect=judge)

    return tuple(expecting(golden) for golden in open_prompts())


def full_length_prompts(*, max_tokens: int) -> tuple[Prompt, ...]:
    """The golden prompts, each answered with exactly ``max_tokens`` tokens, whatever they say: for dummy weights."""
    return tuple(
        Prompt(id=golden.id, input=job_input(golden.prompt, max_tokens=max_tokens, ignore_eos=True))
        for golden in open_prompts()
    )


def shown(claim: str, problems: Sequence[str], *, n: int) -> Verdict:
    """The verdict on ``n`` examples: PASS without ``problems``, else FAIL with the first of them.

    Raises:
        ValueError: no example was tried; nothing would be shown.
    """
    if n < 1:
        raise ValueError(f"{claim}: no example was tried")
    if not problems:
        reason = f"{n} example{'s' if n > 1 else ''}, no exception"
        return Verdict(claim=claim, outcome=Outcome.PASS, reason=reason, n=n, misses=0)
    reason = problems[0] if n == 1 else f"{len(problems)} of {n}: {problems[0]}"
    return Verdict(claim=claim, outcome=Outcome.FAIL, reason=reason, n=n, misses=min(len(problems), n))
