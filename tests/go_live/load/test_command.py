"""``golive load`` and ``golive soak`` end to end, on real sockets, through the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from go_live import cli, recorded
from go_live.records import ErrorClass
from tests.go_live.load.conftest import KEY, ROOT, Service


def golive(service: Service, *arguments: str) -> int:
    """Run a command against the service."""
    command, *rest = arguments
    target = ["--url", service.url, "--endpoint", "ep1", "--prompts", "prompts.jsonl", "--records", "out.jsonl"]
    return cli.main([command, *target, *rest])


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """The one JSON object on standard output."""
    captured = capsys.readouterr()
    assert KEY not in captured.out + captured.err
    return json.loads(captured.out)


def test_a_healthy_load_passes_and_every_request_is_recorded(
    service: Service, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three levels of 124 pass, exit 0; every due request is in the file, the warm-up apart, to be judged again."""
    assert golive(service, "load", "--concurrency", "1", "2", "3", "--json") == 0
    judgement = printed(capsys)
    assert (judgement["outcome"], judgement["n"]) == ("pass", 372)
    records = recorded.read_records(project / "out.jsonl")
    assert [record.phase for record in records].count("warmup") == 12
    for level in ("c=1", "c=2", "c=3"):
        load = [record for record in records if (record.phase, record.level) == ("load", level)]
        assert sorted(record.seq for record in load) == list(range(124))
    assert service.calls == 384
    assert len(service.connections) <= 3
    assert KEY not in (project / "out.jsonl").read_text(encoding="utf-8")
    assert cli.main(["judge", "out.jsonl", "--json"]) in {0, 3}


