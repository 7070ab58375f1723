"""Which requests a fault with a share applies to."""

import itertools
import math

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from go_live.local_endpoint.faults import Draws, Fault, Faults, Scenario

N = 20_000


def drawn(fault: Fault, n: int = N) -> list[bool]:
    """Whether the fault applies, request by request."""
    draws = Draws(fault)
    return [draws.next() for _ in range(n)]


@given(st.floats(0.01, 0.9), st.integers(1, 2**31))
def test_an_independent_fault_has_its_share(share: float, seed: int) -> None:
    """Of 20,000 requests, within five standard errors."""
    hits = sum(drawn(Fault(scenario=Scenario.FAILED, share=share, seed=seed)))
    assert abs(hits / N - share) < 5 * math.sqrt(share * (1 - share) / N)


@given(st.floats(0.02, 0.5), st.floats(1, 20), st.integers(1, 2**31))
def test_bursts_have_their_share_and_their_length(share: float, burst: float, seed: int) -> None:
    """Of 20,000 requests: the share within what clustering allows, the mean run near ``burst``."""
    assume(share <= burst / (burst + 1))
    hits = drawn(Fault(scenario=Scenario.FAILED, share=share, burst=burst, seed=seed))
    correlation = 1 - 1 / burst - share / ((1 - share) * burst)
    error = math.sqrt(share * (1 - share) / N * (1 + correlation) / (1 - correlation))
    assert (
        abs(sum(hits) / N - share) <= 6 * error + burst / N
    )  # runs of one at a share of a half alternate, without error
    runs = [len(list(run)) for on, run in itertools.groupby(hits) if on]
    deviation = math.sqrt(burst * (burst - 1)) if burst > 1 else 0
    assert abs(sum(runs) / len(runs) - burst) <= 6 * deviation / math.sqrt(len(runs)) + burst / len(runs)


def test_the_share_holds_for_the_first_request_too() -> None:
    """Over 4,000 seeds, the first request meets a burst as often as any other."""
    faults = (Fault(scenario=Scenario.FAILED, share=0.25, burst=10, seed=seed) for seed in range(4000))
    first = sum(Draws(fault).next() for fault in faults)
    assert abs(first / 4000 - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 4000)


def test_one_seed_makes_one_sequence() -> None:
    """Switching the fault on again begins it again; another seed is another sequence."""
    fault = Fault(scenario=Scenario.FAILED, share=0.3, burst=4, seed=9)
    assert drawn(fault, 200) == drawn(fault, 200) != drawn(msgspec.structs.replace(fault, seed=10), 200)
    faults, seen = Faults(), []
    for _ in range(2):
        faults.switch(fault)
        seen.append([faults.use(Scenario.FAILED) is not None for _ in range(200)])
    assert seen[0] == seen[1] == drawn(fault, 200)


def test_a_count_counts_what_applied() -> None:
    """A fault with a share and a count of two ends after it has applied twice, not after two requests."""
    faults = Faults()
    faults.switch(Fault(scenario=Scenario.FAILED, share=0.2, count=2))
    assert sum(faults.use(Scenario.FAILED) is not None for _ in range(200)) == 2


@pytest.mark.parametrize(("share", "burst"), [(0.6, 1), (1.0, 3), (0.99, 10)])
def test_bursts_that_no_sequence_can_make_are_refused(share: float, burst: float) -> None:
    """The pauses between them would be shorter than one request."""
    with pytest.raises(ValueError, match="cannot cover"):
        Fault(scenario=Scenario.FAILED, share=share, burst=burst)
