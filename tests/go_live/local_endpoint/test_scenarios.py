"""Scenarios: their truths are what their parts make, and the endpoint tells them."""

import argparse
import math
from pathlib import Path

import msgspec
import pytest

from go_live.errors import UsageError
from go_live.local_endpoint import command
from go_live.local_endpoint.faults import Draws, Fault
from go_live.local_endpoint.scenarios import NAMES, SAYS, Known, Scale, Truth, known
from go_live.local_endpoint.settings import EndpointSettings, decode, encode
from rehearsal.timed_worker import configured
from tests.go_live.local_endpoint.conftest import Caller, Serving

N = 50_000
SCALE = Scale(exec_ms=100, hour_s=20, seed=5)


def truth(**differs: float | None) -> Truth:
    """The truth of a healthy endpoint of 100 ms, but for what differs."""
    healthy: dict[str, float | None] = {
        "ok": 1,
        "answered": 1,
        "exec_ms_p50": 100,
        "exec_ms_p95": 109,
        "total_ms_p50": 100,
        "total_ms_p95": 109,
        "exec_growth_per_hour": 0,
        "leak_mib_per_hour": 0,
        "failure_run": None,
        "cold_ms": 0,
    }
    return msgspec.convert(healthy | differs, Truth)


TRUTHS = {
    "healthy": truth(),
    "bursts": truth(ok=0.9, answered=0.9, total_ms_p50=90 + 20 * 0.5 / 0.9, total_ms_p95=None, failure_run=8),
    "drift": truth(exec_growth_per_hour=0.6),
    "leak": truth(exec_growth_per_hour=0.8, leak_mib_per_hour=512),
    "cold-starts": truth(total_ms_p50=1100, total_ms_p95=1109, cold_ms=1000),
    "200-with-error": truth(
        ok=0.9, answered=0.9, total_ms_p50=90 + 20 * 0.5 / 0.9, total_ms_p95=None, failure_run=1 / 0.9
    ),
    "truncated-streams": truth(
        ok=0.9, answered=0.9, total_ms_p50=90 + 20 * 0.5 / 0.9, total_ms_p95=None, failure_run=1 / 0.9
    ),
    "wrong-answers": truth(ok=0.85, total_ms_p50=90 + 20 * 0.5 / 0.85, total_ms_p95=None, failure_run=1 / 0.85),
    "fast-failures": truth(
        ok=0.7, answered=0.7, total_ms_p50=90 + 20 * 0.5 / 0.7, total_ms_p95=None, failure_run=1 / 0.7
    ),
    # 85 % usual answers of 90 to 110 ms, then slow ones of 360 to 440 ms: p95 is two thirds up the slow ones.
    "slow-tail": truth(
        exec_ms_p50=90 + 20 * 0.5 / 0.85,
        exec_ms_p95=360 + 80 * 2 / 3,
        total_ms_p50=90 + 20 * 0.5 / 0.85,
        total_ms_p95=360 + 80 * 2 / 3,
    ),
}
"""Each worked out by hand."""


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_is_what_was_worked_out_by_hand(name: str) -> None:
    """Every figure, at 100 ms."""
    expected, said = (msgspec.structs.asdict(one) for one in (TRUTHS[name], known(name, SCALE).truth))
    assert said == {key: value if value is None else pytest.approx(value) for key, value in expected.items()}


@pytest.mark.parametrize("name", NAMES)
def test_what_a_scenario_draws_bears_its_truth_out(name: str) -> None:
    """50,000 requests drawn from its parts: P(ok) and both execution percentiles, within six standard errors."""
    scenario = known(name, SCALE)
    failures = [Draws(fault) for fault in scenario.faults if fault.operations and scenario.cold_s == 0]
    stream = scenario.pace.draws()
    drawn = [(scenario.pace.draw(stream, 0), any(draws.next() for draws in failures)) for _ in range(N)]
    ok = sum(not failed and not draw.wrong for draw, failed in drawn) / N
    run = scenario.truth.failure_run or 1
    assert abs(ok - scenario.truth.ok) <= 6 * math.sqrt(scenario.truth.ok * (1 - scenario.truth.ok) * 2 * run / N)
    for q, limit in ((0.50, scenario.truth.exec_ms_p50), (0.95, scenario.truth.exec_ms_p95)):
        below = sum(draw.exec_ms <= limit for draw, _ in drawn) / N
        assert abs(below - q) < 6 * math.sqrt(q * (1 - q) / N)


