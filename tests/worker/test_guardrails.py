"""A job's input -> a request, a probe or a refusal."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import guardrails
from worker.guardrails import Probe, Refused, Request, accept, check_fits

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["prompt", "sampling_params", "stream", "enable_validation", "max_tokens", "probe", "other"])


def request(**fields: Any) -> Request:
    """Accept a request with ``fields`` beside a good prompt."""
    accepted = accept({"prompt": "How do I become a data engineer?", **fields})
    assert isinstance(accepted, Request)
    return accepted


def refusal(payload: Any) -> str:
    """The message with which ``payload`` is refused."""
    with pytest.raises(Refused) as caught:
        accept(payload)
    return str(caught.value)


@given(JSON | st.dictionaries(KEYS, JSON))
def test_any_json_is_accepted_or_refused(payload: Any) -> None:
    """No JSON value makes the guardrails fail in another way, and a refusal is one line that names itself."""
    try:
        accepted = accept(payload)
    except Refused as refused:
        messages = (str(refused), refused.logged)
        assert all(message.startswith("refused: ") for message in messages)
        assert all(len(message.splitlines()) == 1 for message in messages)
    else:
        assert isinstance(accepted, Probe) or (
            64 <= accepted.max_tokens <= 256 and 1 <= len(accepted.prompt) <= 1024 and accepted.prompt.strip()
        )


@pytest.mark.parametrize("payload", [None, [], "prompt", 1, True])
def test_input_must_be_an_object(payload: Any) -> None:
    """Whatever is not an object is refused as such."""
    assert "input must be an object" in refusal(payload)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("", "prompt is blank"),
        (" \n\t\u3000", "prompt is blank"),
        (None, "prompt must be a string, not null"),
        (7, "prompt must be a string, not a number"),
        (True, "prompt must be a string, not a boolean"),
        (["a"], "prompt must be a string, not an array"),
        ({"a": 1}, "prompt must be a string, not an object"),
        ("a\ud800b", "prompt has a lone surrogate"),
        ("\udfff", "prompt has a lone surrogate"),
        ("x" * 1025, "prompt too long: 1025 characters, at most 1024"),
        (" " * 1025, "prompt too long"),
    ],
)
def test_bad_prompts_are_named(prompt: Any, said: str) -> None:
    """Each way in which a prompt can be wrong has its own message."""
    assert said in refusal({"prompt": prompt})


def test_a_missing_prompt_is_named() -> None:
    """An object without a prompt is told so."""
    assert refusal({}) == "refused: prompt is missing"


@given(st.text(min_size=1, max_size=1024).filter(str.strip))
def test_prompts_up_to_1024_characters_are_accepted_unchanged(prompt: str) -> None:
    """Length is counted in code points, and what is accepted is what was sent."""
    assert accept({"prompt": prompt}) == request(prompt=prompt)
    assert request(prompt=prompt).prompt == prompt


@pytest.mark.parametrize("character", ["a", "é", "漢", "🚀"])
def test_the_limit_is_in_code_points(character: str) -> None:
    """1024 of any character pass, 1025 do not."""
    assert request(prompt=character * 1024).prompt == character * 1024
    assert "at most 1024" in refusal({"prompt": character * 1025})


@given(st.integers() | st.floats().filter(lambda value: math.isfinite(value) and value.is_integer()))
def test_whole_numbers_are_clamped(asked: float) -> None:
    """Any integer or integral float ends between 64 and 256, and stays as it is inside."""
    got = request(sampling_params={"max_tokens": asked}).max_tokens
    assert got == min(256, max(64, int(asked)))
    assert type(got) is int


def test_clamp_at_its_edges_and_beyond_floats() -> None:
    """The floor, the ceiling, the default, and integers that no float can hold."""
    assert [request(sampling_params={"max_tokens": n}).max_tokens for n in (63, 64, 65, 255, 256, 257)] == [
        *(64, 64, 65, 255, 256, 256)
    ]
    assert request(sampling_params={"max_tokens": 10**400}).max_tokens == 256
    assert request(sampling_params={"max_tokens": -(10**400)}).max_tokens == 64
    assert request().max_tokens == request(sampling_params={}).max_tokens == 150


@pytest.mark.parametrize(
    "text", ["true", "false", "null", '"150"', "150.5", "NaN", "Infinity", "-Infinity", "[150]", "{}"]
)
def test_other_max_tokens_are_refused(text: str) -> None:
    """Booleans, strings, fractions, NaN, infinities, null, arrays and objects are refused, in either place."""
    value = json.loads(text)
    assert "max_tokens must be an integer" in refusal({"prompt": "x", "sampling_params": {"max_tokens": value}})
    assert "max_tokens must be an integer" in refusal({"prompt": "x", "max_tokens": value})


def test_max_tokens_beside_the_prompt() -> None:
    """It is accepted there too, but not in both places."""
    assert request(max_tokens=100).max_tokens == 100
    assert "twice" in refusal({"prompt": "x", "max_tokens": 100, "sampling_params": {"max_tokens": 100}})


GOOD: dict[str, tuple[Any, ...]] = {
    "temperature": (0, 0.7, 2),
    "top_p": (0.001, 1),
    "top_k": (-1, 0, 40, 40.0),
    "min_p": (0, 1),
    "repetition_penalty": (0.1, 1, 1.2, 5),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "seed": (0, 7, -1, 2**63 - 1),
    "min_tokens": (0, 150),
    "stop": ("END", ["a", "b"], []),
    "ignore_eos": (True, False),
}
BAD: dict[str, tuple[Any, ...]] = {
    "temperature": (-0.1, 2.1, math.nan, math.inf, "1", None, True, 10**400),
    "top_p": (0, 1.1, -1, math.nan),
    "top_k": (-2, 1.5, 2**31, "4", False),
    "min_p": (-0.1, 1.1),
    "repetition_penalty": (0, -1, math.inf, math.nan, 1e300, 1e-300),
    "presence_penalty": (-2.1, 2.1),
    "frequency_penalty": (-2.1, 2.1, [1]),
    "seed": (2**63, 10**400, 1.5, None),
    "min_tokens": (-1, 151, 257),
    "stop": ("", [""], ["a"] * 5, 5, [1], "x" * 65, "\ud800"),
    "ignore_eos": (1, 0, "true", None),
}


def test_every_sampling_parameter_is_covered() -> None:
    """Each known parameter has good and bad examples here."""
    assert set(GOOD) == set(BAD) == set(guardrails._SAMPLING)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_sampling_values_in_range_are_passed_on(name: str, value: Any) -> None:
    """A good value reaches the engine as it is."""
    passed = request(sampling_params={name: value}).sampling[name]
    assert passed == ([value] if isinstance(value, str) else value)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_sampling_values_out_of_range_are_refused_by_name(name: str, value: Any) -> None:
    """A bad value is refused, and the message names the parameter."""
    assert name in refusal({"prompt": "x", "sampling_params": {name: value}})


def test_sampling_params_must_be_an_object() -> None:
    """Null and arrays are no objects."""
    values: tuple[Any, ...] = (None, [], "x", 1)
    for value in values:
        assert "sampling_params must be an object" in refusal({"prompt": "x", "sampling_params": value})


def test_unknown_keys_are_refused_and_not_logged() -> None:
    """At both levels the message names the key; the log does not, since a key may hold anything."""
    for payload in ({"prompt": "x", "secret_key": 1}, {"prompt": "x", "sampling_params": {"secret_key": 1}}):
        with pytest.raises(Refused) as caught:
            accept(payload)
        assert "unknown key 'secret_key'" in str(caught.value)
        assert "secret_key" not in caught.value.logged


@pytest.mark.parametrize("name", ["stream", "enable_validation", "block_low_trust_intents"])
def test_flags_are_booleans(name: str) -> None:
    """Each flag is passed on, and is nothing but true or false."""
    assert getattr(request(**{name: True}), name) is True
    assert getattr(request(**{name: False}), name) is False
    for value in (1, 0, "true", None):
        assert f"{name} must be true or false" in refusal({"prompt": "x", name: value})


def test_defaults_of_flags() -> None:
    """Unless asked otherwise: no stream, validation on, low trust blocked, temperature 0.7."""
    accepted = request()
    assert (accepted.stream, accepted.enable_validation, accepted.block_low_trust_intents) == (False, True, True)
    assert accepted.sampling == {"temperature": 0.7}


@given(st.integers(0, 10_000), st.integers(64, 256), st.integers(1, 10_000))
def test_tokens_must_fit(prompt_tokens: int, max_tokens: int, room: int) -> None:
    """Refused exactly when prompt and answer together are above the model's length."""
    if prompt_tokens + max_tokens <= room:
        check_fits(prompt_tokens, max_tokens, room)
    else:
        with pytest.raises(Refused, match="too many tokens"):
            check_fits(prompt_tokens, max_tokens, room)


def test_a_probe_stands_alone() -> None:
    """A probe is an object with a nonce, and nothing beside it."""
    assert accept({"probe": {"nonce": "abc"}}) == Probe("abc")
    for probe in (None, {}, {"nonce": ""}, {"nonce": "x" * 129}, {"nonce": 1}, {"nonce": "x", "more": 1}):
        assert refusal({"probe": probe}).startswith("refused: ")
    assert "unknown key 'prompt'" in refusal({"probe": {"nonce": "x"}, "prompt": "x"})
