"""The page in a real browser: no sideways scrolling on a phone, no error, no request, light and dark."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver

from go_live.report import render
from go_live.report.model import View

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="chromium and chromedriver are not installed (Debian: chromium-driver)"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One headless Chromium with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(go: View, no_go: View, soak: View, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the three pages."""
    folder = tmp_path_factory.mktemp("pages")
    for name, view in {"go": go, "no_go": no_go, "soak": soak}.items():
        (folder / f"{name}.html").write_text(render.html(view), encoding="utf-8")
    return {path.stem: path.as_uri() for path in folder.iterdir()}


def show(browser: webdriver.Chrome, address: str, *, width: int = 1200, scheme: str = "light") -> None:
    """Open a page in a window of ``width`` pixels."""
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(address)


def ask(browser: webdriver.Chrome, script: str) -> Any:
    """The value of a JavaScript expression (the driver may evaluate; the page itself may not)."""
    return browser.execute_script(f"return {script}")


def log(browser: webdriver.Chrome, kind: str) -> list[dict[str, Any]]:
    """What the browser logged since the last call."""
    return list(browser.get_log(kind))  # type: ignore[no-untyped-call] # selenium leaves this one untyped


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
    outside = """[...document.querySelectorAll('svg text')].filter(t => {
        const b = t.getBBox(), v = t.ownerSVGElement.viewBox.baseVal;
        return b.x < 0 || b.y < 0 || b.x + b.width > v.width || b.y + b.height > v.height;
    }).map(t => t.textContent)"""
    assert ask(browser, outside) == []


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


SEEN = """(function () {
    let e = document.querySelector('%s'), colour = getComputedStyle(e).color;
    while (e && getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)') e = e.parentElement;
    return [colour, getComputedStyle(e).backgroundColor];
})()"""


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)`` (WCAG 2.2)."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


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