def test_failed_jobs_make_it_a_no_go(service: Service, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """HTTP 200 with FAILED in every fifth answer: exit 1, although the other answers are fast."""
    assert project.exists()
    service.fail_every = 5
    assert golive(service, "load", "--concurrency", "2", "--json") == 1
    judgement = printed(capsys)
    failed = [verdict["claim"] for verdict in judgement["verdicts"] if verdict["outcome"] == "fail"]
    assert any("success" in claim for claim in failed)


def test_too_few_requests_prove_nothing(service: Service, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Thirty good answers at one level are inconclusive: exit 3, and what would decide is said."""
    assert project.exists()
    assert golive(service, "load", "--concurrency", "2", "--runs", "30", "--json") == 3
    judgement = printed(capsys)
    assert any(verdict["needed"] for verdict in judgement["verdicts"] if verdict["outcome"] == "inconclusive")


def test_levels_above_the_client_cap_are_reported_and_decide_nothing(
    service: Service, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """c=4 stands apart when other levels were asked for, and decides when it was the only one."""
    assert golive(service, "load", "--concurrency", "2", "4", "--runs", "30", "--json") == 3
    judgement = printed(capsys)
    assert {verdict["scope"] for verdict in judgement["reported"]} == {"c=4"}
    assert "c=4" not in {verdict["scope"] for verdict in judgement["verdicts"]}
    (project / "out.jsonl").unlink()
    assert golive(service, "load", "--concurrency", "4", "--runs", "30", "--json") == 3
    judgement = printed(capsys)
    assert judgement["reported"] == []
    assert "c=4" in {verdict["scope"] for verdict in judgement["verdicts"]}


def test_an_open_loop_and_a_table_for_readers(
    service: Service, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rate is one level of its own; without --json the answer comes as text, with progress on standard error."""
    assert golive(service, "load", "--rate", "200", "--seed", "1", "--runs", "100", "--warmup", "0") == 3
    captured = capsys.readouterr()
    assert "INCONCLUSIVE" in captured.out
    assert "load rate=200: 100/100 requests" in captured.err
    assert "100 requests recorded in out.jsonl" in captured.err
    assert {record.level for record in recorded.read_records(project / "out.jsonl")} == {"rate=200"}


def test_a_soak_lasts_its_time(service: Service, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A soak of two seconds is under load for two seconds, and judged by the soak's limits."""
    service.pause_s = 0.01
    golive(service, "soak", "--minutes", str(2 / 60), "--concurrency", "2", "--json")
    judgement = printed(capsys)
    outcomes = {verdict["claim"]: verdict["outcome"] for verdict in judgement["verdicts"]}
    assert next(outcome for claim, outcome in outcomes.items() if "under load" in claim) == "pass"
    assert next(outcome for claim, outcome in outcomes.items() if "total p95" in claim) == "pass"
    soak = [record for record in recorded.read_records(project / "out.jsonl") if record.phase == "soak"]
    begin = min(record.due for record in soak)
    assert max(record.due for record in soak) - begin < 2 <= max(record.done or 0 for record in soak) - begin


def test_a_hopeless_soak_ends_early_and_is_a_no_go(
    service: Service, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every second job FAILED: exit 1, and the judgement says why it was ended: that is no error of measuring."""
    assert project.exists()
    service.fail_every, service.pause_s = 2, 0.01
    assert golive(service, "soak", "--minutes", "0.2", "--concurrency", "2", "--json") == 1
    judgement = printed(capsys)
    (note,) = judgement["notes"]
    assert "the soak was ended early" in note
    assert "is refuted" in note
    (duration,) = (verdict for verdict in judgement["verdicts"] if "under load" in verdict["claim"])
    assert duration["outcome"] == "inconclusive"


@pytest.mark.slow
def test_a_decided_soak_ends_when_it_is_wished(
    service: Service, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --stop-when-decided the shares decide; that drift was not judged is said aside, and in words."""
    assert project.exists()
    service.pause_s = 0.005
    arguments = ("soak", "--minutes", "2", "--concurrency", "4", "--stop-when-decided")
    golive(service, *arguments)
    captured = capsys.readouterr().out
    assert "note: the soak was ended early: all 4 claims on shares of requests are decided" in captured
    assert "what only a whole soak shows: reported, not required with --stop-when-decided" in captured


def test_golden_prompts_are_judged_under_load(
    service: Service, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By default the golden prompts are asked; a fluent answer to another question is wrong, and that is a NO-GO."""
    service.text = "A pleasant text that answers no question about any career at all."
    arguments = ["load", "--url", service.url, "--endpoint", "ep1", "--concurrency", "2", "--runs", "40", "--json"]
    assert cli.main(arguments) == 1
    assert printed(capsys)["outcome"] == "fail"
    (path,) = (project / "reports").glob("load-*.jsonl")
    load = [record for record in recorded.read_records(path) if record.phase == "load"]
    assert all(record.error is ErrorClass.WRONG for record in load)


def test_what_cannot_be_measured_is_said_before_the_first_request(
    service: Service,
    project: Path,
    unused_port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A dead endpoint and a refused key are exit 4, a missing key exit 2; each is one line, and nothing is sent."""
    assert project.exists()
    url = service.url
    service.url = f"http://127.0.0.1:{unused_port}/v2"
    assert golive(service, "load") == 4
    (project / "out.jsonl").unlink()
    service.url, service.health_status = url, 401
    assert golive(service, "load") == 4
    assert "HTTP 401" in capsys.readouterr().err
    monkeypatch.delenv("RUNPOD_API_KEY")
    assert golive(service, "load") == 2
    assert "RUNPOD_API_KEY" in capsys.readouterr().err
    assert service.calls == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["load", "--runs", "0"],
        ["load", "--concurrency", "0"],
        ["load", "--rate", "-1"],
        ["load", "--seed", "1"],
        ["load", "--warmup", "-1"],
        ["load", "--rate", "100000000"],
        ["soak", "--minutes", "0"],
        ["soak", "--minutes", "nan"],
        ["soak", "--concurrency", "0"],
    ],
)
def test_arguments_that_make_no_plan_are_usage_errors(
    service: Service, project: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 and one line, before anything is sent or written."""
    assert golive(service, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("golive: ")
    assert error.count("\n") == 1
    assert service.calls == 0
    assert not (project / "out.jsonl").exists()


def test_records_are_never_overwritten(service: Service, project: Path) -> None:
    """An existing records file is a usage error and stays as it is."""
    (project / "out.jsonl").write_text("precious", encoding="utf-8")
    assert golive(service, "load") == 2
    assert (project / "out.jsonl").read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize(
    "text", ["", "{", '{"id": "a"}', '{"id": "", "input": {"prompt": "x"}}', '{"id":"a","input":{}}']
)
def test_a_prompts_file_that_is_none_is_a_usage_error(
    service: Service, project: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty, cut off, incomplete: exit 2 naming the file."""
    (project / "prompts.jsonl").write_text(text, encoding="utf-8")
    assert golive(service, "load") == 2
    assert "prompts.jsonl" in capsys.readouterr().err


def test_ctrl_c_keeps_every_due_request(service: Service, project: Path) -> None:
    """Interrupted in the middle: exit 130, and what was in flight is recorded as due and not answered."""
    service.pause_s = 0.5
    script = "import sys; from go_live import cli; sys.exit(cli.main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "load", "--url", service.url, "--endpoint", "ep1"]
    command += ["--prompts", "prompts.jsonl", "--records", "out.jsonl", "--concurrency", "3", "--warmup", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=project, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while service.calls < 5:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in error
    records = recorded.read_records(project / "out.jsonl")
    assert sorted(record.seq for record in records) == list(range(len(records)))
    lost = [record for record in records if record.done is None]
    assert len(lost) == 3
    assert all(record.error is ErrorClass.CANCELLED for record in lost)
