"""The soak's family of trends: false alarms of the whole family, power, and what is named."""

import math
import os
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.demo.reconstruction import latencies_ms
from go_live.judge import stability
from go_live.judge.stability import Series, holm, replacements, soak_trends, worker_restarts
from go_live.outcome import Outcome, Verdict
from go_live.recorded import read_samples
from go_live.table import Floats
from tests.go_live.judge.builders import DRIFT
from tests.go_live.judge.test_drift import ar1

HOUR = 3600.0
NAMES = ("exec_ms", "total_ms", "queue_ms", "tokens/s", "ok rate", "rss")


def times(values: Floats, **changes: object) -> Series:
    """A latency over an hour."""
    fields = {"values": values, "worse": "up", "floor": 0.2, "at_s": np.linspace(0, HOUR, len(values))} | changes
    return Series(**fields)  # type: ignore[arg-type]


def one(values: Floats, **changes: object) -> Verdict:
    """The verdict on a family of one."""
    (verdict,) = soak_trends({"exec_ms": times(values, **changes)}, DRIFT)
    return verdict


def noise(n: int, seed: int = 1, cv: float = 0.1) -> Floats:
    """Independent noise about 1, seeded."""
    return 1 + cv * np.random.default_rng(seed).normal(size=n)


def healthy_soaks(runs: int, n: int, cv: float) -> list[dict[str, Series]]:
    """Soaks without a change: AR(1) noise with rho 0.5 in every figure, 0.3 % of the requests failing; seeded."""
    drawn = ar1(0.5, runs=runs * len(NAMES), n=n).reshape(runs, len(NAMES), n)
    levels = {"exec_ms": 2800.0, "total_ms": 3450.0, "queue_ms": 600.0, "tokens/s": 43.0, "rss": 2e9}
    soaks = []
    for figures in drawn:
        series = {}
        for name, figure in zip(NAMES, figures, strict=True):
            if name == "ok rate":
                ok = (figure < 2.75).astype(np.float64)
                series[name] = times(ok, worse="down", floor=DRIFT.ok_rate_max_drop, base=1.0)
            else:
                spread = 0.01 if name == "rss" else cv
                changes = {"floor": DRIFT.rss_max_growth} if name == "rss" else {}
                changes |= {"base": levels["total_ms"]} if name == "queue_ms" else {}
                worse = "down" if name == "tokens/s" else "up"
                series[name] = times(levels[name] * (1 + spread * figure), worse=worse, **changes)
        soaks.append(series)
    return soaks


@pytest.mark.parametrize(("n", "cv"), [(120, 0.1), (120, 0.25), (600, 0.25)])
def test_the_family_hardly_ever_alarms(n: int, cv: float) -> None:
    """Of 200 seeded healthy soaks with AR(1) noise (rho 0.5), at most 10 % have any verdict that is not PASS."""
    alarmed = sum(
        any(verdict.outcome is not Outcome.PASS for verdict in soak_trends(series, DRIFT))
        for series in healthy_soaks(200, n, cv)
    )
    assert alarmed <= 20


@pytest.mark.parametrize("n", [120, 600])
def test_the_family_keeps_alpha_without_its_floors(n: int) -> None:
    """Significance alone, every floor taken away: at most 5 % of 200 seeded healthy soaks FAIL somewhere."""
    failed = 0
    for series in healthy_soaks(200, n, 0.25):
        bare = {
            name: times(one_series.values, worse=one_series.worse, floor=1e-9)
            for name, one_series in series.items()
            if name != "ok rate"
        }
        failed += any(verdict.outcome is Outcome.FAIL for verdict in soak_trends(bare, DRIFT))
    assert failed <= 10


def test_a_ramp_fails_within_the_family() -> None:
    """Execution times that grow by 35 % fail among five steady figures, and the others pass."""
    for series in healthy_soaks(20, 600, 0.1):
        ramp = series["exec_ms"].values * np.linspace(0.825, 1.175, 600)
        verdicts = dict(zip(NAMES, soak_trends(series | {"exec_ms": times(ramp)}, DRIFT), strict=True))
        assert verdicts["exec_ms"].outcome is Outcome.FAIL
        assert verdicts["total_ms"].outcome is Outcome.PASS


def test_a_healthy_noisy_soak_passes() -> None:
    """Of 1000 seeded soaks with 3 % correlated noise and no drift all PASS."""
    assert {one(2800 * (1 + 0.03 * row)).outcome for row in ar1(0.5)} == {Outcome.PASS}


