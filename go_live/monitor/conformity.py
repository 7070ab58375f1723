"""Do the rules that Prometheus is given say what golive.toml says? Compared as rules and not as text. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import yaml

from go_live.config import Config
from go_live.monitor.alerts import alert_rules
from go_live.monitor.rules import rule_file


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of a Prometheus rule file; what it only says to people is left out."""

    alert: str
    expr: str
    hold: str = msgspec.field(default="0m", name="for")
    labels: Mapping[str, str] = {}

    @property
    def name(self) -> str:
        """Name of the alert, and the metric where several share it."""
        metric = self.labels.get("metric")
        return f"{self.alert} ({metric})" if metric else self.alert


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that are evaluated together."""

    rules: tuple[Rule, ...]


class RuleFile(msgspec.Struct, frozen=True, kw_only=True):
    """A Prometheus rule file of alerts."""

    groups: tuple[Group, ...]


def parse(text: str) -> tuple[Rule, ...]:
    """Every rule of a rule file.

    Raises:
        ValueError: it is no rule file of alerts; the text says why, on one line.
    """
    try:
        found = msgspec.convert(yaml.safe_load(text), RuleFile)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    return tuple(rule for group in found.groups for rule in group.rules)


def expected(config: Config) -> tuple[Rule, ...]:
    """The rules that golive.toml asks for."""
    return parse(rule_file(alert_rules(config)))


def differences(rules: Sequence[Rule], config: Config) -> list[str]:
    """Where ``rules`` are not what ``config`` asks for, one line each; empty: nowhere."""
    asked = {rule.name: rule for rule in expected(config)}
    there = {rule.name: rule for rule in rules}
    twice = [name for name, count in Counter(rule.name for rule in rules).items() if count > 1]
    return [
        *(f"{name} is missing" for name in asked if name not in there),
        *(f"{name} is not of golive.toml" for name in there if name not in asked),
        *(f"{name} is there more than once" for name in twice),
        *(line for name in asked if name in there for line in _differ(there[name], asked[name])),
    ]


def _differ(found: Rule, asked: Rule) -> list[str]:
    """What of one rule differs."""
    pairs = {
        "expr": (" ".join(found.expr.split()), " ".join(asked.expr.split())),
        "for": (found.hold, asked.hold),
        "severity": (found.labels.get("severity"), asked.labels.get("severity")),
        "labels": (dict(found.labels), dict(asked.labels)),
    }
    wrong = {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}
    if "severity" in wrong:
        wrong.pop("labels", None)
    return [f"{asked.name}: {what} is {has}, golive.toml gives {gives}" for what, (has, gives) in wrong.items()]
