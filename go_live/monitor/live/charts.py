"""A panel over time as an SVG: its lines with the holes that the data has, and every limit drawn and named. Pure."""

import itertools
import math
from collections.abc import Iterator, Sequence

from go_live.monitor.panels import Panel, Unit, words_of
from go_live.report import svg, text
from go_live.report.svg import BOTTOM, LEFT, TOP

HEIGHT = 190
RIGHT = 350
LABEL_TOP = 16
Point = tuple[float, float | None]
"""Minutes before the last reading (negative), and a value; None: there was none."""
SCALE: dict[Unit, float] = {"share": 100.0}
TICKS: dict[Unit, str] = {"share": " %"}
LEAST: dict[Unit, float] = {"s": 0.1, "share": 0.01, "requests": 4.0, "x": 1.0}
"""Heights that a drawing has at least, in the panel's unit; 1 for the others."""
NOTHING = "nothing to tell yet"


def chart(key: str, panel: Panel, lines: Sequence[Sequence[Point]], minutes: float, said: str) -> str:
    """One panel.

    Args:
        key: distinguishes it on its page.
        panel: what it is about.
        lines: the points of each of its lines, oldest first, in their order.
        minutes: how far back it reaches.
        said: what it shows now, in words, for those who do not see it.
    """
    stacked = panel.kind == "stacked"
    drawn = stack(lines) if stacked else lines
    values = [value for points in drawn for _, value in points if value is not None]
    top = max([*values, *(limit.value * 1.15 for limit in panel.limits), LEAST.get(panel.unit, 1.0)])
    scale = SCALE.get(panel.unit, 1.0)
    up = svg.Axis(low=0.0, high=top * 1.06 * scale, start=HEIGHT - BOTTOM, end=LABEL_TOP)
    across = svg.Axis(low=-minutes, high=0.0, start=LEFT, end=RIGHT)
    limits = [(limit.value * scale, words) for limit, words in zip(panel.limits, words_of(panel), strict=True)]
    parts = [_grid(up, panel.unit), svg.x_ticks(across, HEIGHT - BOTTOM, "minutes before the last reading")]
    if stacked:
        parts += _areas(drawn, across, up, scale)
    for index, points in enumerate(drawn):
        parts += _pieces(points, f"ln s{index}", across, up, scale)
    parts += _limit_lines(limits, up)
    if not values:
        parts.append(svg.label(NOTHING, (LEFT + RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2, anchor="middle"))
    return svg.drawing(key, panel.title, said, HEIGHT, parts)


def _grid(up: svg.Axis, unit: Unit) -> str:
    """Grid lines and their figures."""
    drawn, last = "", math.inf
    for tick in up.ticks():
        y = up.at(tick)
        drawn += svg.line(LEFT, y, RIGHT, y, "gr")
        if last - y >= svg.LINE + 4:
            drawn += svg.label(text.number(round(tick, 9)) + TICKS.get(unit, ""), LEFT - 5, y + 4, anchor="end")
            last = y
    return drawn


def _limit_lines(limits: Sequence[tuple[float, str]], up: svg.Axis) -> Iterator[str]:
    """Each limit as a line with its name upon it; names do not lie on each other."""
    lowest = math.inf
    for bound, words in sorted(limits):
        y = up.at(bound)
        above = min(y - 4, lowest - svg.LINE)
        yield svg.line(LEFT, y, RIGHT, y, "lim")
        yield svg.label(words, LEFT + 4, above, cls="tx limtx")
        lowest = above


def _pieces(points: Sequence[Point], cls: str, across: svg.Axis, up: svg.Axis, scale: float) -> Iterator[str]:
    """The line, interrupted where there was no value; a value between two holes is a dot."""
    for there, piece in itertools.groupby(points, key=lambda point: point[1] is not None):
        placed = [(across.at(at), up.at(value * scale)) for at, value in piece if value is not None]
        if there:
            yield svg.polyline(placed, cls) if len(placed) > 1 else svg.dots(placed, cls.replace("ln", "pt big"))


def _areas(drawn: Sequence[Sequence[Point]], across: svg.Axis, up: svg.Axis, scale: float) -> Iterator[str]:
    """What lies between each line of a stack and the one below it."""
    floor: Sequence[Point] = [(at, 0.0) for at, _ in drawn[0]] if drawn else []
    for index, points in enumerate(drawn):
        both = [
            (across.at(at), up.at(value * scale), up.at(below * scale))
            for (at, value), (_, below) in zip(points, floor, strict=True)
            if value is not None and below is not None
        ]
        if len(both) > 1:
            yield svg.area([*((x, y) for x, y, _ in both), *((x, y) for x, _, y in reversed(both))], f"f{index}")
        floor = points


def stack(lines: Sequence[Sequence[Point]]) -> list[list[Point]]:
    """Each line upon the one below it; where one has no value, it adds nothing."""
    stacked: list[list[Point]] = []
    for points in lines:
        below: Sequence[Point] = stacked[-1] if stacked else [(at, None) for at, _ in points]
        stacked.append([(at, _sum(value, under)) for (at, value), (_, under) in zip(points, below, strict=True)])
    return stacked


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one + (other or 0.0)
