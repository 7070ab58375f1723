"""A run that was killed with kill -9, inside its soak, goes on to a GO as if it had never stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from go_live.evidence.log import read_log
from selftest import project as projects
from selftest.project import git, golive

pytestmark = pytest.mark.slow  # two runs of a quarter of a minute, and one that is killed twice

POLL_S = 0.02


def killed(project: Path, phase: bytes, requests: int) -> Path:
    """The directory of a run that was killed with SIGKILL when so many requests of ``phase`` had become due."""
    before = set((project / "reports").glob("*"))
    process = subprocess.Popen(
        [sys.executable, "-m", "go_live", "run", "--profile", "test"],
        cwd=project,
        env=projects.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    mark = b'"kind":"due","body":{"seq":%d,"phase":"%s"' % (requests, phase)
    while not any(mark in log.read_bytes() for run in new(project, before) for log in run.glob("log.jsonl")):
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(POLL_S)
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    psutil.wait_procs(family, timeout=30)
    (run,) = new(project, before)
    return run


def new(project: Path, before: set[Path]) -> set[Path]:
    """Run directories that were not there before."""
    return set((project / "reports").glob("*")) - before


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean project with a remote."""
    return projects.make(tmp_path_factory.mktemp("resume"))


@pytest.fixture(scope="module")
def run(project: Path) -> Path:
    """A run that was killed in its soak, and then in the middle of writing a line."""
    run = killed(project, b"soak", 60)
    log = run / "log.jsonl"
    with log.open("ab") as file:
        file.write(b'{"n":9999999,"prev":"')
    return run


@pytest.fixture(scope="module")
def before(run: Path) -> bytes:
    """Its log, as the kill left it."""
    return (run / "log.jsonl").read_bytes()


@pytest.fixture(scope="module")
def resumed(project: Path, run: Path, before: bytes) -> subprocess.CompletedProcess[str]:
    """The same run, gone on with."""
    assert before
    return golive(project, "run", "--resume", run.name, "--json")


def test_a_killed_run_is_no_pass(project: Path, run: Path, before: bytes) -> None:
    """Until it is resumed it cannot be judged as anything but unfinished: its log is cut."""
    assert before.endswith(b'{"n":9999999,"prev":"')
    judged = golive(project, "judge", str(run))
    assert judged.returncode == 2
    assert "cut off" in judged.stderr


def test_it_ends_in_a_go(resumed: subprocess.CompletedProcess[str]) -> None:
    """The resumed run is decided like any other."""
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["answer"] == "GO"
    assert "goes on from" in resumed.stderr


def test_no_request_is_lost_or_counted_twice(run: Path, resumed: subprocess.CompletedProcess[str]) -> None:
    """Every request that became due, before or after the kill, has exactly one end; numbers have no gap."""
    assert resumed.returncode == 0
    entries = list(read_log(run / "log.jsonl"))
    ends = Counter[tuple[str, str, int]]()
    dues = set()
    for entry in entries:
        if entry.kind in {"due", "request"}:
            record = json.loads(bytes(entry.body))
            key = (record["phase"], record["level"], record["seq"])
            if record["phase"] == "warmup":
                continue
            if entry.kind == "request":
                ends[key] += 1
            else:
                dues.add(key)
    assert set(ends) == dues
    assert set(ends.values()) == {1}
    soak = sorted(seq for phase, _level, seq in ends if phase == "soak")
    assert soak == list(range(len(soak)))


def test_what_was_written_stays(run: Path, before: bytes, resumed: subprocess.CompletedProcess[str]) -> None:
    """The log of the killed run, but for the line that the kill cut, is the beginning of the finished one."""
    assert resumed.returncode == 0
    whole = before[: before.rfind(b"\n") + 1]
    assert (run / "log.jsonl").read_bytes().startswith(whole)


def test_no_check_is_asked_twice(run: Path, resumed: subprocess.CompletedProcess[str]) -> None:
    """What a check said before the kill stands."""
    assert resumed.returncode == 0
    tests = Counter(
        json.loads(bytes(entry.body))["test"] for entry in read_log(run / "log.jsonl") if entry.kind == "check"
    )
    assert set(tests.values()) == {1}


def test_it_is_judged_again_alike(project: Path, run: Path, resumed: subprocess.CompletedProcess[str]) -> None:
    """Offline, the resumed run gives the same answer without a difference."""
    assert resumed.returncode == 0
    judged = golive(project, "judge", str(run), "--json")
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout)["notes"] == []


def test_a_finished_run_is_not_resumed(project: Path, run: Path, resumed: subprocess.CompletedProcess[str]) -> None:
    """There is nothing to go on with: exit 2, one line."""
    assert resumed.returncode == 0
    again = golive(project, "run", "--resume", run.name)
    assert again.returncode == 2
    assert "is finished" in again.stderr


def test_another_commit_is_refused(project: Path, resumed: subprocess.CompletedProcess[str]) -> None:
    """A killed run does not go on when the commit is another one; its log is left as it is."""
    assert resumed.returncode == 0
    run = killed(project, b"load", 20)
    log = (run / "log.jsonl").read_bytes()
    git(project, "commit", "--quiet", "--allow-empty", "--message", "Another")
    refused = golive(project, "run", "--resume", run.name)
    assert refused.returncode == 2
    assert "commit" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert (run / "log.jsonl").read_bytes() == log


def test_nothing_else_goes_with_it(project: Path, run: Path) -> None:
    """A resumed run takes everything from its plan: other options are refused."""
    refused = golive(project, "run", "--resume", run.name, "--only", "PERF")
    assert refused.returncode == 2
    assert "takes nothing else" in refused.stderr
