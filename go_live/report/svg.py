"""The few SVG pieces that the charts are made of. Pure.

A chart is 360 units wide and its smallest text 11 units high, so that at the width of a phone it is read without
zooming. Colours come from the page's style sheet by class, so that light and dark both work.
"""

import math
from collections.abc import Iterable
from html import escape

import msgspec
import numpy as np

from go_live.report import text
from go_live.table import Floats

WIDTH = 360
LEFT, RIGHT, TOP, BOTTOM = 46, 330, 34, 32
LINE = 12
"""Height of a line of text."""
LOG_FROM = 8
"""A logarithmic axis is used when the greatest value is this many times the smallest."""


class Axis(msgspec.Struct, frozen=True, kw_only=True):
    """A scale from values to pixels."""

    low: float
    high: float
    start: float
    """Pixel of ``low``."""
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of ``value``; what lies outside is drawn at the edge."""
        inside = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values along the axis, about five."""
        return _log_ticks(self.low, self.high) if self.log else _linear_ticks(self.low, self.high)


def value_axis(values: Floats, limits: Iterable[float], start: float, end: float) -> Axis:
    """An axis that shows all finite ``values`` and every limit with room beyond it; logarithmic where that fits."""
    known = values[(values > 0) & np.isfinite(values)]
    finite = [float(known.min()), float(known.max())] if known.size else []
    limits = list(limits)
    low, high = min([*finite, *limits], default=1.0), max([*finite, *limits], default=1.0)
    if high / low >= LOG_FROM:
        return Axis(low=low / 1.25, high=max(max(finite, default=0) * 1.1, high * 1.6), start=start, end=end, log=True)
    return Axis(
        low=0.0, high=max(max(finite, default=0) * 1.05, max(limits, default=0) * 1.25, 1e-9), start=start, end=end
    )


def _linear_ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= raw)
    return [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wide = high / low > 1000  # noqa: PLR2004 - three decades fill the axis with powers of ten alone
    found = [nice * 10.0**decade for decade in decades for nice in ((1,) if wide else (1, 2, 5))]
    return [tick for tick in found if low <= tick <= high]


def tag(name: str, content: str = "", **attributes: object) -> str:
    """One element; ``cls`` is its class, other underscores become hyphens. ``content`` must be escaped already."""
    named = {("class" if key == "cls" else key.replace("_", "-")): value for key, value in attributes.items()}
    inside = "".join(f' {key}="{escape(_plain(value))}"' for key, value in named.items())
    return f"<{name}{inside}>{content}</{name}>" if content else f"<{name}{inside}/>"


def _plain(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def label(words: str, x: float, y: float, *, cls: str = "tx", anchor: str = "start") -> str:
    """A text, anchored ``start``, ``middle`` or ``end``."""
    return tag("text", escape(text.clean(words)), x=x, y=y, cls=cls, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, cls: str) -> str:
    """A straight line."""
    return tag("path", d=f"M{_plain(x1)} {_plain(y1)}L{_plain(x2)} {_plain(y2)}", cls=cls)


def rect(left: float, top: float, right: float, bottom: float, cls: str) -> str:
    """A filled area."""
    return tag("rect", x=left, y=top, width=max(right - left, 0.0), height=max(bottom - top, 0.0), cls=cls)


def area(points: Iterable[tuple[float, float]], cls: str) -> str:
    """A filled shape."""
    return tag("path", d="M" + "L".join(f"{_plain(x)} {_plain(y)}" for x, y in points) + "Z", cls=cls)


def polyline(points: Iterable[tuple[float, float]], cls: str) -> str:
    """A line through ``points``; points on the same half pixel are drawn once."""
    kept = list(dict.fromkeys((round(x * 2) / 2, round(y * 2) / 2) for x, y in points))
    return tag("path", d="M" + "L".join(f"{_plain(x)} {_plain(y)}" for x, y in kept), cls=cls) if kept else ""


def dots(points: Iterable[tuple[float, float]], cls: str) -> str:
    """One path of round dots (zero-length strokes); points on the same half pixel are drawn once."""
    kept = dict.fromkeys((round(x * 2) / 2, round(y * 2) / 2) for x, y in points)
    return tag("path", d="".join(f"M{_plain(x)} {_plain(y)}h0" for x, y in kept), cls=cls) if kept else ""


def crosses(points: Iterable[tuple[float, float]], cls: str) -> str:
    """One path of small crosses."""
    kept = dict.fromkeys((round(x * 2) / 2, round(y * 2) / 2) for x, y in points)
    return (
        tag("path", d="".join(f"M{_plain(x - 3)} {_plain(y - 3)}l6 6m-6 0l6-6" for x, y in kept), cls=cls)
        if kept
        else ""
    )


def x_ticks(axis: Axis, bottom: float, name: str) -> str:
    """Tick labels below the chart, with the axis' name and unit under them."""
    drawn = [label(text.number(tick), axis.at(tick), bottom + 13, anchor="middle") for tick in _spread(axis, 44)]
    return "".join(drawn) + label(name, (axis.start + axis.end) / 2, bottom + 27, cls="tx ax", anchor="middle")


def y_ticks(axis: Axis, unit: str = "", taken: Iterable[float] = ()) -> str:
    """Grid lines and tick labels at the left edge; no label within a line's height of the ``taken`` pixels."""
    taken, drawn = list(taken), ""
    for tick in _spread(axis, 16):
        y = axis.at(tick)
        drawn += line(LEFT, y, RIGHT, y, "gr")
        if all(abs(y - other) >= LINE for other in taken):
            drawn += label(text.number(tick) + unit, LEFT - 5, y + 4, anchor="end")
    return drawn


def _spread(axis: Axis, apart: float) -> list[float]:
    """Ticks that lie at least ``apart`` pixels from each other."""
    kept: list[float] = []
    for tick in axis.ticks():
        if not kept or abs(axis.at(tick) - axis.at(kept[-1])) >= apart:
            kept.append(tick)
    return kept


def drawing(key: str, title: str, description: str, height: float, parts: Iterable[str]) -> str:
    """The whole SVG element, named for those who do not see it."""
    head = tag("title", escape(text.clean(title)), id=f"{key}-t") + tag(
        "desc", escape(text.clean(description)), id=f"{key}-d"
    )
    return tag(
        "svg",
        head + "".join(parts),
        viewBox=f"0 0 {WIDTH} {_plain(float(height))}",
        role="img",
        aria_labelledby=f"{key}-t {key}-d",
        cls="chart",
    )
