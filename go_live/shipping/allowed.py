"""What of a worker's log may leave: known fields of known events, each only in its own form. Pure.

A list of what is allowed and not of what is forbidden: a prompt has no form by which it could be known. So a structured
line keeps the fields that are named here; free text (an error's) stays only where it is made of the words of the
worker's own messages; and every other line, an engine's or a traceback's, is counted by what it tells of and not sent
(docs/decisions/0195).
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from go_live.jobs.classify import KEY_PATTERN
from go_live.judge.worker_log import KINDS
from go_live.keys import rules
from go_live.management.scrub import Scrubber

OTHER = "other"
"""The event that stands for lines which are not sent: how many, and what kinds of trouble they tell of."""
EVENTS = frozenset({"start", "end", "probe", "ready", "fatal", "warning", "adjusted", OTHER})
MASK = "***"
MOST_TEXT = 240
"""Characters of an error: the worker's longest has half of them."""
MOST_NUMBER = 1e15
MOST_LINE = 256 * 1024
"""Characters of a line that are looked at; no structured line is a hundredth of it."""

MOST_NAME, MOST_ID = 40, 128
NAME, SETTING = "[a-z][a-z0-9]*(_[a-z0-9]+)*", "[A-Z][A-Z0-9]*(_[A-Z0-9]+)*"
PATTERNS = {
    "ts": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})",
    "request_id": "[A-Za-z0-9][A-Za-z0-9-]{5,126}",
    "intent": NAME,
    "class": NAME,
    "setting": SETTING,
}
"""Fields that are text: the form of all of it."""
NUMBERS = (
    *("prompt_len", "max_tokens", "exec_ms", "tokens_generated", "max_concurrency", "kv_cache_tokens"),
    *("device_memory_used_mib", "device_memory_total_mib", "asked", "effective", "lines"),
)
FLAGS = ("stream", "validation_enabled", "ok", "valid")
_ERROR_TYPE = re.compile(r"[A-Z][A-Za-z]{2,40}(Error|Exception|Dead|Failed|Exit|Timeout|Interrupt)")
_PIECE = re.compile(r"[A-Za-z_]+|[0-9]+(?:\.[0-9]+)?")
_BETWEEN = re.compile(r"[\s.,:;'\"()\[\]-]*")
VOCABULARY = frozenset(
    """
    a above abort alive an and another answer array at be before below beside blank boolean by cancelled cannot
    character characters dead died each either empty ended ends engine error failed false float for fraction from given
    had has have in infinity input integer internal is it its job key known list lone long many missing most must NaN no
    nonce not null number object of on one only or process prompt raised refused replaced request s stopped string
    strings surrogate than that the this to together told too tokens true twice unknown up was which with worker
    sampling_params max_tokens min_tokens temperature top_p top_k min_p presence_penalty frequency_penalty
    repetition_penalty stop seed ignore_eos stream enable_validation block_low_trust_intents probe None dict NoneType
    """.split()  # noqa: SIM905 - words are read as text
)
"""The words of the worker's own error messages (worker/guardrails.py, handler.py, engine.py)."""


def _number(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER
    ) or value is None


def _flag(value: Any) -> bool:
    return isinstance(value, bool) or value is None


def _of(pattern: str, most: int = MOST_ID) -> Callable[[Any], bool]:
    form = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and len(value) <= most and form.fullmatch(value) is not None


def _says(value: Any) -> bool:
    return isinstance(value, dict) and all(kind in KINDS and _number(count) for kind, count in value.items())


def _job(value: Any) -> bool:
    """An id has a digit: a word has none."""
    return _of(PATTERNS["request_id"])(value) and any(char.isdigit() for char in value)


FORMS: Mapping[str, Callable[[Any], bool]] = {
    **{name: _of(pattern, MOST_NAME) for name, pattern in PATTERNS.items()},
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(FLAGS, _flag),
    "request_id": _job,
    "says": _says,
}
"""Field -> whether a value has its form. ``event``, ``error``, ``message`` and ``engine`` are looked at apart."""
ENGINE: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("kind", "dtype", "load_format", "device"), _of(NAME, MOST_NAME)),
    **dict.fromkeys(("max_model_len", "max_num_seqs", "max_num_batched_tokens", "gpu_memory_utilization"), _number),
    "exec_ms": _number,
    **dict.fromkeys(("enforce_eager", "trust_remote_code"), _flag),
}
"""Of the ``ready`` line's ``engine``."""


