"""Every response has one meaning, and no failure looks like an answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.jobs.answer import Answer
from go_live.jobs.classify import classify, clean, delta_text, is_blank
from go_live.records import ErrorClass

JSON = "application/json"
TEXT = {"choices": [{"text": "Learn SQL."}], "usage": {"input": 5, "output": 7, "total": 12}}
WORDS = [
    "status", "output", "choices", "text", "tokens", "deltas", "error", "blocked", "usage", "id", "delayTime",
    "executionTime", "workerId", "engine", "COMPLETED", "FAILED", "IN_QUEUE", "IN_PROGRESS", "RUNNING", "CANCELLED",
    "TIMED_OUT", "refused: no", "executionTimeout exceeded", " ", "\u200b",
]  # fmt: skip
names = st.sampled_from(WORDS) | st.text(max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
outputs = values | st.fixed_dictionaries({"choices": st.lists(st.fixed_dictionaries({"text": values}), max_size=2)})
jobs = st.fixed_dictionaries(
    {"status": st.sampled_from(WORDS)},
    optional={"output": outputs, "error": values, "id": values, "delayTime": values, "executionTime": values},
)


def job(status: str = "COMPLETED", **fields: object) -> Answer:
    """Classify a job object that came with HTTP 200."""
    return classify(200, JSON, json.dumps({"id": "j1", "status": status, **fields}).encode())


def holds(answer: Answer) -> None:
    """What is true of every answer."""
    assert answer.error is None or answer.error in ErrorClass
    assert (answer.error is None) == (answer.detail is None)
    assert answer.detail is None or (len(answer.detail) <= 200 and "\n" not in answer.detail)
    if answer.error is None:
        assert answer.job_status == "COMPLETED"
        assert answer.blocked or (answer.text is not None and not is_blank(answer.text))
    for number in (answer.delay_ms, answer.execution_ms):
        assert number is None or 0 <= number < float("inf")


@given(st.integers(100, 599), st.sampled_from([JSON, "text/html; charset=UTF-8", "", "x"]), st.binary(max_size=200))
def test_any_bytes_are_an_error_and_never_an_exception(status: int, content_type: str, body: bytes) -> None:
    """Random bytes are no answer, whatever the status says."""
    answer = classify(status, content_type, body)
    holds(answer)
    assert answer.error is not None


@given(st.sampled_from([200, 200, 200, 201, 302, 400, 401, 404, 429, 500, 524]), jobs | values)
def test_any_json_has_one_meaning(status: int, data: Any) -> None:
    """Only a COMPLETED job under a 2xx with a text or a blocked intent is ok."""
    answer = classify(status, JSON, json.dumps(data).encode())
    holds(answer)
    assert answer.error is not None or 200 <= status < 300


@given(st.integers(0, 400))
def test_a_body_cut_anywhere_is_truncated(cut: int) -> None:
    """No prefix of a good answer is an answer."""
    body = json.dumps({"id": "j1", "status": "COMPLETED", "output": TEXT}).encode()
    if cut < len(body):
        assert classify(200, JSON, body[:cut]).error is ErrorClass.TRUNCATED


@pytest.mark.parametrize(
    ("status", "content_type", "body", "error"),
    [
        (524, "text/html", b"<html><title>524: A timeout occurred</title>", ErrorClass.NOT_JSON),
        (502, "text/html", b"<html>Bad gateway</html>", ErrorClass.NOT_JSON),
        (200, "text/html", b"<html>hello</html>", ErrorClass.NOT_JSON),
        (200, JSON, b'{"status": "COMPL', ErrorClass.TRUNCATED),
        (200, JSON, b"", ErrorClass.TRUNCATED),
        (200, JSON, b'{"status": "COMPLETED", "output": NaN}', ErrorClass.TRUNCATED),
        (200, JSON, b"[" * 100_000, ErrorClass.TRUNCATED),
        (200, JSON, b"\xff\xfe", ErrorClass.TRUNCATED),
        (401, JSON, b'{"title": "Unauthorized"}', ErrorClass.UNAUTHORIZED),
        (403, "text/html", b"error code: 1010", ErrorClass.UNAUTHORIZED),
        (404, JSON, b'{"message": "Not Found"}', ErrorClass.NOT_FOUND),
        (429, "", b"", ErrorClass.RATE_LIMITED),
        (400, JSON, b"{}", ErrorClass.BAD_REQUEST),
        (413, "text/html", b"<html>", ErrorClass.BAD_REQUEST),
        (500, JSON, b'{"error": "boom"}', ErrorClass.SERVER),
        (500, "", b"", ErrorClass.SERVER),
        (307, "", b"", ErrorClass.NOT_JSON),
        (302, JSON, b"{}", ErrorClass.MALFORMED),
        (204, "", b"", ErrorClass.NOT_JSON),
        (200, JSON, b"[]", ErrorClass.MALFORMED),
        (200, JSON, b'{"status": "DONE"}', ErrorClass.MALFORMED),
        (500, JSON, b'{"status": "COMPLETED", "output": {"choices": [{"text": "hi"}]}}', ErrorClass.SERVER),
    ],
)
def test_http_failures_are_named(status: int, content_type: str, body: bytes, error: ErrorClass) -> None:
    """What HTTP and the body's kind already decide has its class."""
    answer = classify(status, content_type, body)
    assert (answer.error, answer.http_status) == (error, status)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"status": "FAILED", "error": "boom"}, ErrorClass.FAILED),
        ({"status": "FAILED"}, ErrorClass.FAILED),
        ({"status": "FAILED", "error": {"why": 1}}, ErrorClass.FAILED),
        ({"status": "FAILED", "error": "job timed out after 1 retries"}, ErrorClass.FAILED),
        ({"status": "FAILED", "error": "connection refused: engine"}, ErrorClass.FAILED),
        ({"status": "FAILED", "error": "refused: prompt has 1025 characters"}, ErrorClass.REFUSED),
        (
            {"status": "FAILED", "error": json.dumps({"error_type": "ValueError", "error_message": "refused: no"})},
            ErrorClass.REFUSED,
        ),
        ({"status": "FAILED", "error": "executionTimeout exceeded"}, ErrorClass.TIMED_OUT),
        ({"status": "TIMED_OUT"}, ErrorClass.TIMED_OUT),
        ({"status": "CANCELLED"}, ErrorClass.CANCELLED),
        ({"status": "IN_QUEUE"}, ErrorClass.DEADLINE),
        ({"status": "IN_PROGRESS", "output": TEXT}, ErrorClass.DEADLINE),
        ({"output": {**TEXT, "error": "late"}}, ErrorClass.ERROR_IN_OUTPUT),
        ({"output": [{"error": "late"}, TEXT]}, ErrorClass.ERROR_IN_OUTPUT),
        ({"output": {"error": {"message": "vllm died"}}}, ErrorClass.ERROR_IN_OUTPUT),
        ({}, ErrorClass.EMPTY),
        ({"output": None}, ErrorClass.EMPTY),
        ({"output": {}}, ErrorClass.EMPTY),
        ({"output": []}, ErrorClass.EMPTY),
        ({"output": " "}, ErrorClass.EMPTY),
        ({"output": {"choices": [{"text": " \n\u200b"}]}}, ErrorClass.EMPTY),
        ({"output": {"choices": [{"text": ""}]}}, ErrorClass.EMPTY),
        ({"output": {"usage": {}}}, ErrorClass.MALFORMED),
        ({"output": {"choices": []}}, ErrorClass.MALFORMED),
        ({"output": {"choices": [{"text": 5}]}}, ErrorClass.MALFORMED),
        ({"output": {"choices": [{"tokens": [1, 2]}]}}, ErrorClass.MALFORMED),
        ({"output": "a plain string"}, ErrorClass.MALFORMED),
        ({"output": 7}, ErrorClass.MALFORMED),
        ({"output": {"blocked": "yes"}}, ErrorClass.MALFORMED),
    ],
)
def test_failures_inside_http_200_are_named(fields: dict[str, Any], error: ErrorClass) -> None:
    """A job that did not give a right-shaped answer is an error of its own class."""
    assert job(**fields).error is error


