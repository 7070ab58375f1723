"""Verdicts on bare samples."""

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.judge.percentiles import percentile
from go_live.judge.shares import at_least, at_most, share_ok
from go_live.judge.tally import Rule
from go_live.outcome import Outcome, Verdict

LATENCIES = st.lists(st.one_of(st.floats(0, 20_000), st.just(math.inf)), min_size=1, max_size=400)


def p95(values: list[float], limit: float = 8000, family: int = 1) -> Verdict:
    """The claim most of the tests are about."""
    return at_most(values, q=95, limit=limit, need=Rule(0.95, family=family), what="total", scope="c=2")


@pytest.mark.parametrize(
    ("n", "misses", "outcome"),
    [
        (58, 0, Outcome.INCONCLUSIVE),
        (59, 0, Outcome.PASS),
        (92, 1, Outcome.INCONCLUSIVE),
        (93, 1, Outcome.PASS),
        (124, 2, Outcome.PASS),
        (124, 3, Outcome.INCONCLUSIVE),
        (124, 10, Outcome.INCONCLUSIVE),
        (124, 11, Outcome.FAIL),
        (2000, 452, Outcome.FAIL),
    ],
)
def test_p95_is_a_share(n: int, misses: int, outcome: Outcome) -> None:
    """p95 <= T is judged as P(value <= T) >= 95 %, with the exact test's sizes."""
    verdict = p95([9000.0] * misses + [3450.0] * (n - misses))
    assert (verdict.outcome, verdict.n, verdict.misses) == (outcome, n, misses)


@given(LATENCIES, st.floats(1, 20_000))
def test_a_pass_is_never_above_its_limit(values: list[float], limit: float) -> None:
    """Whatever the values, a PASS has its nearest-rank percentile within the limit, and a FAIL outside."""
    verdict = p95(values, limit)
    if verdict.outcome is Outcome.PASS:
        assert percentile(values, 95) <= limit
    if verdict.outcome is Outcome.FAIL:
        assert percentile(values, 95) > limit


@given(LATENCIES, st.integers(0, 399))
def test_failing_never_helps(values: list[float], index: int) -> None:
    """Turning any request into a failure never improves the outcome."""
    order = [Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS]
    worse = list(values)
    worse[index % len(values)] = math.inf
    assert order.index(p95(worse).outcome) <= order.index(p95(values).outcome)


@given(LATENCIES)
def test_a_verdict_is_json(values: list[float]) -> None:
    """No infinity or NaN reaches a verdict, and no figure is lost to null but the infinite ones."""
    verdict = p95(values)
    again = json.loads(msgspec.json.encode(verdict), parse_constant=pytest.fail)
    assert (again["measured"] is None) == math.isinf(percentile(values, 95))
    assert all(math.isfinite(value) for value in verdict.points.values())


def test_an_infinite_percentile_says_so() -> None:
    """Half of the requests failed: there is no p95 to show, and the reason says why."""
    verdict = p95([3450.0] * 50 + [math.inf] * 50)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.measured is None
    assert "infinite (50 requests got no right answer) > 8000 ms" in verdict.reason


def test_the_limit_itself_is_within() -> None:
    """At most T includes T."""
    assert p95([8000.0] * 59).outcome is Outcome.PASS


def test_inconclusive_says_what_would_decide() -> None:
    """Thirty good requests are no p95; the verdict carries the size of a run that would be one."""
    verdict = p95([3450.0] * 30)
    assert (verdict.outcome, verdict.needed) == (Outcome.INCONCLUSIVE, 59)
    assert verdict.reason == (
        "total p95 3450 ms <= 8000 ms, with 0 of 30 requests over it, which decides nothing at 95 % confidence; "
        "a newly planned run of 59 shows it without a miss"
    )


def test_misses_below_the_rate_plan_a_pass() -> None:
    """One miss of 92 is a good rate and too short a run."""
    verdict = p95([9000.0] + [3450.0] * 91)
    assert verdict.needed == 153
    assert "a newly planned run of 153 shows it with up to 3 misses" in verdict.reason


def test_misses_above_the_rate_plan_a_fail() -> None:
    """Ten misses of 124 are a bad rate and too few to show it."""
    verdict = p95([9000.0] * 10 + [3450.0] * 114)
    assert verdict.needed is not None
    assert f"a newly planned run of {verdict.needed} would fail" in verdict.reason


