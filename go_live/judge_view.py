"""A judgement in the terminal: the answer, the claims, what was left out, the plain figures."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from go_live.judge.percentiles import POINTS
from go_live.judge.summary import WORDS, spoken
from go_live.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from go_live.judge.compare import Comparison, Pair
    from go_live.judgement import Judgement

COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.INCONCLUSIVE: "yellow", Outcome.ERROR: "magenta"}

PLAIN_WIDTH = 120
"""Columns when the output is no terminal."""


def show(judgement: Judgement, console: Console | None = None) -> None:
    """Print ``judgement``: the answer first."""
    out = console or default_console()
    _answer(out, judgement)
    out.print(claims_table(judgement.verdicts))
    for verdict in judgement.verdicts:
        out.print(Text(f"- {spoken(verdict)}"), soft_wrap=True)
    if judgement.not_in_file:
        out.print(Text(f"not in this file: {', '.join(judgement.not_in_file)}"), soft_wrap=True)
    for note in judgement.notes:
        out.print(Text(f"note: {note}", style="yellow"), soft_wrap=True)
    if judgement.comparison:
        _show_comparison(out, judgement.comparison)


def default_console() -> Console:
    """Standard output; a fixed width when it is no terminal, so that logs read alike everywhere."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def claims_table(verdicts: list[Verdict]) -> Table:
    """One row a claim, with its plain figures."""
    table = Table(box=None, pad_edge=False)
    table.add_column("claim", overflow="fold")
    table.add_column("outcome")
    for heading in ("n", "misses", "needed", *(f"p{q} ms" for q in POINTS)):
        table.add_column(heading, justify="right")
    for verdict in verdicts:
        counts = (verdict.n, verdict.misses, verdict.needed, *(verdict.points.get(f"p{q}_ms") for q in POINTS))
        colour = COLOURS.get(verdict.outcome, "")
        table.add_row(verdict.claim, Text(WORDS[verdict.outcome], style=colour), *map(_figure, counts))
    return table


def _answer(out: Console, judgement: Judgement) -> None:
    line = Text(WORDS[judgement.outcome], style=f"bold {COLOURS.get(judgement.outcome, '')}")
    out.print(line.append(f"  {judgement.reason}", style="not bold default"), soft_wrap=True)
    out.print(
        Text(f"{judgement.source}: {judgement.n} requests, judged by the {judgement.slo} limits\n", style="dim"),
        soft_wrap=True,
    )


def _show_comparison(out: Console, found: Comparison) -> None:
    out.print(Text(f"\n{found.ours} against {found.theirs}", style="bold"))
    for name, pair in found.totals.items():
        out.print(Text(_difference(f"total {name.removesuffix('_ms')}", pair)), soft_wrap=True)
    out.print(Text(f"{_difference('queue p50', found.queue_p50)} ({found.queue_how})"), soft_wrap=True)


def _difference(name: str, pair: Pair) -> str:
    """``total p50: 6907 ms against 13777 ms, 50 % lower``."""
    figures = f"{name}: {_ms(pair.ours)} against {_ms(pair.theirs)}"
    if pair.change is None:
        return figures
    return f"{figures}, {abs(pair.change) * 100:.0f} % {'lower' if pair.change < 0 else 'higher'}"


def _ms(value: float | None) -> str:
    return "infinite" if value is None else f"{value:.0f} ms"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