@pytest.mark.parametrize(
    "output",
    [
        TEXT,
        [{"delta": "Learn "}, {"delta": "SQL."}, TEXT],
        {"choices": [{"tokens": ["Learn ", "SQL."]}], "usage": {"input": 5, "output": 7}},
        {"choices": [{"text": "Learn SQL.", "deltas": ["other"]}], "usage": {"output": 7}, "error": None},
    ],
)
def test_a_right_answer_is_read_in_each_documented_form(output: object) -> None:
    """Plain, streamed and older forms give the same text, tokens, times and worker."""
    answer = job(output=output, delayTime=12, executionTime=345.5, workerId="w1")
    assert answer.error is None
    assert (answer.text, answer.output_tokens, answer.job) == ("Learn SQL.", 7, "j1")
    assert (answer.delay_ms, answer.execution_ms, answer.worker) == (12.0, 345.5, "w1")
    assert answer.digest == "a5522a49ac797443"


def test_a_blocked_intent_is_a_valid_response_without_a_text() -> None:
    """Blocking is the worker's documented answer to low-trust intents."""
    answer = job(output={"blocked": True, "intent": "salary_intelligence", "message": "no"})
    assert (answer.error, answer.blocked, answer.text) == (None, True, None)


def test_an_object_is_an_answer_only_when_asked_for() -> None:
    """The probe's output is ok for a caller that wants no text, and malformed for one that does."""
    body = json.dumps({"status": "COMPLETED", "output": {"nonce": "n1"}}).encode()
    assert classify(200, JSON, body).error is ErrorClass.MALFORMED
    answer = classify(200, JSON, body, needs_text=False)
    assert (answer.error, answer.output) == (None, {"nonce": "n1"})
    empty = json.dumps({"status": "COMPLETED", "output": {"error": "no"}}).encode()
    assert classify(200, JSON, empty, needs_text=False).error is ErrorClass.ERROR_IN_OUTPUT


