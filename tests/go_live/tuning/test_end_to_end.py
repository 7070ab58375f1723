"""The whole of it on the local endpoint: real worker processes under the real SDK, with the timed engine."""

import json
from pathlib import Path

import pytest

from go_live.cli import main
from go_live.errors import ExitCode
from selftest.project import make, shipped_config

LIMITS = {"slo.queue_ms_p50": "700", "slo.total_ms_p95": "1000", "tuning.queue_begins_ms": "300"}
"""Of a service whose executions take 100 ms: the SDK takes its next job at most a second later."""


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_one_job_at_a_time_is_what_fails_c4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_CONCURRENCY=1 is a NO-GO at c=4 by its queue, the default a GO: measured before and after in one sweep.

    The timed engine marks every record, the answer says so, and nothing of it can be adopted.
    """
    project = make(tmp_path, config=shipped_config(LIMITS))
    monkeypatch.chdir(project)
    words = ["--engine", "timed", "--exec-ms", "100", "--workers", "2", "--concurrency", "4", "--runs", "60"]
    assert main(["tune", *words, "--seed", "1", "--directory", "reports/t", "--json"]) == ExitCode.GO
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert (found["cap"], found["setting"], found["timed"]) == (4, "default", True)
    (turn,) = found["turned"]
    assert (turn["concurrency"], turn["before"], turn["after"]) == (4, "1", "default")
    queue = next(claim for claim in turn["claims"] if "queue p50" in claim["claim"])
    assert queue["before"] > 700 > queue["after"]
    single, default = found["sweeps"]
    assert single["onsets"][0]["at"] == 4
    assert default["onsets"][0]["at"] is None
    assert (single["told"]["max_concurrency"], default["told"]["max_concurrency"]) == (1, 32)
    assert single["levels"][0]["n"] < 60  # a hopeless level ends early
    recorded = [line for path in project.glob("reports/t/records/*") for line in path.read_text().splitlines()]
    assert len(recorded) > 64
    assert all('"engine":"timed"' in line for line in recorded)
    assert "evidence of nothing" in found["notes"][0]
    assert "timed engine" in shown.err
    assert main(["tune", "--adopt", "reports/t"]) == ExitCode.USAGE
    assert "timed engine" in capsys.readouterr().err
