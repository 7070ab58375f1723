"""How a bench says what it measured: one table, the machine named above it."""

import os
import sys
from collections.abc import Sequence


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers to three significant digits or whole, and everything that ran beside it as the load."""
    cells = [tuple(columns), *(tuple(map(_cell, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    load = os.getloadavg()[0]
    sys.stdout.write("\n".join(("", f"{title} ({os.cpu_count()} cores, load {load:.1f} at the end)", *lines, "")))


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - wholes from four digits on
