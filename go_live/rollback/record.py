"""rollback.json: what a rollback did, noted before and after every step, so that a killed one says where it stopped."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from go_live.errors import UsageError
from go_live.evidence.run_directory import encode, write_atomically
from go_live.outcome import Outcome, Verdict

NAME = "rollback.json"
Step = Literal["looked", "write", "rollout", "smoke", "load"]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One step."""

    step: Step
    state: Literal["begun", "done", "failed"]
    at: float
    """Unix time of the state."""
    note: str = ""


class Rollback(msgspec.Struct, frozen=True, kw_only=True):
    """One rollback of one endpoint."""

    id: str
    version: str
    commit: str
    image: str
    """``sha256:…`` of what is gone back to; empty: unknown."""
    endpoint_id: str
    from_image: str
    """What the endpoint ran before, with name and digest: the way back from the way back."""
    began_at: float
    """Unix time at which somebody said yes."""
    by: str = ""
    """Who started it, as the machine knows them."""
    anyway: str = ""
    """Why it was done although not everything was shown."""
    changes: tuple[str, ...] = ()
    steps: tuple[Taken, ...] = ()
    resumed: int = 0
    """How often it was gone on with after it had been killed."""
    recovered_at: float | None = None
    """Unix time of the first smoke that was answered rightly by the target, on all workers."""
    recover_s: float | None = None
    """From ``began_at`` to ``recovered_at``."""
    outcome: Outcome | None = None
    """None: it is not over."""
    reason: str = ""
    verdicts: tuple[Verdict, ...] = ()
    """Of smoke and load on the result."""
    evidence: dict[str, str] = {}
    """File beside this one -> sha256."""


class Book:
    """The record of one rollback, kept on disk."""

    def __init__(self, folder: Path, entry: Rollback, now: Callable[[], float]) -> None:
        """Begin, or go on, with ``entry`` in ``folder``."""
        self.folder = folder
        self.entry = entry
        self._now = now

    @property
    def stands(self) -> str:
        """Where it stands, in half a sentence."""
        if not self.entry.steps:
            return "nothing was done"
        last = self.entry.steps[-1]
        return f"{last.step} {last.state}" + (f" ({last.note})" if last.note else "")

    def write(self, **changes: Any) -> None:
        """Change the entry; it is on disk when this returns.

        Raises:
            UsageError: it cannot be written.
        """
        self.entry = msgspec.structs.replace(self.entry, **changes)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / NAME, encode(self.entry))
        except OSError as error:
            raise UsageError(
                f"cannot write {self.folder / NAME}: {error.strerror}; nothing further was done"
            ) from error

    def take(self, step: Step, state: Literal["begun", "done", "failed"], note: str = "", **changes: Any) -> None:
        """Note how a step stands."""
        taken = Taken(step=step, state=state, at=self._now(), note=note)
        self.write(steps=(*self.entry.steps, taken), **changes)


def unfinished(root: Path, version: str, endpoint_id: str) -> tuple[Path, Rollback] | None:
    """The newest rollback of this endpoint, if it is to ``version`` and was cut off; None: there is none to go on with.

    A later rollback to another version has overtaken it.
    """
    found = [
        (path.parent, entry)
        for path in (root / "reports").glob(f"rollback-*/{NAME}")
        if (entry := read(path)) is not None and entry.endpoint_id == endpoint_id
    ]
    newest = max(found, key=lambda one: one[1].began_at, default=None)
    if newest is None or newest[1].version != version or newest[1].outcome is not None:
        return None
    return newest


def read(path: Path) -> Rollback | None:
    """The record in a file; None: there is none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Rollback)
    except (OSError, msgspec.DecodeError):
        return None


def new_id(version: str, at: float) -> str:
    """``rollback-20261124T031500Z-v0.9-production``."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", version)
    return f"rollback-{dt.datetime.fromtimestamp(at, dt.UTC):%Y%m%dT%H%M%SZ}-{name}"
