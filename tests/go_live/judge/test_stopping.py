"""When a soak may end early, and what a level's progress may say, held against the tests that judge them."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.judge import binomial, eprocess
from go_live.judge.asked import Asked
from go_live.judge.stopping import LevelWatch, SoakWatch
from go_live.judge.tally import Rule
from go_live.outcome import Outcome
from go_live.records import ErrorClass, Record
from go_live.table import Table
from tests.go_live.judge.builders import record

RULE = Rule(0.95, family=3, anytime=True)
IN_FLIGHT = 2


def share(p0: float, rule: Rule = RULE) -> Asked:
    """The claim that a share ``p0`` is answered."""
    return Asked(key="ok", claim="ok", p0=p0, rule=rule, holds=lambda one: one.ok, missed="not ok")


def request(seq: int, *, ok: bool) -> Record:
    """One request of a soak, one a second."""
    return record(
        seq,
        phase="soak",
        due=float(seq),
        wall=1e9 + seq,
        done=seq + 1.0,
        error=None if ok else ErrorClass.FAILED,
    )


def watch(p0: float = 0.95, *, planned_s: float = 1e-9, when_decided: bool = False, rule: Rule = RULE) -> SoakWatch:
    """A watch of one claim; by default of a soak so short that it may end at once."""
    return SoakWatch([share(p0, rule)], planned_s=planned_s, in_flight=IN_FLIGHT, when_decided=when_decided)


@given(st.sampled_from([0.5, 0.95, 0.99]), st.floats(0, 1), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_it_ends_at_the_first_look_at_which_fail_is_certain(p0: float, rate: float, seed: int) -> None:
    """Looked at after each request, it says so at exactly those at which the full test does, all in flight ok."""
    oks = np.random.default_rng(seed).random(300) >= rate
    watching, misses = watch(p0), 0
    for seq, ok in enumerate(oks.tolist()):
        misses += not ok
        watching.add(request(seq, ok=ok))
        certain = eprocess.decide(misses, seq + 1 + IN_FLIGHT, p0, RULE.alpha, RULE.alpha_fail) is Outcome.FAIL
        assert (watching.failed() is not None) is certain


@given(st.sampled_from([0.5, 0.95]), st.floats(0, 0.3), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_it_is_decided_at_the_first_look_at_which_pass_is_certain(p0: float, rate: float, seed: int) -> None:
    """As above, with all in flight missing; bursts of one apart (misses never follow each other here)."""
    oks = np.random.default_rng(seed).random(300) >= rate
    oks[1:] |= ~oks[:-1]
    watching, misses = watch(p0), 0
    for seq, ok in enumerate(oks.tolist()):
        misses += not ok
        watching.add(request(seq, ok=ok))
        pass_ = eprocess.decide(misses + IN_FLIGHT, seq + 1 + IN_FLIGHT, p0, RULE.alpha, RULE.alpha_fail)
        fail = eprocess.decide(misses, seq + 1 + IN_FLIGHT, p0, RULE.alpha, RULE.alpha_fail)
        assert (watching.decided() is not None) is (pass_ is Outcome.PASS or fail is Outcome.FAIL)


def test_a_slow_beginning_is_not_the_soak() -> None:
    """All of the first 99 of 1000 seconds fail, and the soak goes on; with the 100th it is over, and stays so."""
    watching = watch(planned_s=1000)
    for seq in range(99):
        watching.add(request(seq, ok=False))
        assert watching.ended() is None
    watching.add(request(99, ok=False))
    said = watching.ended()
    assert said is not None
    assert said.startswith("ok is refuted, whatever comes of what is in flight: 100 of 100 requests not ok, and ")
    for seq in range(100, 5000):
        watching.add(request(seq, ok=True))
    assert watching.ended() == said


def test_the_sentence_names_the_count_that_was_enough() -> None:
    """It is the count from which the test refutes the claim."""
    watching = watch(planned_s=1000)
    for seq in range(200):
        watching.add(request(seq, ok=seq % 3 > 0))
    fewest = eprocess.failing_misses(200 + IN_FLIGHT, 0.95, RULE.alpha_fail)
    assert f"67 of 200 requests not ok, and {fewest} are enough at 98.3 % confidence" in (watching.ended() or "")


def test_a_healthy_soak_is_served_to_its_end() -> None:
    """However clearly it passes; unless it was asked to end once all is decided."""
    to_the_end, when_decided = watch(planned_s=1000), watch(planned_s=1000, when_decided=True)
    for seq in range(400):
        for one in (to_the_end, when_decided):
            one.add(request(seq, ok=True))
    assert to_the_end.ended() is None
    assert when_decided.ended() == "all 1 claims on shares of requests are decided"


def test_bursts_keep_a_pass_open() -> None:
    """Nine misses in a row among 700: the counts pass, the burst takes that away, and it is not looked at each time."""
    watching = watch(when_decided=True)
    for seq in range(700):
        watching.add(request(seq, ok=not 300 <= seq < 309))
    assert eprocess.decide(9 + IN_FLIGHT, 702, 0.95, RULE.alpha, RULE.alpha_fail) is Outcome.PASS
    assert watching.decided() is None
    watching.add(request(700, ok=True))
    assert watching.decided() is None


def test_a_pause_is_not_served() -> None:
    """An hour between kill and resume is no part of the tenth that has to be served."""
    watching = watch(planned_s=1000)
    assert watching.served_s == 0
    for seq in (0, 1, 2, 3600, 3601):
        watching.add(request(seq, ok=True))
    assert watching.served_s == pytest.approx(5)
    watching.add(record(9, wall=1e9 + 3602, done=None))
    assert watching.served_s == pytest.approx(5)


def test_what_came_before_the_soak_counts() -> None:
    """Success is judged over levels and soak together: 900 good requests before it outweigh a bad minute."""
    before = Table.of([request(seq, ok=True) for seq in range(900)])
    alone, pooled = watch(0.5), SoakWatch([share(0.5)], planned_s=1e-9, in_flight=IN_FLIGHT, before=before)
    for seq in range(60):
        for one in (alone, pooled):
            one.add(request(seq, ok=False))
    assert alone.ended() is not None
    assert pooled.ended() is None


@given(st.integers(1, 200), st.floats(0, 1), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_level_is_told_once_what_is_certain(planned: int, rate: float, seed: int) -> None:
    """Told at the miss that makes it certain, or never; and then the whole level fails."""
    rule = Rule(0.95, family=6)
    oks = np.random.default_rng(seed).random(planned) >= rate
    watching = LevelWatch([share(0.95, rule)], level="c=2", planned=planned)
    told = [line for seq, ok in enumerate(oks.tolist()) for line in watching.add(request(seq, ok=ok))]
    outcome = binomial.decide(int((~oks).sum()), planned, 0.95, rule.alpha, rule.alpha_fail)
    assert len(told) == (outcome is Outcome.FAIL)


def test_what_is_told_of_a_level() -> None:
    """The claim, the counts so far, and how many misses refute it."""
    watching = LevelWatch([share(0.95, Rule(0.95, family=6))], level="c=2", planned=124)
    told = [line for seq in range(20) for line in watching.add(request(seq, ok=False))]
    assert told == ["c=2: ok is certain to fail: 14 of 14 requests not ok, and 14 of the planned 124 refute it"]


@given(
    st.integers(1, 200),
    st.lists(st.sampled_from([0.5, 0.95, 0.99]), min_size=1, max_size=3),
    st.floats(0, 1),
    st.integers(0, 2**32),
)
@settings(max_examples=100, deadline=None)
def test_a_level_that_ended_early_says_what_the_whole_would_have(
    planned: int, shares: list[float], rate: float, seed: int
) -> None:
    """Each claim has the outcome on what was served that it has on all that was planned: each fails."""
    rule = Rule(0.95, family=6)
    asked = [msgspec.structs.replace(share(p0, rule), key=str(number)) for number, p0 in enumerate(shares)]
    missed = np.random.default_rng(seed).random(planned) < rate
    watching = LevelWatch(asked, level="c=2", planned=planned)
    served = next((seq for seq in range(planned) if fed(watching, seq, missed=bool(missed[seq]))), planned - 1) + 1

    def outcomes(n: int) -> list[Outcome]:
        return [binomial.decide(int(missed[:n].sum()), n, p0, rule.alpha, rule.alpha_fail) for p0 in shares]

    if served < planned:
        assert outcomes(served) == outcomes(planned) == [Outcome.FAIL] * len(shares)


def fed(watching: LevelWatch, seq: int, *, missed: bool) -> bool:
    """Whether the level is to end after one more request."""
    watching.add(request(seq, ok=not missed))
    return watching.ended() is not None


def test_a_level_that_can_only_fail_ends() -> None:
    """When nothing is answered any more, a few misses of 124 fail p95 and many the median: then no claim is open."""
    rule = Rule(0.95, family=6)
    watching = LevelWatch([share(0.95, rule), share(0.5, rule)], level="c=2", planned=124)
    ended = [seq + 1 for seq in range(124) if fed(watching, seq, missed=True)]
    least = binomial.failing_misses(124, 0.5, rule.alpha_fail)
    assert ended == list(range(least or 0, 125))
    assert [one.p0 for one in watching.failing()] == [0.95, 0.5]


def test_a_level_with_an_open_claim_goes_on() -> None:
    """p95 fails after a few misses; as long as the median is open the level is served, and a healthy one to its end."""
    rule = Rule(0.95, family=6)
    sick = LevelWatch([share(0.95, rule), share(0.5, rule)], level="c=2", planned=124)
    well = LevelWatch([share(0.95, rule), share(0.5, rule)], level="c=2", planned=124)
    assert not any(fed(sick, seq, missed=seq % 2 > 0) for seq in range(60))
    assert sick.failing()
    assert not any(fed(well, seq, missed=False) for seq in range(124))
