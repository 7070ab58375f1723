"""The answer on one screen of 80 columns and 24 lines, the last of which is the shell's. Pure."""

import textwrap
from collections.abc import Iterator, Sequence

from go_live.outcome import Outcome
from go_live.rollback.findings import MEANS, Answer, Finding

WIDTH, HEIGHT = 80, 23
INDENT = 20
"""Columns before a finding's reason: mark and name."""
LONG = 3
"""Lines that a reason against the rollback may take, where there is room."""
CHANGES = 5
"""Lines of what would change."""

Line = tuple[str, str]
"""Text, and the style in which a terminal shows it."""

MARKS = {
    Outcome.PASS: ("ok", "green"),
    Outcome.FAIL: ("STOP", "bold red"),
    Outcome.INCONCLUSIVE: ("unsure", "yellow"),
    Outcome.ERROR: ("blind", "bold magenta"),
    Outcome.NOT_RUN: ("not run", "dim"),
    Outcome.NOT_APPLICABLE: ("-", "dim"),
    Outcome.ATTESTED: ("ok", "cyan"),
}
GONE = ("tag", "image", "rehearsed")
"""What nothing done to the endpoint mends."""
DOWN = ("DOWN", "bold red")
"""Of the endpoint as it is now: no reason against going back."""
STYLES = {"READY": "bold green", "STOP": "bold red", "UNSURE": "bold yellow", "BLIND": "bold magenta"}


def screen(answer: Answer) -> list[Line]:
    """The lines: the word, what it means and why, each finding, what would change, and what to do next."""
    head, tail = list(_head(answer)), [*_changes(answer), *_unknown(answer), *_next(answer)]
    room = HEIGHT - len(head) - len(tail) - len(answer.findings) - 2
    return [*head, ("", ""), *_findings(answer.findings, room), ("", ""), *tail]


def _head(answer: Answer) -> Iterator[Line]:
    yield _cut(f"{answer.word} {answer.version}: {MEANS[answer.exit_code]}"), STYLES[answer.word]
    yield _cut(f"  {answer.reason}"), ""
    to = f"to commit {answer.commit[:12] or 'unknown'}, image {answer.image or 'unknown'}"
    yield _cut(f"  {to} (now {answer.now_image or 'unknown'}), {answer.seconds:.1f} s"), "dim"


def _findings(findings: Sequence[Finding], room: int) -> Iterator[Line]:
    """A line each, and ``room`` more for long reasons: those that decide against it come first."""
    lines = _lines(findings, room)
    for one, (first, *rest) in zip(findings, lines, strict=True):
        mark, style = MARKS[one.outcome]
        if not one.decides and one.outcome is Outcome.FAIL:
            mark, style = DOWN
        yield f"  {mark:<8}{one.name:<10}{first}", style
        for line in rest:
            yield f"{'':<{INDENT}}{line}", style


def _lines(findings: Sequence[Finding], room: int) -> list[list[str]]:
    """The reason of each finding in lines."""
    wrapped = [_wrap(one.reason, 1) for one in findings]
    against = [index for index, one in enumerate(findings) if one.decides and one.outcome is not Outcome.PASS]
    for index in [*against, *(index for index in range(len(findings)) if index not in against)]:
        most = LONG if index in against else LONG - 1
        wrapped[index] = _wrap(findings[index].reason, 1 + max(0, min(room, most - 1)))
        room -= len(wrapped[index]) - 1
    return wrapped


def _wrap(reason: str, most: int) -> list[str]:
    return textwrap.wrap(_clean(reason), WIDTH - INDENT, max_lines=most, placeholder=" ...") or [""]


def _changes(answer: Answer) -> Iterator[Line]:
    if answer.how == "unknown":
        yield "would change: unknown", "yellow"
        return
    if not answer.changes:
        yield "would change: nothing, the endpoint is set to this release already", "bold"
    else:
        yield f"would change (by {answer.how}):", "bold"
        yield from ((line, "") for line in _some(answer.changes, CHANGES))
    if answer.stays:
        yield _cut(f"would stay as it is: {'; '.join(answer.stays)}"), "dim"


def _unknown(answer: Answer) -> Iterator[Line]:
    unknown = ", ".join(one.name for one in answer.unknown)
    yield _cut(f"could not check: {unknown or 'nothing'}"), "yellow" if unknown else "dim"


def _next(answer: Answer) -> Iterator[Line]:
    version = answer.version
    if answer.word == "READY":
        yield _cut(f"next: golive rollback {version}"), "bold"
    elif answer.word == "STOP" and any(one.name in GONE and one.outcome is Outcome.FAIL for one in answer.findings):
        yield "next: choose another release (git tag --list --sort=-creatordate)", "bold"
    elif answer.word == "STOP":
        yield "next: mend what is said above, and look again", "bold"
    elif not answer.now_image:
        yield "next: look again: without the management API nothing can be rolled back", "bold"
    else:
        yield _cut(f'next: look again, or golive rollback {version} --anyway "why"'), "bold"


def _some(lines: Sequence[str], most: int) -> list[str]:
    """At most ``most`` lines; the last of them counts what is left out."""
    if len(lines) > most:
        lines = [*lines[: most - 1], f"and {len(lines) - most + 1} more (--json)"]
    return [_cut(f"  {line}") for line in lines]


def _cut(text: str) -> str:
    """One line that fits."""
    clean = _clean(text)
    return clean if len(clean) <= WIDTH else f"{clean[: WIDTH - 4]} ..."


def _clean(text: str) -> str:
    """Printable characters alone: what a tag or an API says moves no cursor."""
    return "".join(char if char.isprintable() else " " for char in text)
