"""``golive tune`` as a user meets it, against a job API on loopback."""

import json
from pathlib import Path
from typing import Any

import pytest

from go_live.cli import main
from go_live.errors import ExitCode
from go_live.tuning.judging import Told
from go_live.tuning.plan import DEPLOYED
from tests.go_live.tuning.conftest import Live
from tests.go_live.tuning.simulated import SHIPPED, measured, planned, with_limits, written

FAST = ["tune", "--target", "runpod", "--url", "URL", "--concurrency", "1", "2", "--runs", "60", "--seed", "1"]


def asked(live: Live, *words: str) -> list[str]:
    """A short sweep of the endpoint."""
    return [live.url if word == "URL" else word for word in FAST] + list(words)


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """What stands on standard output, as JSON."""
    return json.loads(capsys.readouterr().out)


def test_a_live_sweep_from_first_to_last(
    project: Path, live: Live, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured, recorded, judged again with the same answer, adopted; then it counts, and forged it is refused."""
    assert main(asked(live, "--directory", "reports/t", "--json")) == ExitCode.GO
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert (found["outcome"], found["cap"], found["setting"], found["timed"]) == ("pass", 2, "as deployed", False)
    assert found["complete"] is True
    assert live.most == 2
    assert "expected to cost $" in shown.err
    assert "left" in shown.err
    judged = (project / "reports/t/tuning.json").read_bytes()
    assert main(["tune", "--judge", "reports/t", "--json"]) == ExitCode.GO
    assert printed(capsys) == found
    assert (project / "reports/t/tuning.json").read_bytes() == judged
    assert main(["tune", "--adopt", "reports/t", "--json"]) == ExitCode.GO
    assert printed(capsys)["cap"] == 2
    text = (project / "golive.toml").read_text()
    (project / "golive.toml").write_text(
        text.replace("concurrency_cap = 3", 'concurrency_cap = 3\ncap_record = "tuning/record.json"')
    )
    assert main(["plan", "--profile", "production", "--json"]) == ExitCode.GO
    scopes = {claim["scope"] for claim in printed(capsys)["claims"] if claim["item"] == "PERF-1"}
    assert scopes == {"c=1", "c=2"}
    record = project / "tuning/record.json"
    record.write_text(record.read_text().replace('"cap": 2', '"cap": 3'))
    monkeypatch.setenv("NO_CALLER", "x")
    for command in (["plan", "--profile", "production"], ["load"], ["gateway", "serve"]):
        assert main(command) == ExitCode.USAGE
        assert "client.cap_record tuning/record.json is refused: its cap is 3" in capsys.readouterr().err


@pytest.fixture
def swept(project: Path) -> Path:
    """The directory of a sweep of a service with two places, not yet concluded."""
    config = with_limits(SHIPPED, tokens_per_s_p50=1)
    plan = planned(levels=(1, 2, 3, 4), settings=(DEPLOYED,), config=config)
    return written(project / "reports/t", plan, measured(plan, {DEPLOYED: 2}), {DEPLOYED: Told(max_concurrency=2)})


def test_the_answer_comes_first(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the terminal: the cap, where queueing begins, the lines for golive.toml; a page beside the records."""
    assert main(["tune", "--judge", str(swept)]) == ExitCode.GO
    out = capsys.readouterr().out
    assert out.startswith("CAP 2  keep at most 2 requests in flight, with MAX_CONCURRENCY as deployed: ")
    assert "queue p50 begins to exceed 500 ms at c=4" in out
    assert "c=3 adds less than 5 % to the throughput" in out
    assert 'cap_record = "tuning/record.json"' in out
    page = (swept / "tuning.html").read_text()
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--max-concurrency", "8"], "golive config apply"),
        (["--engine", "timed"], "--engine is for local workers"),
        (["--workers", "2"], "--workers is for local workers"),
        (["--concurrency", "0"], "not 0"),
        (["--runs", "10"], "--runs 10: a level takes 59"),
        (["--max-cost", "0.0001"], "nothing was started"),
        (["--max-cost", "nan"], "--max-cost takes dollars above 0"),
        (["--config", "none.toml"], "cannot read none.toml"),
        (["--key-env", "NO_SUCH_KEY"], "NO_SUCH_KEY is not set"),
    ],
)
def test_what_makes_no_sweep(
    project: Path, live: Live, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    """Refused in one line, exit 2, and no request was sent."""
    assert main(asked(live, *words)) == ExitCode.USAGE
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("golive: ")
    assert told in error
    assert live.calls == 0
    assert not list(project.glob("reports/*/tuning.json"))


@pytest.mark.parametrize(
    "words",
    [
        ["--url", "http://x"],
        ["--max-cost", "3"],
        ["--key-env", "X"],
        ["--workers", "9"],
        ["--env", "MAX_CONCURRENCY=4"],
        ["--max-concurrency", "0"],
    ],
)
def test_what_makes_no_local_sweep(project: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """What belongs to a live endpoint, and more workers than one machine carries, are refused."""
    assert main(["tune", "--engine", "timed", *words]) == ExitCode.USAGE
    assert words[0] in capsys.readouterr().err
    assert not (project / "reports").exists()


def test_a_dead_target_is_no_measurement(
    project: Path, live: Live, unused_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens: exit 4, and nothing is concluded."""
    words = [f"http://127.0.0.1:{unused_port}/v2" if word == live.url else word for word in asked(live)]
    assert main(words) == ExitCode.NOT_MEASURED
    assert str(unused_port) in capsys.readouterr().err
    assert not list(project.glob("reports/*/tuning.json"))


def test_a_target_that_is_lost_is_no_failure_of_it(
    project: Path, live: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the middle of a round on the key is refused: exit 4 and no verdict, though some requests failed a level."""
    live.dies_after = 6
    assert main(asked(live, "--concurrency", "1")) == ExitCode.NOT_MEASURED
    assert "401" in capsys.readouterr().err
    assert not list(project.glob("reports/*/tuning.json"))


def test_a_sweep_that_costs_too_much_is_stopped(
    project: Path, live: Live, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the workers that /health tells of have cost more than is allowed: exit 4, and nothing is concluded."""
    monkeypatch.setattr("go_live.tuning.measure.LOOK_EVERY_S", 0.01)
    text = (project / "golive.toml").read_text()
    (project / "golive.toml").write_text(
        text.replace("dollars_per_worker_hour = 1.116", "dollars_per_worker_hour = 2000").replace(
            "assumed_total_ms = 3453", "assumed_total_ms = 1"
        )
    )
    assert main(asked(live, "--max-cost", "0.2")) == ExitCode.NOT_MEASURED
    assert "of $0.20 allowed are spent" in capsys.readouterr().err
    assert not list(project.glob("reports/*/tuning.json"))


def test_changed_records_are_no_evidence(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A records file that was edited after the sweep was concluded is refused, for judging and for adopting."""
    assert main(["tune", "--judge", str(swept)]) == ExitCode.GO
    cut(swept, keep=-1)
    for action in ("--judge", "--adopt"):
        assert main(["tune", action, str(swept)]) == ExitCode.USAGE
        assert "changed after tuning.json was written" in capsys.readouterr().err
    assert not (swept.parents[1] / "tuning").exists()


def test_a_sweep_that_was_killed_can_be_judged(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its last requests it is INCONCLUSIVE, exit 3, and cannot be adopted."""
    cut(swept, keep=200)
    assert main(["tune", "--judge", str(swept), "--json"]) == ExitCode.INCONCLUSIVE
    found = printed(capsys)
    assert (found["cap"], found["complete"], found["needed"]) == (None, False, 124)
    assert main(["tune", "--adopt", str(swept)]) == ExitCode.USAGE
    assert "recommends no cap" in capsys.readouterr().err


def test_a_sweep_that_was_never_concluded_is_not_adopted(swept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory without tuning.json was cut off before anybody saw what it says."""
    assert main(["tune", "--adopt", str(swept)]) == ExitCode.USAGE
    assert "was never concluded" in capsys.readouterr().err


def cut(sweep: Path, *, keep: int) -> None:
    """Leave only some of the records."""
    (path,) = (sweep / "records").iterdir()
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:keep]))


@pytest.mark.parametrize("words", [["--judge", "nowhere"], ["--adopt", "nowhere"], ["--judge", "."]])
def test_a_folder_that_is_no_sweep(project: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """Judging or adopting what is no sweep's directory: one line, exit 2."""
    assert main(["tune", *words]) == ExitCode.USAGE
    assert "name the directory of a sweep" in capsys.readouterr().err
    assert not (project / "tuning").exists()
