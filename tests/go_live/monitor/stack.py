"""Real Alertmanager and Prometheus on loopback, and a webhook server that stands for those who are told."""

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from go_live.config import Alerts
from go_live.monitor import alertmanager

PACKAGES = {"prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
WITHIN_S = 40
Sent = tuple[str, str | None, dict[str, Any]]
"""Path, Authorization header and body of one notification."""


@dataclass
class Sink:
    """Stands for PagerDuty, Slack and the dead-man's switch; keeps what it is sent."""

    url: str = ""
    sent: list[Sent] = field(default_factory=list)

    def wait_for(self, path: str, *texts: str) -> Sent:
        """The first notification to ``path`` that contains all ``texts``."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            for sent in list(self.sent):
                if sent[0] == path and all(text in json.dumps(sent[2]) for text in texts):
                    return sent
            time.sleep(0.05)
        raise AssertionError(f"nothing with {texts!r} arrived at {path}; there is {self.sent}")


@contextmanager
def listening() -> Iterator[Sink]:
    """A webhook server on loopback."""
    kept = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kept.sent.append((self.path, self.headers["Authorization"], body))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@contextmanager
def alertmanager_for(alerts: Alerts, sink: Sink, folder: Path) -> Iterator[str]:
    """The address of an Alertmanager that tells ``sink``; it groups for a second and no longer, secrets from files."""
    secrets = {
        alertmanager.ROUTING_KEY: "the-routing-key",
        alertmanager.WEBHOOK: f"{sink.url}/slack",
        alertmanager.DEADMAN_KEY: "the-token",
    }
    for name, value in secrets.items():
        (folder / name).write_text(value, encoding="utf-8")
    text = alertmanager.alertmanager_file(alerts).replace(alerts.secrets_directory, str(folder))
    text = text.replace("global:\n", f"global:\n  pagerduty_url: {sink.url}/pagerduty\n")
    text = text.replace("group_wait: 10s", "group_wait: 0s").replace("group_interval: 1m", "group_interval: 1s")
    (folder / "alertmanager.yml").write_text(text, encoding="utf-8")
    address = free_address()
    arguments = [
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with program("prometheus-alertmanager", arguments, address, folder):
        yield address


@contextmanager
def program(name: str, arguments: Sequence[str], address: str, folder: Path) -> Iterator[None]:
    """Run a program until the block ends; it is ready when the block begins."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} not found on PATH: apt-get install {PACKAGES[name]}")
    path = folder / f"{name}.log"
    with path.open("wb") as log, subprocess.Popen([name, *arguments], stderr=log, stdout=log) as process:
        try:
            ready(f"http://{address}/-/ready", path)
            yield
        finally:
            process.terminate()
            process.wait(timeout=WITHIN_S)


def free_address() -> str:
    """A free port of loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def ready(url: str, log: Path) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer: {log.read_text(encoding='utf-8')[-1000:]}")
