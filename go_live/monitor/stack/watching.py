"""Alertmanager with the generated routing and Prometheus with the generated rules, on loopback, told to local sinks."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec

from go_live.config import Alerts
from go_live.monitor import alertmanager
from go_live.monitor.prometheus import configured
from go_live.monitor.stack.programs import ALERTMANAGER, PROMETHEUS, Program, free_address, running

Scale = Callable[[str], str]
"""Divides the times of a generated text."""
RESEND = "1m"
"""Prometheus' own default of --rules.alert.resend-delay."""


def write_alertmanager(alerts: Alerts, sink: str, folder: Path, scale: Scale) -> Path:
    """The generated configuration, with the sink at ``sink`` in the place of PagerDuty, Slack and the switch."""
    secrets = {
        alertmanager.ROUTING_KEY: "the-routing-key",
        alertmanager.WEBHOOK: f"{sink}/slack",
        alertmanager.DEADMAN_KEY: "the-token",
    }
    for name, value in secrets.items():
        (folder / name).write_text(value, encoding="utf-8")
    told = msgspec.structs.replace(alerts, deadman_url=f"{sink}/deadman", secrets_directory=str(folder))
    text = scale(alertmanager.alertmanager_file(told))
    path = folder / "alertmanager.yml"
    path.write_text(text.replace("global:\n", f"global:\n  pagerduty_url: {sink}/pagerduty\n"), encoding="utf-8")
    return path


def alertmanager_running(path: Path, address: str) -> AbstractAsyncContextManager[Program]:
    """An Alertmanager with the configuration at ``path``; it is no part of a cluster."""
    arguments = [
        f"--config.file={path}",
        f"--storage.path={path.parent / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    return running(ALERTMANAGER, arguments, address, path.parent)


@asynccontextmanager
async def prometheus_running(
    rules: str, *, alertmanagers: Sequence[str], metrics: Sequence[str], scrape_ms: int, folder: Path, scale: Scale
) -> AsyncIterator[str]:
    """The address of a Prometheus that evaluates the text ``rules`` over what it reads at ``metrics``."""
    (folder / "rules.yml").write_text(rules, encoding="utf-8")
    text = configured(
        rules=str(folder / "rules.yml"), alertmanagers=alertmanagers, metrics=metrics, every=f"{scrape_ms}ms"
    )
    (folder / "prometheus.yml").write_text(text, encoding="utf-8")
    address = free_address()
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={address}",
        # The first alert may be sent before Alertmanager has been found.
        f"--rules.alert.resend-delay={scale(f': {RESEND}').removeprefix(': ')}",
    ]
    async with running(PROMETHEUS, arguments, address, folder):
        yield address
