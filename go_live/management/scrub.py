"""What of a worker's log is kept as evidence: everything but keys, prompts and what the SDK prints to debug. Pure.

The SDK logs the whole output of a job, and the URL that it polls, at level DEBUG, which is its default. Such lines are
kept as a count of characters. The worker's own lines hold neither prompt nor answer nor key; where another process
repeats one of ours, it is masked.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from go_live.jobs.classify import KEY_PATTERN

SHORTEST = 8
"""Characters: masking shorter texts would spoil the log and hide nothing."""
MOST_CHARS = 8192
"""Of one line; the SDK itself cuts its messages at 4096."""
_PLAIN_DEBUG = re.compile(r"^(?P<head>(?:DEBUG|TRACE)\s*\|(?:[^|]*\|)?)\s*(?P<message>.*)$", re.DOTALL)


class Cleaner(Protocol):
    """Makes of a line what may be kept of it."""

    def clean(self, line: str) -> str:
        """``line`` without what must not be kept."""


class Scrubber:
    """Takes out what must not be kept."""

    def __init__(self, *, secrets: Iterable[str], prompts: Iterable[str] = ()) -> None:
        """``secrets`` are masked wherever they stand, and ``prompts`` likewise."""
        said = [("***", text) for text in secrets] + [("[a prompt]", text) for text in prompts]
        # The longest first: one may be a part of another.
        self._said = sorted(
            ((mask, form) for mask, text in said if len(text) >= SHORTEST for form in {text, *_escaped(text)}),
            key=lambda pair: -len(pair[1]),
        )

    def clean(self, line: str) -> str:
        """``line`` without them, and of bounded length."""
        line = undebugged(line)
        for mask, text in self._said:
            line = line.replace(text, mask)
        line = KEY_PATTERN.sub("***", line)
        return line if len(line) <= MOST_CHARS else f"{line[:MOST_CHARS]}…"


def undebugged(line: str) -> str:
    """``line``; of the SDK's line at level DEBUG or below only how long its message is."""
    if line.startswith("{"):
        return _without_message(line)
    found = _PLAIN_DEBUG.match(line)
    return f"{found['head']} {_left_out(found['message'])}" if found else line


def _without_message(line: str) -> str:
    try:
        told: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return line
    if not isinstance(told, dict) or told.get("level") not in {"DEBUG", "TRACE", "NOTSET"}:
        return line
    return msgspec.json.encode({**told, "message": _left_out(str(told.get("message", "")))}).decode()


def _left_out(message: str) -> str:
    return f"[{len(message)} characters at level DEBUG are not kept]"


def _escaped(text: str) -> tuple[str, str]:
    """``text`` as it stands inside a JSON string, with characters beyond ASCII as they are or escaped."""
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]
