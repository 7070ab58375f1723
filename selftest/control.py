"""Negative controls as data: a defect, where it is seeded, and the item that must turn red for the promised reason."""

from dataclasses import dataclass
from typing import Literal

from go_live.outcome import Outcome

LIVE = "live.json"
"""In a scene's project: what the management API tells of the live endpoint."""

Act = Literal[
    "dirty tree",
    "shallow clone",
    "other branch",
    "detached head",
    "tag here",
    "tag on the remote",
    "no branch on the remote",
    "not pushed",
    "remote gone",
    "another version recorded",
    "lightweight tag of the target",
    "target by a stranger",
    "rehearsal that failed",
    "secret in the history",
    "secret in the work tree",
    "key in a message",
    "damaged object",
    "released with another key",
    "rollout judged by a stranger",
    "rollout judged by a blind judge",
    "watch of what wears out",
]
"""What is done to the project's repository, or to its remote, after the project was committed and pushed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """In ``file`` (relative to the project's root) the text ``old``, which stands there once, becomes ``new``."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One seeded defect and what must come of it."""

    id: str
    """Short words for the defect, unique: ``prompt-limit-one-too-low``."""
    item: str
    """The checklist item that must turn red."""
    reason: str
    """What a verdict of that outcome must say: a part of its reason."""
    scene: str
    """Name of the healthy project that the defect is seeded in."""
    changes: tuple[Change, ...] = ()
    act: Act | None = None
    outcome: Outcome = Outcome.FAIL
    """FAIL, or ERROR where "could not be measured" is what the item promises."""
    disturbs: tuple[str, ...] = ()
    """Items or families that the same defect may turn red as well; ``*``: all of them."""

    def touches(self, item: str) -> bool:
        """Whether the defect may turn ``item`` red."""
        return item == self.item or bool({"*", item, item.split("-", maxsplit=1)[0]} & set(self.disturbs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A healthy project in which defects are seeded: what differs from the test profile, and who else is asked."""

    name: str
    values: tuple[tuple[str, str], ...] = ()
    """Values of golive.toml by dotted key, as they stand in TOML."""
    changes: tuple[Change, ...] = ()
    """What is different in the healthy project too."""
    witnesses: tuple[str, ...] = ()
    """Items that are asked in every run, and must stay green where no defect of the run touches them."""
    live: bool = False
    """Whether the endpoint is started apart and reached as a live one would be, by address and key."""
    served: tuple[str, ...] = ()
    """More arguments of ``golive local serve``, where it is."""
    rolled_out: bool = False
    """Whether a rollout of the release, watched to its end, lies in the project."""
    drilled: bool = False
    """Whether the project has the records of a drill and of receipts that went well (selftest/drilled.py)."""
    shipped: bool = False
    """Whether a Loki stands beside the endpoint, and golive ships the workers' logs to it; only with ``live``."""
    described: str = "{}"
    """What the double of the management API tells of it: the project's ``live.json``, which controls may change."""
