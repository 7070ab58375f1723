"""Simulated runs are judged as the gate judges real ones."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.judge import eprocess
from go_live.judge.asked import Asked
from go_live.judge.shares import share_ok
from go_live.judge.stopping import SoakWatch
from go_live.judge.tally import Rule
from go_live.outcome import Outcome
from go_live.planning import simulation
from go_live.planning.needs import planned
from go_live.planning.simulation import FAIL, PASS, Truth, simulate
from go_live.records import ErrorClass
from tests.go_live.judge.builders import record
from tests.go_live.planning.test_needs import SHIPPED, with_load

CODES = {Outcome.PASS: PASS, Outcome.FAIL: FAIL, Outcome.INCONCLUSIVE: 0}
REHEARSAL = planned(SHIPPED, "rehearsal")
TRUTH = Truth.of(SHIPPED.assumed)
SEEDS = st.integers(0, 2**32)


def truth(**changes: float) -> Truth:
    """The shipped assumptions with changes."""
    return msgspec.structs.replace(TRUTH, **changes)


@given(
    n=st.integers(1, 400),
    p0=st.sampled_from([0.5, 0.95, 0.99]),
    rate=st.sampled_from([0.0, 0.002, 0.02, 0.1, 0.6]),
    burst=st.sampled_from([1, 2, 5]),
    declared=st.sampled_from([1, 3]),
    anytime=st.booleans(),
    seed=SEEDS,
)
@settings(max_examples=150, deadline=None)
def test_a_simulated_claim_is_judged_as_a_real_one(
    n: int,
    p0: float,
    rate: float,
    burst: int,
    declared: int,
    anytime: bool,  # noqa: FBT001 - drawn
    seed: int,
) -> None:
    """Bursts and declared bursts included: the outcome is that of the verdict on the same requests."""
    rule = Rule(0.95, family=3, anytime=anytime, burst_length=declared)
    missed = simulation.draw(np.random.default_rng(seed), 3, n, burst) < rate
    expected = [CODES[share_ok(~row, rate=p0, need=rule).outcome] for row in missed]
    assert simulation.judged(missed, p0, rule).tolist() == expected


@given(st.integers(0, 60), st.integers(1, 120), st.sampled_from([0.5, 0.95]), st.floats(0, 1), SEEDS)
@settings(max_examples=40, deadline=None)
def test_a_simulated_soak_ends_when_a_real_one_does(before: int, n: int, p0: float, rate: float, seed: int) -> None:
    """The same requests, fed to the watch one by one, end the soak or do not."""
    rule = Rule(0.95, family=3, anytime=True)
    missed = np.random.default_rng(seed).random((1, before + n)) < rate
    run = [
        record(i, due=float(i), wall=float(i), done=i + 1.0, error=ErrorClass.FAILED if bad else None)
        for i, bad in enumerate(missed[0].tolist())
    ]
    one = Asked(key="ok", claim="ok", p0=p0, rule=rule, holds=lambda each: each.ok, missed="not ok")
    watch = SoakWatch([one], planned_s=float(n), in_flight=2)
    for each in run[:before]:
        watch._count(each)
    for each in run[before:]:
        watch.add(each)
        watch.ended()
    assert simulation.ended(missed, p0, rule, before=before, in_flight=2).tolist() == [watch.ended() is not None]


def test_no_soak_is_not_ended() -> None:
    """A soak without a request has no look."""
    missed = np.ones((2, 30), dtype=np.bool_)
    assert simulation.ended(missed, 0.5, Rule(0.95, anytime=True), before=30, in_flight=2).tolist() == [False, False]
    assert simulation.judged(missed[:, :0], 0.5, Rule(0.95)).tolist() == [0, 0]


@pytest.mark.parametrize("p0", [0.5, 0.95, 0.99])
def test_the_fewest_misses_that_refute_are_the_tests_own(p0: float) -> None:
    """For every size up to 400; n + 1 where none refutes."""
    sizes = np.arange(1, 401)
    expected = [eprocess.failing_misses(int(n), p0, 0.01) or int(n) + 1 for n in sizes]
    assert simulation.fewest_refuting(sizes, p0, 0.01).tolist() == expected


@pytest.mark.parametrize("burst", [1, 4])
def test_bursts_keep_the_rate_and_have_their_length(burst: int) -> None:
    """10 % miss, in bursts of mean length L / (1 - 0.1 (1 - 1/L)...): about L; seeded, 5 % tolerance."""
    missed = simulation.draw(np.random.default_rng(1), 200, 2000, burst) < 0.1
    assert missed.mean() == pytest.approx(0.1, rel=0.05)
    bursts = np.count_nonzero(missed[:, 1:] & ~missed[:, :-1]) + np.count_nonzero(missed[:, 0])
    assert missed.sum() / bursts == pytest.approx(burst / 0.9, rel=0.05)


def test_a_perfect_service_always_gets_a_go_and_a_bad_one_never() -> None:
    """Shares of 1 pass everything; 60 % within p95 is a NO-GO every time."""
    perfect = Truth(p50=1.0, p95=1.0, success=1.0, correct=1.0)
    best = simulate(REHEARSAL, perfect, repetitions=40, seed=1)
    assert (best.run.passed, best.run.failed, best.run.open) == (40, 0, 0)
    bad = simulate(REHEARSAL, truth(p95=0.6), repetitions=40, seed=1)
    assert (bad.run.passed, bad.run.failed) == (0, 40)
    assert all(chances.repetitions == 40 for chances in bad.claims)


def test_between_the_limits_lies_inconclusive() -> None:
    """A p95 share of 0.97 is good, and 124 requests rarely show it: seldom GO, hardly ever NO-GO."""
    run = simulate(planned(SHIPPED, "production"), truth(p95=0.97), repetitions=200, seed=1).run
    assert run.passed < 20
    assert run.failed < 4
    assert run.open > 170


def test_too_short_a_plan_is_never_a_go() -> None:
    """Thirty requests a level: INCONCLUSIVE, however good the service is."""
    perfect = Truth(p50=1.0, p95=1.0, success=1.0, correct=1.0)
    run = simulate(planned(with_load(requests_per_level=30), "rehearsal"), perfect, repetitions=20, seed=1).run
    assert (run.passed, run.failed, run.open) == (0, 0, 20)


def test_a_seed_repeats_the_simulation() -> None:
    """The same seed gives the same counts, another one others, in whatever portions the numbers are drawn."""
    first, again, other = (simulate(REHEARSAL, TRUTH, repetitions=100, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.claims != other.claims


def test_large_runs_are_drawn_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three runs at a time: as many as were asked for, all the same."""
    monkeypatch.setattr(simulation, "AT_ONCE", 3 * 612)
    assert simulate(REHEARSAL, TRUTH, repetitions=7, seed=1).run.repetitions == 7


def test_shares_that_are_told_for_one_claim() -> None:
    """For a figure everywhere, for one in one scope, which comes first; never above that of right answers."""
    by_key = {(need.scope, need.key): need for need in REHEARSAL.needs}
    told = msgspec.structs.replace(TRUTH, single={"total_p95": 0.97, "soak.total_p95": 0.96}, correct=0.98)
    shares = {place: told.share(need) for place, need in by_key.items()}
    assert shares["c=2", "total_p95"] == 0.97
    assert shares["soak", "total_p95"] == 0.96
    assert shares["c=2", "exec_p95"] == 0.98
    assert shares["c=2", "exec_p50"] == TRUTH.p50
    assert shares["levels and soak", "correct"] == 0.98
    assert shares["levels and soak", "success"] == TRUTH.success
    assert {"total_p95", "soak.total_p95", "c=1.throughput"} <= simulation.known_keys(REHEARSAL.needs)
    assert "success" not in simulation.known_keys(REHEARSAL.needs)


def test_no_repetitions_show_nothing() -> None:
    """Zero runs are no simulation."""
    with pytest.raises(ValueError, match="0 repetitions"):
        simulate(REHEARSAL, TRUTH, repetitions=0, seed=1)
