"""OpenAI's requests as job inputs, and jobs as OpenAI's answers. Pure: a translation, nothing of its own.

The worker has its own system prompt and takes one question: of a chat, the last user message is asked, and what stands
before it is left out. ``max_tokens`` is clamped by the worker, sampling parameters that it knows are passed on, others
are ignored as OpenAI's servers ignore unknown ones.
"""

from typing import Any, Literal

import msgspec

SAMPLING = (
    "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty",
    "seed", "min_tokens", "stop", "ignore_eos",
)  # fmt: skip
"""What the worker accepts in ``sampling_params`` beside ``max_tokens``."""

Kind = Literal["chat.completion", "text_completion"]
PREFIX: dict[Kind, str] = {"chat.completion": "chatcmpl", "text_completion": "cmpl"}
REFUSED = "refused:"
"""How a guardrail's refusal begins."""


class RequestError(ValueError):
    """The request cannot be a job; the text says why."""


class Part(msgspec.Struct):
    """One part of a message's content."""

    type: str
    text: str = ""


class Message(msgspec.Struct):
    """One turn of a chat."""

    role: str
    content: str | list[Part] | None = None


class StreamOptions(msgspec.Struct):
    """``stream_options`` of a request."""

    include_usage: bool = False


class Body(msgspec.Struct):
    """What is read of a request beside the sampling parameters."""

    messages: list[Message] | None = None
    prompt: str | list[Any] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, translated."""

    kind: Kind
    input: bytes
    """The job's ``input``, as JSON."""
    stream: bool
    include_usage: bool
    max_tokens: int | None


def asked(body: bytes, kind: Kind) -> Asked:
    """Translate a request.

    Raises:
        RequestError: it is no such request, or asks for what one job cannot give.
    """
    try:
        request = msgspec.json.decode(body, type=Body)
        members = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(str(error)) from error
    if request.n not in {None, 1}:
        raise RequestError("n must be 1: one request is one job")
    limit = request.max_tokens if request.max_completion_tokens is None else request.max_completion_tokens
    sampling = {name: members[name] for name in SAMPLING if members.get(name) is not None}
    sampling |= {} if limit is None else {"max_tokens": limit}
    job_input: dict[str, Any] = {"prompt": _question(request, kind), "sampling_params": sampling}
    if request.stream:
        job_input["stream"] = True
    return Asked(
        kind=kind,
        input=msgspec.json.encode(job_input),
        stream=bool(request.stream),
        include_usage=request.stream_options is not None and request.stream_options.include_usage,
        max_tokens=limit,
    )


def _question(request: Body, kind: Kind) -> str:
    if kind == "text_completion":
        prompts = [request.prompt] if isinstance(request.prompt, str) else request.prompt or []
        if len(prompts) == 1 and isinstance(prompts[0], str):
            return prompts[0]
        raise RequestError("prompt must be one text: lists of prompts and token ids are not served here")
    for message in reversed(request.messages or []):
        if message.role == "user" and message.content:
            parts = message.content
            return parts if isinstance(parts, str) else "".join(part.text for part in parts)
    raise RequestError("messages must hold a user message with text in it")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job, read from its output: a text, or an error in it."""

    text: str = ""
    error: str | None = None
    prompt_tokens: int = 0
    output_tokens: int = 0
    blocked: bool = False


def result(output: bytes | None) -> Result:
    """Read a COMPLETED job's output: the response object, or the last of the list that a streaming worker returns."""
    final = msgspec.json.decode(output or b"null")
    final = final[-1] if isinstance(final, list) and final else final
    if not isinstance(final, dict):
        return Result(error="the worker's output is no response")
    if final.get("error"):
        return Result(error=message_of(final["error"]))
    if final.get("blocked"):
        return Result(text=str(final.get("message", "")), blocked=True)
    try:
        text, usage = str(final["choices"][0]["text"]), final["usage"]
        return Result(text=text, prompt_tokens=usage["input"], output_tokens=usage["output"])
    except (KeyError, IndexError, TypeError):
        return Result(error="the worker's output is no response")


def delta(chunk: bytes) -> str:
    """The text that a stream chunk adds; empty when it adds none."""
    output = msgspec.json.decode(chunk)
    text = output.get("delta") if isinstance(output, dict) else None
    return text if isinstance(text, str) else ""


def message_of(error: Any) -> str:
    """A worker's error as text."""
    return error if isinstance(error, str) else msgspec.json.encode(error).decode()


def error_body(message: str, status: int) -> dict[str, Any]:
    """An error as OpenAI's servers write it."""
    kind = "invalid_request_error" if status < 500 else "server_error"  # noqa: PLR2004 - HTTP's own border
    return {"error": {"message": message, "type": kind, "param": None, "code": status}}


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """Writes the answers to one request."""

    asked: Asked
    job: str
    model: str
    created: int

    def whole(self, found: Result) -> dict[str, Any]:
        """The answer in one piece; an error in the output is passed on under HTTP 200, as the platform does."""
        if found.error is not None:
            return error_body(found.error, 500)
        chat = self.asked.kind == "chat.completion"
        said = {"message": {"role": "assistant", "content": found.text}} if chat else {"text": found.text}
        choice = {"index": 0, **said, "logprobs": None, "finish_reason": self.finish(found)}
        return {**self._head(self.asked.kind), "choices": [choice], "usage": usage(found)}

    def piece(self, text: str, finish: str | None = None) -> dict[str, Any]:
        """One event of a stream."""
        chat = self.asked.kind == "chat.completion"
        said: dict[str, Any] = {"delta": {"role": "assistant", "content": text}} if chat else {"text": text}
        return self._event([{"index": 0, **said, "logprobs": None, "finish_reason": finish}])

    def usage(self, found: Result) -> dict[str, Any]:
        """The event that ``include_usage`` asks for."""
        return {**self._event([]), "usage": usage(found)}

    def finish(self, found: Result) -> str:
        """Why the answer ended."""
        if found.blocked:
            return "content_filter"
        limit = self.asked.max_tokens
        return "length" if limit is not None and found.output_tokens >= limit else "stop"

    def _event(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        kind = "chat.completion.chunk" if self.asked.kind == "chat.completion" else "text_completion"
        return {**self._head(kind), "choices": choices}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"{PREFIX[self.asked.kind]}-{self.job}",
            "object": kind,
            "created": self.created,
            "model": self.model,
        }


def usage(found: Result) -> dict[str, int]:
    """Tokens of prompt and answer."""
    return {
        "prompt_tokens": found.prompt_tokens,
        "completion_tokens": found.output_tokens,
        "total_tokens": found.prompt_tokens + found.output_tokens,
    }


def models(name: str, created: int) -> dict[str, Any]:
    """The list of the one model."""
    return {"object": "list", "data": [{"id": name, "object": "model", "created": created, "owned_by": "local"}]}
