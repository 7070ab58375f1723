"""The judge of a step: what counts, what is shown, what is refuted, and what is missing."""

import math

import hypothesis
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.gateway.split import Split
from go_live.gateway.telemetry import Served
from go_live.monitor.metrics import RequestOutcome
from go_live.outcome import Outcome
from go_live.records import ErrorClass
from go_live.rollout import bounds, pairs
from go_live.rollout.judging import Judged, judge, patience
from go_live.rollout.seen import Patience, Request, kind, see
from go_live.table import Floats
from rehearsal.traffic import Quality, requests
from selftest.rollout_world import settings

CONFIG = settings()
PATIENCE = Patience(gone_ms=8000, timeout_s=45)


def seen(quality: Quality, seconds: float, *, percent: int = 10, current: Quality | None = None) -> list[Request]:
    """The requests of one step."""
    split, qualities = Split(), {"current": current or Quality(), "candidate": quality}
    lines = requests(qualities, lambda: split.pick(percent), begin=1e9, seconds=seconds, per_second=1, seed=7)
    return [msgspec.convert(line, Request) for line in lines]


def judged(quality: Quality, seconds: float = 7200, *, percent: int = 10, current: Quality | None = None) -> Judged:
    """A step after so many seconds."""
    found = seen(quality, seconds, percent=percent, current=current)
    return judge(found, percent=percent, elapsed_s=seconds, config=CONFIG)


def test_the_gateways_own_lines_are_read() -> None:
    """What the gateway writes of a request is what the judge reads, field by field."""
    served = Served(
        wall=1.0,
        endpoint="new",
        caller="web",
        outcome=RequestOutcome.OK,
        total_ms=5.0,
        wait_ms=1.0,
        delay_ms=2.0,
        exec_ms=3.0,
        tokens=4,
        arm="candidate",
        rollout="r",
        serial=6,
    )
    request = msgspec.json.decode(msgspec.json.encode(served), type=Request)
    assert all(getattr(request, name) == getattr(served, name) for name in Request.__struct_fields__)


@pytest.mark.parametrize(
    ("outcome", "service_ms", "expected"),
    [
        (RequestOutcome.OK, 60_000, "ok"),
        (RequestOutcome.FAILED, 5, "failed"),
        (RequestOutcome.REFUSED, 5, "refused"),
        (RequestOutcome.REJECTED, 5, "rejected"),
        (RequestOutcome.TIMEOUT, 7_999, "gone"),
        (RequestOutcome.TIMEOUT, 8_000, "failed"),
    ],
)
def test_what_a_request_says(outcome: RequestOutcome, service_ms: float, expected: str) -> None:
    """A caller who goes early says nothing; one who had to wait that long has met a failure."""
    request = Request(wall=0, outcome=outcome, total_ms=service_ms + 100, wait_ms=100, error=ErrorClass.CANCELLED)
    assert kind(request, PATIENCE) == expected


def test_only_what_came_early_enough_has_settled() -> None:
    """A request that came within the client's time before the last end is not settled, however soon it was answered."""
    found = [
        Request(wall=at, outcome=RequestOutcome.OK, total_ms=1000, wait_ms=0, arm="candidate")
        for at in (0, 10, 54, 100)
    ]
    both = see(found, PATIENCE)
    assert (both.candidate.n, both.settled(PATIENCE).candidate.n) == (4, 3)


def test_an_equal_candidate_passes() -> None:
    """Every claim of its own and beside the current is shown, and nothing is missing."""
    found = judged(Quality())
    assert (found.outcome, len(found.verdicts), found.missing) == (Outcome.PASS, 11, ())


