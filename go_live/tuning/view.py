"""A sweep in the terminal: what is about to happen, then the answer, the table, the lines to paste."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from go_live.judge.summary import WORDS
from go_live.judge_view import COLOURS, default_console
from go_live.outcome import Outcome
from go_live.planning.needs import listed
from go_live.report.text import counted
from go_live.tuning import words
from go_live.tuning.directory import PAGE
from go_live.tuning.judging import Sweep, Told, Tuning, Turn
from go_live.tuning.plan import TuningPlan, Where, expected_seconds
from go_live.tuning.record import CapRecord

MINUTE_S = 60


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints."""

    outcome: Outcome
    reason: str
    cap: int | None
    setting: str | None
    throughput: float | None
    needed: int | None
    timed: bool
    complete: bool
    where: Where
    notes: list[str]
    paste: list[str]
    turned: tuple[Turn, ...]
    sweeps: tuple[Sweep, ...]
    directory: str
    evidence: dict[str, str]


def answer(plan: TuningPlan, tuning: Tuning, directory: Path) -> Answer:
    """``tuning`` as JSON says it."""
    return Answer(
        outcome=tuning.outcome,
        reason=words.headline(tuning),
        cap=tuning.cap,
        setting=tuning.setting,
        throughput=tuning.throughput,
        needed=tuning.needed,
        timed=tuning.timed,
        complete=tuning.complete,
        where=tuning.where,
        notes=words.notes(plan, tuning),
        paste=words.paste(plan, tuning),
        turned=tuning.turned,
        sweeps=tuning.sweeps,
        directory=str(directory),
        evidence=tuning.evidence,
    )


def announced(plan: TuningPlan, directory: Path, total_ms: float) -> list[str]:
    """What is about to happen, and what it costs."""
    where, cells = plan.where, len(plan.levels) * len(plan.settings)
    what = f"endpoint {where.endpoint_id}" if where.kind == "runpod" else f"local endpoint, engine {where.engine}"
    levels, settings = listed(f"c={level}" for level in plan.levels), listed(map(words.setting, plan.settings))
    lines = [
        f"golive tune: {what}; {cells} cells, {levels} with {settings}",
        f"about {span(expected_seconds(plan, total_ms))} without queueing; recorded in {directory}",
        words.method(plan),
    ]
    if plan.timed:
        lines.append(words.TIMED)
    if plan.max_dollars is not None:
        lines.append(f"expected to cost ${plan.expected_dollars:.2f}, stopped at ${plan.max_dollars:.2f}")
    return lines


def told(found: Mapping[str, Told]) -> list[str]:
    """What the workers told of themselves."""
    lines = []
    for setting, one in found.items():
        number = one.max_concurrency
        takes = (
            "does not tell how many jobs it takes" if number is None else f"takes {counted(number, 'job')} at a time"
        )
        lines.append(f"{words.setting(setting)}: a worker {takes}")
    return lines


def show(plan: TuningPlan, tuning: Tuning, directory: Path, console: Console | None = None) -> None:
    """Print ``tuning``: the answer first."""
    out = console or default_console()

    def say(text: Text | str) -> None:
        out.print(Text(text) if isinstance(text, str) else text, soft_wrap=True)

    word = f"CAP {tuning.cap}" if tuning.cap is not None else WORDS[tuning.outcome]
    line = Text(word, style=f"bold {COLOURS.get(tuning.outcome, '')}")
    say(line.append(f"  {words.headline(tuning)}", style="not bold default"))
    for note in words.notes(plan, tuning):
        say(Text(f"note: {note}", style="yellow"))
    for sweep in tuning.sweeps:
        say(Text(f"\n{sweep.name}", style="bold"))
        out.print(_table(words.HEAD, words.rows(sweep), {1}, tuning.cap if sweep.setting == tuning.setting else None))
        for one in sweep.onsets:
            say(f"- {one.told}")
        cap = sweep.recommended.cap
        say(f"- {f'cap {cap}' if cap is not None else 'no cap'}: {sweep.recommended.reason}")
    if tuning.turned:
        say(Text("\nWhat turns a level from NO-GO to GO, both measured in this sweep", style="bold"))
        out.print(_table(("level", "claim", "before", "after", "setting"), words.turn_rows(tuning), {0, 1, 4}))
    if would := words.would_apply(plan, tuning):
        say(f"\n{would}")
    if pasted := words.paste(plan, tuning):
        say(Text("\nFor golive.toml", style="bold"))
        say("\n".join(pasted))
    say(Text(f"\n{words.method(plan)}", style="dim"))
    say(f"plots: {directory / PAGE}")


def adopted(record: CapRecord, to: Path) -> list[str]:
    """What was written, and what to do with it."""
    return [
        f"{to}: cap {record.cap}, measured {record.measured_at} on endpoint {record.endpoint_id}",
        "commit it, and name it in golive.toml:",
        "",
        "[client]",
        f'cap_record = "{to}"',
    ]


def span(seconds: float) -> str:
    """``45 s``, ``12 min``."""
    return f"{seconds:.0f} s" if seconds < 2 * MINUTE_S else f"{math.ceil(seconds / MINUTE_S)} min"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], left: set[int], cap: int | None = None) -> Table:
    """``rows`` under ``head``, with the columns ``left`` flush left; the row of the recommended cap stands out."""
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(head):
        table.add_column(name, justify="left" if number in left else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row), style="bold" if cap is not None and row[0] == str(cap) else "")
    return table
