"""One factor divides every time, and nothing else."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from go_live import config as configuration
from go_live.config import Config
from go_live.monitor.alertmanager import alertmanager_file
from go_live.monitor.alerts import alert_rules
from go_live.monitor.drill.scale import DURATION, MS, due, milliseconds, quiet_s, scaled, scaled_text, times
from go_live.monitor.metrics import buckets_s
from go_live.monitor.rules import rule_file
from tests.go_live.monitor.conftest import ROOT

SHIPPED = configuration.parse((ROOT / "golive.toml").read_text(encoding="utf-8"))
TEXTS = (rule_file(alert_rules(SHIPPED)), alertmanager_file(SHIPPED.alerts))


def durations(text: str) -> list[int]:
    """Every duration of a text, ms."""
    return [int(found["number"]) * MS[found["unit"]] for found in DURATION.finditer(text)]


@given(factor=st.integers(min_value=1, max_value=60), text=st.sampled_from(TEXTS))
def test_every_duration_is_divided_and_nothing_else(factor: int, text: str) -> None:
    """Windows, `for`, intervals and pauses, in whole milliseconds; what remains is the text as it was."""
    short = scaled_text(text, factor)
    assert durations(short) == [ms // factor for ms in durations(text)]
    assert DURATION.sub("", short) == DURATION.sub("", text)


def test_no_duration_is_forgotten() -> None:
    """Everything that the generated files call a time is found: one that stays would fire late, or early."""
    rules = yaml.safe_load(TEXTS[0])["groups"][0]
    wanted = [rules["interval"], *(rule["for"] for rule in rules["rules"] if "for" in rule)]
    wanted += re.findall(r"\[(\w+)\]", TEXTS[0])
    assert sorted(durations(TEXTS[0])) == sorted(map(milliseconds, wanted))
    assert len(durations(TEXTS[1])) == len(re.findall(r"(?:interval|wait|timeout): ", TEXTS[1]))


@pytest.mark.parametrize("factor", [5, 10, 20])
def test_limits_are_divided_and_stay_ends_of_buckets(factor: int) -> None:
    """A limit that is no bucket's end could not be told from the histogram."""
    short = scaled(SHIPPED, factor)
    for before, after in zip(alert_rules(SHIPPED), alert_rules(short), strict=True):
        if before.kind == "percentile":
            assert after.above == pytest.approx(before.above / factor)
            assert any(end == pytest.approx(after.above) for end in buckets_s(short))
        else:
            assert after.above == before.above
        assert (after.name, after.severity, after.for_minutes) == (before.name, before.severity, before.for_minutes)


def test_when_an_alert_is_due(config: Config) -> None:
    """Window, duration, two looks and the group's wait: by hand for three of them."""
    at = times(config, 10)
    by_name = {rule.name: rule for rule in alert_rules(config)}
    pages = due(by_name["GoliveExecP95High"], at)
    assert (pages.not_before_s, pages.fires_s, pages.resolves_s) == (30.0, 30 + 30 + 6 + 1 + 5, 30 + 6 + 6 + 5)
    memory = due(by_name["GoliveDeviceMemoryHigh"], at)
    assert (memory.fires_s, memory.resolves_s) == (6 + 30 + 6 + 1 + 5, 6 + 6 + 6 + 5)
    silence = due(by_name["GoliveMetricsAbsent"], at)
    assert (silence.not_before_s, silence.fires_s) == (30.0, 30 + 6 + 1 + 5)
    assert quiet_s(alert_rules(config), at) == 30 + 6 + 1
