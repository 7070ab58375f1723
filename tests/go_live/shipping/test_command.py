"""``golive monitor ship-logs`` as its user runs it: a process, against a Loki on loopback."""

import asyncio
import json
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from go_live.cli import main
from go_live.errors import ExitCode
from go_live.toml_text import edited
from selftest.loki_double import LokiDouble, serving
from selftest.project import environment
from tests.go_live.shipping.conftest import AT, Worker, event, ids, until

ROOT = Path(__file__).parents[3]
PROMPT = "How do I become a data engineer?"


@asynccontextmanager
async def project(tmp_path: Path, loki: LokiDouble, **values: str) -> AsyncIterator[Path]:
    """A golive.toml that names ``loki``."""
    async with serving(loki) as url:
        path = tmp_path / "golive.toml"
        text = (ROOT / "golive.toml").read_text(encoding="utf-8")
        named = {"logs.loki.url": f'"{url}"', "logs.destination": '"loki"', "logs.batch_max_age_s": "0.05"}
        path.write_text(edited(text, named | values), encoding="utf-8")
        yield path


async def started(config: Path, worker: Worker, *arguments: str, **extra: str) -> Process:
    """The command, shipping the worker's folder."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "go_live", "monitor", "ship-logs", "--from", str(worker.path.parents[1])),
        *("--config", str(config), *arguments),
        cwd=config.parent,
        env=environment() | extra,
        stdout=PIPE,
        stderr=PIPE,
    )


def loki_of_today() -> LokiDouble:
    """Its clock is that of the lines."""
    return LokiDouble(wall=lambda: AT + 600)


async def test_once_ships_what_is_there_and_says_so(tmp_path: Path, worker: Worker) -> None:
    """Exit 0, one JSON object, and the lines at Loki; the state beside golive.toml."""
    worker.write(event(1, "start", prompt=PROMPT), event(1), "some engine's line")
    loki = loki_of_today()
    async with project(tmp_path, loki) as config:
        process = await started(config, worker, "--once", "--json")
        out, _ = await process.communicate()
    told = json.loads(out)
    assert process.returncode == ExitCode.GO
    assert (told["outcome"], told["shipped"], told["others"], told["behind_bytes"]) == ("pass", 3, 1, 0)
    assert ids(loki.lines) == ["sync-000001-u1"] * 2
    assert PROMPT not in str(loki.pushes)
    assert (tmp_path / "reports" / "log-shipping" / "loki" / "positions.json").exists()


@pytest.mark.slow
async def test_a_dry_run_sends_nothing_and_remembers_nothing(tmp_path: Path, worker: Worker) -> None:
    """What would be sent is on standard output, as JSON; the next run sends it."""
    worker.write(event(1))
    loki = loki_of_today()
    async with project(tmp_path, loki) as config:
        process = await started(config, worker, "--dry-run")
        out, err = await process.communicate()
        assert process.returncode == ExitCode.GO
        (stream,) = json.loads(out)["streams"]
        assert len(stream["values"]) == 1
        assert b"nothing was sent" in err
        assert loki.pushes == []
        process = await started(config, worker, "--once")
        await process.communicate()
    assert len(loki.lines) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, ExitCode.GO), (signal.SIGINT, ExitCode.INTERRUPTED)])
async def test_a_signal_ends_it_with_everything_sent(
    tmp_path: Path, worker: Worker, sent: signal.Signals, code: ExitCode
) -> None:
    """Lines that wait for others are sent first."""
    worker.write(event(1))
    loki = loki_of_today()
    async with project(tmp_path, loki, **{"logs.batch_max_age_s": "1000"}) as config:
        process = await started(config, worker, "--json")
        assert process.stderr is not None
        await asyncio.wait_for(process.stderr.readline(), 20)  # it says what it does
        worker.write(event(2))
        process.send_signal(sent)
        out, _ = await process.communicate()
    assert process.returncode == code
    assert json.loads(out)["shipped"] == 2
    assert len(loki.lines) == 2


@pytest.mark.slow
async def test_a_destination_that_refuses_the_token_is_exit_4_and_names_the_variable(
    tmp_path: Path, worker: Worker
) -> None:
    """The token comes from a file; it stands in no output."""
    worker.write(event(1))
    token = tmp_path / "token"
    token.write_text("wrong-token-of-mine\n", encoding="utf-8")
    loki = loki_of_today()
    loki.token = f"right{AT}"
    async with project(tmp_path, loki) as config:
        process = await started(config, worker, "--once", LOKI_TOKEN_FILE=str(token))
        out, err = await process.communicate()
    assert process.returncode == ExitCode.NOT_MEASURED
    assert b"LOKI_TOKEN" in out
    assert b"wrong-token" not in out + err


@pytest.mark.slow
async def test_lines_that_are_refused_for_good_are_exit_1(tmp_path: Path, worker: Worker) -> None:
    """The file that keeps them is named."""
    worker.write(event(1).replace("2026-", "2025-"), event(2))
    async with project(tmp_path, loki_of_today()) as config:
        process = await started(config, worker, "--once")
        out, _ = await process.communicate()
    assert process.returncode == ExitCode.NO_GO
    assert b"FAIL: 1 lines arrived" in out
    assert b"refused.jsonl" in out


@pytest.mark.slow
async def test_killed_again_and_again_it_loses_nothing_and_loki_has_nothing_twice(
    tmp_path: Path, worker: Worker
) -> None:
    """Killed right after a request or at any moment, while lines come, rotate, and answers are lost: each line once."""
    draw, loki, number = random.Random(7), loki_of_today(), 0  # noqa: S311 - moments, no secret
    worker.tear("")
    async with project(tmp_path, loki, **{"logs.retry_max_s": "0.2"}) as config:
        for turn in range(6):
            loki.dropped, loki.failing = turn % 2, [(503, {})] * draw.randrange(3)
            process = await started(config, worker)
            assert process.stderr is not None
            await asyncio.wait_for(process.stderr.readline(), 30)
            for _ in range(draw.randrange(1, 40)):
                number += 1
                worker.write(event(number))
            if turn in {2, 5}:
                worker.path.rename(worker.path.with_name(f"worker.log.{turn}"))
            pushes = len(loki.pushes)
            if turn < 4:
                await until(lambda before=pushes: len(loki.pushes) > before)  # type: ignore[misc]
            await asyncio.sleep(draw.random() * 0.02)
            process.send_signal(signal.SIGKILL)
            await process.communicate()
        loki.dropped, loki.failing = 0, []
        process = await started(config, worker, "--once")
        await process.communicate()
        assert process.returncode == ExitCode.GO
    assert len(loki.pushes) > 4
    assert ids(loki.lines) == [f"sync-{one:06}-u1" for one in range(1, number + 1)]


def test_no_destination_is_a_usage_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As shipped, golive.toml declares none: the key is named."""
    monkeypatch.chdir(ROOT)
    assert main(["monitor", "ship-logs", "--once"]) == ExitCode.USAGE
    assert "[logs] destination" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named, with where to find the right one."""
    monkeypatch.chdir(ROOT)
    assert main(["monitor", "ship-logs", "--to", "loki", "--from", "/nowhere"]) == ExitCode.USAGE
    assert "/nowhere" in capsys.readouterr().err


def test_the_live_endpoint_s_logs_need_its_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its variable is named."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    state = os.fspath(tmp_path)
    assert main(["monitor", "ship-logs", "--to", "loki", "--once", "--state", state]) == ExitCode.USAGE
    assert "RUNPOD_API_KEY is not set" in capsys.readouterr().err


@pytest.mark.parametrize("agent", ["vector", "fluent-bit"])
def test_an_agent_s_configuration_is_written(agent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML, where it was asked for."""
    monkeypatch.chdir(ROOT)
    out = tmp_path / "made" / "agent.yaml"
    assert main(["monitor", "ship-logs", "--agent", agent, "--to", "loki", "--out", str(out)]) == ExitCode.GO
    assert yaml.safe_load(out.read_text(encoding="utf-8"))