@pytest.mark.parametrize("name", NAMES)
def test_the_timed_worker_understands_what_it_is_told(name: str) -> None:
    """The environment carries the pace exactly."""
    scenario = known(name, SCALE)
    engine, settings = configured(scenario.worker_env)
    assert engine._pace == scenario.pace
    assert settings.enable_streaming


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_survives_the_pipe_to_the_endpoint(name: str) -> None:
    """Settings with a scenario are the same on the other side."""
    settings = EndpointSettings(scenario=known(name, SCALE))
    assert decode(encode(settings)) == settings


async def test_the_endpoint_tells_its_truth_to_its_owner_only(serving: Serving) -> None:
    """GET /local/scenario: name, parts and truth; without the key 401."""
    scenario = known("bursts", SCALE)
    async with serving(scenario=scenario) as caller:
        status, body = await caller.call("GET", "/local/scenario")
        assert (status, msgspec.convert(body["truth"], Truth)) == (200, scenario.truth)
        assert msgspec.convert(body["scenario"], Known) == scenario
        assert (await caller.call("GET", "/local/scenario", headers={"Authorization": "no"}))[0] == 401
        (active,) = (await caller.call("GET", "/local/faults"))[1]["active"]
        assert msgspec.convert(active, Fault) == scenario.faults[0]


async def test_an_endpoint_without_a_scenario_says_so(bare: Caller) -> None:
    """404, not an empty truth."""
    assert (await bare.call("GET", "/local/scenario"))[0] == 404


def arguments(*given: str) -> argparse.Namespace:
    """What the command line makes of ``given``."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return parser.parse_args(["serve", *given])


def test_the_command_serves_the_scenario_that_it_is_told() -> None:
    """By the timed engine, at the scale given; a cold one has no worker that is always on."""
    given = ("--exec-ms", "100", "--hour-s", "20", "--seed", "5")
    settings, _ = command.endpoint_settings(arguments("--scenario", "drift", *given))
    assert settings.scenario == known("drift", SCALE)
    assert (settings.engine, settings.worker_env["TIMED_GROWTH_PER_HOUR"]) == ("timed", "0.59999999999999998")
    assert "rehearsal.timed_worker" in settings.worker_command
    cold, _ = command.endpoint_settings(arguments("--scenario", "cold-starts", *given))
    assert (cold.workers_min, cold.workers_max, cold.idle_timeout_s) == (0, 1, 0.2)


@pytest.mark.parametrize(
    "given",
    [
        ("--scenario", "helthy"),
        ("--scenario", "drift", "--engine", "cpu"),
        ("--scenario", "drift", "--hour-s", "0"),
        ("--scenario", "drift", "--exec-ms", "0"),
        ("--scenario", "drift", "--seed", "0"),
    ],
)
def test_a_scenario_that_cannot_be_made_is_refused(given: tuple[str, ...]) -> None:
    """Unknown, by another engine, or at no scale."""
    with pytest.raises(UsageError):
        command.endpoint_settings(arguments(*given))


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_figures_are_the_true_ones(name: str) -> None:
    """The row of docs/local-endpoint.md: chance of a right answer, and both percentiles at 2788 ms."""
    document = (Path(__file__).parents[3] / "docs" / "local-endpoint.md").read_text(encoding="utf-8")
    (row,) = (line.split(" | ") for line in document.splitlines() if line.startswith(f"| `{name}` |"))
    true = known(name).truth
    percentiles = ["infinite" if ms is None else f"{ms:.0f}" for ms in (true.total_ms_p50, true.total_ms_p95)]
    assert row[2:4] == [f"{true.ok:.2f}", ", ".join(percentiles) + (" at the start" * (true.exec_growth_per_hour > 0))]


def test_the_help_lists_every_scenario() -> None:
    """Each with what it does."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert set(SAYS) == set(NAMES)
    for name, says in SAYS.items():
        assert f"{name:<18} {says}" in (parser.epilog or "")
