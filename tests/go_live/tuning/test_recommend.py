"""The recommended cap and the place where queueing begins, against services whose truth is known."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.outcome import Outcome, Verdict
from go_live.tuning.cells import Level, judge_level
from go_live.tuning.judging import Told, judge
from go_live.tuning.plan import DEFAULT, ROUNDS
from go_live.tuning.recommend import gain, onset, recommend
from tests.go_live.tuning.simulated import SHIPPED, measured, planned, tables, with_limits

LEVELS = (1, 2, 3, 4, 6, 8)
CONFIDENCE = SHIPPED.slo.confidence


@pytest.mark.parametrize("servers", [1, 2, 3, 4, 5, 6])
def test_the_knee_is_found(servers: int) -> None:
    """Of n servers the cap is the first level that keeps all of them busy: one more adds waiting and no throughput."""
    plan = planned(
        levels=LEVELS, config=with_limits(SHIPPED, tokens_per_s_p50=1, total_ms_p50=20_000, total_ms_p95=30_000)
    )
    found = judge(plan, tables(measured(plan, {DEFAULT: servers})), {DEFAULT: Told()}, evidence={})
    assert found.outcome is Outcome.PASS
    assert found.cap == next(level for level in LEVELS if level >= servers)


def test_queueing_begins_where_servers_end() -> None:
    """With 3 servers of a second, c=4 waits a third of a second and c=6 a second: p50 exceeds 500 ms from c=6 on."""
    plan = planned(levels=LEVELS)
    sweep = judge(plan, tables(measured(plan, {DEFAULT: 3})), {DEFAULT: Told()}, evidence={}).sweeps[0]
    p50 = sweep.onsets[0]
    assert (p50.q, p50.at, p50.not_up_to) == (50, 6, 4)
    assert "begins to exceed 500 ms at c=6" in p50.told
    assert "of 124 requests over it" in p50.told


def test_no_level_above_what_was_measured() -> None:
    """With more servers than anybody asked of, the cap is the highest level that was measured."""
    plan = planned(levels=(1, 2, 4))
    found = judge(plan, tables(measured(plan, {DEFAULT: 50})), {DEFAULT: Told()}, evidence={})
    assert (found.cap, found.reason) == (4, "no higher level was measured")


def test_the_setting_that_turns_a_level() -> None:
    """One server fails c=4 by its queue, four serve it: before and after of each failed claim, with their n."""
    plan = planned(levels=(1, 2, 4), settings=("1", DEFAULT), config=with_limits(SHIPPED, tokens_per_s_p50=1))
    found = judge(plan, tables(measured(plan, {"1": 1, DEFAULT: 4})), {}, evidence={})
    assert (found.cap, found.setting) == (4, DEFAULT)
    (turn,) = found.turned
    assert (turn.concurrency, turn.before, turn.after) == (4, "1", DEFAULT)
    queue = next(claim for claim in turn.claims if "queue p50" in claim.claim)
    assert queue.before is not None
    assert queue.after is not None
    assert queue.before > 2000 > queue.after
    assert (queue.n_before, queue.n_after) == (124, 124)


def test_nothing_passes() -> None:
    """Where even the lowest level misses its limits there is no cap, and the outcome is FAIL."""
    plan = planned(levels=(1, 2), config=with_limits(SHIPPED, exec_ms_p50=500))
    found = judge(plan, tables(measured(plan, {DEFAULT: 4})), {}, evidence={})
    assert (found.outcome, found.cap, found.setting) == (Outcome.FAIL, None, None)
    assert "exec p50" in found.reason


def test_an_undecided_level_ends_the_climb() -> None:
    """What is undecided is no recommendation, and the number of requests that would decide is told."""
    plan = planned(levels=(1, 2), config=with_limits(SHIPPED, tokens_per_s_p50=1))
    slow_share = 0.04  # 5 of 124 over the p95 limit: neither shown

    def service(draws: random.Random) -> float:
        return 9.0 if draws.random() < slow_share else draws.uniform(0.97, 1.03)

    levels = [
        judge_level(plan, tables(measured(plan, {DEFAULT: 4}))[DEFAULT], 1),
        judge_level(plan, tables(measured(plan, {DEFAULT: 4}, service=service, seed=3))[DEFAULT], 2),
    ]
    assert levels[1].outcome is Outcome.INCONCLUSIVE
    found = recommend(levels, plan.config)
    assert found.cap == 1
    assert found.needed is not None
    assert found.needed > plan.requests


def level(concurrency: int, rates: tuple[float | None, ...], outcome: Outcome = Outcome.PASS) -> Level:
    """A judged level of 124 requests."""
    return Level(
        concurrency=concurrency,
        planned=124,
        n=124,
        outcome=outcome,
        reason="as told",
        counts={},
        unanswered=0,
        wrong=0,
        errors={},
        per_round=rates,
    )


OUTCOMES = st.sampled_from([Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.NOT_RUN])
RATES = st.tuples(*[st.one_of(st.none(), st.floats(min_value=0, max_value=1e6))] * ROUNDS)


@given(st.lists(st.tuples(OUTCOMES, RATES), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_cap_rests_on_every_level_up_to_it(cells: list[tuple[Outcome, tuple[float | None, ...]]]) -> None:
    """Whatever was measured: the cap is a measured level, it passes, and so does every level below it."""
    levels = [level(number, rates, outcome) for number, (outcome, rates) in enumerate(cells, start=1)]
    found = recommend(levels, SHIPPED)
    assert (found.cap is None) is (cells[0][0] is not Outcome.PASS)
    assert (found.outcome is Outcome.PASS) is (found.cap is not None)
    assert all(one.outcome is Outcome.PASS for one in levels[: found.cap or 0])


def test_failed_requests_stand_against_a_level() -> None:
    """Levels that pass one by one and together lose too many requests are no cap."""
    good, lossy = level(1, (1.0,) * ROUNDS), msgspec.structs.replace(level(2, (2.0,) * ROUNDS), unanswered=12, wrong=12)
    found = recommend([good, lossy], SHIPPED)
    assert found.cap == 1
    assert "12 of 248 requests were not answered" in found.reason


def test_no_gain_is_claimed_too_often() -> None:
    """Of levels that truly add exactly the least gain, at most one in twenty is said to add more."""
    draws, least, repetitions = random.Random(5), SHIPPED.tuning.gain_min, 4000  # noqa: S311 - a seeded sample
    false = 0
    for _ in range(repetitions):
        lower = level(1, tuple(draws.lognormvariate(0, 0.1) for _ in range(ROUNDS)))
        higher = level(2, tuple((1 + least) * draws.lognormvariate(0, 0.1) for _ in range(ROUNDS)))
        found = gain(lower, higher, CONFIDENCE)
        assert found is not None
        false += found.low > least
    assert false / repetitions <= 1 - CONFIDENCE + 0.011  # three standard errors of 4,000 repetitions


@pytest.mark.slow
def test_a_bad_level_is_rarely_recommended() -> None:
    """A level that truly misses its p95 limit passes it in at most one sweep of twenty."""
    plan = planned(levels=(2,), config=with_limits(SHIPPED, tokens_per_s_p50=1))

    def service(draws: random.Random) -> float:
        return draws.uniform(5.1, 7.0) if draws.random() < 0.05 else draws.uniform(0.97, 1.03)

    repetitions = 200
    passed = sum(
        judge_level(plan, tables(measured(plan, {DEFAULT: 4}, service=service, seed=seed))[DEFAULT], 2).outcome
        is Outcome.PASS
        for seed in range(repetitions)
    )
    assert passed <= 20  # of 200 at 5 %: more than 20 in one of 1,000 repetitions of this test


@given(st.lists(st.sampled_from([Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE]), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_where_queueing_begins_is_shown(outcomes: list[Outcome]) -> None:
    """It begins at the lowest level at which it is shown to, and is absent where an unbroken row of levels shows so."""

    def one(number: int, outcome: Outcome) -> Level:
        verdict = Verdict(claim="q", outcome=outcome, reason="", measured=1.0, n=124, misses=3)
        return msgspec.structs.replace(level(number, (1.0,) * ROUNDS), queue=(verdict, verdict))

    found = onset([one(number, outcome) for number, outcome in enumerate(outcomes, start=1)], SHIPPED, 0)
    failed = [number for number, outcome in enumerate(outcomes, start=1) if outcome is Outcome.FAIL]
    within = next((i for i, outcome in enumerate(outcomes) if outcome is not Outcome.PASS), len(outcomes))
    assert found.at == (failed[0] if failed else None)
    assert found.not_up_to == (within or None)


def test_gain_needs_rounds_of_both() -> None:
    """One round has no spread, and one without an answer, or of no sense, cannot be compared: no gain is told."""
    whole = level(1, (1.0, 1.1, 1.0, 0.9))
    assert gain(whole, level(2, (2.0, None, None, None)), CONFIDENCE) is None
    assert gain(whole, level(2, (2.0, 2.0, 2.0, 0.0)), CONFIDENCE) is None
    assert gain(level(1, (1.0,)), level(2, (2.0,)), CONFIDENCE) is None
    assert gain(whole, level(2, (2.0, 2.0)), CONFIDENCE) is None
    assert gain(level(1, (-1.0,) * ROUNDS), level(2, (-2.0,) * ROUNDS), CONFIDENCE) is None
    assert gain(whole, level(2, (2.0, 2.0, 2.0, 2.0)), CONFIDENCE) is not None
