"""What the page shows, from what was scraped: the answer, a card for each limit, a drawing for each panel. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from go_live.config import Config
from go_live.monitor import panels
from go_live.monitor.alerts import percent
from go_live.monitor.live import charts
from go_live.monitor.live.history import History, Row, looking_from
from go_live.monitor.live.standing import Kept, Standing, Tone, kept, standing, unheard
from go_live.monitor.objectives import objectives, window_s
from go_live.monitor.panels import Panel, Unit
from go_live.monitor.queries import DAY, Query
from go_live.report import svg, text

POINTS = 160
"""Most points of a line: more than a phone has pixels for."""
STALE_LOOKS = 3
"""Figures are old when so many scrapes in a row would have been due."""
HOLE_LOOKS = 2.5
"""A line has a hole where no scrape came for so many times the usual pause."""
UNITS: dict[Unit, str] = {"requests": "", "requests/min": "/min", "x": " \N{MULTIPLICATION SIGN}"}
"""Units as they follow a figure, where they are not their names."""
BADGES: dict[str, tuple[Tone, str, str]] = {
    "kept": ("good", "✓", "kept"),
    "broken": ("bad", "✗", "broken"),
    "few": ("warn", "?", "too few"),
    "nothing": ("mute", "·", "no figure"),
    "old": ("mute", "·", "old"),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """When the gateway was last heard, and what is wrong since."""

    at: float | None
    """On the scraper's clock; None: never."""
    problem: str
    """Empty: nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One limit: its figure, its limit, and how it stands."""

    name: str
    figure: str
    limit: str
    detail: str
    tone: Tone
    symbol: str
    word: str
    bar: str
    """SVG: the share that keeps to it against the share that has to; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Legend:
    """A line's name and its newest value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A panel over time."""

    title: str
    says: str
    legend: tuple[Legend, ...]
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands under it."""

    key: str
    title: str
    cards: tuple[Card, ...]
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The page."""

    standing: Standing
    endpoint: str
    endpoints: tuple[str, ...]
    source: str
    age_s: float | None
    """Of the figures; None: there are none."""
    stale: bool
    span: str
    """What the figures rest on, in words."""
    sections: tuple[Section, ...]


def view(config: Config, history: History, endpoint: str, heard: Heard, now: float, *, source: str) -> View:
    """The page about ``endpoint`` at the moment ``now`` of the scraper's clock; ``source`` is where it reads."""
    rows = history.rows(endpoint)
    age = None if heard.at is None else now - heard.at
    stale = is_stale(config, heard, age)
    return View(
        standing=_standing(config, rows, endpoint, heard, age),
        endpoint=endpoint,
        endpoints=history.endpoints,
        source=source,
        age_s=age,
        stale=stale,
        span=_span(config, rows),
        sections=tuple(_sections(config, rows, stale=stale)),
    )


def is_stale(config: Config, heard: Heard, age_s: float | None) -> bool:
    """Whether the figures no longer say how things are."""
    return age_s is None or bool(heard.problem) or age_s > STALE_LOOKS * config.dashboard.page_every_s


def _standing(config: Config, rows: Sequence[Row], endpoint: str, heard: Heard, age: float | None) -> Standing:
    """The answer; figures that are old give none."""
    if is_stale(config, heard, age):
        return unheard(heard.problem or "it was not asked since", age)
    if not rows or rows[-1].at != heard.at:
        return unheard(f"it tells nothing of the endpoint {endpoint}", None)
    look = looking_from(rows, len(rows) - 1)
    return standing(kept(config, look), config, look)


def _span(config: Config, rows: Sequence[Row]) -> str:
    """How far the figures reach back."""
    if not rows:
        return "nothing yet"
    seconds = looking_from(rows, len(rows) - 1)(window_s(config)).seconds
    known = rows[-1].at - rows[0].at
    figures = f"figures of the last {text.duration(seconds)}"
    return figures if known <= seconds else f"{figures}, drawings of the last {text.duration(known)}"


def _sections(config: Config, rows: Sequence[Row], *, stale: bool) -> Iterator[Section]:
    """A section for each row of panels that can be answered here."""
    for number, row in enumerate(panels.rows(config)):
        if row.title == panels.FIRING:
            continue
        drawings = [panel for panel in row.panels if panel.kind in {"over time", "stacked"}]
        cards: tuple[Card, ...] = ()
        if row.title == panels.COMPLIANCE:
            cards = _limit_cards(config, rows)
        elif row.title == panels.BUDGET:
            cards = (_budget_card(config, rows),)
        if stale:
            cards = tuple(_old(card) for card in cards)
        yield Section(
            key=f"part-{number}",
            title=row.title,
            cards=cards,
            drawings=tuple(_drawing(f"c{number}-{index}", panel, config, rows) for index, panel in enumerate(drawings)),
        )


def _limit_cards(config: Config, rows: Sequence[Row]) -> tuple[Card, ...]:
    """A card for each objective."""
    if not rows:
        return tuple(
            _card(Kept(objective=each, state="nothing", n=0, misses=0, figure_s=None)) for each in objectives(config)
        )
    return tuple(_card(each) for each in kept(config, looking_from(rows, len(rows) - 1)))


