"""What must not be kept is not kept, in whatever form it stands; the worker's own lines stay as they are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.management.scrub import MOST_CHARS, Scrubber, undebugged
from tests.go_live.keys.made_up import of_kind

KEY = "rpa_" + "S" * 30
PROMPT = 'What does a "Müller" earn in\nZürich?'
SCRUB = Scrubber(secrets=[KEY], prompts=[PROMPT])


@pytest.mark.parametrize(
    "line",
    [
        f"job-take?key={KEY}",
        f"asked {PROMPT!s}",
        json.dumps({"message": PROMPT, "level": "INFO"}),
        json.dumps({"message": PROMPT, "level": "INFO"}, ensure_ascii=False),
        "Authorization: Bearer another-key-than-ours",
        of_kind("runpod", 13),
        json.dumps({"requestId": "j", "level": "DEBUG", "message": f"output: {PROMPT} {KEY}"}),
        f"DEBUG  | j | output: {PROMPT} {KEY}",
        f"TRACE  | output: {PROMPT}",
        json.dumps({"requestId": "j", "level": "DEBUG", "message": "Handler output: ANOTHERKEY of words"}),
        "DEBUG  | j | Handler output: ANOTHERKEY of words",
    ],
)
def test_it_stands_nowhere(line: str) -> None:
    """As it is, or escaped inside a JSON string."""
    clean = SCRUB.clean(line)
    for part in (KEY, "Müller", "M\\u00fcller", "another-key-than-ours", "ANOTHERKEY"):
        assert part not in clean


@pytest.mark.parametrize(
    "line",
    [
        '{"ts": "t", "event": "end", "request_id": "job-1", "ok": true, "exec_ms": 2788.4}',
        "Traceback (most recent call last):",
        '{"requestId": null, "message": "Jobs in queue: 3", "level": "INFO"}',
        "INFO   | j | Started.",
        "a level of DEBUG is not meant here",
    ],
)
def test_everything_else_stays(line: str) -> None:
    """Letter for letter."""
    assert SCRUB.clean(line) == line


def test_of_a_debug_line_the_job_and_its_length_are_left() -> None:
    """So that a log whose lines were left out shows it."""
    told = json.loads(undebugged(json.dumps({"requestId": "j", "level": "DEBUG", "message": "x" * 99})))
    assert told == {"requestId": "j", "level": "DEBUG", "message": "[99 characters at level DEBUG are not kept]"}
    assert undebugged("DEBUG  | j | abc") == "DEBUG  | j | [3 characters at level DEBUG are not kept]"


@given(st.text(max_size=200), st.text(min_size=8, max_size=20))
def test_any_secret_in_any_line(around: str, secret: str) -> None:
    """Whatever it is, and whatever stands around it; lines have an end."""
    assert secret not in Scrubber(secrets=[secret]).clean(f"{around}{secret}{around}").replace("***", "")
    assert len(Scrubber(secrets=[]).clean("x" * 100_000)) == MOST_CHARS + 1