@pytest.mark.parametrize(
    ("quality", "claim"),
    [
        (Quality(fails=0.05), "success rate is at least 99 %"),
        (Quality(exec_ms=2600), "exec time is at most 10 % above"),
        (Quality(network_ms=1500), "total time is at most 10 % above"),
        (Quality(tokens=0), "answers are at most 10 % shorter"),
        (Quality(tokens=120), "answers are at most 10 % shorter"),
        (Quality(refuses=0.3), "guardrails refuse at most 5 points more"),
        (Quality(dies_after=3600), "the candidate answers: "),
        (Quality(exec_ms=9000), "exec p50 is at most 3000 ms"),
    ],
)
def test_a_bad_candidate_is_shown_to_be_bad(quality: Quality, claim: str) -> None:
    """Each way of being worse is refuted, and named."""
    found = judged(quality)
    assert found.outcome is Outcome.FAIL
    refuted = [f"{one.claim}: {one.reason}" for one in found.verdicts if one.outcome is Outcome.FAIL]
    assert any(one.startswith(claim) for one in refuted), refuted


def test_what_both_endpoints_suffer_is_not_the_candidates() -> None:
    """When both slow down alike, the comparison stays a PASS: both are judged on the same interval."""
    slow = Quality(exec_ms=2900)
    found = judged(slow, current=slow)
    beside = [one for one in found.verdicts if one.unit == "ratio"]
    assert [one.outcome for one in beside] == [Outcome.PASS] * 3


def test_a_step_says_what_it_waits_for() -> None:
    """Requests of which arm, how many more, and how long that takes at the present rate."""
    found = judged(Quality(), 1200)
    (least, more) = found.missing
    assert (least.seconds, more.arm) == (600, "candidate")
    assert more.requests is not None
    pace = found.candidate.said / 1200
    assert more.seconds == pytest.approx(more.requests / pace)
    assert found.outcome is Outcome.INCONCLUSIVE


def test_no_pass_before_its_time() -> None:
    """All claims are shown at 50 % within a quarter of an hour; the step still lasts its least time."""
    found = judge(seen(Quality(), 1500, percent=50), percent=50, elapsed_s=1500, config=CONFIG)
    assert {one.outcome for one in found.verdicts} == {Outcome.PASS}
    assert (found.outcome, len(found.missing)) == (Outcome.INCONCLUSIVE, 1)


@pytest.mark.parametrize("elapsed_s", [0.0, 3600.0])
def test_nothing_seen_is_no_pass(elapsed_s: float) -> None:
    """Without a request a step is undecided, however long it lasts."""
    found = judge([], percent=10, elapsed_s=elapsed_s, config=CONFIG)
    assert (found.outcome, bool(found.missing)) == (Outcome.INCONCLUSIVE, True)


def test_without_the_current_endpoint_there_is_nothing_to_compare_with() -> None:
    """A step in which only the candidate was asked holds, and says which arm is missing."""
    alone = [one for one in seen(Quality(), 7200, percent=50) if one.arm == "candidate"]
    found = judge(alone, percent=50, elapsed_s=7200, config=CONFIG)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert [one.arm for one in found.missing if one.arm == "current"] == ["current"]


def test_a_figure_that_is_not_told_is_no_pass() -> None:
    """Where the platform tells no execution time, the step cannot be judged: ERROR."""
    untold = [msgspec.structs.replace(one, exec_ms=None) for one in seen(Quality(), 7200)]
    found = judge(untold, percent=10, elapsed_s=7200, config=CONFIG)
    assert found.outcome is Outcome.ERROR
    assert "came without the figure" in found.reason


def test_a_fail_survives_what_is_under_way() -> None:
    """Two failures of two refute a success rate of 99 % only once more than the cap could not make up for it."""
    failures = [
        Request(wall=at, outcome=RequestOutcome.FAILED, total_ms=10, wait_ms=0, arm="candidate") for at in (0.0, 1.0)
    ]
    two = judge(failures, percent=10, elapsed_s=60, config=CONFIG)
    assert two.outcome is not Outcome.FAIL
    three = judge([*failures, msgspec.structs.replace(failures[0], wall=2.0)], percent=10, elapsed_s=60, config=CONFIG)
    assert three.outcome is Outcome.FAIL


def test_patience_follows_golive_toml() -> None:
    """A caller's patience is the p95 limit, and never the client's whole time."""
    assert patience(CONFIG) == Patience(gone_ms=8000, timeout_s=45)
    hasty = msgspec.structs.replace(CONFIG, client=msgspec.structs.replace(CONFIG.client, timeout_s=5))
    assert patience(hasty) == Patience(gone_ms=4500, timeout_s=5)