def test_power_on_a_ramp() -> None:
    """A 35 % ramp under 10 % correlated noise, 120 requests: at least 95 % of 300 seeded soaks FAIL, under 1 % PASS."""
    ramp = np.linspace(-0.175, 0.175, 120)
    outcomes = [one(2800 * (1 + ramp + 0.1 * row)).outcome for row in ar1(0.5, runs=300)]
    assert outcomes.count(Outcome.FAIL) >= 0.95 * 300
    assert outcomes.count(Outcome.PASS) <= 3


def test_a_small_trend_passes() -> None:
    """5 % over the soak is significant and below the floor of 20 %."""
    verdict = one(np.array([2800 * (1 + 0.05 * i / 240) for i in range(240)]))
    assert (verdict.outcome, verdict.n) == (Outcome.PASS, 240)
    assert verdict.points["p_family"] < 0.001
    assert verdict.measured == pytest.approx(0.045, abs=0.005)


def test_a_late_step_fails_and_is_placed() -> None:
    """A step of 50 % for the last quarter is no trend of twelve means, but a shift: FAIL, with request and minute."""
    values = 2800 * noise(1200) * np.where(np.arange(1200) < 900, 1.0, 1.5)
    verdict = one(values)
    assert verdict.outcome is Outcome.FAIL
    assert "its level shifted by +50 % from request 901 (minute 45.0) on" in verdict.reason
    assert verdict.points["shift_from"] == 901
    assert verdict.points["shift"] == pytest.approx(0.5, abs=0.05)


def test_a_short_soak_is_not_searched_for_steps() -> None:
    """The same step in one minute is a busy machine: only its trend is judged."""
    values = 2800 * noise(1200) * np.where(np.arange(1200) < 900, 1.0, 1.5)
    verdict = one(values, at_s=np.linspace(0, 60, 1200))
    assert "shift" not in verdict.points
    assert one(values, at_s=None).points["shift_from"] == 901


def test_too_few_requests_are_not_searched_for_steps() -> None:
    """Below 300 figures no step could be significant, and none is looked for."""
    values = 2800 * noise(299, cv=0.02) * np.where(np.arange(299) < 150, 1.0, 1.3)
    assert "shift" not in one(values).points


def test_a_step_for_the_better_is_told_and_passes() -> None:
    """A soak that begins slowly and gets faster does not worsen; the reason says where it began to be fast."""
    verdict = one(3450 * noise(2000) * np.where(np.arange(2000) < 400, 1.9, 1.0))
    assert verdict.outcome is Outcome.PASS
    assert "its level shifted by -" in verdict.reason
    assert "requests 1-400 hold 400 of the" in verdict.reason


def test_a_step_below_the_floor_passes() -> None:
    """10 % is sure and too small to matter."""
    verdict = one(2800 * noise(1200) * np.where(np.arange(1200) < 600, 1.0, 1.1))
    assert verdict.outcome is Outcome.PASS
    assert "shifted" not in verdict.reason


def test_the_direction_counts() -> None:
    """Tokens/s that fall fail, and tokens/s that rise pass."""
    rising = noise(600) * np.linspace(0.8, 1.2, 600)
    assert one(rising, worse="down").outcome is Outcome.PASS
    assert one(rising[::-1], worse="down").outcome is Outcome.FAIL


def test_failures_that_grow_frequent_fail() -> None:
    """The share of right answers falls by 3 points: above the error budget of 1."""
    rng = np.random.default_rng(3)
    ok = (rng.random(6000) > np.linspace(0, 0.03, 6000)).astype(np.float64)
    verdict = one(ok, worse="down", floor=0.01, base=1.0)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.measured == pytest.approx(-0.03, abs=0.01)


def test_the_base_counts() -> None:
    """A queue that doubles from 5 to 10 ms is nothing to a total of 3450 ms."""
    queue = noise(600) * np.linspace(5, 10, 600)
    verdict = one(queue, base=3450.0, base_name=" of the median total time")
    assert verdict.outcome is Outcome.PASS
    assert verdict.claim == "soak: exec_ms does not worsen by more than 20 % of the median total time during the soak"


def test_noise_above_the_floor_is_inconclusive() -> None:
    """Batches that swing by more than the floor could hide a drift of twice the floor: not shown."""
    swings = np.repeat([1.0, 2.0, 1.1, 1.9, 1.0, 2.1, 1.4, 2.2, 1.0, 1.8, 1.7, 2.3], 5)
    verdict = one(swings)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reason.endswith("a longer soak would")


