"""JSON in and out without changing a value: members of an object are kept as the text they arrived in. Pure.

What a client sends as ``input`` reaches the worker byte for byte: NaN, 10**400 and 1e999 included. Only what the SDK's
own ``json.loads`` cannot read is refused, because there it would lose the whole batch it arrived in.
"""

import json
import re
from typing import Any

MAX_DIGITS = 4300
"""Python's limit for turning decimal text into an int (``sys.int_info.default_max_str_digits``)."""
MAX_DEPTH = 500
"""Nesting that the worker's parser takes at any stack depth (its recursion limit is 1000)."""

_SPACE = re.compile(r"[ \t\n\r]*")


class BodyError(ValueError):
    """The body is not a JSON object that a worker could read; the text says why."""


def _integer(digits: str) -> None:
    if len(digits) > MAX_DIGITS:
        raise BodyError(f"an integer has more than {MAX_DIGITS} digits")


_scan = json.JSONDecoder(parse_int=_integer).raw_decode


def members(body: bytes) -> dict[str, bytes]:
    """Split a JSON object into its members' raw text; of a repeated name, the last counts.

    Raises:
        BodyError: not UTF-8, not an object, not valid JSON (NaN and infinities are let through), nested deeper than
            ``MAX_DEPTH``, or with an integer of more than ``MAX_DIGITS`` digits.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyError("the body is not UTF-8") from error
    try:
        found, values = _walk(text)
    except BodyError:
        raise
    except (IndexError, ValueError) as error:
        raise BodyError("the body is not a JSON object") from error
    except RecursionError as error:
        raise BodyError(f"the body is nested deeper than {MAX_DEPTH} levels") from error
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(values) > MAX_DEPTH:
        raise BodyError(f"the body is nested deeper than {MAX_DEPTH} levels")
    return found


def _walk(text: str) -> tuple[dict[str, bytes], list[Any]]:
    """Each member's raw text, and all parsed values; IndexError or ValueError where the object is broken."""
    found: dict[str, bytes] = {}
    values: list[Any] = []
    at = _expect(text, 0, "{")
    if text[_skip(text, at)] == "}":
        at = _skip(text, at)
    else:
        while True:
            name, at = _scan(text, _expect(text, at, '"') - 1)
            start = _skip(text, _expect(text, at, ":"))
            value, end = _scan(text, start)
            values.append(value)
            found[name] = text[start:end].encode()
            at = _skip(text, end)
            if text[at] != ",":
                break
            at += 1
    if _skip(text, _expect(text, at, "}")) != len(text):
        raise ValueError(at)
    return found, values


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, character: str) -> int:
    at = _skip(text, at)
    if text[at] != character:
        raise ValueError(at)
    return at + 1


def _depth(values: list[Any]) -> int:
    """Levels of nesting below a list of values, counted without recursion."""
    depth, level = 0, [v for v in values if isinstance(v, (dict, list))]
    while level:
        depth += 1
        inner = (v for node in level for v in (node.values() if isinstance(node, dict) else node))
        level = [v for v in inner if isinstance(v, (dict, list))]
    return depth


def join(fields: dict[str, bytes]) -> bytes:
    """A JSON object of members whose values are JSON text already."""
    return b"{%b}" % b",".join(b"%b:%b" % (json.dumps(name).encode(), value) for name, value in fields.items())


def text(value: object) -> bytes:
    """``value`` as JSON text."""
    return json.dumps(value).encode()