TIMES = st.lists(st.floats(0, 1000), max_size=40).map(lambda found: np.sort(np.array(found, dtype=np.float64)))


@hypothesis.settings(max_examples=30)
@given(TIMES, TIMES, st.sampled_from([1, 3, 5]), st.integers(0, 40))
def test_pairs_are_disjoint_and_stay(candidate: Floats, current: Floats, k: int, cut: int) -> None:
    """Each current request is used once, and what comes later changes no pair that was made."""
    found = pairs.pair(candidate, current, k)
    assert len(set(found.current.ravel().tolist())) == found.current.size
    edge = candidate[cut] if cut < len(candidate) else math.inf
    before = pairs.pair(candidate[candidate < edge], current[current < edge], k)
    n = len(before.candidate)
    assert before.candidate.tolist() == found.candidate[:n].tolist()
    assert before.current.tolist() == found.current[:n].tolist()


@pytest.mark.parametrize(("percent", "k"), [(10, 7), (25, 1), (50, 1), (99, 1), (5, 15)])
def test_blocks_are_odd_and_leave_room(percent: int, k: int) -> None:
    """A median needs an odd number, and blocks must not use up all that came."""
    assert pairs.block_size(percent) == k


@pytest.mark.parametrize("k", [1, 3, 7])
def test_an_equal_candidate_is_above_the_median_half_of_the_time(k: int) -> None:
    """P(candidate above the median beside it) is 1/2 for equal endpoints: what the test rests on."""
    draw, n = np.random.default_rng(1), 20_000
    found = pairs.Pairs(np.arange(n), np.arange(n * k).reshape(n, k))
    above = pairs.slower(pairs.ratios(draw.lognormal(size=n), draw.lognormal(size=n * k), found), 0.0)
    assert above.mean() == pytest.approx(0.5, abs=0.015)


def test_ratios_of_what_failed_and_what_was_not_told() -> None:
    """Both failed: equal. The candidate alone: infinitely slower. Untold on either side: no pair."""
    mine, beside = np.array([np.inf, np.inf, 5.0, np.nan, 0.0]), np.array([np.inf, 5.0, np.inf, 5.0, 0.0])
    found = pairs.ratios(mine, beside, pairs.Pairs(np.arange(5), np.arange(5)[:, None]))
    assert found.tolist()[:3] == [1.0, np.inf, 0.0]
    assert math.isnan(found[3])
    assert found[4] == 1.0


@hypothesis.settings(max_examples=30)
@given(st.integers(0, 300), st.integers(0, 300), st.sampled_from([0.05, 0.01]))
def test_bounds_enclose_the_share(misses: int, ok: int, alpha: float) -> None:
    """The interval holds the observed share, and a smaller alpha makes it no narrower."""
    n = misses + ok
    low, high = bounds.lowest(misses, n, alpha), bounds.highest(misses, n, alpha)
    assert 0 <= low <= high <= 1
    if n:
        assert low <= ok / n <= high
    assert bounds.lowest(misses, n, alpha / 2) <= low + 1e-9


@pytest.mark.parametrize(
    ("candidate", "current", "expected"),
    [
        ((0, 0), (0, 100), Outcome.INCONCLUSIVE),
        ((0, 400), (0, 4000), Outcome.INCONCLUSIVE),
        ((0, 600), (0, 4000), Outcome.PASS),
        ((0, 600), (0, 0), Outcome.PASS),  # nobody's success rate is above 1
        ((20, 400), (0, 4000), Outcome.FAIL),
        ((20, 400), (0, 0), Outcome.INCONCLUSIVE),
    ],
)
def test_one_share_is_not_lower_than_another(
    candidate: tuple[int, int], current: tuple[int, int], expected: Outcome
) -> None:
    """Shown, refuted or undecided, at a margin of one point."""
    assert bounds.not_lower(candidate, current, 0.01, 0.05, 0.0015) is expected
