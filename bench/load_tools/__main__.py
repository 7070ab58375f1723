"""``python -m bench.load_tools``: known truths, and what each load tool says of them beside this gate.

Every run gets an endpoint of its own, so that all meet the same draws in the same order. Loopback only, bounded in
count and time. Writes one JSON file and prints the table of docs/peers.md.
"""

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.load_tools import ours
from bench.load_tools.aiperf import AIPERF
from bench.load_tools.environments import InstallError, cache, interpreter
from bench.load_tools.guidellm import GUIDELLM
from bench.load_tools.locust import LOCUST
from bench.load_tools.tool import Reported, Target, Tool
from bench.load_tools.vllm_bench import VLLM
from go_live.local_endpoint.scenarios import NAMES
from rehearsal.golden import golden_prompts
from tests.go_live.local_endpoint.known_truth import LIMITS, served

TOOLS = (LOCUST, GUIDELLM, AIPERF, VLLM)
GATE = "golive load"
SCENARIOS = tuple(name for name in NAMES if name not in {"drift", "leak", "cold-starts"})
"""Those that show within a fixed number of requests."""
SUCCESS_MIN = 0.99
TIMEOUT_S = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one tool said of one scenario."""

    scenario: str
    tool: str
    exit_code: int | None
    reported: Reported | None
    note: str = ""
    seconds: float = 0.0


def main() -> int:
    """Run what the arguments name; 0 whatever the tools say, since this is a comparison."""
    parser = argparse.ArgumentParser(prog="nox -s bench -- peers", description=__doc__)
    parser.add_argument("--scenarios", nargs="+", choices=NAMES, default=SCENARIOS, metavar="NAME")
    parser.add_argument("--tools", nargs="+", default=[tool.name for tool in TOOLS], metavar="NAME")
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--requests", type=int, default=320)
    parser.add_argument("--cache", type=Path, default=cache(), help="where the tools' environments are kept")
    parser.add_argument("--json", type=Path, default=Path("reports/peers.json"), help="where the figures are written")
    args = parser.parse_args()
    tools = [tool for tool in TOOLS if tool.name in args.tools]
    pythons, missing = _install(tools, args.cache)
    truths: dict[str, object] = {}
    cells: list[Cell] = []
    for cell in _cells(args, tools, pythons, missing, truths):
        cells.append(cell)
        sys.stdout.write(f"{cell}\n")
        sys.stdout.flush()
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(_content(args, truths, cells), indent=1), encoding="utf-8")
    sys.stdout.write(table(cells, args.scenarios, [GATE, *(tool.name for tool in tools)]))
    return 0


def _install(tools: list[Tool], folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Each tool's interpreter, or why it has none."""
    pythons, missing = {}, {}
    for tool in tools:
        try:
            pythons[tool.name] = interpreter(tool.package, folder)
        except InstallError as error:
            missing[tool.name] = str(error)
    return pythons, missing


def _cells(
    args: argparse.Namespace,
    tools: list[Tool],
    pythons: dict[str, Path],
    missing: dict[str, str],
    truths: dict[str, object],
) -> Iterator[Cell]:
    """Measure, one run after another."""
    for name in args.scenarios:
        with tempfile.TemporaryDirectory(prefix="golive-peers-") as scratch:
            folder = Path(scratch)
            with served(name, folder) as endpoint:
                truths[name] = endpoint.scenario()["truth"]
                code, reason, reported = ours.measure(endpoint, folder, args.concurrency, args.requests)
            yield Cell(scenario=name, tool=GATE, exit_code=code, reported=reported, note=reason)
        for tool in tools:
            if tool.name in missing:
                yield Cell(scenario=name, tool=tool.name, exit_code=None, reported=None, note=missing[tool.name])
            else:
                yield _peer(name, tool, pythons[tool.name], args)


def _peer(scenario: str, tool: Tool, python: Path, args: argparse.Namespace) -> Cell:
    """One tool on a fresh endpoint."""
    with tempfile.TemporaryDirectory(prefix="golive-peers-") as scratch, served(scenario, Path(scratch)) as endpoint:
        target = Target(
            base=f"{endpoint.job_api}/{endpoint.endpoint_id}/openai",
            key=endpoint.key,
            model=endpoint.settings.model,
            prompts=[golden.prompt for golden in golden_prompts() if not golden.blocked],
            concurrency=args.concurrency,
            requests=args.requests,
            p95_limit_ms=LIMITS["total_ms_p95"],
            success_min=SUCCESS_MIN,
            folder=Path(scratch),
            python=python,
        )
        began = dt.datetime.now(dt.UTC)
        with (Path(scratch) / "output").open("wb") as output:
            try:
                done = subprocess.run(
                    list(tool.command(target)),
                    env=dict(tool.environment(target)),
                    cwd=scratch,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=TIMEOUT_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return Cell(scenario=scenario, tool=tool.name, exit_code=None, reported=None, note="no end in 240 s")
        seconds = (dt.datetime.now(dt.UTC) - began).total_seconds()
        try:
            reported, note = tool.read(target), ""
        except (OSError, ValueError, KeyError, TypeError) as error:
            last = (Path(scratch) / "output").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            reported, note = None, f"{type(error).__name__}: {error}; it ended with: {' | '.join(last)[:300]}"
        code = done.returncode
        return Cell(scenario=scenario, tool=tool.name, exit_code=code, reported=reported, note=note, seconds=seconds)


def _content(args: argparse.Namespace, truths: dict[str, object], cells: list[Cell]) -> dict[str, object]:
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load": os.getloadavg()[0],
        "concurrency": args.concurrency,
        "requests": args.requests,
        "truths": truths,
        "cells": [asdict(cell) for cell in cells],
    }


def table(cells: list[Cell], scenarios: list[str], tools: list[str]) -> str:
    """The table of docs/peers.md: a row a scenario, a column a tool."""
    by = {(cell.scenario, cell.tool): cell for cell in cells}
    head = (f"| scenario | {' | '.join(tools)} |", "|---" * (len(tools) + 1) + "|")
    rows = (f"| {name} | {' | '.join(_shown(by[name, tool]) for tool in tools)} |" for name in scenarios)
    return "\n".join((*head, *rows, ""))


def _shown(cell: Cell) -> str:
    """Exit status, reported success of how many, reported p95."""
    if cell.exit_code is None:
        return "could not be run"
    if cell.reported is None:
        return f"exit {cell.exit_code}, no figures"
    said = cell.reported
    share = f"{said.succeeded / said.requests:.1%} of {said.requests}" if said.requests else "no requests"
    p95 = "infinite" if said.p95_ms is None else f"{said.p95_ms:.0f} ms"
    return f"**exit {cell.exit_code}**, {share}, p95 {p95}"


if __name__ == "__main__":
    sys.exit(main())
