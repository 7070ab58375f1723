"""The controller: look at what the gateway kept, judge, decide, sign, hand over; at every look, until it is over.

It holds the rollout's lease, acts only under its lock, and writes in this order: what a part was judged by, the signed
decision, the state, the gateway's file. Whatever moment a kill meets, the next controller finds a state, judges the
same requests again, and hands over what was signed last.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from go_live.config import Config
from go_live.gateway.routing import RouteDecision, sign
from go_live.outcome import Outcome
from go_live.release.signing import Key
from go_live.release.trust import Signer
from go_live.rollout import actuator, book
from go_live.rollout import state as states
from go_live.rollout.judging import Judged, judge
from go_live.rollout.lease import Holder
from go_live.rollout.record import Record, size
from go_live.rollout.state import State
from go_live.rollout.watch import judge_watch


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rollout is done, and by what."""

    config: Config
    directory: Path
    """The rollout's own; the lease lies above it, for one gateway's file is decided about by one rollout at a time."""
    routes: Path
    """What the gateway reads decisions from."""
    record: Path
    """What the gateway keeps of each request."""
    key: Key
    signers: tuple[Signer, ...]
    now: Callable[[], float]
    """Unix time."""
    sleep: Callable[[float], None]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found, for whoever watches."""

    state: State
    judged: Judged | None
    elapsed_s: float
    """Of the part under way."""
    held_by: str = ""
    unreadable: int = 0


Tell = Callable[[Look], None]


class Controller:
    """One rollout under way, by the process that holds its lease."""

    def __init__(self, setting: Setting, state: State) -> None:
        """Go on with ``state``; take the lease first (``run`` does)."""
        self._setting = setting
        self.state = state
        self.holder = Holder(setting.directory.parent, lease_s=setting.config.rollout.lease_s, now=setting.now)
        self._record: Record | None = None

    def run(self, tell: Tell) -> State:
        """Step until it is complete or turned back; where it then stands.

        Raises:
            LeaseError: another controller holds it, or took it over.
            MeasurementError: the gateway's record cannot be read.
            UsageError: the gateway's file cannot be written.
        """
        every_s = self._setting.config.rollout.look_every_s
        return self._until(lambda: self.state.phase != "stepping", self.step, tell, every_s)

    def watch(self, tell: Tell) -> State:
        """Watch a complete rollout for its hours; where it then stands.

        Raises:
            LeaseError: another controller holds it, or took it over.
            MeasurementError: the gateway's record cannot be read.
        """
        limits = self._setting.config.rollout
        # A day's requests are many, and a minute of them is few among those: it is looked at more seldom.
        every_s = max(limits.look_every_s, min(10 * limits.look_every_s, limits.lease_s / 3))
        return self._until(lambda: self.state.phase not in {"complete", "watching"}, self.look_after, tell, every_s)

    def _until(self, over: Callable[[], bool], look: Callable[[], Look], tell: Tell, every_s: float) -> State:
        self.holder.take()
        try:
            # Another controller may have gone on since the state was read.
            self.state = book.read_state(self._setting.directory) or self.state
            self.hand_over()
            while not over():
                tell(look())
                if not over():
                    self._setting.sleep(every_s)
        finally:
            self.holder.release()
        return self.state

    def hand_over(self) -> None:
        """Give the gateway what was signed last: a kill may have come between."""
        setting = self._setting
        with self.holder.acting():
            kept = book.decisions(setting.directory, setting.signers)
            if kept and kept[-1][0].serial == self.state.serial:
                if actuator.newest_serial(setting.routes, setting.signers) < self.state.serial:
                    actuator.publish(kept[-1][1] + b"\n", setting.routes, setting.signers)
            elif kept and kept[-1][0].serial > self.state.serial:
                # It was signed and never acted on; no other may have its number.
                self.state = msgspec.structs.replace(self.state, serial=kept[-1][0].serial)
                book.write_state(setting.directory, self.state)

    def step(self) -> Look:
        """One look at the step under way, and what follows; the first one begins the first step."""
        setting, now = self._setting, self._setting.now()
        if not self.state.parts:
            above = actuator.newest_serial(setting.routes, setting.signers)
            limits = setting.config.rollout
            self._act(*states.begun(self.state, now=now, cursor=size(setting.record), limits=limits, above=above))
            return self._told(None, now)
        judged = self._judged(now)
        held = book.held(setting.directory)
        follows = states.follow(
            self.state,
            judged,
            now=now,
            cursor=self._reading().cursor,
            limits=setting.config.rollout,
            paused=held is not None,
        )
        self._act(*follows)
        return self._told(judged, now, held_by=held.by if held else "")

    def look_after(self) -> Look:
        """One look at the watch, and what follows; the first one begins it."""
        setting, now = self._setting, self._setting.now()
        if self.state.phase == "complete":
            self._act(states.watching(self.state, now=now, cursor=size(setting.record)), None)
            return self._told(None, now)
        part, reading = self.state.part, self._reading()
        assert part is not None  # noqa: S101 - a watch is under way
        reading.read()
        judged = judge_watch(
            reading.requests, elapsed_s=now - part.began_at, began_at=part.began_at, config=setting.config
        )
        over = now - part.began_at >= 3600 * setting.config.rollout.watch.hours
        if judged.outcome is Outcome.FAIL or over:
            self._act(*states.watched(self.state, judged, now=now))
        else:
            self._act(msgspec.structs.replace(self.state, reason=judged.reason), None)
        return self._told(judged, now)

    def _judged(self, now: float) -> Judged:
        part, reading = self.state.part, self._reading()
        assert part is not None  # noqa: S101 - a step is under way
        reading.read()
        return judge(reading.requests, percent=part.percent, elapsed_s=now - part.began_at, config=self._setting.config)

    def _reading(self) -> Record:
        """The record of the part under way."""
        part = self.state.part
        assert part is not None  # noqa: S101 - as its callers know
        if self._record is None or self._record.part != part.name:
            self._record = Record(self._setting.record, self.state.rollout, part)
        return self._record

    def _act(self, state: State, decision: RouteDecision | None) -> None:
        """Make ``state`` the one that stands, and hand ``decision`` over."""
        setting = self._setting
        with self.holder.acting():
            state = self._with_evidence(state)
            envelope = None if decision is None else sign(decision, setting.key.private)
            if envelope is not None:
                book.keep_decision(setting.directory, envelope)
            if msgspec.structs.replace(state, reason=self.state.reason) != self.state:
                book.write_state(setting.directory, state)
            self.state = state
            if envelope is not None:
                actuator.publish(envelope, setting.routes, setting.signers)

    def _with_evidence(self, state: State) -> State:
        """Keep what a part that ends now was judged by."""
        before = self.state.part
        if before is None:
            return state
        at = len(self.state.parts) - 1
        ended = state.parts[at]
        if ended.ended_at is None or ended.judged is None or self._record is None:
            return state
        digest = book.keep_part(self._setting.directory, state, ended, self._record.lines, self._setting.key.private)
        kept = msgspec.structs.replace(ended, evidence=digest)
        return msgspec.structs.replace(state, parts=(*state.parts[:at], kept, *state.parts[at + 1 :]))

    def _told(self, judged: Judged | None, now: float, held_by: str = "") -> Look:
        part = self.state.parts[-1]
        return Look(
            state=self.state,
            judged=judged,
            elapsed_s=now - part.began_at,
            held_by=held_by,
            unreadable=self._record.unreadable if self._record else 0,
        )