class AllowList:
    """Cuts lines down to what may leave."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """``secrets`` are this process's own keys: they are looked for by themselves, besides everything like a key."""
        self._scrubber = Scrubber(secrets=secrets)

    def clean(self, line: str) -> str:
        """What may leave of ``line``: a line of JSON, or nothing of a blank one. Cleaned again it stays as it is."""
        if not line.strip():
            return ""
        told = _told(line)
        # What is dropped is looked at only for its kinds; what is kept has to be free of keys.
        kept = _kept(told) if told is not None else _other(line)
        return self._keyless(kept)

    def _keyless(self, kept: Mapping[str, Any]) -> str:
        text = json.dumps(kept, separators=(",", ":"))
        if text == (clean := masked(self._scrubber.clean(text))):
            return text
        # A mask has no field's form: with its field it goes.
        told = _told(clean)
        return json.dumps(_kept(told) if told else {"event": OTHER, "lines": 1, "says": {}}, separators=(",", ":"))


def masked(text: str) -> str:
    """``text`` without anything that looks like a key."""
    raw = text.encode("utf-8", "replace")
    for found in reversed(rules.find(raw)):
        raw = raw[: found.start] + MASK.encode() + raw[found.end :]
    return KEY_PATTERN.sub(MASK, raw.decode("utf-8", "replace"))


def gathered(others: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Several ``other`` events as one: their lines and kinds, counted together."""
    lines, says = 0, Counter[str]()
    for other in others:
        lines += other["lines"]
        says.update(other["says"])
    return {"event": OTHER, "lines": lines, "says": dict(says)}


def _told(line: str) -> Mapping[str, Any] | None:
    """A structured line of a known event; None: any other."""
    if not line.startswith("{") or len(line) > MOST_LINE:
        return None
    try:
        told: Any = msgspec.json.decode(line.strip())
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("event") not in EVENTS:
        return None
    if told["event"] == OTHER and not (isinstance(told.get("lines"), int) and _says(told.get("says"))):
        return None
    return told


def _kept(told: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are allowed, in their order."""
    kept: dict[str, Any] = {}
    for name, value in told.items():
        if name == "event" or (name in FORMS and FORMS[name](value)):
            kept[name] = value
        elif name in {"error", "message"} and isinstance(value, str):
            kept[name] = _worded(value)
        elif name == "engine" and isinstance(value, dict):
            kept[name] = {key: one for key, one in value.items() if key in ENGINE and ENGINE[key](one)}
    return kept


def _worded(text: str) -> str:
    """``text`` if it is made of the worker's own words, else how long it is."""
    if _LEFT_OUT.fullmatch(text):
        return text
    pieces = _PIECE.findall(text)
    own = all(
        piece in VOCABULARY or piece.lower() in VOCABULARY or piece[0].isdigit() or _ERROR_TYPE.fullmatch(piece)
        for piece in pieces
    )
    numbers = sum(len(piece) for piece in pieces if piece[0].isdigit())
    between = all(_BETWEEN.fullmatch(gap) for gap in _PIECE.split(text))
    if own and between and pieces and len(text) <= MOST_TEXT and numbers <= MOST_DIGITS:
        return text
    return f"[{len(text)} characters that are not the worker's own]"


_LEFT_OUT = re.compile(r"\[[0-9]{1,9} characters that are not the worker's own\]")
MOST_DIGITS = 24
"""In all numbers of an error together: three counts of tokens, and no telephone book."""


def _other(line: str) -> dict[str, Any]:
    """A line that is not sent."""
    text = line[:MOST_LINE]
    return {"event": OTHER, "lines": 1, "says": {name: 1 for name, pattern in KINDS.items() if pattern.search(text)}}
