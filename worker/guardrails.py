"""What a request may be. Pure: a job's input -> ``Request`` or ``Probe``, or one clear ``Refused``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PROMPT_MAX_CHARS = 1024
"""Readiness summary, section 2; characters are Unicode code points."""
MAX_TOKENS_MIN, MAX_TOKENS_DEFAULT, MAX_TOKENS_MAX = 64, 150, 256
"""Readiness summary, section 2: values outside are clamped, not refused."""
NONCE_MAX_CHARS = 128
STOP_MAX, STOP_MAX_CHARS = 4, 64
"""Stop strings: each is searched for at every token."""
TEMPERATURE_DEFAULT = 0.7
"""Readiness summary, section 4."""


class Refused(Exception):  # noqa: N818 - a refusal is an outcome of a request, not an error of the worker
    """The caller's mistake. ``str()`` is what the caller reads; ``logged`` what may stand in a log."""

    def __init__(self, message: str, *, logged: str | None = None) -> None:
        """``logged`` is for messages that quote the caller."""
        super().__init__(f"refused: {message}")
        self.logged = f"refused: {logged or message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An accepted request."""

    prompt: str
    max_tokens: int
    sampling: Mapping[str, Any]
    """vLLM sampling parameters, all within its ranges; without ``max_tokens``."""
    stream: bool = False
    enable_validation: bool = True
    block_low_trust_intents: bool = True


@dataclass(frozen=True, slots=True)
class Probe:
    """A question about the worker itself."""

    nonce: str


def accept(payload: Any) -> Request | Probe:
    """Judge a job's input.

    Raises:
        Refused: with one clear message; the first thing wrong is named.
    """
    fields = _object(payload, "input")
    if "probe" in fields:
        return _probe(fields)
    _known(fields, _INPUT_KEYS, "input")
    prompt = _prompt(fields)
    sampling = _object(fields.get("sampling_params", {}), "sampling_params")
    _known(sampling, ("max_tokens", *_SAMPLING), "sampling_params")
    max_tokens = _max_tokens(fields, sampling)
    values = {name: check(sampling[name], name) for name, check in _SAMPLING.items() if name in sampling}
    if values.get("min_tokens", 0) > max_tokens:
        raise Refused(f"min_tokens is above max_tokens, which is {max_tokens}")
    flags = {name: _boolean(fields[name], name) for name in _FLAGS if name in fields}
    return Request(
        prompt=prompt, max_tokens=max_tokens, sampling={"temperature": TEMPERATURE_DEFAULT, **values}, **flags
    )


def check_fits(prompt_tokens: int, max_tokens: int, max_model_len: int) -> None:
    """Refuse a prompt whose tokens leave no room for the answer.

    Raises:
        Refused: ``prompt_tokens + max_tokens`` is above ``max_model_len``.
    """
    if prompt_tokens + max_tokens > max_model_len:
        raise Refused(
            f"too many tokens: {prompt_tokens} of prompt and up to {max_tokens} of answer, "
            f"at most {max_model_len} together"
        )


