"""Defects of what watches the endpoint: alerts and a dashboard that say something else, or that nobody saw."""

from go_live.outcome import Outcome
from selftest.control import Change, Control
from selftest.drilled import DRILL, RECEIPTS

RULES, DASHBOARD = "monitoring/rules.yml", "monitoring/dashboard.json"


def rules(name: str, reason: str, old: str, new: str, *, file: str = RULES) -> Control:
    """A control of the committed alert rules."""
    return Control(
        id=name,
        item="MON-2",
        reason=reason,
        scene="answers",
        changes=(Change(file=file, old=old, new=new),),
        disturbs=("MON-4",),  # what was drilled is not what lies there
    )


def drill(name: str, reason: str, old: str, new: str, *, file: str = DRILL, outcome: Outcome = Outcome.FAIL) -> Control:
    """A control of the record of a drill."""
    return Control(
        id=name,
        item="MON-4",
        reason=reason,
        scene="answers",
        changes=(Change(file=file, old=old, new=new),),
        outcome=outcome,
    )


def told(status: str, receiver: str, alert: str) -> str:
    """Part of a notification in the record."""
    return f'"receiver": "{receiver}",\n   "status": "{status}",\n   "alert": "{alert}"'


def shows(name: str, reason: str, old: str, new: str, *, file: str = DASHBOARD) -> Control:
    """A control of the committed dashboard, or of what it asks."""
    return Control(
        id=name, item="MON-3", reason=reason, scene="answers", changes=(Change(file=file, old=old, new=new),)
    )


def watched(name: str, reason: str, declared: str, outcome: Outcome) -> Control:
    """A control of who looks at the dashboard of a live endpoint."""
    change = Change(file="golive.toml", old="page_is_enough = true", new=declared)
    return Control(id=name, item="MON-3", reason=reason, scene="live", changes=(change,), outcome=outcome)


