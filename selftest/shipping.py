"""What stands beside a live endpoint whose workers' logs are shipped: a Loki, and golive that ships to it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from go_live.toml_text import edited
from selftest.project import ROOT, environment

STOP_S = 15


@contextmanager
def loki(root: Path) -> Iterator[None]:
    """A double of Loki, whose address the golive.toml in ``root`` names.

    Raises:
        RuntimeError: it did not start.
    """
    command = [sys.executable, "-m", "selftest.loki_double"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(ROOT), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout is not None else ""
            if not url:
                raise RuntimeError("the double of Loki did not start")
            config = root / "golive.toml"
            config.write_text(
                edited(config.read_text(encoding="utf-8"), {"logs.loki.url": f'"{url}"'}), encoding="utf-8"
            )
            yield
        finally:
            process.communicate(timeout=STOP_S)


@contextmanager
def shipping(root: Path, endpoint: Path, state: Path) -> Iterator[None]:
    """The project's own golive ships the logs of the workers in ``endpoint`` to what its golive.toml declares."""
    command = [sys.executable, "-m", "go_live", "monitor", "ship-logs", "--to", "loki", "--from", str(endpoint)]
    with subprocess.Popen(
        [*command, "--state", str(state)],
        cwd=root,
        env=environment(root),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=STOP_S)
