"""Where an alert goes: the configuration of Alertmanager (0.25 and later). Pure.

Secrets stand in files that Alertmanager reads; this configuration names them. Alertmanager 0.25 takes a webhook's
address from no file, so the dead-man's switch has its key in a header instead.
"""

from typing import Any

from go_live.config import Alerts
from go_live.monitor.alerts import WATCHDOG
from go_live.monitor.yaml_text import write

ONCALL, SLACK, DEADMAN = "oncall", "slack", "deadman"
RECEIVERS = {"page": ONCALL, "slack": SLACK, "none": DEADMAN}
"""Receiver of each severity."""
ROUTING_KEY, WEBHOOK, DEADMAN_KEY = "pagerduty_routing_key", "slack_webhook_url", "deadman_token"
"""The secrets, by the names of their files."""
GROUP_WAIT, GROUP_INTERVAL = "10s", "1m"
"""How long the first notification of a group waits for others, and how long what is new in it waits."""


def alertmanager_file(alerts: Alerts) -> str:
    """Text of Alertmanager's configuration."""
    return write({"global": {"resolve_timeout": "5m"}, "route": _route(alerts), "receivers": _receivers(alerts)})


def _route(alerts: Alerts) -> dict[str, Any]:
    """By severity; what matches nothing reaches Slack, so that no alert is lost."""
    watchdog = {
        "matchers": [f'alertname="{WATCHDOG}"'],
        "receiver": DEADMAN,
        "group_wait": "0s",
        "group_interval": GROUP_INTERVAL,
        "repeat_interval": f"{alerts.watchdog_repeat_minutes}m",
    }
    return {
        "receiver": SLACK,
        "group_by": ["alertname", "endpoint"],
        "group_wait": GROUP_WAIT,
        "group_interval": GROUP_INTERVAL,
        "repeat_interval": "4h",
        "routes": [watchdog, {"matchers": ['severity="page"'], "receiver": ONCALL}],
    }


def _receivers(alerts: Alerts) -> list[dict[str, Any]]:
    """PagerDuty and Slack for a page, Slack for a warning, a webhook for the dead-man's switch."""
    text = "{{ range .Alerts }}{{ .Annotations.summary }} ({{ .Annotations.runbook_url }})\n{{ end }}"
    slack = {
        "api_url_file": f"{alerts.secrets_directory}/{WEBHOOK}",
        "channel": alerts.slack_channel,
        "send_resolved": True,
        "title": "{{ .Status | toUpper }} {{ .CommonLabels.alertname }}",
        "text": text,
    }
    pagerduty = {
        "routing_key_file": f"{alerts.secrets_directory}/{ROUTING_KEY}",
        "severity": "critical",
        "send_resolved": True,
        "description": "{{ .CommonLabels.alertname }}: {{ (index .Alerts 0).Annotations.summary }}",
        "details": {"runbook": "{{ .CommonAnnotations.runbook_url }}"},
    }
    deadman = {
        "url": alerts.deadman_url,
        "send_resolved": False,
        "http_config": {
            "authorization": {"type": "Bearer", "credentials_file": f"{alerts.secrets_directory}/{DEADMAN_KEY}"}
        },
    }
    return [
        {"name": ONCALL, "pagerduty_configs": [pagerduty], "slack_configs": [dict(slack)]},
        {"name": SLACK, "slack_configs": [slack]},
        {"name": DEADMAN, "webhook_configs": [deadman]},
    ]
