"""The long form of ``tests/operating``: error rates and sizes of the gate's tests, printed beside earlier figures.

Nothing is timed; these figures take two minutes, which is why they stand here. The earlier figures come from
simulations of 200 to 1000 runs, good to two or three points; those of the fixed test are of PASS and FAIL together.
"""

from math import inf

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.table import show
from go_live.judge.claims import LEVEL_CLAIMS
from go_live.judge.samples import FAMILY as SAMPLES
from go_live.judge.soak import FAMILY
from go_live.judge.stability import soak_trends
from go_live.judge.tally import Rule
from go_live.outcome import Outcome
from tests.go_live.judge.builders import DRIFT
from tests.go_live.judge.test_stability import healthy_soaks
from tests.operating.characteristics import bursts, ever, median, resumed, touched

CONFIDENCE = 0.95
ALPHA = 1 - CONFIDENCE
PASS, FAIL = Outcome.PASS, Outcome.FAIL
LOOKS = 10_000
PUBLISHED_LOOKS = 3_000
SOAK, ALONE, FIXED = Rule(CONFIDENCE, family=FAMILY, anytime=True), Rule(CONFIDENCE, anytime=True), Rule(CONFIDENCE)
RUNS = 20_000
P95_PASSES_MAX, P95_FAILS_MAX, SUCCESS_PASSES_MAX = 140, 45, 460
"""Most requests, by the median: p95 at a true 0.99, p95 at a true 0.80 in each of the tool's families, 99 % without a
miss."""
FAMILIES = (FAMILY, SAMPLES, LEVEL_CLAIMS)
DRIFT_RUNS, DRIFT_ALARMS_MAX = 2_000, 0.10
"""False alarms of a soak's whole family of trends, on AR(1) noise with rho 0.5."""

COLUMNS = ("rule", "truth", "how", "figure", "earlier", "bar")
Row = tuple[str, str, str, float, str, str]


def independent() -> list[Row]:
    """Looked at after each of many requests, at the limit exactly; exact."""
    rows: list[Row] = []
    for p0, published in ((0.95, "4.8 %"), (0.99, "2.5 %")):
        passed, failed = (touched(outcome, true=p0, p0=p0, rule=SOAK, n=LOOKS)[-1] for outcome in (PASS, FAIL))
        bar = f"{ALPHA / FAMILY * 100:.3g} %"
        rows.append((f"soak, {LOOKS} looks: PASS, %", f"{p0}", "exact", passed * 100, published, "5 %"))
        rows.append((f"soak, {LOOKS} looks: FAIL, %", f"{p0}", "exact", failed * 100, "", bar))
        assert passed <= ALPHA
        assert failed <= ALPHA / FAMILY
    for p0, published in ((0.95, "62.5 % either"), (0.99, "47 % either")):
        for outcome in (PASS, FAIL):
            found = touched(outcome, true=p0, p0=p0, rule=FIXED, n=PUBLISHED_LOOKS)[-1]
            rule = f"fixed test, {PUBLISHED_LOOKS} looks: {outcome.name}, %"
            rows.append((rule, f"{p0}", "exact", found * 100, published, "(not done)"))
    return rows


def sizes() -> list[Row]:
    """Median requests to a decision at every look; exact."""
    rows: list[Row] = []
    for true, published, bar in (
        (1.0, "88", inf),
        (0.99, "134", P95_PASSES_MAX),
        (0.98, "244", inf),
        (0.97, "600", inf),
    ):
        rows.append(_size(PASS, true, 0.95, ALONE, published, bar))
    for true, published in ((0.9, "228"), (0.8, "24"), (0.5, "3")):
        rows.append(_size(FAIL, true, 0.95, ALONE, published))
    for family, published in ((3, ""), (4, "37"), (6, ""), (12, "45")):
        rule = Rule(CONFIDENCE, family=family, anytime=True)
        rows.append(_size(FAIL, 0.8, 0.95, rule, published, P95_FAILS_MAX if family in FAMILIES else inf))
    rows.append(_size(PASS, 1.0, 0.99, ALONE, "449", SUCCESS_PASSES_MAX))
    rows.append(_size(PASS, 0.995, 0.99, ALONE, ""))
    for true, published in ((0.98, "1620"), (0.95, "116"), (0.9, "25")):
        rows.append(_size(FAIL, true, 0.99, ALONE, published))
    return rows


def _size(outcome: Outcome, true: float, p0: float, rule: Rule, published: str, bar: float = inf) -> Row:
    """The median number of requests by which ``outcome`` was shown, against its bar."""
    found = median(touched(outcome, true=true, p0=p0, rule=rule, n=PUBLISHED_LOOKS))
    assert found <= bar, (outcome, true, p0, found)
    name = f"P(ok) >= {p0}: {outcome.name}, median n"
    alpha = f"at alpha/{rule.family}, exact" if rule.family > 1 else "exact"
    return (name, f"{true}", alpha, found, published, "" if bar == inf else f"{bar:g}")


def dependent() -> list[Row]:
    """Killed runs that go on, and bursts; simulated."""
    rows: list[Row] = []
    for p0 in (0.95, 0.99):
        passed = [
            ever(resumed(RUNS // 10, PUBLISHED_LOOKS, true=p0, kills=5, open_=3, seed=seed), p0=p0, rule=SOAK).mean()
            for seed in range(10)
        ]
        found = float(np.mean(passed))
        rows.append(("killed 5 times, resumed: PASS, %", f"{p0}", f"n = {RUNS}", found * 100, "", "5 %"))
        assert found <= ALPHA
    for length, n, published in ((3, 5_400, "45 %, 0.7 %"), (10, 18_000, "88 %, 1.3 %")):
        parts = [bursts(RUNS // 40, n, p0=0.95, length=length, seed=seed) for seed in range(10)]
        runs = sum(map(len, parts))
        for declared in (1, length):
            found = float(np.mean([ever(part, p0=0.95, rule=SOAK, burst_length=declared).mean() for part in parts]))
            rule = f"bursts of {length}, judged for {declared}: PASS, %"
            rows.append((rule, "0.95", f"n = {runs}", found * 100, published, "5 %" if declared > 1 else "(not done)"))
            assert declared == 1 or found <= ALPHA
    for n, cv in ((120, 0.1), (600, 0.25)):
        alarms = sum(
            any(verdict.outcome is not PASS for verdict in soak_trends(series, DRIFT))
            for series in healthy_soaks(DRIFT_RUNS, n, cv)
        )
        found = alarms / DRIFT_RUNS
        rule = f"family of trends, {n} requests: alarm, %"
        rows.append((rule, "AR(1) 0.5", f"n = {DRIFT_RUNS}", found * 100, "5 to 29 % each", "10 %"))
        assert found <= DRIFT_ALARMS_MAX
    return rows


@pytest.mark.timeout(1800)
def test_error_rates_and_sizes(benchmark: BenchmarkFixture) -> None:
    """False PASS at most alpha, false FAIL at most alpha/m, false alarms of the drift family at most 10 %."""
    rows = benchmark.pedantic(lambda: [*independent(), *sizes(), *dependent()])  # type: ignore[no-untyped-call]  # the plugin is untyped
    show(f"operating characteristics at {CONFIDENCE:.0%} confidence", COLUMNS, rows)
