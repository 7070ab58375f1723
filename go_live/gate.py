"""What a check may ask of the run it belongs to."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from go_live.checklist import Plan
from go_live.config import Config, Profile
from go_live.evidence.run_directory import RunLog
from go_live.records import Record
from go_live.spending import Meter
from go_live.table import Columns, Table

MEASURED = frozenset({"load_level", "load_records", "soak", "measured", "burst"})
"""Fixtures of the checks that hold what was measured under load; a finished log can stand in for them."""


class Progress(Protocol):
    """Shows what is going on; see go_live.load.progress."""

    def start(self, phase: str, *, total: int | None = None, duration_s: float | None = None) -> None:
        """A phase begins, of ``total`` requests or ``duration_s`` seconds."""

    def update(self, record: Record) -> None:
        """A request ended."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def finish(self) -> None:
        """The phase ended."""


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """The run, as its checks see it."""

    plan: Plan
    root: Path
    """The project's root."""
    directory: Path
    """The run directory."""
    record: Callable[[Record], None]
    """Appends one due request to the log."""
    due: Callable[[Record], None]
    """Appends a request that is about to be sent."""
    fact: Callable[[Mapping[str, Any]], None]
    """Appends facts about the target to the log."""
    progress: Progress
    columns: Columns = msgspec.field(default_factory=Columns)
    """Every request that has ended so far, in this run or, of a resumed one, before it was killed."""
    again: tuple[Record, ...] = ()
    """Requests that a killed run left open: to be asked again under their numbers."""
    meter: Meter | None = None
    """Counts what the run costs; None: the target costs nothing."""
    recorded: RunLog | None = None
    """A finished log to judge again; None while measuring."""

    @property
    def requests(self) -> Table:
        """Every due request so far, or of the log that is judged again."""
        return self.columns.table() if self.recorded is None else self.recorded.records

    @property
    def config(self) -> Config:
        """The thresholds the plan was frozen with."""
        return self.plan.config

    @property
    def profile(self) -> Profile:
        """The plan's profile."""
        return self.plan.config.profile[self.plan.profile]

    @property
    def allow_timed(self) -> bool:
        """Whether answers of the timed engine count: only in the harness's own test profile."""
        return self.plan.profile == "test"

    @property
    def dummy_weights(self) -> bool:
        """Whether the local worker runs a model's shape without its weights, so that no answer means anything."""
        return self.profile.worker_env.get("LOAD_FORMAT") == "dummy"
