"""``golive monitor serve``: the endpoint's figures live, as one page on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from go_live.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from go_live.config import Config

EXAMPLES = """\
examples:
  golive monitor serve                                            the gateway on this machine
  golive monitor serve --metrics http://127.0.0.1:9180/metrics    a certain one
  golive monitor serve --port 0 --json                            any free port, told as JSON

It reads the gateway's /metrics itself: no Prometheus, no Grafana, nothing from outside. Ctrl-C ends it.
Limits, pauses and memory stand in golive.toml ([slo], [alerts], [dashboard]); docs/dashboard.md tells the rest.

exit codes: 0 ended as asked, 2 usage or configuration
"""


class ServeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints when the page is there."""

    url: str
    metrics_url: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("--metrics", metavar="URL", help="the gateway's metrics (default: gateway.metrics_port, here)")
    parser.add_argument("--port", type=int, help="port to listen on (default: dashboard.page_port; 0: any free one)")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="limits (default: golive.toml)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal.

    Raises:
        UsageError: configuration, address or port cannot be used.
    """
    import asyncio  # noqa: PLC0415 - `golive monitor --help` needs none of these
    import logging  # noqa: PLC0415

    from go_live import config as configuration  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = configuration.load(args.config)
    port = config.dashboard.page_port if args.port is None else args.port
    asyncio.run(_until_signal(config, metrics_url(args.metrics, config), port, as_json=args.json))
    return ExitCode.GO


def metrics_url(asked: str | None, config: Config) -> str:
    """Where the metrics are.

    Raises:
        UsageError: it is no address of metrics.
    """
    from urllib.parse import urlsplit  # noqa: PLC0415

    from go_live.asgi import LOOPBACK  # noqa: PLC0415

    if asked is None:
        return f"http://{LOOPBACK}:{config.gateway.metrics_port}/metrics"
    try:
        parts = urlsplit(asked)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or "@" in asked:
        raise UsageError("--metrics takes an address such as http://127.0.0.1:9180/metrics, without a user or a key")
    return asked if parts.path.strip("/") else f"{asked.rstrip('/')}/metrics"


async def _until_signal(config: Config, url: str, port: int, *, as_json: bool) -> None:
    """Serve until SIGINT or SIGTERM."""
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from go_live.monitor.live.serving import page  # noqa: PLC0415

    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    async with page(config, url, port=port) as (address, _):
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, asked.set)
        told = ServeAnswer(url=address, metrics_url=url)
        words = f"the endpoint, live: {address}\n  reads {url} every {config.dashboard.page_every_s:g} s\n"
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n" if as_json else words)
        sys.stdout.flush()
        await asked.wait()
