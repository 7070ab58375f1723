"""What this gate says of endpoints whose truth is known: the commands that measure each, and what is promised of them.

The timed engine's answers are never evidence, and the commands refuse them. To see what the judgement would be, its
label is taken off the records while they are made (:func:`label_off`), here and nowhere in the project itself.
"""

import argparse
import contextlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from go_live import cli
from go_live.jobs.answer import Answer
from go_live.load import runner
from go_live.local_endpoint import command
from go_live.local_endpoint.launch import LaunchedEndpoint, launched
from go_live.records import Record

ROOT = Path(__file__).parents[3]
EXEC_MS = 250
HOUR_S = 9
"""Times are scaled down: the recorded 2788 ms to 250, the scenario's hour to nine seconds."""
LIMITS = {
    "exec_ms_p50": 500,
    "exec_ms_p95": 800,
    "total_ms_p50": 500,
    "total_ms_p95": 800,
    "queue_ms_p50": 200,
    "queue_begins_ms": 50,
}
"""Limits on that scale, with room for what does not scale: the SDK starts a job up to 100 ms after it took it."""
LOAD = ("load", "--concurrency", "24", "--runs", "320", "--warmup", "4")
SOAK = ("soak", "--minutes", str(HOUR_S / 60), "--concurrency", "8", "--warmup", "4")
PAUSED = ("load", "--rate", "0.25", "--runs", "3", "--warmup", "0")
"""Requests so far apart that each finds no worker."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What the gate says of one scenario."""

    arguments: tuple[str, ...]
    outcome: str
    failing: tuple[str, ...] = ()
    """Words of claims that must fail."""
    passing: tuple[str, ...] = ()
    """Words of claims that must pass all the same."""
    exec_ms: int = EXEC_MS


PROMISES = {
    "healthy": Promise(LOAD, "pass"),
    "bursts": Promise(LOAD, "fail", failing=("success rate",), passing=("total p50",)),
    "drift": Promise(SOAK, "fail", failing=("exec_ms",), passing=("total p50", "total p95")),
    "leak": Promise(SOAK, "fail", failing=("tokens/s",), passing=("total p50", "total p95")),
    "cold-starts": Promise(PAUSED, "fail", failing=("total p95",), exec_ms=100),
    "200-with-error": Promise(LOAD, "fail", failing=("success rate",), passing=("total p50",)),
    "truncated-streams": Promise(LOAD, "fail", failing=("success rate",), passing=("total p50",)),
    "wrong-answers": Promise(LOAD, "fail", failing=("right answers",), passing=("total p50", "success rate")),
    "fast-failures": Promise(LOAD, "fail", failing=("success rate", "total p95"), passing=("total p50",)),
    "slow-tail": Promise(LOAD, "fail", failing=("total p95", "exec p95"), passing=("total p50", "success rate")),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said."""

    exit_code: int
    judgement: dict[str, Any]

    def claims(self, outcome: str) -> list[str]:
        """The claims with this outcome."""
        return [verdict["claim"] for verdict in self.judgement["verdicts"] if verdict["outcome"] == outcome]


@contextlib.contextmanager
def served(name: str, directory: Path) -> Iterator[LaunchedEndpoint]:
    """The scenario's endpoint, as ``golive local serve --scenario`` makes it."""
    exec_ms = PROMISES[name].exec_ms
    parser = argparse.ArgumentParser()
    command.configure(parser)
    scale = ("--exec-ms", str(exec_ms), "--hour-s", str(HOUR_S))
    settings, _ = command.endpoint_settings(
        parser.parse_args(["serve", "--scenario", name, *scale, "--directory", str(directory / "endpoint")])
    )
    with launched(settings, ready_timeout_s=60) as endpoint:
        yield endpoint


def config(directory: Path) -> Path:
    """The project's golive.toml with limits on the scenarios' scale."""
    lines = (ROOT / "golive.toml").read_text(encoding="utf-8").splitlines()
    scaled = [f"{name} = {LIMITS[name]}" if (name := line.split(" ")[0]) in LIMITS else line for line in lines]
    path = directory / "golive.toml"
    path.write_text("\n".join(scaled) + "\n", encoding="utf-8")
    return path


def golive(endpoint: LaunchedEndpoint, directory: Path, arguments: tuple[str, ...]) -> Said:
    """Run ``golive load`` or ``golive soak`` against the endpoint."""
    target = ["--url", endpoint.job_api, "--endpoint", endpoint.endpoint_id, "--key-env", command.KEY_ENV]
    where = ["--config", str(config(directory)), "--records", str(directory / "records.jsonl")]
    out = io.StringIO()
    with mock.patch.dict(os.environ, {command.KEY_ENV: endpoint.key}), contextlib.redirect_stdout(out):
        code = cli.main([*arguments, *target, *where, "--json"])
    return Said(code, json.loads(out.getvalue()))


@contextlib.contextmanager
def label_off() -> Iterator[None]:
    """Record the timed engine's answers as if a real one had given them."""
    recorded = runner.recorded

    def unlabelled(due: Record, answer: Answer) -> Record:
        return msgspec.structs.replace(recorded(due, answer), engine=None)

    with mock.patch.object(runner, "recorded", unlabelled):
        yield
