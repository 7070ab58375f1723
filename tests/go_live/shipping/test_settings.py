"""golive.toml's [logs], and what the environment makes of it."""

import re
from pathlib import Path

import pytest

from go_live import config as configuration
from go_live.config import Config
from go_live.errors import UsageError
from go_live.shipping.settings import chosen, destination_of, secrets_in
from tests.go_live.keys.made_up import of_kind

TEXT = (Path(__file__).parents[3] / "golive.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('destination = "none"', 'destination = "syslog"'), "logs.destination"),
        (('{ service = "llm-worker" }', '{ service = "x", request_id = "y" }'), "may not name request_id"),
        (('{ service = "llm-worker" }', '{ service = "x", worker = "y" }'), "may not name worker"),
        (('{ service = "llm-worker" }', '{ team = "x" }'), "has no service"),
        (('{ service = "llm-worker" }', '{ service = "two words" }'), "logs.labels"),
        (('url = "http://127.0.0.1:3100"', 'url = "https://user:key@loki.example"'), "logs.loki.url"),
        (("retention_days = 30", "retention_days = 31"), "retention_days is none that CloudWatch has"),
        (('token_env = "LOKI_TOKEN"', 'token_env = "loki token"'), "logs.loki.token_env"),
    ],
)
def test_values_that_cannot_be_are_refused(change: tuple[str, str], told: str) -> None:
    """Each is named by its key: a label for each request, an address with a key, a retention that there is not."""
    assert change[0] in TEXT
    with pytest.raises(UsageError, match=re.escape(told).replace(re.escape("logs."), r"(\$\.)?logs\.")):
        configuration.parse(TEXT.replace(*change, 1))


def test_the_command_line_comes_before_golive_toml(config: Config) -> None:
    """And neither is an error that names both."""
    assert chosen(config, "loki") == "loki"
    with pytest.raises(UsageError, match="--to loki, or declare it"):
        chosen(config)


def test_datadog_needs_its_key_from_the_environment_or_a_file(config: Config, tmp_path: Path) -> None:
    """The variable is named where neither is set."""
    with pytest.raises(UsageError, match="DD_API_KEY is not set"):
        destination_of(config, "datadog", {})
    file = tmp_path / "key"
    file.write_text(of_kind("github"), encoding="utf-8")
    assert "Datadog" in destination_of(config, "datadog", {"DD_API_KEY_FILE": str(file)}).name


def test_every_key_of_this_process_is_one_that_must_not_leave(config: Config, tmp_path: Path) -> None:
    """The platform's, the destinations', and those of AWS; also one that stands in a file."""
    names = ("RUNPOD_API_KEY", "LOKI_TOKEN", "DD_API_KEY", "DD_APP_KEY", "AWS_SECRET_ACCESS_KEY")
    environment = {name: f" a-secret-of-{name} " for name in names}
    (tmp_path / "old").write_text("the-old-one\n", encoding="utf-8")
    environment |= {"RUNPOD_OLD_API_KEY_FILE": str(tmp_path / "old")}
    assert set(secrets_in(config, environment)) == {f"a-secret-of-{name}" for name in names} | {"the-old-one"}
