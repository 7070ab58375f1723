"""A plan in the terminal: the answer, what each claim needs, what is not reckoned with. Formatting only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from go_live.judge.pace import about
from go_live.planning.needs import POOLED, spaced, too_short

if TYPE_CHECKING:
    from rich.console import Console

    from go_live.planning.needs import Need, Planned
    from go_live.planning.simulation import Chances, Simulated


ALL = "all"
"""How the table names levels and soak together."""


def show(out: Console, found: Planned, simulated: Simulated | None, cost: tuple[float, float]) -> None:
    """Print the plan: the answer first; ``cost`` is what the whole run is expected to cost, and what it may."""
    missing = too_short(found)
    _say(out, Text(sentence(found), style="bold yellow" if missing else "bold green"))
    for line in missing:
        _say(out, Text(f"- {line}", style="yellow"))
    if simulated is not None:
        _show_run(out, simulated)
    out.print()
    out.print(_table(found, simulated))
    out.print()
    for line in footnotes(found, cost):
        _say(out, Text(line, style="dim"))


def _say(out: Console, words: Text) -> None:
    """One paragraph: broken between words on a terminal, one line in a file."""
    out.print(words, soft_wrap=not out.is_terminal)


def sentence(found: Planned) -> str:
    """``this plan can show all 22 claims on shares of requests; about 75 minutes, $2.92``."""
    shown = sum(need.shown for need in found.needs)
    which = f"all {shown}" if shown == len(found.needs) else f"{shown} of {len(found.needs)}"
    price = "costs nothing (the target is local)" if found.local else f"${found.dollars:.2f}"
    return f"this plan can show {which} claims on shares of requests; {about(found.seconds)} under load, {price}"


def footnotes(found: Planned, cost: tuple[float, float]) -> list[str]:
    """What the figures rest on."""
    soak = found.phase("soak")
    assumed = f"{found.total_ms:g} ms a request (the profile's assumed_total_ms)"
    lines = [f"reckoned with {assumed}: {soak.requests:,} requests in the soak of {about(soak.seconds)}"]
    if not found.local:
        lines.append("dollars are for workers under load; cold starts and idle workers come on top")
        lines.append(
            f"the whole run: ${cost[0]:.2f} with the burst and what its workers idle; more than ${cost[1]:.2f} "
            "(price.max_dollars, --max-cost) is refused before a run starts, and stops one that goes on"
        )
    if found.burst_length > 1:
        lines.append(
            f"bursts of mean length {found.burst_length} are declared: each claim has to hold on one request in "
            f"{3 * found.burst_length} alone, and the misses allowed are those among them"
        )
    lines.append(f"{ALL}: levels up to the client cap and soak together")
    lines.append("allowed: misses with which it is shown; least: requests that show it without one, and what they take")
    return lines


def _table(found: Planned, simulated: Simulated | None) -> Table:
    """One row for the claims that need the same."""
    table = Table(box=None, pad_edge=False)
    table.add_column("scope", no_wrap=True)
    table.add_column("claim", overflow="fold")
    for heading in ("requests", "allowed", "least", "takes"):
        table.add_column(heading, justify="right", no_wrap=True)
    if not found.local:
        table.add_column("costs", justify="right", no_wrap=True)
    if simulated is not None:
        for heading in ("PASS", "FAIL"):
            table.add_column(heading, justify="right", no_wrap=True)
    for indices in _rows(found, simulated):
        table.add_row(*_cells(found, indices, simulated))
    return table


def _rows(found: Planned, simulated: Simulated | None) -> list[list[int]]:
    """Indices of the needs that share a row: the same scope and the same numbers."""
    rows: dict[tuple[object, ...], list[int]] = {}
    for index, need in enumerate(found.needs):
        chances = simulated.claims[index] if simulated else None
        rows.setdefault((need.scope, need.asked.p0, need.planned, need.least, chances), []).append(index)
    return list(rows.values())


def _cells(found: Planned, indices: list[int], simulated: Simulated | None) -> list[Text]:
    """One row."""
    needs = [found.needs[index] for index in indices]
    first = needs[0]
    among = spaced(first.planned, found.burst_length)
    allowed = "too short" if first.allowed is None else f"{first.allowed:,}"
    if first.allowed is not None and found.burst_length > 1:
        allowed += f" of {among:,}"
    cells = [
        ALL if first.scope == POOLED else first.scope,
        _named(needs),
        f"{first.planned:,}",
        allowed,
        f"{first.least:,}",
    ]
    cells.append(_brief(first.seconds))
    if not found.local:
        cells.append(f"${first.dollars:.2f}")
    if simulated is not None:
        cells += [_percent(simulated.claims[indices[0]], passed=True), _percent(simulated.claims[indices[0]])]
    return [Text(cell, style="" if first.shown else "yellow") for cell in cells]


def _named(needs: list[Need]) -> str:
    """``total p95``; of several that need the same ``p50, throughput``."""
    names = [need.claim.split(" is ")[0].removesuffix(" of 50 %").removeprefix("share of ") for need in needs]
    ranks = dict.fromkeys(name.rsplit(" ", 1)[-1] for name in names)
    return names[0] if len(names) == 1 else ", ".join(ranks)


def _brief(seconds: float) -> str:
    """``13 min``: as :func:`go_live.judge.pace.about`, for a column."""
    words = about(seconds).removeprefix("about ")
    for long, short in (("second", "s"), ("minute", "min"), ("hour", "h")):
        words = words.replace(f"{long}s", short).replace(long, short)
    return words


def _show_run(out: Console, simulated: Simulated) -> None:
    """How such runs end."""
    run, truth = simulated.run, simulated.truth
    told = [f"p50 {truth.p50 * 100:g} %", f"p95 {truth.p95 * 100:g} %"]
    told += [f"{key} {share * 100:g} %" for key, share in truth.single.items()]
    told += [f"success {truth.success * 100:g} %", f"right answers {truth.correct * 100:g} %"]
    told += [f"bursts of {truth.burst}"] if truth.burst > 1 else []
    answers = (("GO", run.passed, "green"), ("NO-GO", run.failed, "red"), ("INCONCLUSIVE", run.open, "yellow"))
    line = Text("if the service is as assumed: ")
    for number, (word, count, style) in enumerate(answers):
        line.append(", " if number else "").append(f"P({word}) {count / run.repetitions:.1%}", style=style)
        line.append(f" ({count:,} of {run.repetitions:,})")
    _say(out, line)
    _say(
        out,
        Text(
            f"assumed shares of requests within the limits: {', '.join(told)}; seed {simulated.seed}. Drift, time-outs "
            "and what is not about shares of requests are not simulated.",
            style="dim",
        ),
    )


def _percent(chances: Chances, *, passed: bool = False) -> str:
    count = chances.passed if passed else chances.failed
    return f"{count / chances.repetitions * 100:.3g} %"
