"""A soak of a million requests is recorded and judged in little memory; peaks hold the interpreter too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from selftest.project import ROOT
from tests.go_live.many_records import write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

REQUESTS = 1_000_000
JUDGED_MIB = 200
SOAKED_MIB = 200
"""The load client's own imports and its event loop come on top."""

# VmHWM and not getrusage: the latter counts what the parent held when it started this process.
MEASURED = """
import json, re, sys
from pathlib import Path
{body}
peak = int(re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps([peak, found]))
"""

SOAK = """
from go_live import config
from go_live.jobs.answer import Answer
from go_live.judge.summary import conclude
from go_live.load.progress import Progress
from go_live.load.recorder import Recorder
from go_live.load.runner import LoadPlan, Prompt, run_load
from go_live.load.verdicts import soak_verdicts
from tests.go_live.load import virtual
from tests.go_live.load.virtual import Fake, clock

out, requests = Path(sys.argv[1]), int(sys.argv[2])
plan = LoadPlan(phase="soak", prompts=[Prompt("a", {"prompt": "one"})], deadline_s=45, concurrency=2, requests=requests)
progress = Progress()
progress.start("soak", total=requests)
with Recorder(out) as recorder:
    def keep(record):
        recorder.add(record)
        progress.update(record)
    async def main():
        await run_load(Fake(lambda n: 3.4 + n % 97 / 1000), plan, on_record=keep, clock=clock())
    virtual.run(main())
progress.finish()
verdicts, _ = soak_verdicts(config.load(Path("golive.toml")), recorder.records.table(), 1.75 * requests)
found = [verdict.n for verdict in verdicts][:1]
"""

JUDGE = """
from go_live import config
from go_live.judge_command import judge
found = str(judge(Path(sys.argv[1]), config.load(Path("golive.toml")), slo="soak").outcome)
"""


def measured(body: str, *arguments: object) -> tuple[float, object]:
    """Peak resident memory (MiB) of a process that ran ``body``, and what it found."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED.format(body=body), *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    peak, found = json.loads(done.stdout.splitlines()[-1])
    return peak, found


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A records file of a million healthy requests."""
    path = tmp_path_factory.mktemp("million") / "records.jsonl"
    write(path, REQUESTS)
    return path


def test_a_million_requests_are_judged_in_little_memory(records: Path) -> None:
    """Reading and judging them all stays below the limit."""
    peak, outcome = measured(JUDGE, records)
    assert outcome == "pass"
    assert peak < JUDGED_MIB


def test_a_million_requests_are_soaked_in_little_memory(tmp_path: Path) -> None:
    """Sending, recording, showing and judging them all stays below the limit; the service answers on virtual time."""
    peak, found = measured(SOAK, tmp_path / "records.jsonl", REQUESTS)
    assert found == [REQUESTS]
    assert peak < SOAKED_MIB