def _card(each: Kept) -> Card:
    """One objective; a figure never stands without its n."""
    objective, share = each.objective, each.share
    tone, symbol, word = BADGES[each.state]
    if share is None or each.state == "nothing":
        figure, detail = text.NOTHING, f"n = {each.n:,}"
    elif objective.histogram:
        figure = text.NOTHING if each.figure_s is None else text.ms(each.figure_s * 1000)
        detail = f"{text.percent(share)} within it, {percent(objective.target)} needed, n = {each.n:,}"
        detail = detail.replace(" %", "\N{NO-BREAK SPACE}%")
    else:
        figure = text.percent(share)
        detail = f"{text.counted(each.misses, 'failure')}, n = {each.n:,}"
    limit = text.ms(objective.limit_s * 1000) if objective.histogram else percent(objective.target)
    return Card(
        name=objective.name,
        figure=figure,
        limit=f"{'≤' if objective.histogram else '≥'} {limit}",
        detail=detail,
        tone=tone,
        symbol=symbol,
        word=word,
        bar="" if share is None else _bar(objective.name, share, objective.target, tone),
    )


def _old(card: Card) -> Card:
    """A card whose figure says no longer how things are: no badge of health."""
    tone, symbol, word = BADGES["old" if card.bar else "nothing"]
    return replace(card, tone=tone, symbol=symbol, word=word, bar="")


def _budget_card(config: Config, rows: Sequence[Row]) -> Card:
    """What is left of the error budget, as far back as this page remembers."""
    success, days = objectives(config)[0], config.dashboard.error_budget_days
    look = looking_from(rows, len(rows) - 1) if rows else None
    spent = success.spent(days * DAY).value(look) if look else None
    asked = round((success.asked(days * DAY).value(look) or 0) if look else 0)
    known = text.duration(rows[-1].at - rows[0].at) if rows else "0 s"
    left = None if spent is None else 1 - spent
    tone, symbol, word = BADGES["nothing" if left is None else "kept" if left >= 0 else "broken"]
    if asked < config.alerts.fail_min_requests and left is not None:
        tone, symbol, word = BADGES["few"]
    return Card(
        name="error budget left",
        figure=text.NOTHING if left is None else text.percent(left),
        limit="≥ 0 %",
        detail=f"of the last {known}, n = {asked:,}; all {days} days: ask Prometheus",
        tone=tone,
        symbol=symbol,
        word=word,
        bar="" if left is None else _bar("error budget left", max(left, 0.0), 0.0, tone),
    )


def _bar(name: str, share: float, target: float, tone: Tone) -> str:
    """A share as a bar, and a mark where it has to reach."""
    width, height = 200, 10
    mark = [svg.line(width * target, 0, width * target, height, "mark")] if target else []
    said = f"{name}: {text.percent(share)}" + (f" of {percent(target)} needed" if target else "")
    inside = svg.rect(0, 2, width, 8, "rail") + svg.rect(0, 2, width * share, 8, f"fill {tone}") + "".join(mark)
    return svg.tag("svg", inside, viewBox=f"0 0 {width} {height}", role="img", aria_label=said, cls="bar")


def _drawing(key: str, panel: Panel, config: Config, rows: Sequence[Row]) -> Drawing:
    """A panel over all that is remembered."""
    lines = [list(_points(line.query, rows, config)) for line in panel.lines]
    reach = (rows[-1].at - rows[0].at) / 60 if rows else 0.0
    minutes = min(max(reach, config.alerts.window_minutes), config.dashboard.page_history_minutes)
    legend = tuple(Legend(line.legend, _newest(points, panel)) for line, points in zip(panel.lines, lines, strict=True))
    said = "; ".join([*(f"{each.name} {each.value}" for each in legend), *panels.words_of(panel)])
    return Drawing(
        title=panel.title, says=panel.says, legend=legend, svg=charts.chart(key, panel, lines, minutes, said)
    )


def _points(query: Query, rows: Sequence[Row], config: Config) -> Iterator[charts.Point]:
    """A line's points; between two rows that lie too far apart there is a hole."""
    step = -(-len(rows) // POINTS) or 1
    hole = HOLE_LOOKS * config.dashboard.page_every_s * step
    before = None
    for index in range((len(rows) - 1) % step, len(rows), step):
        at = rows[index].at
        minutes = (at - rows[-1].at) / 60
        if before is not None and at - before > hole:
            yield minutes, None
        yield minutes, query.value(looking_from(rows, index))
        before = at


def _newest(points: Sequence[charts.Point], panel: Panel) -> str:
    """The value of now, with its unit."""
    value = points[-1][1] if points else None
    if value is None:
        return text.NOTHING
    if panel.unit == "share":
        return f"{text.number(value * 100)} %"
    if panel.unit == "s":
        return text.ms(value * 1000)
    return text.number(value) + UNITS.get(panel.unit, f" {panel.unit}")
