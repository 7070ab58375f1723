"""``golive rollout`` as it is typed: what it refuses, how a person reaches a rollout, and a real kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from go_live.cli import main
from go_live.errors import ExitCode
from go_live.gateway.routes import read_signers
from go_live.rollout import actuator
from go_live.rollout.demo import signing_key
from go_live.toml_text import edited
from selftest.rollout_world import ROOT

QUICK = {"rollout.look_every_s": "0.2", "rollout.decision_valid_s": "3", "rollout.lease_s": "3"}
WAIT_S = 30.0


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a key that is pinned, and the record of a gateway that nobody has asked yet."""
    text = (ROOT / "golive.toml").read_text(encoding="utf-8")
    (tmp_path / "golive.toml").write_text(edited(text, QUICK), encoding="utf-8")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "gateway.jsonl").touch()
    monkeypatch.setenv("GOLIVE_ROLLOUT_KEY", str(signing_key(tmp_path)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def percent(project: Path) -> int:
    """What the gateway's file gives to the candidate."""
    decision = actuator.current(project / "route.json", read_signers(project / "rollout_signers"))
    return decision.candidate_percent if decision else 0


def test_without_a_key_nothing_begins(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named; nothing is written."""
    monkeypatch.delenv("GOLIVE_ROLLOUT_KEY")
    assert main(["rollout", "start", "--current", "old"]) == ExitCode.USAGE
    assert not (project / "route.json").exists()


def test_a_key_that_is_not_pinned_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No gateway would act on what it signs, so nothing begins."""
    (project / "other").mkdir()
    signing_key(project / "other")
    assert main(["rollout", "start", "--current", "old", "--signers", "other/rollout_signers"]) == ExitCode.USAGE
    assert "no gateway would act" in capsys.readouterr().err
    assert not (project / "route.json").exists()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("action", ["status", "pause", "resume", "abort", "watch"])
def test_without_a_rollout_there_is_nothing_to_do(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each action says how one begins."""
    assert main(["rollout", action]) == ExitCode.USAGE
    assert "`golive rollout start` begins one" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_an_endpoint_does_not_take_over_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Both default to the endpoint of golive.toml: one has to be named."""
    assert main(["rollout", "start"]) == ExitCode.USAGE
    assert "cannot take over from itself" in capsys.readouterr().err


def started(project: Path) -> subprocess.Popen[str]:
    """``golive rollout start`` in a process of its own, once it has given the candidate something."""
    command = [sys.executable, "-m", "go_live", "rollout", "start", "--current", "old", "--json"]
    before = (project / "route.json").read_bytes() if (project / "route.json").exists() else b""
    process = subprocess.Popen(
        command, cwd=project, env=os.environ.copy(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + WAIT_S
    while process.poll() is None and time.monotonic() < end:
        if (project / "route.json").exists() and (project / "route.json").read_bytes() != before:
            break
        time.sleep(0.05)
    return process


def said(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Exit code and object of a command."""
    code = main(["rollout", *arguments, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


@pytest.mark.slow
def test_killed_gone_on_with_held_and_aborted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real kill -9, a second controller, a refused third, a pause, and an abort that reaches the one that runs."""
    first = started(project)
    assert percent(project) == 10
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=WAIT_S)
    code, stands = said("status", capsys=capsys)
    assert (code, stands["phase"], stands["notes"][0]) == (ExitCode.INCONCLUSIVE, "stepping", "no controller runs it")

    second = started(project)
    try:
        code, goes_on = said("status", capsys=capsys)
        assert goes_on["rollout"] == stands["rollout"]
        assert goes_on["serial"] > stands["serial"]
        assert main(["rollout", "start", "--current", "old"]) == ExitCode.USAGE
        assert f"process {second.pid} on" in capsys.readouterr().err
        assert main(["rollout", "start", "--current", "older"]) == ExitCode.USAGE
        assert "`golive rollout abort` ends it" in capsys.readouterr().err

        assert said("pause", capsys=capsys)[0] == ExitCode.GO
        assert "held by" in " ".join(said("status", capsys=capsys)[1]["notes"])
        assert said("resume", capsys=capsys)[0] == ExitCode.GO
        assert main(["rollout", "resume"]) == ExitCode.USAGE
        capsys.readouterr()

        assert said("abort", capsys=capsys)[1]["candidate_percent"] == 0
        assert percent(project) == 0
        out, _ = second.communicate(timeout=WAIT_S)
        assert (second.returncode, json.loads(out)["phase"]) == (ExitCode.NO_GO, "aborted")
    finally:
        second.kill()
    assert main(["rollout", "abort"]) == ExitCode.USAGE


@pytest.mark.slow
def test_an_end_in_order_gives_up_the_lease(project: Path) -> None:
    """SIGTERM ends it with 130, one line says what becomes of the traffic, and the next one need not wait."""
    first = started(project)
    first.send_signal(signal.SIGTERM)
    _, told = first.communicate(timeout=WAIT_S)
    assert first.returncode == ExitCode.INTERRUPTED
    assert "the candidate gets nothing more in 3 s" in told
    assert json.loads((project / "reports" / "rollout" / "lease.json").read_bytes())["until"] == 0