def test_a_busy_minute_is_not_held_against_the_service() -> None:
    """The same swings, or a trend of 35 %, within a minute are the machine's; a clear drift still fails."""
    swings = np.repeat([1.0, 2.0, 1.1, 1.9, 1.0, 2.1, 1.4, 2.2, 1.0, 1.8, 1.7, 2.3], 5)
    assert one(swings, at_s=np.linspace(0, 60, 60)).outcome is Outcome.PASS
    assert one(np.linspace(0.825, 1.175, 60), at_s=np.linspace(0, 60, 60)).outcome is Outcome.PASS
    assert one(np.linspace(0.825, 1.175, 60)).outcome is Outcome.FAIL
    fast = one(np.linspace(1, 2, 60), at_s=np.linspace(0, 60, 60))
    assert (fast.outcome, fast.limit) == (Outcome.FAIL, 0.4)
    assert fast.claim == "soak: exec_ms does not worsen by more than 40 % during the soak"


def test_the_more_is_tested_the_more_it_takes() -> None:
    """A trend that is significant alone is only suspicious among three more figures, and chance among fifty."""
    order = np.repeat([1.0, 1.4, 1.2, 1.6, 1.1, 1.8, 1.3, 1.5, 1.9, 1.7, 2.1, 2.0], 5)
    steady = {f"s{i}": times(noise(60, seed=i)) for i in range(50)}
    assert one(order).outcome is Outcome.FAIL
    some = dict(list(steady.items())[:3])
    assert soak_trends({"exec_ms": times(order)} | some, DRIFT)[0].outcome is Outcome.INCONCLUSIVE
    assert soak_trends({"exec_ms": times(order)} | steady, DRIFT)[0].points["p_family"] > 0.1


@pytest.mark.parametrize(
    ("values", "changes", "outcome", "said"),
    [
        (np.full(23, 1.0), {}, Outcome.INCONCLUSIVE, "23 requests do not fill 12 batches; a trend needs at least 24"),
        (np.full(23, 1.0), {"each": "samples"}, Outcome.INCONCLUSIVE, "23 samples"),
        (np.full(30, math.inf), {}, Outcome.ERROR, "not finite"),
        (np.full(30, math.nan), {}, Outcome.ERROR, "not finite"),
        (np.zeros(30), {}, Outcome.ERROR, "the median of exec_ms is not positive"),
        (np.full(30, 1.0), {"base": 0.0}, Outcome.ERROR, "the base of exec_ms is not positive"),
    ],
)
def test_what_cannot_be_tested(values: Floats, changes: dict[str, object], outcome: Outcome, said: str) -> None:
    """Too few figures are INCONCLUSIVE; infinite, NaN and all-zero ones are ERROR; never PASS."""
    verdict = one(values, **changes)
    assert verdict.outcome is outcome
    assert said in verdict.reason


def test_untestable_figures_do_not_dilute_the_family() -> None:
    """A family's p-values are those of the figures that could be tested."""
    order = np.repeat([1.0, 1.4, 1.2, 1.6, 1.1, 1.8, 1.3, 1.5, 1.9, 1.7, 2.1, 2.0], 5)
    few = {f"s{i}": times(np.full(5, 1.0)) for i in range(50)}
    assert soak_trends({"exec_ms": times(order)} | few, DRIFT)[0].outcome is Outcome.FAIL


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_is_holms(p_values: list[float]) -> None:
    """Rejecting what is at most alpha after adjustment is the step-down procedure itself, at any alpha."""
    adjusted = holm(np.array(p_values))
    for alpha in (0.01, 0.05, 0.5):
        rejected, order = set(), sorted(range(len(p_values)), key=p_values.__getitem__)
        for place, index in enumerate(order):
            if p_values[index] * (len(p_values) - place) > alpha:
                break
            rejected.add(index)
        assert {index for index, p_value in enumerate(adjusted) if p_value <= alpha} == rejected


def test_the_numbers_are_those_of_the_requests() -> None:
    """Where failures left gaps, places are told by request number, not by position."""
    values = 2800 * noise(1200) * np.where(np.arange(1200) < 600, 1.0, 1.5)
    assert "from request 1201 " in one(values, numbers=np.arange(1, 2401, 2)).reason


def names_both_episodes(totals: Floats) -> None:
    """The slow beginning and the second episode stand in the reason, by their rows."""
    verdict = one(totals, at_s=None)
    first, second = verdict.reason.split("; requests ")[1].split(" hold ")[0].split(" and ")
    assert int(first.split("-")[0]) <= 20
    assert 300 <= int(first.split("-")[1]) <= 420
    assert 1400 <= int(second.split("-")[0]) <= 1560
    assert 1600 <= int(second.split("-")[1]) <= 1800


def test_the_demo_shows_both_episodes() -> None:
    """In the reconstructed soak the slow first 400 requests and the episode in rows 1400 to 1800 are named."""
    names_both_episodes(np.array(latencies_ms()))


