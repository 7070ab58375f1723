"""``golive monitor serve``: where it reads. What it shows: ``live/``."""

import socket

import pytest

from go_live.cli import main
from go_live.config import Config
from go_live.errors import ExitCode, UsageError
from go_live.monitor.serve_command import metrics_url
from tests.go_live.monitor.conftest import ROOT


def test_it_reads_the_gateway_beside_it(config: Config) -> None:
    """Unless told otherwise; and a host alone means its /metrics."""
    assert metrics_url(None, config) == "http://127.0.0.1:9180/metrics"
    assert metrics_url("http://gateway.example:9180", config) == "http://gateway.example:9180/metrics"
    assert metrics_url("http://gateway.example:9180/", config) == "http://gateway.example:9180/metrics"
    assert metrics_url("https://gateway.example/m?x=1", config) == "https://gateway.example/m?x=1"


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:9180", "ftp://x/metrics", "http://", "http://x:0/", "http://x:99999/", "http://u:p@x/", "http://["],
)
def test_what_is_no_address_is_refused(address: str, config: Config) -> None:
    """In one line that shows one; nothing that could be a password is repeated."""
    with pytest.raises(UsageError, match="--metrics takes an address") as caught:
        metrics_url(address, config)
    assert "u:p" not in str(caught.value)


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """With the remedy, and as a usage error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ["monitor", "serve", "--port", port, "--config", str(ROOT / "golive.toml")]
        assert main(arguments) == ExitCode.USAGE
    assert f"port {port} is taken; choose another" in capsys.readouterr().err
