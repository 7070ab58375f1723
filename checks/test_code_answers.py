"""CODE-8 to CODE-11: validation, blocked intents, streaming and cancelling."""

import time
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from checks.target import Event, Target
from checks.workload import job_input, open_prompts, shown
from go_live.gate import Gate
from go_live.jobs.answer import TERMINAL, Answer
from go_live.pytest_plugin import Verdicts, item
from rehearsal.golden import golden_prompts

REPLACEMENT = "\ufffd"
POLL_S = 0.2
TRIES = 100
CANCELLED_JOBS = 4
RUNNING_JOBS = 16
"""Two batches of the worker's default size: the last of them still run when their cancels arrive."""
OUTRUN_MS = 250
"""A job that was through so soon may have outrun its cancel."""
ONE_WORD_TOKENS = 16
"""More than any first word has; far fewer than an answer."""
REPEATING = 0.001
"""A repetition penalty that makes any model say the same word over and over."""
AGAIN = 1.5
"""So many times the execution of an answer that is not validated speak for a second generation."""
AGAIN_MS = 100
"""What the clock of a busy machine may add to that."""
TIMINGS = 3
TOKENS_PER_DELTA = 3
"""A window of 80 ms holds more than that from 40 tokens/s on, which is the least that is asked for."""
FIRST_AND_LAST = 2


