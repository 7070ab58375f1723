"""What ``golive gateway serve`` makes of its arguments."""

import argparse
from pathlib import Path

import pytest

from go_live.config import Config
from go_live.errors import UsageError
from go_live.gateway import command, keys
from go_live.gateway.replicas import Share
from go_live.gateway.routes import RouteFiles
from go_live.gateway.serving import GatewaySettings


@pytest.fixture
def asked(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Asked":
    """Parse ``serve`` and what follows it."""
    monkeypatch.setenv(config.keys.api_key_env, "an upstream key")
    callers = tmp_path / "callers.json"
    keys.write(callers, (keys.new_key("web", "2026-11-24")[1],))
    return Asked(config, callers)


class Asked:
    """The command, as far as its settings."""

    def __init__(self, config: Config, callers: Path) -> None:
        """With callers who have keys."""
        self._config, self._callers = config, callers

    def __call__(self, *arguments: str) -> GatewaySettings:
        """The settings."""
        parser = argparse.ArgumentParser()
        command.configure(parser)
        args = parser.parse_args(["serve", "--callers", str(self._callers), *arguments])
        return command.gateway_settings(args, self._config)


def test_without_more_it_stands_alone_and_splits_nothing(asked: Asked, config: Config) -> None:
    """The whole cap, no route, golive.toml's endpoint at golive.toml's address; others' jobs are looked for."""
    settings = asked()
    assert (settings.own_cap, settings.routes) == (config.client.concurrency_cap, None)
    assert settings.base_of(config.endpoint.id) == config.endpoint.job_api
    assert settings.count_every_s == config.gateway.count_every_s


def test_endpoints_may_be_elsewhere(asked: Asked, config: Config) -> None:
    """``ID=URL`` names another base for one endpoint, and for no other."""
    settings = asked("--endpoint", "blue", "green=http://127.0.0.1:8001/v2")
    assert settings.endpoints == ("blue", "green")
    assert settings.base_of("green") == "http://127.0.0.1:8001/v2"
    assert settings.base_of("blue") == config.endpoint.job_api


def test_a_share_divides_the_cap(asked: Asked, config: Config) -> None:
    """The shares of two gateways are the cap, and one that would be nothing is refused."""
    both = [asked("--share", f"{number}/2") for number in (1, 2)]
    assert [settings.share for settings in both] == [Share(1, 2), Share(2, 2)]
    assert sum(settings.own_cap for settings in both) == config.client.concurrency_cap
    with pytest.raises(UsageError, match="no request at all"):
        asked("--share", f"1{config.client.concurrency_cap}/1{config.client.concurrency_cap}")


def test_a_decision_needs_to_be_signed_by_somebody(asked: Asked) -> None:
    """The decision's file and the signers' belong together: one without the other is refused."""
    settings = asked("--routes", "route.json", "--rollout-signers", "signers")
    assert settings.routes == RouteFiles(Path("route.json"), Path("signers"))
    for alone in (("--routes", "route.json"), ("--rollout-signers", "signers")):
        with pytest.raises(UsageError, match="belong together"):
            asked(*alone)
