"""When a call may be made again, and how long to wait before."""

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.management import errors
from go_live.management.retries import Policy, asked_s, may_repeat, pause_s

PASSING = [
    errors.TimedOutError("x"),
    errors.BrokenConnectionError("x"),
    errors.HtmlError("x"),
    *(errors.status_error(status, "x", "") for status in (500, 502, 503, 504, 520, 524)),
]
LASTING = [
    errors.ShapeError("x"),
    errors.GraphQlError("x"),
    *(errors.status_error(status, "x", "") for status in (400, 401, 403, 404, 409, 422, 501, 505)),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_passes_is_asked_again_but_never_written_again(error: errors.ManagementError) -> None:
    """A read; a write may have been applied."""
    assert may_repeat(error, write=False)
    assert not may_repeat(error, write=True)


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_what_lasts_is_not_asked_again(error: errors.ManagementError) -> None:
    """Asking again would be answered the same."""
    assert not may_repeat(error, write=False)
    assert not may_repeat(error, write=True)


def test_a_quota_refuses_before_anything_is_done() -> None:
    """429 is the one refusal after which a write may be sent again."""
    assert may_repeat(errors.status_error(429, "x", ""), write=True)


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_bounded_and_spread(attempt: int, drawn: float) -> None:
    """Never beyond its bound, from nought, and later attempts never have a smaller range."""
    policy = Policy()
    pause = pause_s(policy, attempt, drawn, None)
    assert 0 <= pause <= policy.most_s
    assert pause <= pause_s(policy, attempt + 1, drawn, None) or drawn == 0


@given(st.floats(0, 1e5), st.floats(0, 1, exclude_max=True))
def test_a_pause_that_is_asked_for_is_never_cut_short(asked: float, drawn: float) -> None:
    """A little later, never earlier."""
    assert asked <= pause_s(Policy(), 1, drawn, asked) <= asked + Policy().first_s


HEADERS = [
    ({"Retry-After": "12"}, 12.0),
    ({"Retry-After": " 0 "}, 0.0),
    ({"Retry-After": email.utils.formatdate(1_000_030, usegmt=True)}, 30.0),
    ({"Retry-After": email.utils.formatdate(999_000, usegmt=True)}, 0.0),
    ({"Retry-After": "soon"}, None),
    ({"Retry-After": "-5"}, None),
    ({"Retry-After": "soon", "RateLimit": '"minute";r=0;t=9'}, 9.0),
    ({"RateLimit": '"minute";r=0;t=12, "hour";r=2800;t=1812, "day";r=49500;t=45012'}, 12.0),
    ({"RateLimit": '"minute";r=0;t=12, "hour";r=0;t=1812'}, 1812.0),
    ({"RateLimit": '"minute" ; r = 0 ; t = 12'}, 12.0),
    ({"RateLimit": '"minute";t=12;r=0'}, 12.0),
    ({"RateLimit": '"minute";r=3;t=12'}, None),
    ({"RateLimit": '"minute";r=0'}, None),
    ({"RateLimit": "nonsense"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "wait"), HEADERS)
def test_what_an_answer_asks_for(headers: dict[str, str], wait: float | None) -> None:
    """Retry-After in seconds or as a date, else the longest window that is used up, else nothing."""
    assert asked_s(headers, now=1_000_000.0) == wait


@given(st.text(max_size=60))
def test_no_header_breaks_the_client(text: str) -> None:
    """Whatever a proxy writes there."""
    wait = asked_s({"Retry-After": text, "RateLimit": text}, now=0.0)
    assert wait is None or wait >= 0
