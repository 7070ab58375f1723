"""Queue time and throughput against requests in flight, one line a setting, as inline SVG. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.report import svg
from go_live.report.svg import BOTTOM, LEFT, RIGHT, TOP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.tuning.cells import Level
    from go_live.tuning.judging import Tuning
    from go_live.tuning.plan import TuningPlan

HEIGHT = 222


class Line(msgspec.Struct, frozen=True):
    """One setting: its name, and where it is at each level."""

    name: str
    points: tuple[tuple[int, float], ...]


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """One drawing with its words."""

    title: str
    caption: str
    svg: str
    lines: tuple[str, ...]
    """Names of the settings, in the order of their colours."""


def plots(plan: TuningPlan, tuning: Tuning) -> tuple[Plot, ...]:
    """Queue p50 with its limits, and throughput."""
    limits = {"begins": plan.config.tuning.queue_begins_ms, "SLO p50": plan.config.slo.queue_ms_p50}
    queue = [Line(sweep.name, _queue(sweep.levels)) for sweep in tuning.sweeps]
    rates = [Line(sweep.name, _rates(sweep.levels)) for sweep in tuning.sweeps]
    n = f"{plan.requests} requests a level, fewer where one was hopeless"
    cap = f" The upright line is the recommended cap, {tuning.cap}." if tuning.cap is not None else ""
    return (
        _plot("queue", "Queue time p50, ms", f"delayTime p50 ({n}).{cap}", queue, limits, plan.levels, tuning.cap),
        _plot(
            "rate",
            "Throughput, right answers a second",
            f"Mean of the rounds.{cap}",
            rates,
            {},
            plan.levels,
            tuning.cap,
        ),
    )


def _queue(levels: Sequence[Level]) -> tuple[tuple[int, float], ...]:
    return tuple(
        (level.concurrency, level.queue[0].measured)
        for level in levels
        if level.queue and level.queue[0].measured is not None
    )


def _rates(levels: Sequence[Level]) -> tuple[tuple[int, float], ...]:
    return tuple((level.concurrency, level.throughput) for level in levels if level.throughput)


def _plot(
    key: str,
    title: str,
    caption: str,
    lines: Sequence[Line],
    limits: dict[str, float],
    levels: Sequence[int],
    cap: int | None,
) -> Plot:
    across = svg.Axis(low=0, high=max(levels) * 1.04, start=LEFT, end=RIGHT)
    values = np.array([value for line in lines for _, value in line.points], dtype=np.float64)
    top = max([*values.tolist(), *limits.values()], default=1.0) * 1.1
    up = svg.Axis(low=0.0, high=max(top, 1e-9), start=HEIGHT - BOTTOM, end=TOP)
    parts = [
        svg.y_ticks(up, taken=[up.at(bound) for bound in limits.values()]),
        svg.x_ticks(across, HEIGHT - BOTTOM, "requests in flight"),
        *(_limit(name, bound, up) for name, bound in limits.items()),
        *([svg.line(across.at(cap), TOP - 8, across.at(cap), HEIGHT - BOTTOM, "cap")] if cap is not None else []),
        *(_drawn(number, line, across, up) for number, line in enumerate(lines)),
    ]
    return Plot(
        title=title,
        caption=caption,
        svg=svg.drawing(f"tune-{key}", title, caption, HEIGHT, parts),
        lines=tuple(line.name for line in lines),
    )


def _limit(name: str, bound: float, up: svg.Axis) -> str:
    y = up.at(bound)
    return svg.line(LEFT, y, RIGHT, y, "lim") + svg.label(f"{name} {bound:g}", LEFT + 4, y - 3, cls="tx limtx")


def _drawn(number: int, line: Line, across: svg.Axis, up: svg.Axis) -> str:
    points = [(across.at(level), up.at(value)) for level, value in line.points]
    return svg.polyline(points, f"set s{number}") + svg.dots(points, f"mark s{number}")
