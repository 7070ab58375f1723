"""The alerts as a Prometheus rule file. Pure."""

from collections.abc import Sequence
from typing import Any

from go_live.monitor.alerts import AlertRule
from go_live.monitor.yaml_text import write

GROUP = "golive"
RULE_FILE = "rules.yml"
PAGE_FILE = "ALERTING_RULES.md"
INTERVAL = "15s"
"""How often Prometheus evaluates: a `for` of two minutes is eight looks."""


def rule_file(alerts: Sequence[AlertRule]) -> str:
    """Text of the rule file."""
    rules = [_rule(alert) for alert in alerts]
    return write({"groups": [{"name": GROUP, "interval": INTERVAL, "rules": rules}]})


def annotations(alert: AlertRule, endpoint: str = "{{ $labels.endpoint }}") -> dict[str, str]:
    """What a notification says; ``endpoint`` is Prometheus' own place-holder unless it is given."""
    where = f"endpoint {endpoint}: " if alert.kind != "watchdog" else ""
    which = f" ({alert.metric})" if alert.kind == "absence" else ""
    return {"summary": f"{where}{alert.limit}{which}", "runbook_url": alert.runbook_url}


def _rule(alert: AlertRule) -> dict[str, Any]:
    rule: dict[str, Any] = {"alert": alert.name, "expr": alert.expr}
    if alert.for_minutes:
        rule["for"] = f"{alert.for_minutes}m"
    return rule | {"labels": alert.labels, "annotations": annotations(alert)}
