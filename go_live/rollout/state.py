"""Where a rollout stands, and what it decides next. Pure.

A state is what is kept on disk. What was seen is no part of it: the requests of a step are those that the gateway kept
under the step's decisions, read again from where the step began, so that a restart neither loses nor doubles one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from go_live.gateway.routing import ALL, RouteDecision
from go_live.outcome import Outcome
from go_live.rollout.judging import Judged

if TYPE_CHECKING:
    from go_live.config import Rollout

Phase = Literal["stepping", "complete", "turned_back", "aborted", "watching", "watched"]
OVER: frozenset[Phase] = frozenset({"turned_back", "aborted", "watched"})
"""Nothing follows on these."""
RENEWALS = 3
"""A decision is renewed so many times before it would run out."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A step, or the watch, as far as it has come."""

    name: str
    """``step-10``, ``watch``."""
    percent: int
    began_at: float
    cursor: int
    """Where in the gateway's record it begins, bytes."""
    first_serial: int
    """Of its decisions: requests with a lower one are not its own."""
    ended_at: float | None = None
    last_serial: int | None = None
    judged: Judged | None = None
    """How it ended."""
    evidence: str | None = None
    """sha256 of its file of requests."""


class State(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rollout."""

    rollout: str
    """Its id."""
    version: str
    """Of the release."""
    current: str
    candidate: str
    sticky: bool
    steps: tuple[int, ...]
    """Percents."""
    began_at: float
    phase: Phase = "stepping"
    serial: int = 0
    """Of the newest decision; 0: none yet."""
    decided_at: float = 0.0
    percent: int = 0
    """What that decision gives to the candidate."""
    reason: str = ""
    """Why it stands where it stands."""
    parts: tuple[Part, ...] = ()
    """Ended and under way, in order."""

    @property
    def part(self) -> Part | None:
        """The part under way."""
        return self.parts[-1] if self.parts and self.parts[-1].ended_at is None else None

    @property
    def over(self) -> bool:
        """Whether nothing follows."""
        return self.phase in OVER


Next = tuple[State, RouteDecision]


def begun(state: State, *, now: float, cursor: int, limits: Rollout, above: int = 0) -> Next:
    """The first step; its serial lies above ``above``, the newest that the gateway may know of this route."""
    first = state.steps[0]
    raised = msgspec.structs.replace(state, serial=max(state.serial, above))
    reason = f"{first} % of the requests go to {state.candidate}"
    return _enter(raised, f"step-{first}", first, "begin", reason, now=now, cursor=cursor, limits=limits)


def follow(
    state: State, judged: Judged, *, now: float, cursor: int, limits: Rollout, paused: bool
) -> tuple[State, RouteDecision | None]:
    """What follows from a look at the step under way; no decision while nothing changes and none has to be renewed.

    Args:
        state: Of a rollout with a step under way.
        judged: The look.
        now: Unix time.
        cursor: The end of the gateway's record at this look, bytes.
        limits: Of golive.toml.
        paused: A person holds the weight: no step up, whatever is shown; a FAIL turns back all the same.
    """
    if judged.outcome is Outcome.FAIL:
        return turned_back(state, judged, now=now)
    if judged.outcome is not Outcome.PASS or paused:
        return renewed(state, judged.reason, now=now, limits=limits)
    later = [percent for percent in state.steps if percent > judged.percent]
    if later:
        done = _ended(state, judged, now=now)
        reason = f"passed at {judged.percent} %: {judged.reason}"
        return _enter(done, f"step-{later[0]}", later[0], "pass", reason, now=now, cursor=cursor, limits=limits)
    done = _ended(msgspec.structs.replace(state, phase="complete"), judged, now=now)
    return _decide(done, ALL, "pass", f"all {len(state.steps)} steps passed: {judged.reason}", now=now, until=None)


def turned_back(state: State, judged: Judged, *, now: float) -> Next:
    """All traffic back to the current endpoint, at once and until somebody decides otherwise."""
    done = _ended(msgspec.structs.replace(state, phase="turned_back"), judged, now=now)
    return _decide(done, 0, "fail", judged.reason, now=now, until=None)


def aborted(state: State, reason: str, *, now: float) -> Next:
    """A person ends it."""
    parts = tuple(
        one if one.ended_at is not None else msgspec.structs.replace(one, ended_at=now, last_serial=state.serial)
        for one in state.parts
    )
    done = msgspec.structs.replace(state, phase="aborted", parts=parts)
    return _decide(done, 0, "operator", reason, now=now, until=None)


def renewed(state: State, reason: str, *, now: float, limits: Rollout) -> tuple[State, RouteDecision | None]:
    """The same weight for some more time, when a part of that has passed; a decision without an end stays as it is."""
    if state.phase != "stepping" or now - state.decided_at < limits.decision_valid_s / RENEWALS:
        return msgspec.structs.replace(state, reason=reason), None
    until = now + limits.decision_valid_s
    return _decide(state, state.percent, "inconclusive", reason, now=now, until=until)


def watching(state: State, *, now: float, cursor: int) -> State:
    """The watch of a complete rollout begins; all traffic stays where it is."""
    part = Part(name="watch", percent=ALL, began_at=now, cursor=cursor, first_serial=state.serial)
    return msgspec.structs.replace(state, phase="watching", parts=(*state.parts, part), reason="the watch began")


def watched(state: State, judged: Judged, *, now: float) -> tuple[State, RouteDecision | None]:
    """The watch ends: with a FAIL everything goes back, otherwise it stays."""
    if judged.outcome is Outcome.FAIL:
        return turned_back(state, judged, now=now)
    done = _ended(msgspec.structs.replace(state, phase="watched"), judged, now=now)
    return msgspec.structs.replace(done, reason=judged.reason), None


def _enter(
    state: State,
    name: str,
    percent: int,
    outcome: Literal["begin", "pass"],
    reason: str,
    *,
    now: float,
    cursor: int,
    limits: Rollout,
) -> Next:
    until = now + limits.decision_valid_s
    decided, decision = _decide(state, percent, outcome, reason, now=now, until=until)
    part = Part(name=name, percent=percent, began_at=now, cursor=cursor, first_serial=decision.serial)
    return msgspec.structs.replace(decided, parts=(*decided.parts, part)), decision


def _ended(state: State, judged: Judged, *, now: float) -> State:
    """The part under way is over."""
    *before, last = state.parts
    done = msgspec.structs.replace(last, ended_at=now, last_serial=state.serial, judged=judged)
    return msgspec.structs.replace(state, parts=(*before, done))


def _decide(
    state: State,
    percent: int,
    outcome: Literal["begin", "pass", "fail", "inconclusive", "operator"],
    reason: str,
    *,
    now: float,
    until: float | None,
) -> Next:
    decision = RouteDecision(
        rollout=state.rollout,
        serial=state.serial + 1,
        current=state.current,
        candidate=state.candidate,
        candidate_percent=percent,
        sticky=state.sticky,
        outcome=outcome,
        reason=reason,
        decided_at=now,
        valid_until=until,
    )
    return (
        msgspec.structs.replace(state, serial=decision.serial, decided_at=now, percent=percent, reason=reason),
        decision,
    )
