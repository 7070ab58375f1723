"""CODE-3 to CODE-5: what the worker accepts, clamps and refuses, through the HTTP API of the running endpoint."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from checks.target import Target
from checks.workload import job_input, open_prompts, shown
from go_live.gate import Gate
from go_live.jobs.answer import Answer
from go_live.pytest_plugin import Verdicts, item
from go_live.records import ErrorClass

BATCH = 12
"""Jobs sent at once: one example of a property is a batch, because each job costs the SDK's tenth of a second."""
EXAMPLES = 4
HUGE = "1" + "0" * 400

through_http = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,  # the same release is asked the same questions
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

no_numbers = st.one_of(
    st.booleans(), st.none(), st.text(max_size=8), st.lists(st.integers(), max_size=2), st.just({}), st.just(100.5)
)
foreign_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text()),
    st.just({}),
)
good_prompt = st.just(open_prompts()[0].prompt)
out_of_range = st.sampled_from(
    [
        ("temperature", -0.1),
        ("temperature", "warm"),
        ("top_p", 0.0),
        ("top_p", 1.5),
        ("top_k", -7),
        ("min_p", 2.0),
        ("repetition_penalty", 0.0),
        ("presence_penalty", 9.0),
        ("frequency_penalty", -9.0),
        ("seed", "x"),
        ("stop", 5),
        ("n", 64),
    ]
)
malformed = st.one_of(
    st.builds(
        lambda p, k, v: {"prompt": p, k: v}, good_prompt, st.text("abcxyz_", min_size=3, max_size=9), foreign_values
    ),
    st.builds(lambda p, kv: {"prompt": p, "sampling_params": {kv[0]: kv[1]}}, good_prompt, out_of_range),
    st.builds(lambda p, v: {"prompt": p, "sampling_params": v}, good_prompt, st.sampled_from([[], "x", 3, None, True])),
    st.builds(lambda p, v: {"prompt": p, "stream": v}, good_prompt, st.sampled_from(["yes", 1, None, []])),
    st.builds(lambda p, v: {"prompt": p, "enable_validation": v}, good_prompt, st.sampled_from(["no", 0, {}])),
)


def not_refused(answers: Sequence[Answer], inputs: Sequence[Any]) -> list[str]:
    """What was not refused, each described without its prompt."""
    return [
        f"{_describe(job)} was not refused but {answer.error or 'answered'}: {answer.detail or ''}"
        for answer, job in zip(answers, inputs, strict=True)
        if answer.error is not ErrorClass.REFUSED
    ]


def _describe(job: Any) -> str:
    text = json.dumps(job, default=str)
    return text if len(text) < 100 else f"{text[:60]}… ({len(text)} characters)"  # noqa: PLR2004 - one line of a report


