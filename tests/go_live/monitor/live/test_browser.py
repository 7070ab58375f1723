"""The live page in a real browser, served by the real command, beside metrics that change while it is looked at."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import start_http_server
from selenium import webdriver

from go_live import config as configuration
from go_live.config import Config
from go_live.monitor import panels
from go_live.monitor.metrics import RequestOutcome
from tests.go_live.chromium import LABELS_OUTSIDE, NEEDED, SEEN, ask, contrast, log, luminance, show, started
from tests.go_live.monitor.conftest import ROOT
from tests.go_live.monitor.live.gateways import Told

pytestmark = [NEEDED, pytest.mark.slow]
WITHIN_S = 30
WORD = "document.querySelector('#answer .word').textContent"
FIGURES = "[...document.querySelectorAll('.limit .small')].map(e => e.textContent).join(' ')"
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"


class Live:
    """A gateway's metrics, and the page that reads them."""

    def __init__(self, config: Config, folder: Path, toml: str) -> None:
        """Everything is up when this returns."""
        self.told = Told(config)
        self.server, self.thread = start_http_server(0, "127.0.0.1", self.told.metrics.registry)
        (folder / "golive.toml").write_text(toml.replace("page_every_s = 5 ", "page_every_s = 0.5 "), encoding="utf-8")
        command = [sys.executable, "-m", "go_live", "monitor", "serve", "--port", "0", "--json"]
        command += ["--config", str(folder / "golive.toml"), "--metrics", f"http://127.0.0.1:{self.server.server_port}"]
        with (folder / "serve.log").open("wb") as kept:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=kept, env=os.environ)
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]

    def wait_until_read(self) -> None:
        """The first reading is done, from which everything is counted."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self.url}/parts", timeout=5) as answer:  # noqa: S310 - loopback
                if json.load(answer)["age_s"] is not None:
                    return
            time.sleep(0.05)
        pytest.fail("the metrics were never read")

    def kill_gateway(self) -> None:
        """Its metrics are gone."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def kill_page(self) -> None:
        """`golive monitor serve` is gone, without a word."""
        self.process.kill()
        self.process.wait(timeout=WITHIN_S)

    def end(self) -> None:
        """Whatever is left; a page that is asked to end does so at once, and as asked."""
        if self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(timeout=WITHIN_S) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.kill_gateway()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """One headless Chromium."""
    with started(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def healthy(folder: Path) -> Live:
    """A page that shows healthy traffic."""
    text = (ROOT / "golive.toml").read_text(encoding="utf-8")
    there = Live(configuration.parse(text), folder, text)
    there.wait_until_read()
    there.told.ended(200)
    return there


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A page of a test's own, which may break it."""
    there = healthy(tmp_path)
    yield there
    there.end()


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A page that several tests look at, and none changes."""
    there = healthy(tmp_path_factory.mktemp("steady"))
    yield there
    there.end()


def until(browser: webdriver.Chrome, script: str, what: str) -> None:
    """Wait until the page says so."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if ask(browser, script):
            return
        time.sleep(0.1)
    pytest.fail(f"the page never showed {what}; it says: {ask(browser, 'document.body.innerText')[:600]}")


def test_the_page_follows_the_endpoint(browser: webdriver.Chrome, live: Live, config: Config) -> None:
    """Without being loaded again: healthy, then out of its SLO, then silent; limits drawn; no error, no other host."""
    log(browser, "browser")
    log(browser, "performance")
    show(browser, live.url)
    ask(browser, "window.loadedOnce = true")
    until(browser, f"{WORD} === 'WITHIN SLO'", "healthy traffic")
    assert "n = 200" in ask(browser, FIGURES)
    lines = ask(browser, "document.querySelectorAll('.chart .lim').length")
    assert lines == sum(len(panel.limits) for panel in panels.panels(config) if panel.kind in {"over time", "stacked"})

    live.told.ended(40, RequestOutcome.FAILED, total_ms=12_000.0, exec_ms=9_000.0)
    until(browser, f"{WORD} === 'OUT OF SLO'", "the failures")
    assert "40 of 240 requests failed" in ask(browser, "document.querySelector('#answer .why').textContent")
    assert ask(browser, "document.querySelectorAll('.limit.bad').length") >= 2
    assert ask(browser, "document.getElementById('said').textContent") == "OUT OF SLO", "read out to who listens"
    assert log(browser, "browser") == []
    sent = [json.loads(line["message"])["message"] for line in log(browser, "performance")]
    urls = {each["params"]["request"]["url"] for each in sent if each["method"] == "Network.requestWillBeSent"}
    assert f"{live.url}/parts" in urls
    assert [url for url in urls if not url.startswith((f"{live.url}/", "data:"))] == [], (
        "the browser's start page apart"
    )

    live.kill_gateway()
    until(browser, f"{WORD} === 'UNKNOWN'", "that the gateway is gone")
    assert "it cannot be reached" in ask(browser, "document.querySelector('#answer .why').textContent")
    assert ask(browser, "document.querySelectorAll('.limit.good').length") == 0
    assert float(ask(browser, "getComputedStyle(document.getElementById('figures')).opacity")) < 1

    live.kill_page()
    until(browser, "document.getElementById('lost').checkVisibility()", "that the monitor itself is gone")
    assert not ask(browser, "document.getElementById('answer').checkVisibility()")
    badges = "[...document.querySelectorAll('.limit .badge')]"
    shown = f"{badges}.filter(e => getComputedStyle(e).visibility !== 'hidden').length"
    assert ask(browser, shown) == 0, "no badge of health"
    assert ask(browser, "document.title").startswith("UNKNOWN")
    assert ask(browser, "window.loadedOnce")


@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_the_window(browser: webdriver.Chrome, steady: Live, width: int) -> None:
    """On a phone and on a desk: no sideways scrolling, no label cut off, the smallest text at least 9 pixels."""
    show(browser, steady.url, width=width)
    until(browser, f"{WORD} === 'WITHIN SLO'", "healthy traffic")
    assert ask(browser, SIDEWAYS) <= 0
    assert ask(browser, LABELS_OUTSIDE) == []
    scale = "Math.min(...[...document.querySelectorAll('.chart')].map(s => s.getBoundingClientRect().width / 360))"
    assert ask(browser, scale) * 11.5 >= 9


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(browser: webdriver.Chrome, steady: Live, scheme: str) -> None:
    """Text keeps a contrast of 4.5 to 1 in light and in dark, lines one of 3 to 1; every drawing has a name."""
    show(browser, steady.url, scheme=scheme)
    until(browser, f"{WORD} === 'WITHIN SLO'", "healthy traffic")
    background = ask(browser, "getComputedStyle(document.body).backgroundColor")
    assert (luminance(background) > 0.5) is (scheme == "light")
    for selector in (
        "body",
        ".word",
        ".why",
        ".badge.good",
        ".figure",
        ".of",
        ".limit .small",
        ".legend",
        "figcaption",
    ):
        colour, behind = ask(browser, SEEN % selector)
        assert contrast(colour, behind) >= 4.5, selector
    for selector in (".chart text", ".chart .limtx"):
        assert contrast(ask(browser, f"getComputedStyle(document.querySelector('{selector}')).fill"), background) >= 4.5
    for number in range(6):
        stroke = ask(browser, f"getComputedStyle(document.querySelector('.chart .s{number}')).stroke")
        assert contrast(stroke, background) >= 3, number
    unnamed = (
        "[...document.querySelectorAll('svg')].filter(s => !s.getAttribute('aria-label') && !s.querySelector('title'))"
    )
    assert ask(browser, f"{unnamed}.length") == 0


def test_who_wants_no_motion_gets_none(browser: webdriver.Chrome, steady: Live) -> None:
    """`prefers-reduced-motion` switches off the only transition that there is."""
    show(browser, steady.url)
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    duration = "getComputedStyle(document.getElementById('figures')).transitionDuration"
    assert ask(browser, duration) == "0s"
