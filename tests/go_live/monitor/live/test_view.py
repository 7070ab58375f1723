"""What stands on the page: figures with their n, limits drawn, holes left as holes."""

import re

import pytest

from go_live.config import Config
from go_live.monitor import panels
from go_live.monitor.live import charts
from go_live.monitor.live.history import History
from go_live.monitor.live.view import Heard, Section, View, view
from tests.go_live.monitor.live.gateways import Told


@pytest.fixture
def busy(config: Config) -> View:
    """Two minutes of healthy traffic."""
    told, history = Told(config), History(keep_s=3600, every_s=5)
    for step in range(25):
        history.add(step * 5.0, told.scrape())
        told.ended(10)
    return view(config, history, told.endpoint, Heard(120.0, ""), 121.0, source="here")


def section(seen: View, title: str) -> Section:
    """The section of this heading."""
    return next(each for each in seen.sections if each.title == title)


def test_no_figure_stands_without_its_n(busy: View) -> None:
    """Every card that shows a figure says of how many requests."""
    cards = [card for each in busy.sections for card in each.cards]
    assert len(cards) == 7
    assert all(re.search(r"n = [\d,]+", card.detail) for card in cards)


def test_every_limit_is_drawn_and_named(config: Config, busy: View) -> None:
    """Of each panel over time, as a line and in words."""
    drawings = {drawing.title: drawing.svg for each in busy.sections for drawing in each.drawings}
    for panel in panels.panels(config):
        if panel.title in drawings:
            assert drawings[panel.title].count('class="lim"') == len(panel.limits)
            for words in panels.words_of(panel):
                assert f">{words}</text>" in drawings[panel.title]


def test_throughput_is_what_was_answered(busy: View) -> None:
    """Ten requests of 150 tokens every five seconds: 120 a minute, 300 tokens a second, 50 of one request."""
    legends = {drawing.title: drawing.legend[0].value for drawing in section(busy, "Throughput").drawings}
    assert legends == {
        "Answers per minute": "120/min",
        "Output tokens per second": "300 tokens/s",
        "Tokens per second of one request": "50 tokens/s",
    }


def test_the_budget_says_how_far_it_reaches(busy: View) -> None:
    """The page knows two minutes, not thirty days."""
    (card,) = section(busy, "Error budget").cards
    assert card.figure == "100 %"
    assert card.detail == "of the last 2 min, n = 240; all 30 days: ask Prometheus"


def test_without_a_reading_every_panel_is_there_and_empty(config: Config) -> None:
    """A page that heard nothing shows its limits, no figure, and no badge of health."""
    seen = view(config, History(keep_s=60, every_s=5), "e", Heard(None, "it cannot be reached"), 0.0, source="here")
    assert seen.standing.word == "UNKNOWN"
    assert {card.word for each in seen.sections for card in each.cards} == {"no figure"}
    drawings = [drawing for each in seen.sections for drawing in each.drawings]
    assert len(drawings) == len([p for p in panels.panels(config) if p.kind in {"over time", "stacked"}])
    assert all(charts.NOTHING in drawing.svg for drawing in drawings)


def test_a_silence_is_a_hole(config: Config) -> None:
    """Between readings that lie too far apart no line is drawn: it would claim what nobody saw."""
    told, history = Told(config), History(keep_s=3600, every_s=5)
    for at in (0.0, 5.0, 10.0, 15.0, 100.0, 105.0, 110.0):
        history.add(at, told.scrape())
    seen = view(config, history, told.endpoint, Heard(110.0, ""), 110.0, source="here")
    waiting = next(d for d in section(seen, "Request flow").drawings if d.title == "Waiting in the gateway")
    assert waiting.svg.count('class="ln s0"') == 2


def test_what_an_endpoint_is_called_cannot_break_the_page(config: Config) -> None:
    """A name from the address bar stays text."""
    from go_live.monitor.live.app import parts  # noqa: PLC0415 - the only test of the templates here

    name = "<script>alert(1)</script>"
    seen = view(config, History(keep_s=60, every_s=5), name, Heard(None, "x"), 0.0, source="<b>")
    html = "".join(parts(seen).values())
    assert "<script" not in html
    assert "<b>" not in html.replace("<b>\N{EM DASH}</b>", "")


def test_a_stack_is_the_sum_of_its_lines() -> None:
    """What has no value adds nothing, and is no hole in what lies upon it."""
    lines: list[list[charts.Point]] = [[(-1.0, 1.0), (0.0, None)], [(-1.0, 2.0), (0.0, 5.0)]]
    assert charts.stack(lines) == [[(-1.0, 1.0), (0.0, None)], [(-1.0, 3.0), (0.0, 5.0)]]
