"""Which waivers count: every fact about one is varied, and only the one right combination is used."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.outcome import SATISFYING, Outcome
from go_live.waivers import (
    DAY_S,
    MAX_DAYS,
    WAIVABLE,
    Judged,
    Standing,
    Terms,
    Waiver,
    foreseen,
    judge,
    person,
    same_person,
    used,
)

NOW = 1_795_430_000.0
COMMIT = "3389986f0d" * 4
WAIVER = Waiver(
    item="PERF-4",
    profile="production",
    owner="Ada Lovelace <ada@example.org>",
    approver="Grace Hopper <grace@example.org>",
    reason="the limit is renegotiated",
    issued="2026-11-20",
    expires="2026-12-10",
    issued_at=NOW - 3 * DAY_S,
    expires_at=NOW + 17 * DAY_S,
    source="waivers.toml, waiver 1 (PERF-4)",
    approval="signed commit 3389986f0d33 by grace@example.org",
    version="v1.0-production",
)
TERMS = Terms(now=NOW, version="v1.0-production", commit=COMMIT, never=("SEC-3",))


def judged(outcome: Outcome | None = Outcome.FAIL, **changes: Any) -> Judged:
    """What one waiver comes to when its item is ``outcome`` (None: the run does not decide on it)."""
    waiver = msgspec.structs.replace(WAIVER, **changes)
    outcomes = {} if outcome is None else {waiver.item: outcome}
    (found,) = judge(outcomes, profile="production", terms=msgspec.structs.replace(TERMS, waivers=(waiver,)))
    return found


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.INCONCLUSIVE])
def test_a_waiver_that_fits_counts(outcome: Outcome) -> None:
    """FAIL and INCONCLUSIVE are waived, and the outcome is named as it is."""
    found = judged(outcome)
    assert found.standing is Standing.USED
    assert found.why == f"PERF-4 is {outcome.name}"
    assert used([found]) == {"PERF-4": WAIVER}


@pytest.mark.parametrize(
    ("changes", "standing", "why"),
    [
        ({"profile": "rehearsal"}, Standing.OUT_OF_SCOPE, "profile rehearsal"),
        ({"version": "v0.9-production"}, Standing.OUT_OF_SCOPE, "version v0.9-production"),
        ({"version": None, "commit": "0" * 12}, Standing.OUT_OF_SCOPE, "commit 000000000000"),
        ({"item": "SEC-3"}, Standing.FORBIDDEN, "SEC-3 can never be waived"),
        ({"refused": "its approval cannot be verified"}, Standing.FORBIDDEN, "cannot be verified"),
        ({"approval": ""}, Standing.FORBIDDEN, "nothing shows its approval"),
        ({"issued_at": NOW + 1}, Standing.FORBIDDEN, "has not come yet"),
        ({"expires_at": NOW + (MAX_DAYS - 3) * DAY_S + 1}, Standing.FORBIDDEN, "more than 30 days"),
        ({"expires_at": NOW}, Standing.EXPIRED, "held until 2026-12-10"),
        ({"issued_at": math.nan}, Standing.FORBIDDEN, "has not come yet"),
        ({"expires_at": math.nan}, Standing.FORBIDDEN, "more than 30 days"),
    ],
)
def test_one_wrong_fact_is_enough(changes: dict[str, Any], standing: Standing, why: str) -> None:
    """A waiver of something else, without approval, or out of its time does not count, and the reason is told."""
    found = judged(**changes)
    assert found.standing is standing
    assert why in found.why
    assert used([found]) == {}


def test_a_commit_is_named_by_its_beginning() -> None:
    """A waiver for the commit that is decided on counts, whether it names all of it or its first digits."""
    for commit in (COMMIT, COMMIT[:12]):
        assert judged(version=None, commit=commit).standing is Standing.USED


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.NOT_RUN])
def test_what_was_not_measured_cannot_be_waived(outcome: Outcome) -> None:
    """ERROR and NOT_RUN stay in the way."""
    found = judged(outcome)
    assert found.standing is Standing.FORBIDDEN
    assert "not measured" in found.why


@pytest.mark.parametrize("outcome", [*sorted(SATISFYING), None])
def test_a_waiver_of_nothing_is_told(outcome: Outcome | None) -> None:
    """Where the item holds, or the run does not decide on it, the waiver is unused."""
    assert judged(outcome).standing is Standing.UNUSED


def test_an_item_is_waived_once() -> None:
    """The second waiver of an item is unused, so that nobody believes to be needed who is not."""
    other = msgspec.structs.replace(WAIVER, owner="Lin", version=None, commit=COMMIT)
    terms = msgspec.structs.replace(TERMS, waivers=(WAIVER, other))
    first, second = judge({"PERF-4": Outcome.FAIL}, profile="production", terms=terms)
    assert (first.standing, second.standing) == (Standing.USED, Standing.UNUSED)
    assert used([first, second]) == {"PERF-4": WAIVER}


def test_what_will_not_count_is_known_before_the_run() -> None:
    """Of the waivers of this scope, those that are forbidden or expired are told before an hour is measured."""
    wrong = msgspec.structs.replace(WAIVER, item="SOAK-2", refused="its approval cannot be verified")
    past = msgspec.structs.replace(WAIVER, item="SOAK-3", expires_at=NOW)
    elsewhere = msgspec.structs.replace(wrong, profile="rehearsal")
    terms = msgspec.structs.replace(TERMS, waivers=(WAIVER, wrong, past, elsewhere))
    assert foreseen(profile="production", terms=terms) == (
        "waivers.toml, waiver 1 (PERF-4) will not count: its approval cannot be verified",
        "waivers.toml, waiver 1 (PERF-4) will not count: it held until 2026-12-10",
    )


@given(
    outcome=st.sampled_from(Outcome),
    profile=st.sampled_from(["production", "rehearsal"]),
    version=st.sampled_from(["v1.0-production", "v0.9-production"]),
    item=st.sampled_from(["PERF-4", "SEC-3"]),
    refused=st.sampled_from(["", "no"]),
    age=st.floats(-40, 40),
    days=st.floats(0.1, 40),
)
def test_nothing_but_the_right_combination_counts(
    *, outcome: Outcome, profile: str, version: str, item: str, refused: str, age: float, days: float
) -> None:
    """A waiver is used if and only if every fact about it is in order, and not a day longer than it lasts."""
    issued = NOW - age * DAY_S
    found = judged(
        outcome,
        profile=profile,
        version=version,
        item=item,
        refused=refused,
        issued_at=issued,
        expires_at=issued + days * DAY_S,
    )
    in_scope = profile == "production" and version == "v1.0-production"
    in_time = issued <= NOW < issued + days * DAY_S and (issued + days * DAY_S) - issued <= MAX_DAYS * DAY_S
    right = in_scope and in_time and item != "SEC-3" and not refused and outcome in WAIVABLE
    assert (found.standing is Standing.USED) == right


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada Lovelace", "ada  lovelace", True),
        ("Ada Lovelace <ada@example.org>", "A. L. <ADA@example.org>", True),
        ("Ada Lovelace <ada@example.org>", "Ada Lovelace", True),
        ("ada@example.org", "Ada <ada@example.org>", True),
        ("Ada <ada@example.org>", "Grace <grace@example.org>", False),
        ("Ada", "Grace", False),
        ("ada@example.org", "Ada", False),
    ],
)
def test_who_is_the_same_person(one: str, other: str, *, same: bool) -> None:
    """Neither case, spaces, nor leaving out half of it makes another person of somebody."""
    assert same_person(one, other) is same
    assert same_person(other, one) is same


@given(st.text())
def test_anything_is_some_person(text: str) -> None:
    """Whatever is written as a name can be compared, and is the same as itself if it says anything."""
    assert same_person(text, text) == any(person(text))
