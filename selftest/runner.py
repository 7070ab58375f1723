"""One batch: a project with the defects in it, the gate run as a user starts it, its verdicts read back."""

import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from go_live import config as configuration
from go_live.decide import ItemResult
from go_live.errors import GoliveError
from go_live.evidence.run_directory import read_conclusions
from go_live.keys.fingerprint import fingerprint, new_salt
from go_live.toml_text import edited
from selftest import acts
from selftest.batches import Batch
from selftest.control import LIVE, Change
from selftest.drilled import leave
from selftest.judge import Seen, judge, strays
from selftest.project import environment, fill, git, golive, publish, shipped_config
from selftest.rollout_acts import prepare
from selftest.shipping import loki, shipping

RUN_S = 240
"""Longest a run of the gate may take; a healthy one of these ends within a minute."""
STOP_S = 30
LAST_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of a batch."""

    batch: Batch
    seen: tuple[Seen, ...]
    problems: tuple[str, ...]
    """What went wrong beside the controls: a run without verdicts, a bystander that did not pass."""


def run(batch: Batch, folder: Path, packed: Path) -> Ended:
    """Run ``batch`` in the empty ``folder``, with copies of the packages that lie in ``packed``."""
    try:
        results = _results(batch, folder, packed)
    except (ValueError, RuntimeError, OSError, GoliveError, subprocess.SubprocessError) as error:
        seen = tuple(Seen(control=c, reason=None, problem="the run gave no verdicts") for c in batch.controls)
        return Ended(batch=batch, seen=seen, problems=(f"{batch.scene.name}: {_told(error)}",))
    seen = tuple(judge(control, results) for control in batch.controls)
    return Ended(batch=batch, seen=seen, problems=tuple(strays(batch, results)))


def seed(root: Path, change: Change) -> None:
    """Make ``change`` in the project at ``root``.

    Raises:
        ValueError: the text that it looks for does not stand there exactly once.
    """
    path = root / change.file
    text = path.read_text(encoding="utf-8")
    if (found := text.count(change.old)) != 1:
        raise ValueError(f"{change.file} has this text {found} times, not once: {change.old!r}")
    path.write_text(text.replace(change.old, change.new), encoding="utf-8")


def _results(batch: Batch, folder: Path, packed: Path) -> dict[str, ItemResult]:
    """Every item's result.

    Raises:
        ValueError: a change does not fit the text.
        RuntimeError: the gate refused to run.
        GoliveError: what it concluded cannot be read.
        OSError: a file could not be read or written.
        subprocess.SubprocessError: git refused, or the gate did not end in time.
    """
    root = folder / "project"
    fill(root, shipped_config(dict(batch.scene.values)), packed=packed)
    if batch.scene.drilled:
        leave(root, configuration.load(root / "golive.toml"), time.time())
    if batch.scene.live:
        (root / LIVE).write_text(batch.scene.described, encoding="utf-8")
    if batch.scene.rolled_out:
        prepare(root)
    for change in (*batch.scene.changes, *(change for control in batch.controls for change in control.changes)):
        seed(root, change)
    port = _point_to_loopback(root) if batch.scene.live else None
    endpoint = folder / "endpoint"
    with ExitStack() as beside:
        if batch.scene.shipped:
            beside.enter_context(loki(root))
        publish(root)
        extra = beside.enter_context(_local() if port is None else _served(root, endpoint, port, batch.scene.served))
        if batch.scene.shipped:
            beside.enter_context(shipping(root, endpoint, folder / "shipped"))
        for control in batch.controls:
            if control.act is not None:
                acts.perform(control.act, root)
        arguments = ("run", "--profile", "test", "--only", *batch.selection, "--json")
        done = golive(root, *arguments, root=root, timeout_s=RUN_S, **extra)
    if not done.stdout.strip():
        raise RuntimeError(f"the gate ended with {done.returncode} and no decision: {_tail(done.stderr)}")
    concluded = read_conclusions(root / "reports" / json.loads(done.stdout)["run_id"])
    return {result.item: result for result in concluded.items}


@contextmanager
def _local() -> Iterator[Mapping[str, str]]:
    """The run starts its own endpoint."""
    yield {}


def _point_to_loopback(root: Path) -> int:
    """Name a free port of this machine as the live endpoint's address in golive.toml; the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    config = root / "golive.toml"
    address = {
        "endpoint.id": '"local"',
        "endpoint.job_api": f'"http://127.0.0.1:{port}/v2"',
        "endpoint.management_api": f'"http://127.0.0.1:{port}/management/v2"',
    }
    config.write_text(edited(config.read_text(encoding="utf-8"), address), encoding="utf-8")
    return port


@contextmanager
def _served(root: Path, directory: Path, port: int, more: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    """Serve an endpoint on ``port``, apart from the run; the environment in which the run has its key.

    ``more`` are arguments of ``golive local serve``.

    Raises:
        RuntimeError: it did not start.
    """
    key = secrets.token_urlsafe(24)
    serve = ["local", "serve", "--engine", "timed", "--exec-ms", "20", "--exit-with-parent", "--json"]
    build = [
        "--port",
        str(port),
        "--directory",
        str(directory),
        "--env",
        f"GIT_COMMIT={git(root, 'rev-parse', 'HEAD')}",
        "--live",
        LIVE,
        *more,
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "go_live", *serve, *build],
        cwd=root,
        env=environment(root) | {"GOLIVE_LOCAL_KEY": key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError("the endpoint that stands for the live one did not start")
            yield rotated(key)
        finally:
            process.terminate()
            process.communicate(timeout=STOP_S)


def rotated(key: str) -> dict[str, str]:
    """The environment of a run after a rotation to ``key``, with an old key that the endpoint never knew."""
    old = f"old_{secrets.token_urlsafe(24)}"
    return {
        "RUNPOD_API_KEY": key,
        "RUNPOD_OLD_API_KEY": old,
        "GATEWAY_KEY_FINGERPRINT": fingerprint(key, new_salt()),
        "CI_KEY_FINGERPRINT": fingerprint(key, new_salt()),
        "OLD_KEY_FINGERPRINT": fingerprint(old, new_salt()),
    }


def _told(error: Exception) -> str:
    """What an exception says, git's own words included."""
    said = getattr(error, "stderr", None)
    return f"{error} {_tail(said)}".strip() if isinstance(said, str) else str(error)


def _tail(text: str) -> str:
    """The last lines of what a process said, on one line."""
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-LAST_LINES:])