@item("CODE-8")
@pytest.mark.usefixtures("meaning")
def test_answers_carry_their_validation(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """Each golden prompt's answer says that it is valid, with the intent it was asked under."""
    prompts = open_prompts()
    answers = target.complete_all(
        [job_input(golden.prompt, max_tokens=gate.config.load.max_tokens) for golden in prompts]
    )
    problems = []
    for golden, answer in zip(prompts, answers, strict=True):
        told = validation(answer)
        if told.get("valid") is not True or told.get("intent") != golden.intent:
            problems.append(f"prompt {golden.id!r} was answered with {told}")
    verdict(shown("answers carry their intent and are valid", problems, n=len(prompts)))


@item("CODE-8")
def test_an_invalid_answer_is_returned_not_generated_again(target: Target, verdict: Verdicts) -> None:
    """An answer cut after its first word is told to be invalid, and returned as it is: nothing was generated again."""
    answer = target.complete(job_input(open_prompts()[0].prompt, max_tokens=64, stop=[" "]))
    told = validation(answer)
    problems = []
    if answer.error is not None:
        problems.append(f"{answer.error}: {answer.detail}")
    elif told.get("valid") is not False or not told.get("issues"):
        problems.append(f"an answer of one word was told to be {told}")
    elif (answer.output_tokens or 0) > ONE_WORD_TOKENS:
        problems.append(f"one word took {answer.output_tokens} tokens: it was generated again")
    verdict(shown("an invalid answer is told and returned", problems, n=1))


@item("CODE-8")
def test_validation_costs_no_second_generation(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """An endless answer that repeats itself is invalid, and takes as long as when nobody validates it."""
    prompt, most = open_prompts()[0].prompt, gate.config.guardrails.max_tokens_max
    asked = job_input(prompt, max_tokens=most, ignore_eos=True, repetition_penalty=REPEATING)
    validated, plain = fastest_ms(target, asked), fastest_ms(target, {**asked, "enable_validation": False})
    problems = []
    if validated > AGAIN * plain + AGAIN_MS:
        problems.append(f"{validated:.0f} ms, and {plain:.0f} ms without validation: it was generated again")
    verdict(shown("an invalid answer is generated once", problems, n=2 * TIMINGS))


@item("CODE-9")
def test_low_trust_intents_are_blocked(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """Salary and market questions come back blocked, and are answered when the caller asks for that."""
    prompts = [golden for golden in golden_prompts() if golden.blocked]
    problems = []
    for golden in prompts:
        asked = job_input(golden.prompt, max_tokens=gate.config.load.max_tokens)
        blocked, open_ = target.complete_all([asked, {**asked, "block_low_trust_intents": False}])
        if not blocked.blocked:
            problems.append(f"prompt {golden.id!r} was not blocked but {blocked.error or 'answered'}")
        if open_.error is not None or open_.text is None:
            problems.append(f"prompt {golden.id!r} was not answered when asked for: {open_.error or 'blocked'}")
    verdict(shown("low-trust intents are blocked unless the caller asks for them", problems, n=2 * len(prompts)))


@item("CODE-9")
def test_career_guidance_comes_first(target: Target, verdict: Verdicts) -> None:
    """A career question that also mentions a salary is career guidance, and is answered."""
    answer = target.complete(job_input("How do I become a data engineer, and what salary can I expect?", max_tokens=64))
    intent = validation(answer).get("intent")
    problems = [] if intent == "career_guidance" else [f"it was taken for {intent or answer.error or 'blocked'}"]
    verdict(shown("a career question that mentions a salary is career guidance", problems, n=1))


@item("CODE-10")
def test_deltas_joined_are_the_text(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """Streamed deltas joined are the final text; they are fewer than the tokens; no character is split."""
    prompts = open_prompts()[:4]
    problems = []
    for golden in prompts:
        asked = {**job_input(golden.prompt, max_tokens=gate.config.load.max_tokens), "stream": True}
        answer = target.complete_streaming(asked)
        deltas = [c.output["delta"] for c in answer.chunks if isinstance(c.output, dict) and "delta" in c.output]
        if answer.error is not None or answer.text is None:
            problems.append(f"prompt {golden.id!r}: {answer.error}: {answer.detail}")
        elif "".join(deltas) != answer.text:
            problems.append(f"prompt {golden.id!r}: {len(deltas)} deltas joined are not the final text")
        elif len(deltas) > FIRST_AND_LAST + (answer.output_tokens or 0) / TOKENS_PER_DELTA:
            problems.append(
                f"prompt {golden.id!r}: {len(deltas)} deltas for {answer.output_tokens} tokens: a POST a token"
            )
        elif any(REPLACEMENT in delta for delta in deltas):
            problems.append(f"prompt {golden.id!r}: a delta holds half a character")
    verdict(shown("streamed deltas joined are the final text, coalesced, no character split", problems, n=len(prompts)))


@item("CODE-10")
def test_stream_true_aggregates(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """With stream=true the final JSON of /runsync holds the deltas, joined to the text, under both of their names."""
    asked = {**job_input(open_prompts()[0].prompt, max_tokens=gate.config.load.max_tokens), "stream": True}
    answer = target.complete(asked)
    choice = answer.output["choices"][0] if answer.error is None else {}
    problems = []
    if answer.error is not None:
        problems.append(f"{answer.error}: {answer.detail}")
    elif "".join(choice.get("deltas", [])) != choice["text"] or choice.get("tokens") != choice.get("deltas"):
        problems.append("deltas and tokens of the final JSON are not its text")
    elif answer.output.get("streaming") is not True:
        problems.append("the final JSON does not say that it was streamed")
    verdict(shown("stream=true aggregates the deltas into the final JSON", problems, n=1))


@item("CODE-11")
def test_cancelled_jobs_end_and_the_worker_goes_on(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """Jobs cancelled while they run end CANCELLED, and the next request is answered."""
    long = job_input(open_prompts()[0].prompt, max_tokens=gate.config.guardrails.max_tokens_max, ignore_eos=True)
    jobs = [str(target.run(long).data["id"]) for _ in range(CANCELLED_JOBS)]
    for job in jobs:
        target.cancel(job)
    statuses = [_settled(target, job) for job in jobs]
    after = target.complete(job_input(open_prompts()[0].prompt, max_tokens=64))
    problems = [f"a cancelled job is {status}" for status in statuses if status != "CANCELLED"]
    if after.error is not None:
        problems.append(f"after the cancels a good request ended as {after.error}: {after.detail}")
    verdict(shown("cancelled jobs end CANCELLED, and the worker goes on", problems, n=len(jobs) + 1))


@item("CODE-11")
def test_a_cancel_stops_the_engine(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """Jobs cancelled while they run all end; where the log can be read, it says that they were stopped."""
    long = job_input(open_prompts()[0].prompt, max_tokens=gate.config.guardrails.max_tokens_max, ignore_eos=True)
    jobs = [str(target.run(long).data["id"]) for _ in range(RUNNING_JOBS)]
    _await_status(target, jobs[-1], TERMINAL | {"IN_PROGRESS"})
    for job in reversed(jobs):
        target.cancel(job)
    statuses = [_settled(target, job) for job in jobs]
    problems = [f"a cancelled job is {status}" for status in statuses if status not in TERMINAL]
    ends = _ends(target, jobs) if target.log_text() else []
    stopped = [end for end in ends if end.get("class") == "cancelled"]
    through = [end for end in ends if end.get("ok") and end.get("exec_ms", 0) > OUTRUN_MS]
    if through and not stopped:
        problems.append(f"none of {len(jobs)} cancelled jobs was stopped: {len(through)} ran to their end")
    verdict(shown("jobs cancelled while they run are stopped", problems, n=len(jobs)))


def validation(answer: Answer) -> dict[str, object]:
    """The validation part of an answer; empty when there is none."""
    told = answer.output.get("validation") if isinstance(answer.output, dict) else None
    return told if isinstance(told, dict) else {}


def fastest_ms(target: Target, asked: Mapping[str, Any]) -> float:
    """The shortest execution time of some tries, ms: what a busy machine adds is left out."""
    times = [target.complete(asked).execution_ms for _ in range(TIMINGS)]
    return min(time for time in times if time is not None)


def _settled(target: Target, job: str) -> str:
    return _await_status(target, job, TERMINAL)


def _await_status(target: Target, job: str, wanted: Collection[str]) -> str:
    status = "unknown"
    for _ in range(TRIES):
        status = str(target.status(job).data.get("status"))
        if status in wanted:
            break
        time.sleep(POLL_S)
    return status


def _ends(target: Target, jobs: Collection[str]) -> list[Event]:
    """The end lines of ``jobs``, when every one of them that has a start line has its end line too."""
    ends: list[Event] = []
    for _ in range(TRIES):
        time.sleep(POLL_S)
        ours = [event for event in target.events() if event.get("request_id") in jobs]
        ends = [event for event in ours if event["event"] == "end"]
        if len(ends) == sum(event["event"] == "start" for event in ours):
            break
    return ends
