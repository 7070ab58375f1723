"""docs/runbooks/: a page for each alert, with what it means, how to see it, what to do and how it ends. Pure."""

from collections.abc import Mapping, Sequence

from go_live.config import Config
from go_live.monitor.alertmanager import GROUP_INTERVAL, GROUP_WAIT
from go_live.monitor.alerts import RUNBOOKS, WATCHDOG, AlertRule
from go_live.monitor.drill.incidents import Incident, incident_of
from go_live.monitor.page import channels, held
from go_live.monitor.rules import INTERVAL
from go_live.monitor.runbook import RUNBOOK, Action


def runbook_pages(alerts: Sequence[AlertRule], config: Config) -> Mapping[str, str]:
    """Text of each page, by its path in the project."""
    by_name: dict[str, list[AlertRule]] = {}
    for alert in alerts:
        by_name.setdefault(alert.name, []).append(alert)
    return {f"{RUNBOOKS}/{name}.md": _page(name, same, config) for name, same in by_name.items()}


def _page(name: str, same: Sequence[AlertRule], config: Config) -> str:
    """One page, as it is read at three in the morning: what to do stands before what explains it."""
    entry, alert, window = RUNBOOK[name], same[0], config.alerts.window_minutes
    expressions = "\n".join([*(rule.expr for rule in same), "", *entry.queries]).replace("[WINDOW]", f"[{window}m]")
    actions = "\n\n".join(_action(number, action, config) for number, action in enumerate(entry.actions, start=1))
    log = f"\nIn the worker's log:\n\n```sh\n{entry.log}\n```\n" if entry.log else ""
    return f"""\
# {name}

Written by `golive monitor rules` from golive.toml. All alerts: [ALERTING_RULES.md](../../ALERTING_RULES.md).

**Fires when** {alert.limit}, {held(alert)}. **Goes to** {channels(same)}.

{entry.meaning}

## First actions

{actions}

## See it

The alert's own expression first:

```promql
{expressions}
```
{log}
## Ask for help

{entry.escalate} Whom to call stands in MON-5's statement (attestations.toml).

## How it ends

{_ends(alert, config)}

## Seen

{_seen(incident_of(alert))}
"""


def _action(number: int, action: Action, config: Config) -> str:
    """One action with its commands."""
    told = f"{number}. {action.what}"
    if not action.commands:
        return told
    names = {
        "TAG": config.release.previous or "TAG",
        "ENDPOINT": config.endpoint.id,
        ":8080/": f":{config.gateway.port}/",
        ":9180/": f":{config.gateway.metrics_port}/",
    }
    lines = []
    for command in action.commands:
        line = command
        for name, value in names.items():
            line = line.replace(name, value)
        lines.append(f"   {line}")
    return told + "\n\n   ```sh\n" + "\n".join(lines) + "\n   ```"


def _ends(alert: AlertRule, config: Config) -> str:
    """When it resolves by itself, and when that is told."""
    if alert.name == WATCHDOG:
        repeat = config.alerts.watchdog_repeat_minutes
        return (
            f"It does not, while alerting works: Alertmanager repeats it every {repeat} minutes, and a switch that is "
            f"set to {3 * repeat} minutes rings after three beats that did not come."
        )
    window = f"at the latest {config.alerts.window_minutes} minutes after its cause is gone: it looks that far back"
    when = {
        "percentile": window,
        "fail rate": window,
        "gauge": f"with the next probe ({config.gateway.probe_every_s:g} s) that finds less",
        "absence": "as soon as the metric is told again",
    }[alert.kind]
    return (
        f"By itself, {when}. Prometheus looks every {INTERVAL}, and Alertmanager tells the same people within "
        f"{GROUP_INTERVAL} (a new alert within {GROUP_WAIT})."
    )


def _seen(incident: Incident) -> str:
    """How to see it fire, and what is not real about that."""
    simulated = f" Simulated: {incident.simulated}." if incident.simulated else ""
    return (
        f"`golive monitor drill` causes it: {incident.does}.{simulated} Alone: "
        f"`golive monitor drill --only {incident.name}`."
    )
