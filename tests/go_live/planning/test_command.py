"""``golive plan`` as a user meets it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from go_live import cli

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped golive.toml, and a rehearsal of one minute."""
    text = (ROOT / "golive.toml").read_text(encoding="utf-8")
    text = re.sub(r"(?<=device = \"cpu\"\n)soak_minutes = [0-9.]+", "soak_minutes = 1", text)
    (tmp_path / "golive.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(project: Path, old: str, new: str) -> None:
    """Another value in golive.toml."""
    path = project / "golive.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    """The printed object."""
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("project")
def test_the_answer_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    """What production's run can show, how long and for how much; then the table; exit 0."""
    assert cli.main(["plan", "--profile", "production"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "this plan can show all 22 claims on shares of requests; about 75 minutes under load, $2.92"
    assert any(
        line.startswith("all ") and "success rate" in line and "2,457" in line and "449" in line for line in lines
    )
    assert any("dollars are for workers under load" in line for line in lines)


@pytest.mark.usefixtures("project")
def test_a_rehearsal_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The local target is free, so there is no column of zeros."""
    assert cli.main(["plan"]) == 0
    out = capsys.readouterr().out
    assert "costs nothing (the target is local)" in out
    assert "$" not in out


def test_too_short_a_plan_is_exit_3(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each claim that it cannot show is named."""
    change(project, "requests_per_level = 124", "requests_per_level = 30")
    assert cli.main(["plan", "--json"]) == 3
    found = answer(capsys)
    assert found["outcome"] == "inconclusive"
    assert [line.split()[4] for line in found["undecidable"]] == ["PERF-2", "PERF-4", "PERF-6"]
    (claim,) = (one for one in found["claims"] if (one["scope"], one["key"]) == ("c=1", "total_p95"))
    assert (claim["requests"], claim["misses_allowed"], claim["least_requests"]) == (30, None, 59)
    assert cli.main(["plan"]) == 3
    assert "too short" in capsys.readouterr().out


def test_declared_bursts_are_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With bursts of 10 success takes 13,441 requests, and the table says among which the misses are counted."""
    change(project, "burst_length = 1 ", "burst_length = 10 ")
    assert cli.main(["plan", "--profile", "production"]) == 3
    out = capsys.readouterr().out
    assert "13,441" in out
    assert "each claim has to hold on one request in 30 alone" in out
    assert " of 70" in out


@pytest.mark.usefixtures("project")
def test_a_simulation_says_how_often(capsys: pytest.CaptureFixture[str]) -> None:
    """Each probability with its count and the repetitions, and what was assumed; the same as JSON."""
    arguments = ["plan", "--simulate", "--repetitions", "50", "--true", "p95=0.6", "soak.total_p95=0.5", "burst=2"]
    assert cli.main(arguments) == 0
    out = capsys.readouterr().out
    assert "P(GO) 0.0% (0 of 50), P(NO-GO) 100.0% (50 of 50), P(INCONCLUSIVE) 0.0% (0 of 50)" in out
    assert "p95 60 %, soak.total_p95 50 %, success 99.95 %" in out
    assert "bursts of 2; seed 1" in out
    assert cli.main([*arguments, "--json"]) == 0
    found = answer(capsys)["simulated"]
    assert found["run"] == {"repetitions": 50, "passed": 0, "failed": 50, "inconclusive": 0}
    assert found["assumed"]["soak.total_p95"] == 0.5


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--profile", "nowhere"], "no profile 'nowhere'"),
        (["--true", "p95=0.9"], "give --simulate"),
        (["--simulate", "--true", "p95"], "write KEY=SHARE"),
        (["--simulate", "--true", "p99=0.9"], "write KEY=SHARE"),
        (["--simulate", "--true", "p95=high"], "'high' is no number"),
        (["--simulate", "--true", "p95=1.5"], "between 0 and 1"),
        (["--simulate", "--true", "success=nan"], "between 0 and 1"),
        (["--simulate", "--true", "total_p95=-1"], "between 0 and 1"),
        (["--simulate", "--true", "burst=0.5"], "at least 1"),
        (["--simulate", "--repetitions", "0"], "at least 1"),
        (["--simulate", "--seed", "-1"], "at least 0"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named, with what to write instead."""
    assert cli.main(["plan", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
