"""Real promtool and amtool on what is committed, and on what is broken on purpose."""

import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live import config as configuration
from go_live.errors import MeasurementError
from go_live.monitor import alerts, generated, tools
from go_live.monitor.alerts import AlertRule
from tests.go_live.monitor.conftest import ROOT

SHIPPED = configuration.parse((ROOT / "golive.toml").read_text(encoding="utf-8"))
JUDGED = [alert for alert in alerts.alert_rules(SHIPPED) if alert.kind not in {"absence", "watchdog"}]
BY_NAME = {alert.name: alert for alert in JUDGED}


def limit_of(alert: AlertRule) -> str:
    """The comparison with the alert's limit, as it stands in its expression."""
    return f"> {alerts.number(alert.above)}"


def hundredfold(alert: AlertRule, expr: str) -> str:
    """The limit times a hundred."""
    return expr.replace(limit_of(alert), f"> {alerts.number(alert.above * 100)}")


def swapped(alert: AlertRule, expr: str) -> str:
    """Below instead of above."""
    return expr.replace(limit_of(alert), limit_of(alert).replace(">", "<"))


def tighter(alert: AlertRule, expr: str) -> str:
    """A limit that is a tenth lower."""
    return expr.replace(limit_of(alert), f"> {alerts.number(alert.above * 0.9)}")


MUTATIONS: dict[str, Callable[[AlertRule, str], str]] = {
    "limit times a hundred": hundredfold,
    "comparison swapped": swapped,
    "limit a tenth lower": tighter,
}


def promtool_tests(folder: Path) -> tools.Proof:
    """What promtool says of the unit tests in ``folder``."""
    return tools.ask("tests", ["promtool", "test", "rules", str(folder / generated.TESTS)])


def broken(folder: Path, names: Collection[str], change: Callable[[dict[str, Any]], None]) -> tools.Proof:
    """What promtool says once the rules called ``names`` were changed and their tests were not."""
    generated.write(folder, SHIPPED)
    path = folder / generated.RULES
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for rule in document["groups"][0]["rules"]:
        if rule["alert"] in names:
            before = dict(rule)
            change(rule)
            assert rule != before, f"the mutation changed nothing of {rule['alert']}"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return promtool_tests(folder)


def red(proof: tools.Proof) -> set[str]:
    """The alerts whose unit tests failed."""
    return set(re.findall(r"alertname: (\w+)", proof.said)) if not proof.passed else set()


@pytest.mark.usefixtures("programs")
def test_what_is_committed_is_shown() -> None:
    """Rules are valid, their unit tests pass, Alertmanager takes its configuration and routes by it."""
    assert [proof.what for proof in tools.prove(ROOT) if not proof.passed] == []


@pytest.mark.slow
@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_wrong_threshold_turns_the_unit_tests_red(tmp_path: Path, mutation: str) -> None:
    """Each rule with a limit that is wrong, or compared the wrong way, fails its own unit test."""

    def change(rule: dict[str, Any]) -> None:
        rule["expr"] = MUTATIONS[mutation](BY_NAME[rule["alert"]], rule["expr"])

    assert red(broken(tmp_path, BY_NAME, change)) == set(BY_NAME)


@pytest.mark.slow
@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("shift", [-1, 1])
def test_a_duration_that_is_a_minute_off_turns_the_unit_tests_red(tmp_path: Path, shift: int) -> None:
    """Each rule that waits a minute less or more than golive.toml says fails its own unit test."""
    names = {*BY_NAME, alerts.ABSENT}

    def change(rule: dict[str, Any]) -> None:
        rule["for"] = f"{int(rule['for'].removesuffix('m')) + shift}m"

    assert red(broken(tmp_path, names, change)) == names


