"""A drill along time: each incident as a bar, each notification as a mark. An SVG that opens by itself. Pure."""

from collections.abc import Iterator

from go_live.monitor.drill.arrivals import Arrival
from go_live.monitor.drill.incidents import BY_NAME, DEADMAN
from go_live.monitor.drill.record import Drill, Span
from go_live.report import svg

WIDTH, LEFT, RIGHT = 900, 130, 880
ROW, TOP = 46, 44
MARKS = {"pagerduty": 12, "slack": 24, "deadman": 12}
"""How far below the top of its row each receiver's marks stand."""
STYLE = """
svg { background: #fff; font: 12px system-ui, sans-serif; }
.tx { fill: #222; } .dim { fill: #777; }
.bar { fill: #f6d5cf; } .quiet { fill: #e2f0e2; } .axis { stroke: #bbb; fill: none; }
.firing { stroke: #b3261e; stroke-width: 7; stroke-linecap: round; }
.resolved { stroke: #1f7a34; stroke-width: 7; stroke-linecap: round; }
.beat { stroke: #4a6fa5; stroke-width: 7; stroke-linecap: round; }
"""


def timeline(drill: Drill) -> str:
    """The whole picture: what was healthy, what was broken, and who was told when."""
    spans = sorted(drill.spans, key=lambda span: (span.began, span.incident))
    bottom = TOP + ROW * len(spans)
    axis = svg.Axis(low=0.0, high=drill.seconds, start=LEFT, end=RIGHT)
    first = min((span.began for span in spans), default=drill.seconds)
    parts = [
        svg.tag("style", STYLE),
        svg.label(f"{drill.id}: every time divided by {drill.factor}; PagerDuty above, Slack below", 8, 18),
        *_legend(),
        svg.rect(axis.at(drill.quiet_from), TOP - 6, axis.at(first), bottom, "quiet"),
        svg.label("healthy: nobody is told", axis.at(drill.quiet_from) + 6, bottom - 8, cls="dim"),
        *(part for number, span in enumerate(spans) for part in _row(span, drill, axis, TOP + ROW * number)),
        *_ticks(axis, bottom),
    ]
    return svg.tag(
        "svg", "".join(parts), xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {bottom + 30}", width=WIDTH
    )


def _legend() -> Iterator[str]:
    """What the marks mean."""
    for number, (name, cls) in enumerate((("firing", "firing"), ("resolved", "resolved"), ("beat", "beat"))):
        left = 600 + 95 * number
        yield svg.dots([(left, 14)], cls)
        yield svg.label(name, left + 10, 18)


def _row(span: Span, drill: Drill, axis: svg.Axis, top: float) -> Iterator[str]:
    """One incident: its bar, its name, and what each receiver was told of its endpoint meanwhile."""
    yield svg.rect(
        axis.at(span.began), top, axis.at(drill.seconds if span.ended is None else span.ended), top + 30, "bar"
    )
    yield svg.label(span.incident, 8, top + 20)
    if span.incident == DEADMAN.name:
        yield svg.dots([(axis.at(beat), top + 15) for beat in drill.lost_beats], "beat")
        return
    for receiver in ("pagerduty", "slack"):
        told = [one for one in drill.arrivals if one.receiver == receiver and _belongs(one, span)]
        for status in ("firing", "resolved"):
            points = [(axis.at(one.at), top + MARKS[receiver] - 3) for one in told if one.status == status]
            yield svg.dots(points, status)


def _belongs(arrival: Arrival, span: Span) -> bool:
    """Whether an arrival is about this incident."""
    incident = BY_NAME[span.incident]
    return arrival.endpoint == span.endpoint and arrival.alert in (*incident.alerts, *incident.may)


def _ticks(axis: svg.Axis, bottom: float) -> Iterator[str]:
    """Seconds along the foot."""
    yield svg.line(LEFT, bottom, RIGHT, bottom, "axis")
    for tick in axis.ticks():
        yield svg.label(f"{tick:.0f} s", axis.at(tick), bottom + 18, cls="dim", anchor="middle")
