"""OpenAI's requests and answers, translated."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.local_endpoint import openai
from go_live.local_endpoint.openai import Answers, RequestError, Result, asked

CHAT: openai.Kind = "chat.completion"
TEXT: openai.Kind = "text_completion"
GOOD = {"choices": [{"text": "Learn SQL."}], "usage": {"input": 7, "output": 150, "total": 157}}


def body(**fields: Any) -> bytes:
    """A request."""
    return json.dumps(fields).encode()


def test_of_a_chat_the_last_user_message_is_asked() -> None:
    """Its text parts joined; sampling parameters go where the worker wants them, unknown ones nowhere."""
    messages = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "well"},
        {"role": "user", "content": [{"type": "text", "text": "sec"}, {"type": "text", "text": "ond"}]},
        {"role": "assistant", "content": None},
    ]
    got = asked(
        body(messages=messages, max_completion_tokens=99, max_tokens=1, temperature=0.0, top_p=None, user="u"), CHAT
    )
    assert json.loads(got.input) == {"prompt": "second", "sampling_params": {"temperature": 0.0, "max_tokens": 99}}
    assert (got.stream, got.include_usage, got.max_tokens) == (False, False, 99)


def test_a_streamed_completion() -> None:
    """The flag goes along, and whether the usage is wanted is kept."""
    got = asked(body(prompt=["Hello"], stream=True, stream_options={"include_usage": True}), TEXT)
    assert json.loads(got.input) == {"prompt": "Hello", "sampling_params": {}, "stream": True}
    assert (got.stream, got.include_usage) == (True, True)


@pytest.mark.parametrize(
    ("sent", "kind", "named"),
    [
        (b"", TEXT, "truncated"),
        (b"\xff", TEXT, "."),
        (b"[]", TEXT, "object"),
        (body(prompt="a", n=2), TEXT, "n must be 1"),
        (body(prompt=[1, 2]), TEXT, "one text"),
        (body(prompt=["a", "b"]), TEXT, "one text"),
        (body(messages=[]), TEXT, "one text"),
        (body(prompt="a"), CHAT, "user message"),
        (body(messages=[{"role": "system", "content": "a"}]), CHAT, "user message"),
    ],
)
def test_what_one_job_cannot_answer_is_refused(sent: bytes, kind: openai.Kind, named: str) -> None:
    """With a reason."""
    with pytest.raises(RequestError, match=named):
        asked(sent, kind)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_request_or_refused(sent: bytes) -> None:
    """No other exception."""
    for kind in (CHAT, TEXT):
        try:
            asked(sent, kind)
        except RequestError:
            continue


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (GOOD, Result(text="Learn SQL.", prompt_tokens=7, output_tokens=150)),
        ([{"delta": "Learn"}, GOOD], Result(text="Learn SQL.", prompt_tokens=7, output_tokens=150)),
        ({"blocked": True, "intent": "x", "message": "not that"}, Result(text="not that", blocked=True)),
        ({"error": "out of memory"}, Result(error="out of memory")),
        ([{"error": {"type": "oom"}}], Result(error='{"type":"oom"}')),
    ],
)
def test_what_a_jobs_output_says(output: Any, expected: Result) -> None:
    """A whole answer, a streamed one, a blocked intent, an error in it."""
    assert openai.result(json.dumps(output).encode()) == expected


@pytest.mark.parametrize("output", [None, "text", [], {}, {"choices": []}, {"choices": [{"text": "a"}]}])
def test_an_output_that_is_no_response_is_an_error(output: Any) -> None:
    """Never an empty answer."""
    assert openai.result(None if output is None else json.dumps(output).encode()).error


def answers(kind: openai.Kind, **fields: Any) -> Answers:
    """A writer of answers to a request of this kind."""
    words = {"messages": [{"role": "user", "content": "a"}]} if kind == CHAT else {"prompt": "a"}
    return Answers(asked=asked(body(**words, **fields), kind), job="sync-1", model="m", created=5)


def test_whole_answers() -> None:
    """In OpenAI's two shapes, with the usage."""
    found = openai.result(json.dumps(GOOD).encode())
    usage = {"prompt_tokens": 7, "completion_tokens": 150, "total_tokens": 157}
    assert answers(CHAT).whole(found) == {
        "id": "chatcmpl-sync-1",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Learn SQL."},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": usage,
    }
    text = answers(TEXT, max_tokens=150).whole(found)
    assert (text["id"], text["object"], text["usage"]) == ("cmpl-sync-1", "text_completion", usage)
    assert text["choices"] == [{"index": 0, "text": "Learn SQL.", "logprobs": None, "finish_reason": "length"}]


def test_an_error_in_the_output_is_passed_on() -> None:
    """As an error object, without choices."""
    assert answers(CHAT).whole(Result(error="oom")) == {
        "error": {"message": "oom", "type": "server_error", "param": None, "code": 500}
    }


def test_a_blocked_intent_is_a_filtered_answer() -> None:
    """Its message, and OpenAI's word for why."""
    whole = answers(TEXT).whole(Result(text="not that", blocked=True))
    assert (whole["choices"][0]["text"], whole["choices"][0]["finish_reason"]) == ("not that", "content_filter")


def test_events_of_a_stream() -> None:
    """Pieces in both shapes; the usage in an event without choices."""
    chat = answers(CHAT).piece("Le")
    assert (chat["object"], chat["choices"][0]["delta"]) == (
        "chat.completion.chunk",
        {"role": "assistant", "content": "Le"},
    )
    text = answers(TEXT).piece("", "stop")
    assert (text["object"], text["choices"][0]["text"], text["choices"][0]["finish_reason"]) == (TEXT, "", "stop")
    usage = answers(TEXT).usage(Result(prompt_tokens=1, output_tokens=2))
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 3)


@pytest.mark.parametrize(
    ("chunk", "text"), [({"delta": "a"}, "a"), ({"delta": 1}, ""), (GOOD, ""), ("a", ""), ([], "")]
)
def test_only_deltas_add_text(chunk: Any, text: str) -> None:
    """The final response object repeats what was streamed, and adds nothing."""
    assert openai.delta(json.dumps(chunk).encode()) == text
