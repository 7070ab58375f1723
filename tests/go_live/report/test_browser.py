"""The page in a real browser: no sideways scrolling on a phone, no error, no request, light and dark."""

from collections.abc import Iterator

import pytest
from selenium import webdriver

from go_live.report import render
from go_live.report.model import View
from tests.go_live.chromium import LABELS_OUTSIDE, NEEDED, SEEN, ask, contrast, log, luminance, show, started

pytestmark = NEEDED


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One headless Chromium with a profile of its own."""
    with started(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def pages(go: View, no_go: View, soak: View, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the three pages."""
    folder = tmp_path_factory.mktemp("pages")
    for name, view in {"go": go, "no_go": no_go, "soak": soak}.items():
        (folder / f"{name}.html").write_text(render.html(view), encoding="utf-8")
    return {path.stem: path.as_uri() for path in folder.iterdir()}


WHICH = pytest.mark.parametrize("which", ["go", "no_go", "soak"])


@WHICH
@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_never_scrolls_sideways(
    browser: webdriver.Chrome, pages: dict[str, str], which: str, width: int
) -> None:
    """At a phone's width and at a desk's, with every detail opened, the page is no wider than the window."""
    show(browser, pages[which], width=width)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert ask(browser, "document.documentElement.scrollWidth") <= width


@WHICH
def test_chart_text_is_legible_on_a_phone(browser: webdriver.Chrome, pages: dict[str, str], which: str) -> None:
    """The smallest text of any chart is at least 9 pixels high at 360 pixels' width."""
    show(browser, pages[which], width=360)
    scale = "Math.min(...[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().width / 360))"
    assert ask(browser, scale) * 11.5 >= 9


@WHICH
def test_chart_labels_stay_inside(browser: webdriver.Chrome, pages: dict[str, str], which: str) -> None:
    """No label of a chart is cut off at the drawing's edge."""
    show(browser, pages[which])
    assert ask(browser, LABELS_OUTSIDE) == []


@WHICH
def test_the_page_asks_for_nothing(browser: webdriver.Chrome, pages: dict[str, str], which: str) -> None:
    """Loading the page makes no request but for the file itself, and writes nothing on the console."""
    log(browser, "performance")
    log(browser, "browser")
    show(browser, pages[which])
    sent = [line["message"] for line in log(browser, "performance") if "Network.requestWillBeSent" in line["message"]]
    assert all('"url":"file:' in message or '"url":"data:' in message for message in sent)
    assert log(browser, "browser") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_are_readable(browser: webdriver.Chrome, pages: dict[str, str], scheme: str) -> None:
    """Text, badges and chart labels keep a contrast of at least 4.5 to 1 (WCAG AA) in light and in dark."""
    show(browser, pages["no_go"], scheme=scheme)
    background = ask(browser, "getComputedStyle(document.body).backgroundColor")
    assert (luminance(background) > 0.5) is (scheme == "light")
    for selector in ("body", ".word", ".badge.good", ".badge.bad", ".badge.warn", ".badge.mute", ".badge.note", "dt"):
        colour, behind = ask(browser, SEEN % selector)
        assert contrast(colour, behind) >= 4.5, selector
    assert contrast(ask(browser, "getComputedStyle(document.querySelector('svg text')).fill"), background) >= 4.5


def test_a_printed_page_shows_the_details(browser: webdriver.Chrome, pages: dict[str, str]) -> None:
    """In print, what is folded on the screen is shown."""
    show(browser, pages["no_go"])
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = "[...document.querySelectorAll('details:not([open]) .more > *')].map(e => e.checkVisibility())"
    printed = ask(browser, shown)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert printed
    assert all(printed)
    assert not any(ask(browser, shown))
