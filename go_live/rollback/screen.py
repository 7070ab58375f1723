"""The answer on one screen of 80 columns and 24 lines, the last of which is the shell's. Pure."""

import textwrap
from collections.abc import Iterator, Sequence

from go_live.outcome import Outcome
from go_live.rollback.findings import MEANS, Answer, Finding

WIDTH, HEIGHT = 80, 23
INDENT = 20
"""Columns before a finding's reason: mark and name."""
LONG = 2
"""Lines that a reason against the rollback may take."""
CHANGES, STAYS = 4, 2
"""Lines of what would change, and of what would not."""

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
DOWN = ("DOWN", "bold red")
"""Of the endpoint as it is now: no reason against going back."""
STYLES = {"READY": "bold green", "STOP": "bold red", "UNSURE": "bold yellow", "BLIND": "bold magenta"}


def screen(answer: Answer) -> list[Line]:
    """The lines: the word, what it means and why, each finding, what would change, and what to do next."""
    lines = [*_head(answer), ("", ""), *_findings(answer.findings), ("", ""), *_changes(answer)]
    if unknown := answer.unknown:
        lines.append((_cut(f"could not check: {', '.join(one.name for one in unknown)}"), "yellow"))
    return [*lines, *_next(answer)]


def _head(answer: Answer) -> Iterator[Line]:
    yield _cut(f"{answer.word} {answer.version}: {MEANS[answer.exit_code]}"), STYLES[answer.word]
    yield _cut(f"  {answer.reason}"), ""
    to = f"commit {answer.commit[:12] or 'unknown'}, image {answer.image or 'unknown'}"
    yield _cut(f"  {to}; looked for {answer.seconds:.1f} s"), "dim"


def _findings(findings: Sequence[Finding]) -> Iterator[Line]:
    for one in findings:
        mark, style = MARKS[one.outcome]
        if not one.decides and one.outcome is Outcome.FAIL:
            mark, style = DOWN
        against = one.decides and one.outcome is not Outcome.PASS
        room = WIDTH - INDENT
        first, *rest = textwrap.wrap(one.reason, room, max_lines=LONG if against else 1, placeholder=" ...") or [""]
        yield f"  {mark:<8}{one.name:<10}{first}", style
        for line in rest:
            yield f"{'':<{INDENT}}{line}", style


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
        yield "would stay as it is now:", "dim"
        yield from ((line, "dim") for line in _some(answer.stays, STAYS))


def _next(answer: Answer) -> Iterator[Line]:
    version = answer.version
    if answer.word == "READY":
        yield _cut(f"next: golive rollback {version}"), "bold"
    elif answer.word == "STOP":
        yield "next: choose another release (git tag --list --sort=-creatordate)", "bold"
    else:
        yield _cut(f'next: look again, or golive rollback {version} --anyway "why"'), "bold"


def _some(lines: Sequence[str], most: int) -> list[str]:
    """At most ``most`` lines; the last of them counts what is left out."""
    if len(lines) > most:
        lines = [*lines[: most - 1], f"and {len(lines) - most + 1} more (--json)"]
    return [_cut(f"  {line}") for line in lines]


def _cut(text: str) -> str:
    """One line of printable characters that fits."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    return clean if len(clean) <= WIDTH else f"{clean[: WIDTH - 4]} ..."
