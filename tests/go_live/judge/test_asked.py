"""What is asked of each request is what the verdicts judge whole runs by."""

import msgspec
import pytest

from go_live.config import Config, load
from go_live.judge import asked, claims, soak
from go_live.judge.asked import Asked
from go_live.load.verdicts import soak_verdicts
from go_live.outcome import Outcome, Verdict
from go_live.records import ErrorClass, Record
from tests.go_live.judge.builders import SLO, SOAK, record
from tests.go_live.load.conftest import ROOT

MIXED = [
    *(record(seq) for seq in range(40)),
    *(record(seq, done=record(seq).due + 9.0, delay_ms=6000, execution_ms=5500) for seq in range(40, 60)),
    *(record(seq, error=ErrorClass.WRONG) for seq in range(60, 70)),
    *(record(seq, error=ErrorClass.FAILED, execution_ms=None, output_tokens=None) for seq in range(70, 75)),
    record(75, done=None),
]
"""Quick, slow, wrong and failed requests, and one that never ended."""


@pytest.fixture(scope="module")
def config() -> Config:
    """The shipped limits."""
    return load(ROOT / "golive.toml")


def agree(one: Asked, verdict: Verdict, records: list[Record]) -> None:
    """The same words, and the same misses."""
    assert verdict.claim.endswith(one.claim)
    assert verdict.misses == sum(not one.holds(each) for each in records)


@pytest.mark.parametrize("index", range(6))
def test_a_level_is_asked_what_it_is_judged_by(index: int) -> None:
    """Claim by claim, in the same order."""
    assert len(asked.of_level(SLO)) == len(claims.LEVEL) == claims.LEVEL_CLAIMS
    agree(asked.of_level(SLO)[index], claims.LEVEL[index](SLO, MIXED, level="c=2"), MIXED)


def test_a_soak_is_asked_what_it_is_judged_by() -> None:
    """Its two percentiles, by its own rule."""
    run = [msgspec.structs.replace(one, phase="soak") for one in MIXED]
    for one, verdict in zip(
        asked.of_soak(SOAK, SLO), (soak.total_p50(SOAK, SLO, run), soak.total_p95(SOAK, SLO, run)), strict=True
    ):
        agree(one, verdict, run)
        assert one.rule == soak.rule(SLO)


def test_a_soak_by_hand_is_asked_what_it_is_judged_by(config: Config) -> None:
    """All four of its shares, with the scope in their words."""
    run = [msgspec.structs.replace(one, phase="soak") for one in MIXED]
    verdicts = {verdict.claim: verdict for verdict in soak_verdicts(config, run, 60)[0]}
    for one in asked.of_soak_alone(config):
        agree(one, verdicts[one.claim], run)


@pytest.mark.parametrize(
    ("key", "changes"),
    [("exec_p95", {"execution_ms": None}), ("queue_p50", {"delay_ms": None}), ("throughput", {"output_tokens": None})],
)
def test_a_figure_that_was_not_reported_speaks_for_nothing(key: str, changes: dict[str, None]) -> None:
    """The verdict on it will be ERROR: no miss is made of it before."""
    (one,) = (one for one in asked.of_level(SLO) if one.key == key)
    assert one.holds(record(0, **changes))
    assert not one.holds(record(0, error=ErrorClass.FAILED, **changes))
    assert claims.load_claims(SLO, [record(0, **changes)], level="c=2")[0].outcome is not Outcome.FAIL


def test_a_clock_that_stands_still_breaks_nothing() -> None:
    """An answer in no time at all is fast; that no time passed is found by the claims on the measurement."""
    (one,) = (one for one in asked.of_level(SLO) if one.key == "throughput")
    assert one.holds(record(0, due=1.0, done=1.0, output_tokens=150))
