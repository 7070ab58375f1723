"""What a rollout shows: one line while it goes on, a screen for ``status``, one JSON object at the end."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.text import Text

from go_live.display import STYLES
from go_live.outcome import Outcome
from go_live.rollout.controller import Look
from go_live.rollout.judging import Count, Judged
from go_live.rollout.state import Part, State

PLAIN_EVERY_S = 5.0
"""Plain lines come at most this often."""
WORDS = {
    "stepping": "under way",
    "complete": "complete",
    "turned_back": "turned back",
    "aborted": "aborted",
    "watching": "watched",
    "watched": "watched to the end",
}


class Teller:
    """Tells looks on standard error: a line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console | None = None, *, clock: Callable[[], float]) -> None:
        """``clock``: seconds; only how often lines come depends on it."""
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._clock = clock
        self._told_at = -PLAIN_EVERY_S
        self._part = ""

    def look(self, look: Look) -> None:
        """A look ended."""
        part = look.state.parts[-1].name if look.state.parts else ""
        new, self._part = part != self._part, part
        now = self._clock()
        text = line(look)
        if self._console.is_terminal:
            width = self._console.width - 1
            self._console.print(Text(text[:width].ljust(width)), end="\r", soft_wrap=False)
        elif new or now - self._told_at >= PLAIN_EVERY_S:
            self._told_at = now
            self._console.print(Text(text))

    def say(self, text: str, style: str = "") -> None:
        """A line of its own."""
        if self._console.is_terminal:
            self._console.print(" " * (self._console.width - 1), end="\r")
        self._console.print(Text(text, style=style))


def line(look: Look) -> str:
    """One look: step, elapsed, counts of each arm, what is missing."""
    state, judged = look.state, look.judged
    part = state.parts[-1]
    head = f"{part.name} ({state.percent} %) {span(look.elapsed_s)}"
    if judged is None:
        return f"{head}: begins"
    counts = f"candidate {counted(judged.candidate)}"
    if part.percent < 100:  # noqa: PLR2004 - percent
        counts += f", current {counted(judged.current)}"
    held = f"held by {look.held_by}; " if look.held_by else ""
    torn = f"; {look.unreadable} lines of the record cannot be read" if look.unreadable else ""
    return f"{head}: {counts}; {held}{waits(judged)}{torn}"


def counted(count: Count) -> str:
    """``52 (1 failed, 3 refused)``."""
    more = [f"{n} {what}" for what in ("refused", "gone", "rejected") if (n := getattr(count, what))]
    return f"{count.exposed} ({', '.join([f'{count.failed} failed', *more])})"


def waits(judged: Judged) -> str:
    """What is missing, or what was found."""
    if not judged.missing or judged.outcome is not Outcome.INCONCLUSIVE:
        return judged.reason
    parts = []
    for one in judged.missing:
        about = f", about {span(one.seconds)}" if one.seconds is not None else ""
        parts.append(f"{one.what}{about}")
    return f"missing: {'; '.join(parts)}"


def result(state: State, teller: Teller, notes: list[str], exposed: int, *, as_json: bool) -> None:
    """How it ended; ``exposed`` user requests were given to the candidate."""
    outcome = outcome_of(state)
    if as_json:
        print(json.dumps(summary(state, notes, exposed)))  # noqa: T201 - the command's output
        return
    word = WORDS[state.phase]
    teller.say(f"{outcome.name}: {state.rollout} is {word}, {state.percent} % to {state.candidate}", STYLES[outcome])
    teller.say(f"  {state.reason}")
    teller.say(f"  {exposed} user requests were given to the candidate")
    for part in state.parts:
        teller.say(f"  {told(part)}")
    for note in notes:
        teller.say(f"  {note}")


def told(part: Part) -> str:
    """A part on one line."""
    judged = part.judged
    if part.ended_at is None or judged is None:
        return f"{part.name}: {'under way' if part.ended_at is None else 'ended by a person'}"
    took = span(part.ended_at - part.began_at)
    return f"{part.name}: {judged.outcome.name} after {took}, candidate {counted(judged.candidate)}"


def outcome_of(state: State) -> Outcome:
    """What a rollout comes to as it stands."""
    return {
        "stepping": Outcome.INCONCLUSIVE,
        "complete": Outcome.PASS,
        "watching": Outcome.INCONCLUSIVE,
        "turned_back": Outcome.FAIL,
        "aborted": Outcome.FAIL,
        "watched": _of_the_watch(state),
    }[state.phase]


def _of_the_watch(state: State) -> Outcome:
    judged = state.parts[-1].judged if state.parts else None
    return judged.outcome if judged else Outcome.ERROR


def summary(state: State, notes: list[str], exposed: int | None) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "outcome": outcome_of(state).value,
        "reason": state.reason,
        "rollout": state.rollout,
        "phase": state.phase,
        "candidate": state.candidate,
        "current": state.current,
        "candidate_percent": state.percent,
        "serial": state.serial,
        "exposed": exposed,
        "parts": [
            {
                "name": part.name,
                "percent": part.percent,
                "seconds": None if part.ended_at is None else part.ended_at - part.began_at,
                "outcome": part.judged.outcome.value if part.judged else None,
                "exposed": part.judged.candidate.exposed if part.judged else None,
            }
            for part in state.parts
        ],
        "notes": notes,
    }


def span(seconds: float) -> str:
    """``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def moment(seconds: float) -> str:
    """Unix time as UTC, to the second."""
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
