"""JSON is carried without changing a value."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.local_endpoint import wire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def same(one: Any, other: Any) -> bool:
    """Equality in which NaN equals itself and 1 is not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@settings(max_examples=50)
@given(members=st.dictionaries(st.text(), JSON), indent=st.sampled_from([None, 0, 3]), ascii_only=st.booleans())
def test_members_and_join_are_inverse(members: dict[str, Any], indent: int | None, *, ascii_only: bool) -> None:
    """Whatever Python's own json writes comes through split and joined with every value as it was."""
    body = json.dumps(members, indent=indent, ensure_ascii=ascii_only).encode()
    assert same(json.loads(wire.join(wire.members(body))), members)


@pytest.mark.parametrize(
    "literal", ["NaN", "-Infinity", "1" + "0" * 400, "1e400", '"\\ud800"', "1.0", "-0.0", "[1 , 2]"]
)
def test_raw_text_is_kept(literal: str) -> None:
    """Odd values keep their very spelling: nothing is rounded, normalised or refused on the way."""
    body = f' {{ "input" : {{"max_tokens": {literal}}} , "x": 1 }} '.encode()
    assert wire.members(body)["input"] == f'{{"max_tokens": {literal}}}'.encode()


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"null", b"[]", b'"{}"', b"{", b"{}x", b'{"a"}', b'{"a":}', b'{"a":1,}', b"{'a':1}", b"{1:2}",
        b'{"a":1 "b":2}', b'{"a":01}', b'{"a":nan}', b"\xff\xfe", b'\xef\xbb\xbf{"a":1}', b'{"a":"\n"}', b'{,"a":1}',
    ],
)  # fmt: skip
def test_what_is_no_object_is_refused(body: bytes) -> None:
    """Whatever Python's own json refuses, or is no object, is refused with one clear error."""
    with pytest.raises(wire.BodyError, match="the body is not"):
        wire.members(body)


@given(st.binary(max_size=40) | st.text('{}[]":,0123eE.-ntfNaI \\u', max_size=40).map(str.encode))
def test_exactly_what_json_loads_reads_is_read(body: bytes) -> None:
    """No body is accepted that the worker's parser would refuse, and the other way round."""
    try:
        expected = json.loads(body.decode())
    except ValueError:
        expected = None
    try:
        found = wire.members(body)
    except wire.BodyError:
        assert not isinstance(expected, dict)
    else:
        assert same({name: json.loads(value) for name, value in found.items()}, expected)


def test_what_would_lose_the_workers_whole_batch_is_refused() -> None:
    """Integers and nesting beyond the worker's parser are refused; up to there they pass, and it does read them."""
    longest = b'{"input": {"n": %b}}' % (b"9" * wire.MAX_DIGITS)
    assert json.loads(wire.join(wire.members(longest)))["input"]["n"] == int("9" * wire.MAX_DIGITS)
    with pytest.raises(wire.BodyError, match="4300 digits"):
        wire.members(longest.replace(b"9", b"99", 1))
    deepest = b"[" * wire.MAX_DEPTH + b"]" * wire.MAX_DEPTH
    json.loads(wire.join(wire.members(b'{"input": %b}' % deepest)))
    for deep in (b"[" + deepest + b"]", b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 800 + b"1" + b"}" * 800):
        with pytest.raises(wire.BodyError, match="nested deeper than 500"):
            wire.members(b'{"input": %b}' % deep)


def test_brackets_in_strings_are_no_nesting() -> None:
    """A prompt of brackets is a prompt."""
    body = json.dumps({"input": {"prompt": "[{" * 5000}}).encode()
    assert json.loads(wire.members(body)["input"]) == {"prompt": "[{" * 5000}


def test_of_a_repeated_name_the_last_counts() -> None:
    """As in Go and in Python's own parser."""
    assert wire.members(b'{"input": 1, "input": 2}') == {"input": b"2"}


def test_infinite_numbers_stay_what_the_client_wrote() -> None:
    """1e400 is not turned into Infinity: the worker decides what it means."""
    assert wire.members(b'{"input": 1e400}')["input"] == b"1e400"
    assert math.isinf(json.loads(b"1e400"))
