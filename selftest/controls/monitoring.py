"""Defects of what watches the endpoint: alert rules that do not say what golive.toml says."""

from selftest.control import Change, Control

RULES = "monitoring/rules.yml"


def rules(name: str, reason: str, old: str, new: str, *, file: str = RULES) -> Control:
    """A control of the committed alert rules."""
    return Control(
        id=name, item="MON-2", reason=reason, scene="answers", changes=(Change(file=file, old=old, new=new),)
    )


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
)
