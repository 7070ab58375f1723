"""(HTTP status, content type, body) -> Answer: what a response means, every way of failing named. Pure.

The rules are the job API's (RunPod: send-requests, operation-reference, job-states): a failed job answers HTTP 200,
an expired ``/runsync`` wait answers HTTP 200, and what stands in between may answer HTML. Nothing raises here, and
nothing is ok without a usable answer.
"""

import math
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from go_live.jobs.answer import PENDING, TERMINAL, Answer
from go_live.records import ErrorClass

DETAIL_MAX = 200
HIDDEN_MIN = 4
"""Strings shorter than this are no secrets and no prompts worth hiding; replacing them would only garble."""
TOKENS_MAX = 2**31
KEY_PATTERN = re.compile(r"rpa_\w+|(?i:bearer)\s+\S+")
TITLE = re.compile(rb"<title[^>]*>(.{0,300}?)</title", re.IGNORECASE | re.DOTALL)
UNREADABLE = object()
BY_STATUS: dict[int, ErrorClass] = {
    HTTPStatus.UNAUTHORIZED: ErrorClass.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: ErrorClass.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND: ErrorClass.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS: ErrorClass.RATE_LIMITED,
}
REFUSAL = re.compile(r"(<class '[\w.]+'>: |\w+: )?refused:")
"""How a guardrail's refusal begins, alone or after the type of the exception that carried it."""


def classify(
    http_status: int, content_type: str, body: bytes, *, needs_text: bool = True, hide: Iterable[str] = ()
) -> Answer:
    """Say what a job API response means. Total: any status and any bytes give an answer, never an exception.

    Args:
        http_status: as received; redirects are not followed, so 3xx arrives here too.
        content_type: the header's value, empty when absent.
        body: the whole body as received.
        needs_text: whether an answer without text is an error. Callers that ask for something else than text (the
            probe, another model's output) say False and judge ``output`` themselves.
        hide: strings (key, prompt) that must not appear in ``detail``.

    Returns:
        An ``Answer`` without times. ``error`` is None only for a COMPLETED job with a non-blank text, for a blocked
        intent, or, with ``needs_text=False``, for any output without an error in it.
    """
    data = _parse(body)
    failure = _http_failure(http_status, content_type, body, data)
    answer = failure or _judge_job(data, needs_text=needs_text)
    return msgspec.structs.replace(answer, http_status=http_status, detail=clean(answer.detail, hide))


def clean(detail: str | None, hide: Iterable[str] = ()) -> str | None:
    """One line of at most 200 characters, without the strings in ``hide`` and without anything like a key."""
    if detail is None:
        return None
    for secret in hide:
        if len(secret) >= HIDDEN_MIN:
            detail = detail.replace(secret, "***")
    line = " ".join(KEY_PATTERN.sub("***", detail).split())
    safe = line.encode("utf-8", "replace").decode()
    return safe if len(safe) <= DETAIL_MAX else safe[: DETAIL_MAX - 1] + "…"


def delta_text(output: Any) -> str:
    """The text a stream chunk adds; empty when it adds none.

    Understands a plain string, ``{"choices": [{"text" | "delta" | "deltas" | "tokens": ...}]}`` and the same keys at
    the top of the object.
    """
    if isinstance(output, str):
        return output
    if not isinstance(output, dict):
        return ""
    choice = _first(output.get("choices")) if "choices" in output else output
    return _text_of(choice, ("delta", "text", "deltas", "tokens")) or ""


