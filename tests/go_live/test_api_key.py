"""Where the API key comes from."""

from pathlib import Path

import pytest

from go_live import config
from go_live.api_key import read_key
from go_live.errors import UsageError

KEYS = config.load(Path(__file__).parents[2] / "golive.toml").keys
KEY = "rpa_ABCDEFGHIJKLMNOP"


def test_the_variable_holds_it() -> None:
    """Blanks around it do not count."""
    assert read_key(KEYS, {"RUNPOD_API_KEY": f" {KEY}\n"}) == KEY


def test_a_file_holds_it(tmp_path: Path) -> None:
    """The variable's name with _FILE names the file."""
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    assert read_key(KEYS, {"RUNPOD_API_KEY_FILE": str(path)}) == KEY


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        (f"{KEY} {KEY}", "no single key"),
        ("ключ", "no single key"),
        ("x" * 5000, "larger than any key"),
    ],
)
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: str, said: str) -> None:
    """Empty, two keys, another script, another file: each named, the content never shown."""
    path = tmp_path / "key"
    path.write_text(content)
    with pytest.raises(UsageError, match=said) as caught:
        read_key(KEYS, {"RUNPOD_API_KEY_FILE": str(path)})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "RUNPOD_API_KEY is not set"),
        ({"RUNPOD_API_KEY": "  "}, "RUNPOD_API_KEY is not set"),
        ({"RUNPOD_API_KEY": KEY, "RUNPOD_API_KEY_FILE": "/key"}, "both set"),
        ({"RUNPOD_API_KEY_FILE": "/nowhere/key"}, "cannot read /nowhere/key"),
        ({"RUNPOD_API_KEY": f"{KEY}\n{KEY}"}, "no single key"),
    ],
)
def test_what_is_no_key_is_refused(environment: dict[str, str], said: str) -> None:
    """Missing, twice or unreadable: one line that names the variable and never the key."""
    with pytest.raises(UsageError, match=said) as caught:
        read_key(KEYS, environment)
    assert KEY not in str(caught.value)