def test_at_the_limit_no_run_is_planned() -> None:
    """Five misses of 100 against 95 %: no size decides, and the reason says so."""
    verdict = p95([9000.0] * 5 + [3450.0] * 95)
    assert (verdict.outcome, verdict.needed) == (Outcome.INCONCLUSIVE, None)
    assert "no run of a practical size would decide" in verdict.reason


def test_more_claims_make_a_fail_harder_and_a_pass_no_easier() -> None:
    """FAIL is shared over the claims the data can answer (alpha / m); PASS is not."""
    doubtful = [9000.0] * 12 + [3450.0] * 112
    assert p95(doubtful).outcome is Outcome.FAIL
    assert p95(doubtful, family=5).outcome is Outcome.INCONCLUSIVE
    assert p95([3450.0] * 59, family=5).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "no requests"),
        ([1.0, math.nan], "1 of 2 figures are NaN"),
        ([1.0, -2.0, -3.0], "2 of 3 figures are negative"),
    ],
)
def test_what_is_no_measurement_is_an_error(values: list[float], said: str) -> None:
    """Nothing, NaN, negative times: ERROR, never a PASS."""
    verdict = p95(values)
    assert verdict.outcome is Outcome.ERROR
    assert said in verdict.reason


def test_another_unit_has_no_millisecond_points() -> None:
    """Points named in ms are only given for ms; small figures keep their decimals."""
    verdict = at_most([1.25] * 8, q=50, limit=2, need=0.95, what="lag", unit="s")
    assert verdict.points == {}
    assert verdict.claim == "lag p50 is at most 2 s"
    assert verdict.reason.startswith("lag p50 1.25 s <= 2 s")


@pytest.mark.parametrize(
    ("n", "misses", "outcome"),
    [(298, 0, Outcome.INCONCLUSIVE), (299, 0, Outcome.PASS), (2060, 12, Outcome.PASS), (2060, 60, Outcome.FAIL)],
)
def test_success_is_the_same_test(n: int, misses: int, outcome: Outcome) -> None:
    """299 without a failure show 99 %; of a 60-minute soak's 2,060, twelve may fail."""
    # Strewn evenly, for misses in a row would be a burst.
    verdict = share_ok([i * misses % n >= misses for i in range(n)], rate=0.99, need=0.95)
    assert verdict.outcome is outcome
    assert verdict.measured == pytest.approx(1 - misses / n)


def test_success_shows_its_bounds() -> None:
    """The Clopper-Pearson bounds of the share stand in the points; rule of three: about 1 - 3/n."""
    verdict = share_ok([True] * 300, rate=0.99, need=0.95)
    assert verdict.points["share_lower"] == pytest.approx(1 - 3 / 300, abs=1e-3)
    assert verdict.points["share_upper"] == 1


def test_no_requests_are_no_success() -> None:
    """all([]) is true; this is not."""
    assert share_ok([], rate=0.99, need=0.95).outcome is Outcome.ERROR


def test_a_share_that_reaches_a_figure() -> None:
    """Half of the requests reach 40 tokens/s: the measured figure is what half of them reach; failures are zero."""
    values = [43.5, 43.5, 43.5, 0.0] * 10
    verdict = at_least(values, share=0.5, limit=40, need=0.95, what="throughput", unit="tokens/s", scope="c=2")
    assert (verdict.outcome, verdict.measured, verdict.misses) == (Outcome.PASS, 43.5, 10)
    assert verdict.claim == "c=2: throughput of 50 % is at least 40 tokens/s"
    slow = at_least([21.7] * 40, share=0.5, limit=40, need=0.95, what="throughput", unit="tokens/s")
    assert slow.outcome is Outcome.FAIL
    assert slow.reason.startswith("throughput 21.7 tokens/s < 40 tokens/s, with 40 of 40 requests below it")


def test_no_values_reach_nothing() -> None:
    """Without figures the claim is an ERROR."""
    assert at_least([], share=0.5, limit=40, need=0.95, what="throughput", unit="t/s").outcome is Outcome.ERROR


def test_the_least_itself_is_reached() -> None:
    """At least T includes T."""
    verdict = at_least([40.0] * 30, share=0.5, limit=40, need=0.95, what="throughput", unit="tokens/s")
    assert (verdict.outcome, verdict.misses) == (Outcome.PASS, 0)
