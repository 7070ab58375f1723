"""View -> one screen of text."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from go_live.report.model import Mark, View

STYLES = {"good": "bold green", "bad": "bold red", "warn": "bold yellow", "mute": "dim", "note": "bold blue"}
SHOWN = 8
"""Reasons on the screen; the rest is counted."""
REASON_LINES = 2
IDS = 60
"""Characters of the ids that share a reason."""
COLUMNS = ("level", "n", "not ok", "total p50", "total p95", "exec p50", "exec p95", "queue p50")


def terminal(view: View, console: Console, *, report: Path | None = None) -> None:
    """Print the word, the sentence, what blocks, the key figures with their n, and where the report lies.

    No text of the view is read as console markup.
    """
    for mark in view.watermarks:
        _print(console, Text(mark, style="bold yellow"))
    _print(console, Text.assemble((f" {view.answer.word} ", f"{STYLES[view.answer.tone]} reverse"), " ", view.sentence))
    _print(console, Text(" | ".join(f"{fact.name}: {fact.value}" for fact in view.head), style="dim"))
    for note in view.notes:
        _print(console, Text(f"Note: {note}", style="yellow"))
    _blocking(view, console)
    _waivers(view, console)
    if view.figures.rows:
        console.print(_figures(view, console))
    _print(console, Text("   ").join(_marked(tally.mark, str(tally.count)) for tally in view.tallies))
    for line in view.released:
        _print(console, Text(f"Released: {line}"))
    if report is not None:
        _print(console, Text(f"Report: {report}", style="bold"))


def _blocking(view: View, console: Console) -> None:
    """What stands in the way, worst first, at most :data:`SHOWN` reasons."""
    if not view.blocking:
        return
    console.print()
    for item in view.blocking[:SHOWN]:
        head = _marked(item.mark, item.ids if len(item.ids) <= IDS else f"{item.ids[:IDS]}...")
        room = REASON_LINES * max(console.width, 20) - len(head) - 4
        reason = item.reason if len(item.reason) <= room else f"{item.reason[: room - 3]}..."
        _print(console, Text.assemble(head, "  ", reason))
    if len(view.blocking) > SHOWN:
        _print(console, Text(f"and {len(view.blocking) - SHOWN} more reasons, in the report", style="dim"))
    console.print()


def _waivers(view: View, console: Console) -> None:
    """Every waiver: what it came to, and who answers for what."""
    for one in view.waivers:
        head = _marked(one.mark, f"waiver of {one.item} ({one.outcome})")
        who = f"owner {one.owner}, approver {one.approver} ({one.approval}), until {one.expires}: {one.reason}"
        _print(console, Text.assemble(head, "  ", f"{who} [{one.why}]"))


def _figures(view: View, console: Console) -> Table:
    """Key figures; every percentile stands beside its n."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    shown = [view.figures.head.index(name) for name in COLUMNS]
    for index in shown:
        table.add_column(Text(view.figures.head[index]), justify="left" if index == 0 else "right")
    for row in view.figures.rows:
        table.add_row(*(Text(_plain(console, row[index])) for index in shown))
    return table


def _marked(mark: Mark, after: str) -> Text:
    return Text.assemble((f"{mark.symbol} {mark.word}", STYLES[mark.tone]), " ", after)


def _print(console: Console, words: Text) -> None:
    """Print ``words``; characters that the terminal cannot show become question marks."""
    shown = _plain(console, words.plain)
    if shown != words.plain:
        words = Text(shown, style=words.style)
    console.print(words, soft_wrap=False, highlight=False)


def _plain(console: Console, words: str) -> str:
    encoding = console.encoding or "utf-8"
    return words.encode(encoding, "replace").decode(encoding)
