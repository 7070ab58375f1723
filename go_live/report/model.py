"""The view model: what every rendering shows. Everything in it is decided and formatted; renderings only place it."""

from typing import Literal

import msgspec

Tone = Literal["good", "bad", "warn", "mute", "note"]


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome to look at: never by colour alone."""

    word: str
    symbol: str
    tone: Tone


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A name and its value."""

    name: str
    value: str


class VerdictView(msgspec.Struct, frozen=True, kw_only=True):
    """One claim's conclusion."""

    mark: Mark
    scope: str
    claim: str
    reason: str
    measured: str
    limit: str
    margin: str
    n: str
    needed: str
    """What run would decide, as a sentence fragment; empty when nothing more is needed."""
    figures: tuple[Fact, ...]
    """All of the above that exists, and the plain figures beside it, by name."""


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the checklist, answered. Its figures are those of the verdict that binds."""

    id: str
    claim: str
    mark: Mark
    blocking: bool
    required: str
    """``required``, ``not required here`` or ``after the tag``."""
    satisfied: bool
    waived: str = ""
    """Who answers for it by a waiver that counts; empty for none. The mark stays what was concluded."""
    control: str = ""
    """When its negative controls were last seen red; empty where the run did not know."""
    reason: str
    scope: str
    measured: str
    limit: str
    margin: str
    n: str
    verdicts: tuple[VerdictView, ...]


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Required items that stand in the way for one and the same reason."""

    mark: Mark
    ids: str
    """``SMK-1, SMK-2``."""
    items: tuple[Fact, ...]
    """Ids and claims."""
    reason: str
    open: tuple[VerdictView, ...]
    """Where several verdicts stand in the way: those; else empty."""
    margin: str
    needed: str


class WaiverView(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver, and what it came to in this run."""

    mark: Mark
    """Its standing."""
    item: str
    outcome: str
    """What the item is; a waiver does not change it."""
    owner: str
    approver: str
    approval: str
    """What shows the approval, or that nothing does."""
    reason: str
    scope: str
    expires: str
    why: str
    """Why it counts, or does not."""


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Items of one heading of the checklist."""

    title: str
    summary: str
    items: tuple[ItemView, ...]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many items came out in one way."""

    mark: Mark
    count: int


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of formatted cells; the first column names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A drawing, with what is to be seen in it said in words."""

    title: str
    caption: str
    svg: str


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """The charts of one level, or of the soak."""

    title: str
    note: str
    charts: tuple[Chart, ...]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not proven, and what would prove it."""

    mark: Mark
    what: tuple[Fact, ...]
    """Ids and claims that share the reason."""
    why: str
    cure: str


class Conclusion(msgspec.Struct, frozen=True, kw_only=True):
    """One line that says what the performance table means."""

    mark: Mark
    text: str


class FactGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one kind."""

    title: str
    rows: tuple[Fact, ...]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report."""

    title: str
    subtitle: str
    watermarks: tuple[str, ...]
    answer: Mark
    sentence: str
    head: tuple[Fact, ...]
    """What an engineer asks first: profile, target, commit, when, how long."""
    tallies: tuple[Tally, ...]
    notes: tuple[str, ...]
    released: tuple[str, ...]
    blocking: tuple[Block, ...]
    waivers: tuple[WaiverView, ...]
    families: tuple[Family, ...]
    figures: Table
    performance: Table
    """Levels against SLOs, in the form of the readiness summary."""
    criteria_title: str
    criteria: Table
    """The soak's criteria, or the claims judged outside a checklist."""
    conclusions: tuple[Conclusion, ...]
    recommendation: str
    panels: tuple[Panel, ...]
    gaps: tuple[Gap, ...]
    facts: tuple[FactGroup, ...]
