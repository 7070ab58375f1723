"""From what was done and what arrived to each alert's verdict: whatever is missing speaks against it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live import config as configuration
from go_live.config import Config
from go_live.monitor.alerts import WATCHDOG, alert_rules
from go_live.monitor.drill.arrivals import Arrival
from go_live.monitor.drill.incidents import incident_of
from go_live.monitor.drill.judging import problems, rows
from go_live.monitor.drill.record import Drill, Span, digests
from go_live.outcome import Outcome
from selftest.drilled import healthy_drill
from tests.go_live.monitor.conftest import ROOT, Edit

SHIPPED = configuration.parse((ROOT / "golive.toml").read_text(encoding="utf-8"))
GOOD = healthy_drill(SHIPPED, 0.0)
FIRST = min(span.began for span in GOOD.spans)
Change = Callable[[Any], Any]


def but(**changes: Any) -> Drill:
    """The good drill with other facts."""
    return msgspec.structs.replace(GOOD, **changes)


def arrivals(alert: str, status: str, receiver: str, /, **changes: Any) -> tuple[Arrival, ...]:
    """Its arrivals with one kind of notification changed."""
    found = [
        msgspec.structs.replace(one, **changes)
        if (one.alert, one.status, one.receiver) == (alert, status, receiver)
        else one
        for one in GOOD.arrivals
    ]
    assert found != list(GOOD.arrivals)
    return tuple(found)


def more(**told: Any) -> tuple[Arrival, ...]:
    """Its arrivals and one more."""
    return (*GOOD.arrivals, Arrival(**{"status": "firing", "receiver": "slack"} | told))


def spans(incident: str, **changes: Any) -> tuple[Span, ...]:
    """Its incidents with one changed."""
    return tuple(msgspec.structs.replace(span, **changes) if span.incident == incident else span for span in GOOD.spans)


def against(drill: Drill) -> list[str]:
    """What speaks against it."""
    return problems(rows(drill, SHIPPED), drill, SHIPPED)


def test_a_drill_that_went_well_has_no_problem() -> None:
    """Each alert of golive.toml has a row, and each row passes."""
    assert [row.outcome for row in rows(GOOD, SHIPPED)] == [Outcome.PASS] * len(alert_rules(SHIPPED))
    assert against(GOOD) == []


FAIL_RATE = "GoliveFailRateHigh"
BAD = {
    "it never arrived at pagerduty": but(arrivals=arrivals(FAIL_RATE, "firing", "pagerduty", alert="Other")),
    "its end never arrived at slack": but(arrivals=arrivals(FAIL_RATE, "resolved", "slack", status="firing")),
    "GoliveFailRateHigh: its end never arrived at pagerduty": but(
        arrivals=arrivals(FAIL_RATE, "resolved", "pagerduty", at=FIRST + 20)
    ),
    "it arrived at pagerduty after 55.0 s, due within 54 s": but(
        arrivals=arrivals(FAIL_RATE, "firing", "pagerduty", at=FIRST + 55)
    ),
    "it arrived at slack after 5.0 s, before its 12 s were over": but(
        arrivals=arrivals(FAIL_RATE, "firing", "slack", at=FIRST + 5)
    ),
    "its incident was not caused": but(spans=tuple(span for span in GOOD.spans if span.incident != "error-spike")),
    "its incident never ended": but(spans=spans("error-spike", ended=None)),
    "its end arrived at slack after 47.5 s, due within 47 s": but(
        arrivals=arrivals(FAIL_RATE, "resolved", "slack", at=FIRST + 54 + 47.5)
    ),
    "GoliveDelayP50High: it arrived at pagerduty, where it does not belong": but(
        arrivals=more(alert="GoliveDelayP50High", endpoint="drill-queue-delay", at=FIRST + 50, receiver="pagerduty")
    ),
    "arrived before anything was wrong": but(
        arrivals=more(alert=FAIL_RATE, endpoint="drill-error-spike", at=FIRST - 1)
    ),
    f"{FAIL_RATE} of drill-total-latency arrived at slack without a cause": but(
        arrivals=more(alert=FAIL_RATE, endpoint="drill-total-latency", at=FIRST + 20)
    ),
    "healthy traffic was watched for 30.0 s only": but(quiet_from=FIRST - 30),
    "drill-error-spike had fewer requests than a rate needs": but(
        requests=dict(GOOD.requests) | {"drill-error-spike": 99}
    ),
    "unreadable: html": but(strange=("html",)),
    "the dead-man's switch heard nothing": but(arrivals=tuple(one for one in GOOD.arrivals if one.alert != WATCHDOG)),
    "a living Alertmanager was silent for": but(
        arrivals=tuple(one for one in GOOD.arrivals if one.alert != WATCHDOG or not 40 < one.at < 130)
    ),
    "Watchdog: it arrived at slack": but(arrivals=more(alert=WATCHDOG, at=FIRST)),
    "the switch did not notice that Alertmanager was dead": but(lost_beats=(FIRST - 1, FIRST + 60)),
    "not heard again after Alertmanager's restart": but(lost_beats=(FIRST - 1,)),
}


@pytest.mark.parametrize("reason", BAD)
def test_what_went_wrong_is_said(reason: str) -> None:
    """Each defect of a drill is a problem that says what it was."""
    assert any(reason in problem for problem in against(BAD[reason])), against(BAD[reason])


@given(st.sampled_from([one for one in GOOD.arrivals if one.alert != WATCHDOG]))
def test_no_notification_can_be_missing(gone: Arrival) -> None:
    """Without any one of the notifications that had to come, the drill shows less than every alert."""
    assert against(but(arrivals=tuple(one for one in GOOD.arrivals if one != gone)))


def test_no_incident_can_be_left_out() -> None:
    """A drill of some incidents shows only their alerts."""
    for left in GOOD.spans:
        found = rows(but(spans=tuple(span for span in GOOD.spans if span is not left)), SHIPPED)
        failed = {row.incident for row in found if row.outcome is Outcome.FAIL}
        assert failed == {left.incident}


def test_an_alert_that_golive_toml_drops_is_not_asked_for(toml: str) -> None:
    """Alerts follow golive.toml, and so does what a drill has to show; each has an incident that raises it."""
    rule = '[[alerts.rules]]\nmetric = "delay_ms_p50"\nabove = 2000\nfor_minutes = 5\nseverity = "slack"\n'
    assert toml.count(rule) == 1
    config = configuration.parse(toml.replace(rule, ""))
    assert "GoliveDelayP50High" not in {row.alert for row in rows(GOOD, config)}
    assert all(incident_of(alert) for alert in alert_rules(config))


def test_other_rules_have_another_digest(edited: Edit, config: Config) -> None:
    """A threshold or a route that changed makes other files of what was drilled."""
    assert (
        digests(edited("above = 8000\n", "above = 8001\n"))["monitoring/rules.yml"]
        != GOOD.digests["monitoring/rules.yml"]
    )
    assert digests(config) == GOOD.digests