@item("CODE-3")
def test_prompts_up_to_1024_characters_are_accepted(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """Prompts of 1, 2, 1023 and 1024 characters are answered, in any script whose tokens fit."""
    limit = gate.config.guardrails.prompt_max_chars
    sentence = open_prompts()[0].prompt + " "
    prompts = ["a", "日本", (sentence * limit)[: limit - 1], (sentence * limit)[:limit], "é" * limit]
    answers = target.complete_all([job_input(prompt, max_tokens=64) for prompt in prompts])
    problems = [
        f"a prompt of {len(prompt)} characters: {answer.error}: {answer.detail}"
        for prompt, answer in zip(prompts, answers, strict=True)
        # What the model says to nonsense is not the guardrail's business: an empty answer was accepted all the same.
        if answer.error not in {None, ErrorClass.EMPTY}
    ]
    verdict(shown(f"prompts of 1 to {limit} characters are accepted", problems, n=len(prompts)))


@item("CODE-3")
def test_other_prompts_are_refused(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """Prompts that are too long, blank, missing, or no string are each refused with one clear error."""
    limit = gate.config.guardrails.prompt_max_chars
    tried: list[Any] = []
    problems: list[str] = []

    @through_http
    @given(
        st.lists(
            st.one_of(
                st.integers(limit + 1, 4 * limit).map(lambda n: {"prompt": "x" * n}),
                st.text(" \t\n\r\u00a0", max_size=20).map(lambda blank: {"prompt": blank}),
                foreign_values.map(lambda value: {"prompt": value}),
                st.just({"question": "where is the prompt?"}),
            ),
            min_size=BATCH,
            max_size=BATCH,
        )
    )
    def refused(inputs: list[Any]) -> None:
        tried.extend(inputs)
        problems.extend(not_refused(target.complete_all(inputs), inputs))

    boundary = {"prompt": "x" * (limit + 1)}
    tried.append(boundary)
    problems.extend(not_refused([target.complete(boundary)], [boundary]))
    refused()
    verdict(shown("prompts that are too long, blank, missing or no string are refused", problems, n=len(tried)))


@item("CODE-4")
def test_max_tokens_is_clamped(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """A whole number of max_tokens is clamped to its bounds: so many tokens come when the model may not stop."""
    bounds = gate.config.guardrails
    low, high = bounds.max_tokens_min, bounds.max_tokens_max
    tried: list[Any] = []
    problems: list[str] = []

    def expect(values: Sequence[float]) -> None:
        prompt = open_prompts()[0].prompt
        answers = target.complete_all([job_input(prompt, max_tokens=v, ignore_eos=True) for v in values])  # type: ignore[arg-type]
        for value, answer in zip(values, answers, strict=True):
            want = min(max(int(value), low), high)
            tried.append(value)
            if answer.output_tokens != want:
                problems.append(
                    f"max_tokens {value!r} gave {answer.output_tokens} tokens, not {want} ({answer.detail})"
                )

    @through_http
    @given(st.lists(st.one_of(st.integers(-(10**6), 10**6), st.integers(low, high)), min_size=4, max_size=4))
    def clamped(values: list[int]) -> None:
        expect(values)

    expect([low - 1, low, low + 1, high - 1, high, high + 1, 0, 100.0])
    clamped()
    verdict(shown(f"max_tokens is clamped to [{low}, {high}]", problems, n=len(tried)))


@item("CODE-4")
def test_what_is_no_whole_number_is_refused(target: Target, verdict: Verdicts) -> None:
    """max_tokens that is a boolean, a string, a fraction, null or a structure is refused."""
    prompt = open_prompts()[0].prompt
    tried: list[Any] = []
    problems: list[str] = []

    @through_http
    @given(st.lists(no_numbers, min_size=BATCH, max_size=BATCH))
    def refused(values: list[Any]) -> None:
        inputs = [{"prompt": prompt, "sampling_params": {"max_tokens": value}} for value in values]
        tried.extend(inputs)
        problems.extend(not_refused(target.complete_all(inputs), inputs))

    refused()
    verdict(shown("max_tokens that is no whole number is refused", problems, n=len(tried)))


@item("CODE-4")
def test_raw_numbers_no_library_sends(target: Target, gate: Gate, verdict: Verdicts) -> None:
    """NaN, the infinities and 1e400 as raw bytes are refused; the integer 10^400 is clamped like any other."""
    prompt = json.dumps(open_prompts()[0].prompt).encode()
    high = gate.config.guardrails.max_tokens_max
    problems = []
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e400"):
        body = b'{"input": {"prompt": %s, "sampling_params": {"max_tokens": %s}}}' % (prompt, number)
        answer = target.endpoint.judge(target.post_raw("runsync", body), needs_text=True)
        if answer.error not in {ErrorClass.REFUSED, ErrorClass.BAD_REQUEST}:
            problems.append(f"max_tokens {number.decode()} was not refused but {answer.error or 'answered'}")
    body = b'{"input": {"prompt": %s, "sampling_params": {"max_tokens": %s, "ignore_eos": true}}}' % (
        prompt,
        HUGE.encode(),
    )
    answer = target.endpoint.judge(target.post_raw("runsync", body), needs_text=True)
    if answer.output_tokens != high:
        problems.append(
            f"max_tokens 10^400 gave {answer.output_tokens} tokens, not {high}: {answer.error}: {answer.detail}"
        )
    verdict(shown("numbers that no JSON library sends are refused or clamped", problems, n=5))


@item("CODE-5")
def test_malformed_input_is_refused_and_the_worker_goes_on(target: Target, verdict: Verdicts) -> None:
    """Unknown keys, values out of range and of the wrong kind are refused; then a good request is answered."""
    tried: list[Any] = []
    problems: list[str] = []

    @through_http
    @given(st.lists(malformed, min_size=BATCH, max_size=BATCH))
    def refused(inputs: list[Any]) -> None:
        tried.extend(inputs)
        problems.extend(not_refused(target.complete_all(inputs), inputs))

    refused()
    after = target.complete(job_input(open_prompts()[0].prompt, max_tokens=64))
    if after.error is not None:
        problems.append(f"after the refusals a good request ended as {after.error}: {after.detail}")
    verdict(shown("malformed input is refused, and the worker goes on", problems, n=len(tried) + 1))


@item("CODE-5")
def test_lone_surrogates_and_missing_input_are_refused(target: Target, verdict: Verdicts) -> None:
    """A lone surrogate, an input that is no object, and no input at all each end in a clear refusal, not in a hang."""
    bodies = {
        "a lone surrogate": rb'{"input": {"prompt": "career \ud800 advice"}}',
        "an input that is a list": b'{"input": [1, 2]}',
        "an input that is a string": b'{"input": "hello"}',
        "no input": b"{}",
    }
    problems = []
    for name, body in bodies.items():
        answer = target.endpoint.judge(target.post_raw("runsync", body), needs_text=True)
        if answer.error not in {ErrorClass.REFUSED, ErrorClass.BAD_REQUEST}:
            problems.append(f"{name} was not refused but {answer.error or 'answered'}: {answer.detail}")
    verdict(shown("what is no request at all is refused", problems, n=len(bodies)))