@pytest.mark.slow
@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (alerts.FAIL_RATE, '=~"ok|failed|timeout"', '=~"ok|failed|timeout|refused"'),
        (alerts.FAIL_RATE, '=~"failed|timeout"', '=~"failed|timeout|refused"'),
        (alerts.FAIL_RATE, ">= 100", ">= 1"),
        (alerts.FAIL_RATE, ">= 5", ">= 500"),
        (alerts.ABSENT, "absent(", "sum("),
        (alerts.WATCHDOG, "vector(1)", "vector(1) > 2"),
    ],
)
def test_a_rule_that_counts_the_wrong_thing_turns_the_unit_tests_red(
    tmp_path: Path, name: str, old: str, new: str
) -> None:
    """Refused requests as failures, no minimum count, thin traffic unseen, absence unseen, a dead dead-man's switch."""

    def change(rule: dict[str, Any]) -> None:
        rule["expr"] = rule["expr"].replace(old, new)

    assert red(broken(tmp_path, {name}, change)) == {name}


@pytest.mark.usefixtures("programs")
def test_a_page_that_goes_astray_is_seen(tmp_path: Path) -> None:
    """Routing is asked of amtool: a page that reaches nobody but Slack is not shown."""
    generated.write(tmp_path, SHIPPED)
    path = tmp_path / generated.ALERTMANAGER
    path.write_text(path.read_text(encoding="utf-8").replace('severity="page"', 'severity="pager"'), encoding="utf-8")
    assert [proof.what for proof in tools.prove(tmp_path) if not proof.passed] == ["severity=page reaches oncall"]


def test_every_alert_is_seen_silent_and_firing() -> None:
    """The unit tests name every alert with nothing, and with something, and the limits with no metric at all."""
    document = yaml.safe_load(generated.generated(SHIPPED)[generated.TESTS])
    looks = [look for test in document["tests"] for look in test["alert_rule_test"]]
    names = {alert.name for alert in alerts.alert_rules(SHIPPED)}
    assert {look["alertname"] for look in looks if look["exp_alerts"]} == names
    assert {look["alertname"] for look in looks if not look["exp_alerts"]} == names - {alerts.WATCHDOG}
    nothing = next(test for test in document["tests"] if not test["input_series"] and len(test["alert_rule_test"]) > 2)
    assert {look["alertname"] for look in nothing["alert_rule_test"]} == {*BY_NAME, alerts.ABSENT}


def test_missing_files_are_no_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promtool only warns of a rule file that is not there; here it is an error, with the remedy."""
    monkeypatch.setattr(tools, "missing", lambda: None)
    with pytest.raises(MeasurementError, match="golive monitor rules writes it"):
        tools.prove(tmp_path)


def test_missing_programs_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which are missing, and how to get them."""
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    with pytest.raises(MeasurementError, match="apt-get install prometheus prometheus-alertmanager"):
        tools.prove(ROOT)


@pytest.mark.slow
@pytest.mark.usefixtures("programs")
@settings(max_examples=8)
@given(
    limit_ms=st.integers(min_value=50, max_value=120_000),
    share=st.floats(min_value=0.001, max_value=0.5),
    window=st.integers(min_value=2, max_value=15),
    minutes=st.integers(min_value=1, max_value=15),
)
def test_the_unit_tests_fit_any_threshold(
    tmp_path_factory: pytest.TempPathFactory, limit_ms: int, share: float, window: int, minutes: int
) -> None:
    """Whatever golive.toml says, what follows from it passes the real promtool."""
    toml = (ROOT / "golive.toml").read_text(encoding="utf-8")
    changes = {
        r"above = 8000\nfor_minutes = 2": f"above = {limit_ms}\nfor_minutes = {minutes}",
        r"above = 0\.01\n": f"above = {share:.6f}\n",
        r"window_minutes = 5": f"window_minutes = {window}",
        r"fail_min_requests = 100": "fail_min_requests = 1001",
    }
    for old, new in changes.items():
        toml, count = re.subn(old, new, toml)
        assert count == 1, old
    folder = tmp_path_factory.mktemp("any")
    generated.write(folder, configuration.parse(toml))
    proof = promtool_tests(folder)
    assert proof.passed, proof.said
