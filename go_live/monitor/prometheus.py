"""Prometheus' own configuration: which rules it evaluates, what it reads, and whom it tells. Pure."""

from collections.abc import Sequence

from go_live.config import Config
from go_live.monitor.rules import RULE_FILE
from go_live.monitor.yaml_text import write

SCRAPE = "15s"
"""How often the gateway's metrics are read: as often as the rules are evaluated."""
ALERTMANAGER = "127.0.0.1:9093"
"""Alertmanager's own default port, on the machine of Prometheus."""


def prometheus_file(config: Config) -> str:
    """Text of the configuration for one machine that runs gateway, Prometheus and Alertmanager."""
    return configured(
        rules=RULE_FILE,
        alertmanagers=[ALERTMANAGER],
        metrics=[f"127.0.0.1:{config.gateway.metrics_port}"],
        every=SCRAPE,
    )


def configured(*, rules: str, alertmanagers: Sequence[str], metrics: Sequence[str], every: str) -> str:
    """Text of a configuration.

    Args:
        rules: path of the rule file, relative to the configuration's folder or absolute.
        alertmanagers: addresses (``host:port``) of those who are told.
        metrics: addresses of the gateways' metrics.
        every: how often they are read.
    """
    return write(
        {
            "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
            "rule_files": [rules],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]},
            "scrape_configs": [
                {
                    "job_name": "golive",
                    # The label `endpoint` is the gateway's own; some operators set one of that name.
                    "honor_labels": True,
                    "static_configs": [{"targets": list(metrics)}],
                }
            ],
        }
    )