def _parse(body: bytes) -> Any:
    """The body as JSON, or UNREADABLE: malformed, not UTF-8, a number out of range, nested too deep."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return UNREADABLE


def _http_failure(status: int, content_type: str, body: bytes, data: Any) -> Answer | None:
    """The answer when HTTP itself, or a body that is no JSON, already decides; else None."""
    seen = f"HTTP {status}: {_glimpse(content_type, body, data)}"
    error = BY_STATUS.get(status)
    if error is None and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        error = ErrorClass.BAD_REQUEST
    if error is None and data is UNREADABLE:
        error = _unreadable(status, content_type, body)
    if error is None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        error = ErrorClass.SERVER
    if error is None and not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        error = ErrorClass.MALFORMED
    return None if error is None else Answer(error=error, detail=seen)


def _unreadable(status: int, content_type: str, body: bytes) -> ErrorClass:
    """The class of a body that is no JSON."""
    if not body.strip() and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ErrorClass.SERVER
    return ErrorClass.TRUNCATED if "json" in content_type.lower() else ErrorClass.NOT_JSON


def _glimpse(content_type: str, body: bytes, data: Any) -> str:
    """A few words on what a body was: its error text, its HTML title, or its kind and size."""
    if isinstance(data, dict):
        for key in ("error", "detail", "title", "message"):
            if data.get(key):
                return _error_text(data[key])
    if title := TITLE.search(body):
        return title[1].decode("utf-8", "replace")
    return f"{content_type.partition(';')[0].strip() or 'no content type'}, {len(body)} bytes"


def _judge_job(data: Any, *, needs_text: bool) -> Answer:
    """Judge a job object."""
    status = data.get("status") if isinstance(data, dict) else None
    if not isinstance(status, str) or status not in TERMINAL | PENDING:
        return Answer(error=ErrorClass.MALFORMED, detail=f"no job object: {_shape(data)}, status {_shape(status)}")
    job = Answer(
        job_status=status,
        job=_name(data.get("id")),
        delay_ms=_milliseconds(data.get("delayTime")),
        execution_ms=_milliseconds(data.get("executionTime")),
        worker=_name(data.get("workerId")),
    )
    if status == "COMPLETED":
        return _judge_output(job, data.get("output"), needs_text=needs_text)
    error, detail = _not_completed(status, data.get("error"))
    return msgspec.structs.replace(job, output=_last(data.get("output")), error=error, detail=detail)


def _not_completed(status: str, error: Any) -> tuple[ErrorClass, str]:
    """Class and detail of a job that is not COMPLETED."""
    text = _error_text(error) if error else "no error text"
    if status in PENDING:
        return ErrorClass.DEADLINE, f"the job was still {status} when the answer came"
    if status == "CANCELLED":
        return ErrorClass.CANCELLED, f"CANCELLED: {text}"
    if status == "TIMED_OUT" or "executiontimeout exceeded" in text.lower():
        return ErrorClass.TIMED_OUT, f"{status}: {text}"
    if REFUSAL.match(text):
        return ErrorClass.REFUSED, text
    return ErrorClass.FAILED, f"FAILED: {text}"


def _judge_output(job: Answer, output: Any, *, needs_text: bool) -> Answer:
    """Judge what a COMPLETED job returned."""
    final = _last(output)
    answer = msgspec.structs.replace(job, output=final, engine=_engine(final), output_tokens=_output_tokens(final))
    text = _text_of(_first(final.get("choices")), ("text", "deltas", "tokens")) if isinstance(final, dict) else None
    blocked = isinstance(final, dict) and final.get("blocked") is True
    fault = _no_output(output, final) or (_no_text(final, text) if needs_text and not blocked else None)
    if fault is not None:
        return msgspec.structs.replace(answer, error=fault[0], detail=fault[1])
    return msgspec.structs.replace(answer, blocked=blocked, text=None if blocked else text)


def _no_output(output: Any, final: Any) -> tuple[ErrorClass, str] | None:
    """What is wrong with an output of whatever kind: an error in it, or nothing in it."""
    parts = output if isinstance(output, list) else [output]
    errors = [part["error"] for part in parts if isinstance(part, dict) and part.get("error")]
    if errors:
        return ErrorClass.ERROR_IN_OUTPUT, f"COMPLETED with an error: {_error_text(errors[-1])}"
    if final is None or final in ({}, []) or (isinstance(final, str) and is_blank(final)):
        return ErrorClass.EMPTY, f"COMPLETED without output: {_shape(output)}"
    return None


def _no_text(final: Any, text: str | None) -> tuple[ErrorClass, str] | None:
    """What is wrong with the text of an output that must have one."""
    if text is None:
        return ErrorClass.MALFORMED, f"no choices[0].text in the output: {_shape(final)}"
    if is_blank(text):
        return ErrorClass.EMPTY, f"COMPLETED with a blank text of {len(text)} characters"
    return None


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: empty, spaces, control or zero-width characters only."""
    return not any(char.isprintable() and not char.isspace() for char in text)


def _last(output: Any) -> Any:
    """The response object: the last element of a generator worker's list, or the output itself."""
    if isinstance(output, list):
        return output[-1] if output else None
    return output


def _first(choices: Any) -> Any:
    return choices[0] if isinstance(choices, list) and choices else None


def _text_of(choice: Any, keys: tuple[str, ...]) -> str | None:
    """The text under the first of ``keys`` that holds one: a string, or a list of strings to be joined."""
    if not isinstance(choice, dict):
        return None
    for key in keys:
        value = choice.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, list) and value and all(isinstance(piece, str) for piece in value):
            return "".join(value)
    return None


def _error_text(error: Any) -> str:
    """A worker's or platform's error as text; an SDK exception is JSON inside a string and is opened."""
    if isinstance(error, str):
        inner = _parse(error.encode("utf-8", "replace")) if error.lstrip().startswith("{") else None
        return _error_text(inner) if isinstance(inner, dict) and inner else error
    if isinstance(error, dict):
        parts = [error[key] for key in ("error_type", "error_message", "message", "error") if error.get(key)]
        texts = [part for part in parts if isinstance(part, str)]
        return ": ".join(texts) or f"an object with {_shape(error)}"
    return f"an error of type {_shape(error)}"


def _shape(value: Any) -> str:
    """What a value is, without what it says: answers and prompts stay out of details."""
    if isinstance(value, dict):
        return f"object with keys {sorted(map(str, value))[:8]}"
    if isinstance(value, list):
        return f"list of {len(value)}"
    return "missing" if value is None else type(value).__name__


def _milliseconds(value: Any) -> float | None:
    """A finite, non-negative number of milliseconds, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _name(value: Any) -> str | None:
    """A server's id for something, as one short printable word; anything else is no name."""
    return value if isinstance(value, str) and 0 < len(value) <= DETAIL_MAX and value.isprintable() else None


def _engine(final: Any) -> str | None:
    return _name(final.get("engine")) if isinstance(final, dict) else None


def _output_tokens(final: Any) -> int | None:
    usage = final.get("usage") if isinstance(final, dict) else None
    count = usage.get("output") if isinstance(usage, dict) else None
    return count if type(count) is int and 0 <= count < TOKENS_MAX else None
