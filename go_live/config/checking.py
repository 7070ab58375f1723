"""Values of golive.toml that are each fine alone and wrong together."""

from math import ceil, log

from go_live.config.logs import RESERVED_LABELS, RETENTION_DAYS, Logs
from go_live.config.measuring import Burst
from go_live.config.operating import Alerts
from go_live.config.root import Config
from go_live.config.service import ExpectedEndpoint
from go_live.config.values import WHOLE_PERCENT
from go_live.errors import UsageError

MOST_FAILURES = 0.5
"""Largest limit of a fail rate that an alert may have: above it nothing is served."""


def cross_check(config: Config, name: str) -> None:
    """Refuse values that are each fine alone and wrong together."""
    bounds = config.guardrails
    if not bounds.max_tokens_min <= bounds.max_tokens_default <= bounds.max_tokens_max:
        raise UsageError(f"{name}: guardrails.max_tokens_default must lie between max_tokens_min and max_tokens_max")
    if not any(level <= config.client.concurrency_cap for level in config.load.concurrency):
        raise UsageError(f"{name}: load.concurrency has no level at or below client.concurrency_cap")
    if "rehearsal" not in config.profile:
        raise UsageError(f"{name}: [profile.rehearsal] is missing")
    _cross_check_tuning(config, name)
    _cross_check_scaling(config.endpoint.expected, config.burst, name)
    _cross_check_release(config, name)
    _cross_check_alerts(config.alerts, name)
    _cross_check_rollout(config, name)
    _cross_check_logs(config.logs, name)
    _cross_check_dashboard(config, name)


def _cross_check_tuning(config: Config, name: str) -> None:
    """A wait counts before it breaks the limit, and a measured cap is read from its record alone."""
    if config.client.measured is not None:
        raise UsageError(f"{name}: client.measured is read from the file that client.cap_record names: leave it out")
    if config.tuning.queue_begins_ms > config.slo.queue_ms_p50:
        raise UsageError(f"{name}: tuning.queue_begins_ms is above slo.queue_ms_p50: there a level has failed already")


def _cross_check_scaling(expected: ExpectedEndpoint, burst: Burst, name: str) -> None:
    """The endpoint's own figures, and a burst that can ask for all of its workers."""
    if expected.workers_min > expected.workers_max:
        raise UsageError(f"{name}: endpoint.expected.workers_min is above workers_max")
    if expected.scaler_type != "REQUEST_COUNT":
        return
    if not expected.scaler_value.is_integer():
        raise UsageError(f"{name}: endpoint.expected.scaler_value counts requests with REQUEST_COUNT: a whole number")
    wanted = expected.workers_max * expected.scaler_value
    if burst.in_flight < wanted:
        raise UsageError(
            f"{name}: burst.in_flight ({burst.in_flight}) asks for fewer than workers_max workers; with "
            f"scaler_value = {expected.scaler_value:g} it takes {wanted:g} at least"
        )


def _cross_check_release(config: Config, name: str) -> None:
    """What a first release may lack, and who may sign."""
    if config.release.first_release is not (config.release.previous is None):
        raise UsageError(f"{name}: either release.first_release = true, or release.previous names the rollback target")
    if "rehearsal" in config.signing.signers:
        raise UsageError(f"{name}: signing.signers pins rehearsal keys: a rehearsal is signed by a key of its own run")
    if config.keys.not_deployed and not config.release.first_release:
        raise UsageError(f"{name}: keys.not_deployed is for a first release; what exists by now has to show its key")


def _cross_check_alerts(alerts: Alerts, name: str) -> None:
    """One rule for each metric; a rate is a share, and one failure alone must not be above it."""
    metrics = [rule.metric for rule in alerts.rules]
    if twice := sorted({metric for metric in metrics if metrics.count(metric) > 1}):
        raise UsageError(f"{name}: alerts.rules names {', '.join(twice)} more than once: keep one rule for each metric")
    for rule in (rule for rule in alerts.rules if rule.metric == "fail_rate"):
        if rule.above > MOST_FAILURES:
            raise UsageError(f"{name}: alerts.rules: fail_rate is a share of requests, at most {MOST_FAILURES}")
        if alerts.fail_min_requests * rule.above < 1:
            least = ceil(1 / rule.above)
            raise UsageError(
                f"{name}: alerts.fail_min_requests is below {least}: of fewer requests one failure alone is above"
                f" fail_rate {rule.above:g}"
            )


RUNS = 1e6
"""Requests of a rollout in which a row of failures must not turn back a candidate that just meets its success rate."""
SELDOM = 1e-3
"""Chance of that, at most."""


def _cross_check_rollout(config: Config, name: str) -> None:
    """Steps go up to all of the traffic, and neither chance nor a short pause ends a rollout."""
    rollout = config.rollout
    steps = rollout.steps_percent
    if list(steps) != sorted(set(steps)) or steps[-1] != WHOLE_PERCENT:
        raise UsageError(f"{name}: rollout.steps_percent has to rise, and to end at {WHOLE_PERCENT}")
    least = ceil(log(SELDOM / RUNS) / log(1 - config.slo.success_rate) - 1e-9)
    if rollout.consecutive_failures_max < least:
        raise UsageError(
            f"{name}: rollout.consecutive_failures_max is below {least}: so few failures in a row come about by chance "
            f"at a success rate of {config.slo.success_rate * 100:g} %"
        )
    if rollout.decision_valid_s <= 2 * rollout.look_every_s or rollout.lease_s <= 2 * rollout.look_every_s:
        raise UsageError(
            f"{name}: rollout.decision_valid_s and lease_s have to outlast two looks (look_every_s), else a controller "
            "that lives is taken for dead"
        )


def _cross_check_dashboard(config: Config, name: str) -> None:
    """A page that remembers at least one window; and one answer to what is watched."""
    dashboard = config.dashboard
    if dashboard.page_history_minutes < config.alerts.window_minutes:
        raise UsageError(f"{name}: dashboard.page_history_minutes is shorter than alerts.window_minutes")
    if dashboard.page_every_s > config.alerts.window_minutes * 60 / 4:
        raise UsageError(f"{name}: dashboard.page_every_s leaves fewer than four looks in alerts.window_minutes")
    url = dashboard.grafana_url or ""
    if url.startswith("http:") and url.split("/")[2].split(":")[0] not in {"127.0.0.1", "localhost"}:
        raise UsageError(f"{name}: dashboard.grafana_url would send the token in clear: use https")
    if url and dashboard.page_is_enough:
        raise UsageError(f"{name}: dashboard.page_is_enough is for those without Grafana: remove it or grafana_url")


def _cross_check_logs(logs: Logs, name: str) -> None:
    """Labels that are golive's own, and a retention that CloudWatch has."""
    if taken := sorted(RESERVED_LABELS & set(logs.labels)):
        raise UsageError(f"{name}: logs.labels may not name {', '.join(taken)}: golive says them itself, or must not")
    if "service" not in logs.labels:
        raise UsageError(f"{name}: logs.labels has no service: by it the lines are found again")
    if logs.cloudwatch.retention_days not in RETENTION_DAYS:
        days = ", ".join(map(str, RETENTION_DAYS))
        raise UsageError(f"{name}: logs.cloudwatch.retention_days is none that CloudWatch has: {days}")
