"""ALERTING_RULES.md: for each alert its threshold, meaning, first three actions and query helpers. Pure."""

from collections.abc import Sequence

from go_live.config import Alerts
from go_live.monitor.alerts import RUNBOOKS, AlertRule
from go_live.monitor.runbook import RUNBOOK

CHANNEL = {"page": "PAGE (PagerDuty and Slack)", "slack": "SLACK", "none": "the dead-man's switch"}

HEAD = """\
# Alerting rules

Written by `golive monitor rules` from golive.toml: change the figures there. The rules themselves are
`monitoring/rules.yml`, where alerts go is `monitoring/alertmanager.yml`, and [how it is set up](docs/monitoring.md).

Percentiles and rates are of the last {window} minutes. Fail rate: failures and time-outs among the requests that
were answered, failed or timed out, once there are {requests} of them or {failures} failures.

| alert | fires when | for | goes to |
|---|---|---|---|
"""


def page(alerts: Sequence[AlertRule], config: Alerts) -> str:
    """Text of ALERTING_RULES.md."""
    head = HEAD.format(
        window=config.window_minutes, requests=config.fail_min_requests, failures=config.fail_min_failures
    )
    by_name: dict[str, list[AlertRule]] = {}
    for alert in alerts:
        by_name.setdefault(alert.name, []).append(alert)
    rows = [_row(name, same) for name, same in by_name.items()]
    sections = "\n".join(_section(name, same) for name, same in by_name.items())
    return head + "\n".join(rows) + "\n\n" + sections.replace("[WINDOW]", f"[{config.window_minutes}m]")


def _row(name: str, same: Sequence[AlertRule]) -> str:
    return f"| [{name}](#{name.lower()}) | {same[0].limit} | {_duration(same[0])} | {channels(same)} |"


def _duration(alert: AlertRule) -> str:
    return f"{alert.for_minutes} min" if alert.for_minutes else "at once"


def channels(same: Sequence[AlertRule]) -> str:
    """Where it goes; of rules that share a name, each metric's own."""
    severities = dict.fromkeys(alert.severity for alert in same)
    if len(severities) == 1:
        return CHANNEL[same[0].severity]
    return "; ".join(
        f"{CHANNEL[severity]}: {', '.join(f'`{a.metric}`' for a in same if a.severity == severity)}"
        for severity in severities
    )


def _section(name: str, same: Sequence[AlertRule]) -> str:
    """One alert, as it is read at three in the morning."""
    entry, alert = RUNBOOK[name], same[0]
    actions = "\n".join(f"{number}. {action.what}" for number, action in enumerate(entry.actions, start=1))
    expressions = "\n".join([*(rule.expr for rule in same), "", *entry.queries])
    log = f"\nIn the worker's log:\n\n```sh\n{entry.log}\n```\n" if entry.log else ""
    return f"""\
## {name}

**Threshold:** {alert.limit}, {held(alert)}. **Goes to:** {channels(same)}.

**Meaning:** {entry.meaning}

**First actions** (with commands: [runbook]({RUNBOOKS}/{name}.md)):

{actions}

**Queries** (the alert's own first):

```promql
{expressions}
```
{log}"""


def held(alert: AlertRule) -> str:
    """How long it has to hold before it fires."""
    return f"for {alert.for_minutes} minutes" if alert.for_minutes else "at once"