@pytest.mark.skipif(not os.environ.get("GOLIVE_LOAD_TESTS"), reason="GOLIVE_LOAD_TESTS names no recorded load tests")
def test_the_recorded_soak_shows_both_episodes() -> None:
    """In the recorded soak itself, too."""
    samples = read_samples(Path(os.environ["GOLIVE_LOAD_TESTS"]) / "20251010T121412Z.csv")
    names_both_episodes(np.array([sample.total_ms for sample in samples]))


def test_a_stretch_of_a_long_soak_is_named() -> None:
    """In 60,000 requests, 1500 slow ones in a row are named; strewn among the others they are not looked for."""
    slow = np.arange(60_000) // 1500 == 17
    values = 3450 * noise(60_000, cv=0.02) * np.where(slow, 1.5, 1.0)
    assert "requests 25501-27000 hold 1500 of the 1500" in one(values).reason
    strewn = np.random.default_rng(2).permutation(slow)
    assert stability.spread_evenly(strewn)
    assert "hold" not in one(3450 * noise(60_000, cv=0.02) * np.where(strewn, 1.5, 1.0)).reason


def codes(*spans: tuple[int, int]) -> np.ndarray:
    """Answers by worker: (worker, how many) one after another."""
    return np.concatenate([np.full(count, worker, dtype=np.int32) for worker, count in spans])


def test_steady_workers_pass() -> None:
    """Two workers that take turns to the end were not replaced."""
    verdict = worker_restarts(np.arange(240, dtype=np.int32) % 2, DRIFT)
    assert (verdict.outcome, verdict.measured, verdict.points) == (Outcome.PASS, 0, {"workers": 2})
    assert verdict.reason == "0 of 2 workers were replaced (240 answers)"


def test_one_replacement_is_told_and_two_fail() -> None:
    """One worker in the place of another is told, with its place; two are one too many."""
    single = worker_restarts(codes((0, 120), (1, 120)), DRIFT, at_s=np.linspace(0, HOUR, 240))
    assert (single.outcome, single.measured) == (Outcome.PASS, 1)
    assert "first answers at request 121 (minute 30.1)" in single.reason
    assert worker_restarts(codes((0, 80), (1, 80), (2, 80)), DRIFT).outcome is Outcome.FAIL


def test_scaling_is_no_replacement() -> None:
    """A worker that joins, and one that leaves before none comes, replace nobody."""
    joins = np.where(np.arange(240) < 120, 0, np.arange(240) % 2).astype(np.int32)
    assert replacements(joins, margin=20) == []
    assert replacements(joins[::-1], margin=20) == []


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(1, 20))
def test_replacements_are_at_most_the_workers_that_came(worker: list[int], margin: int) -> None:
    """Each replacement is the first answer of its worker, outside the beginning, after another's last."""
    for index in replacements(np.array(worker, dtype=np.int32), margin=margin):
        assert index == worker.index(worker[index]) >= margin
        assert any(other not in worker[index:] for other in set(worker[:index]))


def test_places_are_told_by_request_number() -> None:
    """Failures leave gaps: the number is the request's."""
    verdict = worker_restarts(codes((0, 120), (1, 120)), DRIFT, numbers=np.arange(10, 250))
    assert "first answers at request 130 (240" in verdict.reason


def test_untold_workers_are_not_counted_as_none() -> None:
    """Without worker ids, restarts are unknown: ERROR."""
    verdict = worker_restarts(codes((-1, 2), (0, 100)), DRIFT)
    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "workerId is missing from 2 of 102 answers")


def test_no_answers_no_workers() -> None:
    """An empty soak shows nothing of its workers."""
    verdict = worker_restarts(np.array([], dtype=np.int32), DRIFT)
    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "no request was answered")


def test_nothing_measured_is_no_verdict() -> None:
    """A family without a member says nothing; its caller has nothing to report either."""
    assert soak_trends({}, DRIFT) == []


def test_verdicts_can_be_written_down() -> None:
    """Every figure is a plain number, so that JSON has a word for it."""
    values = 2800 * noise(1200) * np.where(np.arange(1200) < 900, 1.0, 1.5)
    found = [one(values), worker_restarts(codes((0, 120), (1, 120)), DRIFT)]
    assert msgspec.json.decode(msgspec.json.encode(found), type=list[Verdict]) == found


def test_the_scope_is_told() -> None:
    """The part of the run stands in claim and scope."""
    (verdict,) = soak_trends({"rss of w1": times(noise(60), floor=0.1)}, DRIFT, scope="rehearsal")
    assert verdict.claim == "rehearsal: rss of w1 does not worsen by more than 10 % during the soak"
    assert verdict.scope == "rehearsal"
    assert stability.SCOPE == "soak"
