"""A drill that ended, in a terminal: the answer, the reason, each alert, what is scaled, what is not real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from rich.table import Table
from rich.text import Text

from go_live.monitor.drill.judging import chosen_rows, problems
from go_live.monitor.drill.record import LOOK
from go_live.monitor.drill.telling import span
from go_live.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from go_live.config import Config
    from go_live.monitor.drill.judging import Row
    from go_live.monitor.drill.record import Drill

COLUMNS = ("alert", "caused by", "due", "fired", "arrived at", "resolved", "")


def show(out: Console, drill: Drill, config: Config, path: Path) -> None:
    """Print the drill; no text of it is read as markup."""
    found = chosen_rows(drill, config)
    wrong = problems(found, drill, config)
    out.print(Text(sentence(drill, found, wrong), style="bold red" if wrong else "bold green"), soft_wrap=True)
    for line in wrong[1:]:
        out.print(Text(f"- {line}", style="red"), soft_wrap=True)
    out.print(_table(found))
    if drill.id.startswith(LOOK):
        out.print(Text("only a look: MON-4 wants a whole drill", style="yellow"))
    for line in footnotes(drill):
        out.print(Text(line, style="dim"), soft_wrap=not out.is_terminal)
    out.print(Text(f"record: {path}", style="bold"), soft_wrap=True)


def sentence(drill: Drill, found: Sequence[Row], wrong: Sequence[str]) -> str:
    """The answer and the first reason."""
    passed = sum(row.outcome is Outcome.PASS for row in found)
    shown = f"{passed} of {len(found)} alerts fired within their time, arrived and resolved, in {span(drill.seconds)}"
    return f"FAIL: {wrong[0]} ({shown})" if wrong else f"PASS: {shown}"


def footnotes(drill: Drill) -> list[str]:
    """What was scaled, what was as in production, what was not real."""
    programs = ", ".join(f"{name} {version}" for name, version in drill.programs.items())
    return [
        (
            f"times are seconds of the drill: every window, duration, pause, latency limit and answer is production's "
            f"divided by {drill.factor}; shares, counts, expressions, severities and routes are production's"
        ),
        (
            f"{programs}, the gateway, the worker's SDK and {sum(drill.requests.values())} requests are real; the "
            "timed engine stands for the model, a local sink for PagerDuty, Slack and the dead-man's switch"
        ),
        *(f"simulated: {text}" for text in drill.simulated),
    ]


def _table(found: Sequence[Row]) -> Table:
    """One line an alert; rules that share a name share a line, unless one of them failed."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in {"due", "fired", "resolved"} else "left", overflow="fold")
    for row in grouped(found):
        passed = row.outcome is Outcome.PASS
        cells = (
            row.alert,
            row.incident,
            f"{row.due_s:.0f} s",
            _seconds(row.fired_s),
            ", ".join(row.receivers) or "-",
            _seconds(row.resolved_s),
        )
        table.add_row(
            *(Text(cell) for cell in cells), Text(row.outcome.upper(), style="green" if passed else "bold red")
        )
    return table


def grouped(found: Sequence[Row]) -> list[Row]:
    """Rows of one alert's metrics as one row, whose times are the latest, where all of them passed."""
    by_name: dict[str, list[Row]] = {}
    for row in found:
        by_name.setdefault(row.alert.partition(" ")[0], []).append(row)
    lines: list[Row] = []
    for name, same in by_name.items():
        if len(same) == 1 or any(row.outcome is not Outcome.PASS for row in same):
            lines += same
            continue
        lines.append(
            msgspec.structs.replace(
                same[0],
                alert=f"{name} x{len(same)}",
                fired_s=max(row.fired_s or 0.0 for row in same),
                resolved_s=max(row.resolved_s or 0.0 for row in same),
                receivers=tuple(sorted({receiver for row in same for receiver in row.receivers})),
            )
        )
    return lines


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
