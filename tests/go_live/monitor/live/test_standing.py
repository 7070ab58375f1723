"""One word, and when it is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live import config as configuration
from go_live.config import Config
from go_live.gateway.telemetry import Served
from go_live.monitor.live.history import History
from go_live.monitor.live.standing import state
from go_live.monitor.live.view import Heard, View, view
from go_live.monitor.metrics import RequestOutcome
from tests.go_live.monitor.conftest import ROOT
from tests.go_live.monitor.live.gateways import Told

SHIPPED = configuration.load(ROOT / "golive.toml")


class Watched:
    """A page beside a gateway; time goes on only when told."""

    def __init__(self, config: Config) -> None:
        """Read once, at 0."""
        self.config, self.told, self.now = config, Told(config), 0.0
        self.history = History(keep_s=3600, every_s=5)
        self.heard = Heard(None, "it has not been asked yet")
        self.read()

    def read(self, after_s: float = 0.0) -> None:
        """Read again, so many seconds later."""
        self.now += after_s
        self.history.add(self.now, self.told.scrape())
        self.heard = Heard(self.now, "")

    @property
    def view(self) -> View:
        """What the page shows."""
        return view(self.config, self.history, self.config.endpoint.id, self.heard, self.now, source="here")

    @property
    def word(self) -> str:
        """Its answer."""
        return self.view.standing.word


@pytest.fixture
def watched(config: Config) -> Watched:
    """A page that has read once."""
    return Watched(config)


def test_nothing_is_said_before_the_second_reading(watched: Watched) -> None:
    """Counters since the gateway's start say nothing of now."""
    watched.told.ended(500)
    assert watched.word == "WAITING"


def test_within(watched: Watched) -> None:
    """Enough requests, every limit kept: the number of requests and their time are said with it."""
    watched.told.ended(200)
    watched.read(60.0)
    assert watched.word == "WITHIN SLO"
    assert watched.view.standing.why == "All 6 limits are kept: 200 requests in the last 1 min."


def test_out_by_time(watched: Watched) -> None:
    """A tenth beyond the p95 limit: out, with the figure, its limit and its n."""
    watched.told.ended(180)
    watched.told.ended(20, total_ms=9000.0)
    watched.read(60.0)
    assert watched.word == "OUT OF SLO"
    assert "total p95 is" in watched.view.standing.why
    assert "(limit 8,000 ms, n = 200)" in watched.view.standing.why


def test_out_by_failures(watched: Watched) -> None:
    """2 % of failures are twice what is allowed; what the guardrails refused is none of them."""
    watched.told.ended(196)
    watched.told.ended(4, RequestOutcome.FAILED)
    watched.told.ended(50, RequestOutcome.REFUSED)
    watched.read(60.0)
    assert watched.word == "OUT OF SLO"
    assert "4 of 200 requests failed (98 % succeeded, 99 % needed)" in watched.view.standing.why


def test_few_requests_are_no_health(watched: Watched) -> None:
    """99 right answers are too few to call it within."""
    watched.told.ended(99)
    watched.read(60.0)
    assert watched.word == "TOO FEW"
    assert "99 requests" in watched.view.standing.why


def test_few_requests_can_show_an_outage(watched: Watched) -> None:
    """Five failures of five need no hundred requests."""
    watched.told.ended(5, RequestOutcome.FAILED)
    watched.read(60.0)
    assert watched.word == "OUT OF SLO"


def test_no_traffic_is_neither_good_nor_bad(watched: Watched) -> None:
    """Nothing asked, nothing shown; and yesterday's requests are not today's."""
    watched.told.ended(500)
    watched.read(5.0)
    for _ in range(4):
        watched.read(100.0)
    assert watched.word == "NO TRAFFIC"
    assert watched.view.standing.tone == "mute"


def test_a_gateway_that_turns_everybody_away_is_not_idle(watched: Watched) -> None:
    """Requests that never got a place are said."""
    watched.told.ended(3, RequestOutcome.REJECTED)
    watched.read(60.0)
    assert watched.word == "NOTHING SENT"
    watched.told.ended(200)
    watched.read(60.0)
    assert watched.word == "WITHIN SLO"
    assert watched.view.standing.why.endswith("3 requests more never got a place.")


def test_a_limit_without_figures_is_not_kept(watched: Watched) -> None:
    """The platform told no queue time: the page does not say within."""
    for _ in range(200):
        watched.told.metrics.keep(_without_times(watched.config))
    watched.read(60.0)
    assert watched.word == "UNKNOWN"
    assert "No figure for exec p95, exec p50 and queue p50" in watched.view.standing.why


def test_silence_is_not_health(watched: Watched) -> None:
    """The gateway cannot be reached, or nobody asked it for too long: unknown, how old the figures are, no badge."""
    watched.told.ended(200)
    watched.read(60.0)
    watched.heard = Heard(watched.heard.at, "it cannot be reached")
    watched.now += 7.0
    assert watched.word == "UNKNOWN"
    assert watched.view.standing.why == (
        "The gateway was last heard 7 s ago: it cannot be reached. All figures are that old."
    )
    watched.heard = Heard(watched.heard.at, "")
    assert watched.word == "WITHIN SLO", "a reading is not yet due"
    watched.now += 3 * watched.config.dashboard.page_every_s
    assert watched.word == "UNKNOWN"
    assert {card.word for section in watched.view.sections for card in section.cards} == {"old"}


def test_another_endpoint_is_not_this_one(watched: Watched) -> None:
    """An endpoint that the gateway does not tell of is unknown, however well the other one does."""
    watched.told.ended(200)
    watched.read(60.0)
    seen = view(watched.config, watched.history, "other", watched.heard, watched.now, source="here")
    assert seen.standing.word == "UNKNOWN"
    assert "tells nothing of the endpoint other" in seen.standing.why


@given(n=st.integers(1, 2000), data=st.data(), target=st.sampled_from([0.5, 0.95, 0.99]))
def test_one_more_miss_never_helps(n: int, data: st.DataObject, target: float) -> None:
    """From kept to broken, never back; and fewer requests than a rate takes are never kept."""
    misses = data.draw(st.integers(0, n - 1))
    order = {"kept": 0, "few": 0, "broken": 1}
    before, after = state(misses, n, target, SHIPPED), state(misses + 1, n, target, SHIPPED)
    assert order[before] <= order[after]
    if n < SHIPPED.alerts.fail_min_requests:
        assert before != "kept"


def _without_times(config: Config) -> Served:
    return Served(
        wall=0.0,
        endpoint=config.endpoint.id,
        caller="web",
        outcome=RequestOutcome.OK,
        total_ms=3000.0,
        wait_ms=0.0,
        delay_ms=None,
        exec_ms=None,
    )