MONITORING = (
    rules(
        "alert-limit-edited-by-hand",
        "GoliveTotalP95High: expr is",
        "rate(golive_request_duration_seconds_bucket[5m]))) > 8\n",
        "rate(golive_request_duration_seconds_bucket[5m]))) > 80\n",
    ),
    rules(
        "alert-limit-changed-in-golive-toml-only",
        "GoliveTotalP95High: expr is",
        "above = 8000\n",
        "above = 9000\n",
        file="golive.toml",
    ),
    rules("alert-renamed", "GoliveFailRateHigh is missing", "alert: GoliveFailRateHigh", "alert: SomethingElse"),
    rules(
        "alert-waits-longer",
        "GoliveFailRateHigh: for is 20m, golive.toml gives 2m",
        "          )\n        for: 2m\n",
        "          )\n        for: 20m\n",
    ),
    rules(
        "page-is-only-a-warning",
        "GoliveFailRateHigh: severity is slack, golive.toml gives page",
        "          )\n        for: 2m\n        labels:\n          severity: page\n",
        "          )\n        for: 2m\n        labels:\n          severity: slack\n",
    ),
    rules(
        "rules-are-not-there",
        "elsewhere/rules.yml is missing: golive monitor rules writes it",
        'FOLDER = Path("monitoring")',
        'FOLDER = Path("elsewhere")',
        file="go_live/monitor/generated.py",
    ),
    rules("rules-are-no-rules", "holds no alert rules", "groups:\n", "rules:\n"),
    rules(
        "no-dead-mans-switch",
        "Watchdog is missing",
        "      - alert: Watchdog\n        expr: vector(1)\n",
        "      - alert: Absent\n        expr: absent(up)\n",
    ),
    drill(
        "alert-never-resolved",
        "GoliveFailRateHigh: its end never arrived at slack",
        told("resolved", "slack", "GoliveFailRateHigh"),
        told("firing", "slack", "GoliveFailRateHigh"),
    ),
    drill(
        "page-never-arrived",
        "GoliveFailRateHigh: it never arrived at pagerduty",
        told("firing", "pagerduty", "GoliveFailRateHigh"),
        told("firing", "pager", "GoliveFailRateHigh"),
    ),
    drill(
        "alert-came-late",
        "due within 54 s",
        '"at": 131.0,\n   ' + told("firing", "pagerduty", "GoliveFailRateHigh"),
        '"at": 171.0,\n   ' + told("firing", "pagerduty", "GoliveFailRateHigh"),
    ),
    drill(
        "alert-without-a-cause",
        "GoliveDelayP50High of drill-queue-delay arrived before anything was wrong",
        '"arrivals": [\n',
        '"arrivals": [\n  {"at": 70.0, "receiver": "slack", "status": "firing", "alert": "GoliveDelayP50High", '
        '"endpoint": "drill-queue-delay", "metrics": []},\n',
    ),
    drill(
        "incident-never-caused",
        "its incident was not caused",
        '"incident": "silence"',
        '"incident": "a quiet day"',
    ),
    drill(
        "dead-mans-switch-never-rang",
        "the switch did not notice that Alertmanager was dead",
        '"lost_beats": [\n',
        '"lost_beats": [\n  120.0,\n',
    ),
    drill(
        "drill-is-old",
        "expired",
        '"began_at": 1',
        '"began_at": -1',  # before the epoch
        outcome=Outcome.NOT_RUN,
    ),
    drill(
        "routing-changed-since-the-drill",
        "monitoring/alertmanager.yml is not what was drilled",
        "repeat_interval: 4h",
        "repeat_interval: 40h",
        file="monitoring/alertmanager.yml",
        outcome=Outcome.NOT_RUN,
    ),
    drill(
        "no-drill",
        "there was no drill",
        'EVIDENCE, LOOK = "drill", "look"',
        'EVIDENCE, LOOK = "other", "look"',
        file="go_live/monitor/drill/record.py",
        outcome=Outcome.NOT_RUN,
    ),
    Control(
        id="receipt-never-said",
        item="MON-4",
        reason="Slack: nobody has said the code",
        scene="live",
        changes=(Change(file=RECEIPTS, old='"severity": "slack"', new='"severity": "page"'),),
    ),
    shows(
        "dashboard-query-edited-by-hand",
        "panel 'Total time': its query is histogram_quantile(0.9,",
        '"expr": "histogram_quantile(0.95, sum by (endpoint, le) (rate(golive_request_duration_seconds_bucket',
        '"expr": "histogram_quantile(0.9, sum by (endpoint, le) (rate(golive_request_duration_seconds_bucket',
    ),
    shows(
        "limit-changed-in-golive-toml-only",
        "panel 'total p95: within 9 s' is missing",
        "total_ms_p95 = 8000\nqueue",
        "total_ms_p95 = 9000\nqueue",
        file="golive.toml",
    ),
    shows("dashboard-is-no-dashboard", "holds no dashboard", '\n  "panels": [\n', '\n  "panels": 3,\n  "others": [\n'),
    shows(
        "gateway-serves-another-name",
        "panel 'Output tokens per second' asks for golive_output_tokens_total, which the gateway does not serve",
        'Counter(metrics.OUTPUT_TOKENS, "Tokens',
        'Counter("golive_tokens_total", "Tokens',
        file="go_live/gateway/telemetry.py",
    ),
    shows(
        "page-draws-no-limits",
        "the page does not show limit 1 x",
        "    parts += _limit_lines(limits, up)\n",
        "",
        file="go_live/monitor/live/charts.py",
    ),
    shows(
        "page-reads-another-path",
        "the page cannot read the gateway's metrics: what it serves are no metrics of a gateway",
        'OURS, CREATED = "golive_",',
        'OURS, CREATED = "gateway_",',
        file="go_live/monitor/live/exposition.py",
    ),
    watched("nobody-looks", "names no Grafana", "page_is_enough = false", Outcome.FAIL),
    watched(
        "no-token-for-grafana",
        "GRAFANA_TOKEN is not set",
        'page_is_enough = false\ngrafana_url = "http://127.0.0.1:9"',
        Outcome.ERROR,
    ),
)