@pytest.mark.parametrize("value", [-1, True, "12", None, [3]])
def test_a_time_that_is_no_time_is_unknown(value: object) -> None:
    """A negative or foreign delayTime is None, never a number to be judged."""
    assert job(output=TEXT, delayTime=value).delay_ms is None


def test_a_number_beyond_every_float_is_unknown() -> None:
    """10^400 in a time or a token count neither raises nor counts."""
    body = b'{"status":"COMPLETED","executionTime":1%b,"output":{"choices":[{"text":"a"}],"usage":{"output":1%b}}}'
    answer = classify(200, JSON, body % (b"0" * 400, b"0" * 400))
    assert (answer.error, answer.execution_ms, answer.output_tokens) == (None, None, None)


def test_the_engine_mark_is_copied() -> None:
    """An answer of the timed engine says so."""
    assert job(output={**TEXT, "engine": "timed"}).engine == "timed"


def test_details_hold_no_key_no_prompt_and_at_most_200_characters() -> None:
    """What the worker echoes is hidden before the text is cut."""
    key, prompt = "rpa_" + "ABCDEF123456", "How do I become a data analyst in Pune?"
    echo = f"boom {key} Bearer {key}\n" + prompt * 20
    body = json.dumps({"status": "FAILED", "error": echo}).encode()
    detail = classify(200, JSON, body, hide=(prompt,)).detail
    assert detail is not None
    assert len(detail) <= 200
    assert key not in detail
    assert "data analyst" not in detail
    assert clean("an odd key: k3y!!", ("k3y!!",)) == "an odd key: ***"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("ab", "ab"),
        ({"delta": "ab"}, "ab"),
        ({"choices": [{"delta": "ab"}]}, "ab"),
        ({"choices": [{"text": "ab"}]}, "ab"),
        ({"choices": [{"tokens": ["a", "b"]}]}, "ab"),
        ({"choices": []}, ""),
        ({}, ""),
        (None, ""),
        (3, ""),
    ],
)
def test_a_chunk_adds_its_text(output: object, text: str) -> None:
    """Each documented form of a stream chunk is understood; others add nothing."""
    assert delta_text(output) == text
