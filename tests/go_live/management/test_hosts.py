"""A production run meets the platform's own addresses, and no other."""

from pathlib import Path

import pytest

from go_live.config import Config, ProfileName, parse
from go_live.errors import ExitCode, UsageError
from go_live.management.hosts import refuse_other_hosts
from go_live.toml_text import edited
from selftest.project import shipped_config

ROOT = Path(__file__).parents[3]
LOOPBACK = '"http://127.0.0.1:8000/v2"'


def config(**values: str) -> Config:
    """The shipped configuration with the test profile, and other addresses."""
    named = {f"endpoint.{name}": value for name, value in values.items()}
    return parse(edited(shipped_config(), named))


@pytest.mark.parametrize("profile", ["production", "rehearsal", "test"])
def test_the_shipped_addresses_are_accepted(profile: ProfileName) -> None:
    """As golive.toml is."""
    refuse_other_hosts(config(), profile)


OTHERS = [
    {"job_api": LOOPBACK},
    {"management_api": LOOPBACK},
    {"job_api": '"https://api.runpod.io/v2"'},
    {"management_api": '"https://api.runpod.ai/v2"'},
    {"job_api": '"http://api.runpod.ai/v2"'},
    {"job_api": '"https://api.runpod.ai.example/v2"'},
    {"job_api": '"https://user:pass@api.runpod.ai/v2"'},
    {"management_api": '"https://rest.runpod.io/v1"'},
]


@pytest.mark.parametrize("values", OTHERS)
def test_production_refuses_every_other_address(values: dict[str, str]) -> None:
    """Loopback, the other API's host, plain HTTP, a look-alike, credentials: exit 2, one line that names the key."""
    with pytest.raises(UsageError, match=f"endpoint.{next(iter(values))} is ") as caught:
        refuse_other_hosts(config(**values), "production")
    assert caught.value.exit_code is ExitCode.USAGE
    assert "\n" not in str(caught.value)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize("profile", ["test", "rehearsal"])
def test_other_profiles_meet_their_own(profile: ProfileName) -> None:
    """The test profile may name a double; a rehearsal starts its own endpoint."""
    refuse_other_hosts(config(job_api=LOOPBACK, management_api=LOOPBACK), profile)


def test_production_has_a_live_endpoint() -> None:
    """A production profile on a local endpoint would be a rehearsal under another name."""
    text = shipped_config().replace('target = "runpod"', 'target = "local"', 1)
    with pytest.raises(UsageError, match="a local endpoint is a rehearsal"):
        refuse_other_hosts(parse(text), "production")
