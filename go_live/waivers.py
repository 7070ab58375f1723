"""Waivers: one person's and another's approval of one FAIL or INCONCLUSIVE, for a while. Pure.

A waiver stands beside the outcome and never replaces it: the item stays FAIL, and a decision that rests on a waiver is
called so. Reading waivers and verifying their approval is the business of go_live.release.waivers, before the plan is
frozen; here it is only decided which of the frozen ones count.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import msgspec

from go_live.outcome import Outcome

MAX_DAYS = 30
"""Longest time from a waiver's issue to its expiry."""
DAY_S = 86_400.0
WAIVABLE = frozenset({Outcome.FAIL, Outcome.INCONCLUSIVE})
"""ERROR and NOT_RUN are missing: nobody has seen what a waiver of them would accept."""


_ADDRESSED = re.compile(r"^(?P<name>[^<>]*)<(?P<address>[^<>]*)>$")


class Standing(StrEnum):
    """What a waiver comes to in a decision."""

    USED = "used"
    """The decision rests on it."""
    UNUSED = "unused"
    """Nothing was there to be waived."""
    EXPIRED = "expired"
    OUT_OF_SCOPE = "out of scope"
    """It is for another profile, version or commit."""
    FORBIDDEN = "forbidden"
    """It can never count: the item, the outcome or the approval does not allow it."""


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver as the plan froze it."""

    item: str
    profile: str
    owner: str
    """Who answers for the item."""
    approver: str
    """Another person, who agreed."""
    reason: str
    issued: str
    """ISO date."""
    expires: str
    """ISO date; the waiver holds until that day begins, UTC."""
    issued_at: float
    """Unix time at which ``issued`` begins, UTC."""
    expires_at: float
    source: str
    """Where it is written: ``waivers.toml, waiver 1``."""
    approval: str
    """What shows the approval (``signed commit 3389986f0d12 by grace@example.org``); empty when nothing does."""
    version: str | None = None
    """The release it is for; else ``commit``."""
    commit: str | None = None
    """The first 12 or more hex digits of the commit it is for; else ``version``."""
    refused: str = ""
    """Why it cannot count, as found before the plan was frozen; empty: nothing is known against it."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision has to keep to, beside the plan's items."""

    now: float = 0.0
    """Unix time of the decision: the end of the run, for a decision that is repeated."""
    ages: Mapping[str, int] = {}
    """Item -> days that its evidence stays valid; an item that is not named has no limit."""
    version: str = ""
    """The release that is decided on."""
    commit: str = ""
    waivers: tuple[Waiver, ...] = ()
    never: tuple[str, ...] = ()
    """Items that can never be waived."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver, and what it comes to."""

    waiver: Waiver
    standing: Standing
    why: str
    """Half a sentence."""


def person(text: str) -> tuple[str, str]:
    """Name and address in ``Grace Hopper <grace@example.org>``, without case and spaces; empty where there is none."""
    bare = "".join(text.split()).casefold()
    if found := _ADDRESSED.match(bare):
        return found["name"], found["address"]
    return ("", bare) if "@" in bare else (bare, "")


def same_person(one: str, other: str) -> bool:
    """Whether two people have the name or the address in common."""
    return any(ours and ours == theirs for ours, theirs in zip(person(one), person(other), strict=True))


def judge(outcomes: Mapping[str, Outcome], *, profile: str, terms: Terms) -> tuple[Judged, ...]:
    """What each waiver comes to; an item is waived by the first waiver that can.

    Args:
        outcomes: of the items that the decision looks at.
        profile: of the run.
        terms: of the decision.
    """
    judged: list[Judged] = []
    waived: set[str] = set()
    for waiver in terms.waivers:
        standing, why = _standing(waiver, outcomes.get(waiver.item), profile, terms, waived)
        if standing is Standing.USED:
            waived.add(waiver.item)
        judged.append(Judged(waiver=waiver, standing=standing, why=why))
    return tuple(judged)


def foreseen(*, profile: str, terms: Terms) -> tuple[str, ...]:
    """What is known against the waivers of this scope before anything is measured, a line each."""
    worst = {waiver.item: Outcome.FAIL for waiver in terms.waivers}
    return tuple(
        f"{one.waiver.source} will not count: {one.why}"
        for one in judge(worst, profile=profile, terms=terms)
        if one.standing in {Standing.FORBIDDEN, Standing.EXPIRED}
    )


def used(judged: Sequence[Judged]) -> dict[str, Waiver]:
    """The waivers that count, by item."""
    return {one.waiver.item: one.waiver for one in judged if one.standing is Standing.USED}


def _standing(
    waiver: Waiver, outcome: Outcome | None, profile: str, terms: Terms, waived: Collection[str]
) -> tuple[Standing, str]:
    """Standing and reason; what is forbidden is told before what is merely past."""
    if elsewhere := _elsewhere(waiver, profile, terms):
        return Standing.OUT_OF_SCOPE, elsewhere
    if forbidden := _forbidden(waiver, terms):
        return Standing.FORBIDDEN, forbidden
    if not terms.now < waiver.expires_at:  # NaN never passes
        return Standing.EXPIRED, f"it held until {waiver.expires}"
    if outcome is None:
        return Standing.UNUSED, f"this run does not decide on {waiver.item}"
    return _on(outcome, waiver.item, already=waiver.item in waived)


def _on(outcome: Outcome, item: str, *, already: bool) -> tuple[Standing, str]:
    """Standing of a waiver that holds, by the outcome that it meets."""
    if outcome in {Outcome.ERROR, Outcome.NOT_RUN}:
        return Standing.FORBIDDEN, f"{item} is {outcome.name}, and what was not measured cannot be waived"
    if outcome not in WAIVABLE:
        return Standing.UNUSED, f"{item} is {outcome.name}: remove the waiver"
    if already:
        return Standing.UNUSED, f"another waiver of {item} counts already"
    return Standing.USED, f"{item} is {outcome.name}"


def _elsewhere(waiver: Waiver, profile: str, terms: Terms) -> str:
    """Why the waiver is not about this decision; empty when it is."""
    if waiver.profile != profile:
        return f"it is for the profile {waiver.profile}"
    if waiver.version is not None and waiver.version != terms.version:
        return f"it is for the version {waiver.version}"
    if waiver.commit is not None and not terms.commit.startswith(waiver.commit):
        return f"it is for the commit {waiver.commit[:12]}"
    return ""


def _forbidden(waiver: Waiver, terms: Terms) -> str:
    """Why the waiver can never count; empty when nothing forbids it."""
    if waiver.item in terms.never:
        return f"{waiver.item} can never be waived"
    if waiver.refused:
        return waiver.refused
    if not waiver.approval:
        return "nothing shows its approval"
    if not waiver.issued_at <= terms.now:
        return f"it is dated {waiver.issued}, which has not come yet"
    if not waiver.expires_at - waiver.issued_at <= MAX_DAYS * DAY_S:
        return f"it is meant to last for more than {MAX_DAYS} days"
    return ""
