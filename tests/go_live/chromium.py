"""A real browser for tests: started headless, shown pages, asked what it drew."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

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
NEEDED = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="chromium and chromedriver are not installed (Debian: chromium-driver)"
)

SEEN = """(function () {
    let e = document.querySelector('%s'), colour = getComputedStyle(e).color;
    while (e && getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)') e = e.parentElement;
    return [colour, getComputedStyle(e).backgroundColor];
})()"""
"""The colours of an element's text and of what lies behind it."""
LABELS_OUTSIDE = """[...document.querySelectorAll('svg text')].filter(t => {
    const b = t.getBBox(), v = t.ownerSVGElement.viewBox.baseVal;
    return b.x < 0 || b.y < 0 || b.x + b.width > v.width || b.y + b.height > v.height;
}).map(t => t.textContent)"""
"""Labels of drawings that are cut off at the drawing's edge."""


@contextmanager
def started(profile: Path) -> Iterator[webdriver.Chrome]:
    """One headless Chromium with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    try:
        yield driver
    finally:
        driver.quit()


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


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)`` (WCAG 2.2)."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)
