"""What the gateway tells and what the rules ask for are the same metrics."""

import re

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from go_live.config import Config
from go_live.gateway.line import Line
from go_live.gateway.telemetry import Metrics
from go_live.monitor import metrics
from go_live.monitor.alerts import DEVICE_MEMORY, AlertRule, alert_rules

Samples = dict[str, list[dict[str, str]]]
"""Labels of each sample, by its name."""


@pytest.fixture
def fresh(config: Config) -> Metrics:
    """The metrics of a gateway that nobody has asked anything yet."""
    told = Metrics(metrics.buckets_s(config))
    told.watch(config.endpoint.id, Line(cap=3, room=3))
    return told


def samples(told: Metrics) -> Samples:
    """What /metrics says, as Prometheus reads it."""
    found: Samples = {}
    for family in text_string_to_metric_families(generate_latest(told.registry).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def asked(alert: AlertRule) -> set[str]:
    """Series that an alert's expression reads."""
    return set(re.findall(r"golive_\w+", alert.expr))


def test_a_gateway_that_nobody_asks_is_not_absent(config: Config, fresh: Metrics) -> None:
    """Every series that pages by its absence is there before the first request, with the endpoint's label."""
    there = samples(fresh)
    for alert in alert_rules(config):
        if alert.kind == "absence" and alert.severity == "page":
            (series,) = asked(alert)
            assert {"endpoint": config.endpoint.id}.items() <= there[series][0].items()


def test_every_series_that_a_rule_reads_is_told(config: Config, fresh: Metrics) -> None:
    """Names, suffixes and outcomes are the gateway's own; the device's memory is there once a worker told it."""
    memory = next(alert for alert in alert_rules(config) if alert.name == DEVICE_MEMORY)
    assert not asked(memory) & set(samples(fresh))
    fresh.device_memory(config.endpoint.id, 0.5)
    there = samples(fresh)
    for alert in alert_rules(config):
        assert asked(alert) <= set(there)
    outcomes = {labels["outcome"] for labels in there[metrics.REQUESTS_TOTAL]}
    named = {
        name
        for alert in alert_rules(config)
        for said in re.findall(r'=~"([^"]+)"', alert.expr)
        for name in said.split("|")
    }
    assert named
    assert named <= outcomes