def _kind(value: Any) -> str:
    """JSON's word for the type of ``value``."""
    words = {type(None): "null", bool: "a boolean", str: "a string", list: "an array", dict: "an object"}
    return words.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _object(value: Any, name: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise Refused(f"{name} must be an object, not {_kind(value)}")


def _known(fields: dict[str, Any], allowed: tuple[str, ...], where: str) -> None:
    for name in fields:
        if name not in allowed:
            shown = ascii(name) if len(name) <= 40 else f"{name[:40]!a}…"  # noqa: PLR2004 - one line
            raise Refused(
                f"unknown key {shown} in {where}; known are {', '.join(allowed)}", logged=f"unknown key in {where}"
            )


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise Refused(f"{name} must be a string, not {_kind(value)}")
    # A lone surrogate is valid in a JSON string and no character: it cannot be encoded, nor tokenised.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused(f"{name} has a lone surrogate in it, which is not a character")
    return value


def _prompt(fields: dict[str, Any]) -> str:
    if "prompt" not in fields:
        raise Refused("prompt is missing")
    raw = fields["prompt"]
    if isinstance(raw, str) and len(raw) > PROMPT_MAX_CHARS:
        raise Refused(f"prompt too long: {len(raw)} characters, at most {PROMPT_MAX_CHARS}")
    prompt = _text(raw, "prompt")
    if not prompt.strip():
        raise Refused("prompt is blank")
    return prompt


def _max_tokens(fields: dict[str, Any], sampling: dict[str, Any]) -> int:
    """``max_tokens`` from ``sampling_params``, its documented place, or from beside the prompt; clamped."""
    given = [place["max_tokens"] for place in (sampling, fields) if "max_tokens" in place]
    if len(given) > 1:
        raise Refused("max_tokens is given twice, in sampling_params and beside it")
    asked = _integer(given[0], "max_tokens") if given else MAX_TOKENS_DEFAULT
    return max(MAX_TOKENS_MIN, min(MAX_TOKENS_MAX, asked))


def _integer(value: Any, name: str) -> int:
    """An integer, or a float that is one (``150.0``); of any size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{name} must be an integer, not {_kind(value)}")
    if isinstance(value, float) and not value.is_integer():
        raise Refused(f"{name} must be an integer, not a fraction, NaN or infinity")
    return int(value)


def _boolean(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise Refused(f"{name} must be true or false, not {_kind(value)}")


Check = Callable[[Any, str], Any]


def _whole(low: int, high: int) -> Check:
    def check(value: Any, name: str) -> int:
        whole = _integer(value, name)
        if low <= whole <= high:
            return whole
        raise Refused(f"{name} must be from {low} to {high}")

    return check


def _between(low: float, high: float, *, above_low: bool = False) -> Check:
    def check(value: Any, name: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(f"{name} must be a number, not {_kind(value)}")
        # A NaN compares false with everything, and an integer too large for a float is compared as it is.
        if low <= value <= high and not (above_low and value == low):
            return float(value)
        raise Refused(
            f"{name} must be {'above' if above_low else 'from'} {low:g} {'and at most' if above_low else 'to'} {high:g}"
        )

    return check


def _stop(value: Any, name: str) -> list[str]:
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or len(stops) > STOP_MAX:
        raise Refused(f"{name} must be a string or an array of at most {STOP_MAX} strings")
    for each in stops:
        if not 0 < len(_text(each, f"each string of {name}")) <= STOP_MAX_CHARS:
            raise Refused(f"each string of {name} must have 1 to {STOP_MAX_CHARS} characters")
    return list(stops)


_FLAGS = ("stream", "enable_validation", "block_low_trust_intents")
_INPUT_KEYS = ("prompt", "max_tokens", "sampling_params", *_FLAGS)
_SAMPLING: dict[str, Check] = {
    # vLLM's ranges (vllm.SamplingParams). Where vLLM sets no end, the end is what the engine's 32-bit tensors
    # hold without becoming zero or infinite, so that no request can put a NaN into a batch.
    "temperature": _between(0, 2),
    "top_p": _between(0, 1, above_low=True),
    "top_k": _whole(-1, 2**31 - 1),
    "min_p": _between(0, 1),
    "repetition_penalty": _between(0.001, 1000),
    "presence_penalty": _between(-2, 2),
    "frequency_penalty": _between(-2, 2),
    "seed": _whole(-(2**63), 2**63 - 1),
    "min_tokens": _whole(0, MAX_TOKENS_MAX),
    "stop": _stop,
    "ignore_eos": _boolean,
}


def _probe(fields: dict[str, Any]) -> Probe:
    _known(fields, ("probe",), "input beside probe")
    probe = _object(fields["probe"], "probe")
    _known(probe, ("nonce",), "probe")
    nonce = _text(probe.get("nonce"), "nonce")
    if not 0 < len(nonce) <= NONCE_MAX_CHARS:
        raise Refused(f"nonce must have 1 to {NONCE_MAX_CHARS} characters")
    return Probe(nonce)
