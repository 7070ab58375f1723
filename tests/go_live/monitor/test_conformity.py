"""Rules are compared as rules, and whatever is not what golive.toml asks for is named."""

import pytest
import yaml

from go_live.config import Config
from go_live.monitor import conformity
from go_live.monitor.alerts import alert_rules
from go_live.monitor.rules import rule_file
from tests.go_live.monitor.conftest import Edit


@pytest.fixture
def text(config: Config) -> str:
    """The rule file that belongs to the shipped golive.toml."""
    return rule_file(alert_rules(config))


def found(text: str, config: Config) -> list[str]:
    """The differences of a rule file."""
    return conformity.differences(conformity.parse(text), config)


def test_layout_is_no_difference(config: Config, text: str) -> None:
    """The same rules in another order, folded otherwise and with other words for people are the same rules."""
    document = yaml.safe_load(text)
    document["groups"][0]["rules"].reverse()
    for rule in document["groups"][0]["rules"]:
        rule["annotations"] = {"summary": "ours"}
        rule["expr"] = rule["expr"].replace("\n", " ")
    assert found(yaml.safe_dump(document, width=20), config) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("above = 8000", "above = 8001"),
        ("above = 0.01", "above = 0.02"),
        ("memory_used_max = 0.97", "memory_used_max = 0.98"),
        ("fail_min_requests = 100", "fail_min_requests = 200"),
        ("window_minutes = 5", "window_minutes = 6"),
        ("device_memory_for_minutes = 5", "device_memory_for_minutes = 6"),
        ("absent_for_minutes = 5", "absent_for_minutes = 6"),
        ('id = "4cqta56swdioxi"', 'id = "another"'),
    ],
)
def test_each_threshold_is_compared(text: str, edited: Edit, old: str, new: str) -> None:
    """Whichever value golive.toml changes, the old rules are no longer its."""
    assert found(text, edited(old, new))


def test_one_rule_too_many_or_twice_is_named(config: Config, text: str) -> None:
    """A second rule of the same name could be the one with the wrong limit."""
    document = yaml.safe_load(text)
    rules = document["groups"][0]["rules"]
    rules += [rules[0], rules[0] | {"alert": "Own"}]
    assert found(yaml.safe_dump(document), config) == [
        "Own is not of golive.toml",
        "GoliveTotalP95High is there more than once",
    ]


@pytest.mark.parametrize("text", ["", "groups: []", "a: [", "groups: [{rules: [{record: x, expr: y}]}]", "- 1"])
def test_what_holds_no_rules_is_never_right(config: Config, text: str) -> None:
    """An empty file, no groups, broken YAML and other rules are an error, or lack every alert."""
    try:
        problems = found(text, config)
    except ValueError as error:
        problems = str(error).splitlines()
        assert len(problems) == 1
    assert problems
