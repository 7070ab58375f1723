"""Whole reports, word for word. ``UPDATE_GOLDEN=1 pytest`` writes them again, to be read in the diff."""

import os
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from go_live.report import render
from go_live.report.model import View

GOLDEN = Path(__file__).parent / "golden"


def screen(view: View) -> str:
    """The terminal summary, 100 columns wide, without colours."""
    console = Console(file=StringIO(), width=100, color_system=None, legacy_windows=False)
    render.terminal(view, console, report=Path("reports/run/report.html"))
    assert isinstance(console.file, StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def page(view: View) -> str:
    """The page without its style sheet and without the path data of its drawings."""
    text = re.sub(r"<style>.*?</style>", "<style/>", render.html(view), flags=re.DOTALL)
    text = re.sub(r"sha256-[^']+", "sha256-", text)
    return re.sub(r"<svg.*?</svg>", "<svg/>", text, flags=re.DOTALL)


RENDERINGS: dict[str, Callable[[View], str]] = {
    "report.html": page,
    "report.md": render.markdown,
    "junit.xml": render.junit,
    "checklist.md": render.checklist,
    "performance.md": render.performance_validation,
    "terminal.txt": screen,
}


@pytest.mark.parametrize("name", RENDERINGS)
@pytest.mark.parametrize("which", ["go", "no_go", "soak"])
def test_whole_report(which: str, name: str, request: pytest.FixtureRequest) -> None:
    """Each rendering of each run is what a reader approved, to the last word."""
    shown = RENDERINGS[name](request.getfixturevalue(which))
    golden = GOLDEN / f"{which}-{name}"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")
