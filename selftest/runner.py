"""One batch: a project with the defects in it, the gate run as a user starts it, its verdicts read back."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from go_live.decide import ItemResult
from selftest import acts
from selftest.batches import Batch
from selftest.control import Change
from selftest.judge import Seen, judge, strays
from selftest.project import PACKAGES, edited, environment, fill, golive, publish, shipped_config

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


def run(batch: Batch, folder: Path) -> Ended:
    """Run ``batch`` in the empty ``folder``."""
    try:
        results = _results(batch, folder)
    except (ValueError, RuntimeError, OSError, subprocess.SubprocessError) as error:
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


def _results(batch: Batch, folder: Path) -> dict[str, ItemResult]:
    """Every item's result.

    Raises:
        ValueError: a change does not fit the text.
        RuntimeError: the gate refused to run.
        OSError: a file could not be read or written.
        subprocess.SubprocessError: git refused, or the gate did not end in time.
    """
    root = folder / "project"
    fill(root, shipped_config(dict(batch.scene.values)), packages=PACKAGES)
    for change in (*batch.scene.changes, *(change for control in batch.controls for change in control.changes)):
        seed(root, change)
    with _served(root, folder / "endpoint") if batch.scene.live else _local() as extra:
        publish(root)
        for control in batch.controls:
            if control.act is not None:
                acts.perform(control.act, root)
        arguments = ("run", "--profile", "test", "--only", *batch.selection, "--json")
        done = golive(root, *arguments, root=root, timeout_s=RUN_S, **extra)
    if not done.stdout.strip():
        raise RuntimeError(f"the gate ended with {done.returncode} and no decision: {_tail(done.stderr)}")
    verdicts = root / "reports" / json.loads(done.stdout)["run_id"] / "verdicts.json"
    results = msgspec.json.decode(verdicts.read_bytes(), type=list[ItemResult])
    return {result.item: result for result in results}


@contextmanager
def _local() -> Iterator[Mapping[str, str]]:
    """The run starts its own endpoint."""
    yield {}


@contextmanager
def _served(root: Path, directory: Path) -> Iterator[Mapping[str, str]]:
    """Serve an endpoint apart, write its address into golive.toml; the environment in which the run has its key.

    Raises:
        RuntimeError: it did not start.
    """
    key = secrets.token_urlsafe(24)
    command = [
        "-m",
        "go_live",
        "local",
        "serve",
        "--engine",
        "timed",
        "--exec-ms",
        "20",
        "--exit-with-parent",
        "--json",
    ]
    with subprocess.Popen(
        [sys.executable, *command, "--directory", str(directory)],
        cwd=root,
        env=environment(root) | {"GOLIVE_LOCAL_KEY": key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            if not line:
                raise RuntimeError("the endpoint that stands for the live one did not start")
            told = json.loads(line)
            config = root / "golive.toml"
            address = {"endpoint.id": f'"{told["endpoint_id"]}"', "endpoint.job_api": f'"{told["job_api"]}"'}
            config.write_text(edited(config.read_text(encoding="utf-8"), address), encoding="utf-8")
            yield {"RUNPOD_API_KEY": key}
        finally:
            process.terminate()
            process.communicate(timeout=STOP_S)


def _told(error: Exception) -> str:
    """What an exception says, git's own words included."""
    said = getattr(error, "stderr", None)
    return f"{error} {_tail(said)}".strip() if isinstance(said, str) else str(error)


def _tail(text: str) -> str:
    """The last lines of what a process said, on one line."""
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-LAST_LINES:])
