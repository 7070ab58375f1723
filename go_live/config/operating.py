"""Tables of golive.toml about operating it: gateway, alerts, drill, dashboard, rollout."""

from typing import Annotated, Literal

import msgspec

from go_live.config.values import Amount, EnvName, Percent, Port, Positive, Section, Share, Text


class GatewayConfig(Section, frozen=True):
    """The gateway (docs/gateway.md); its cap and time-out are the client's."""

    port: Port
    metrics_port: Port
    """Always on loopback."""
    waiting_max: Positive
    """Most requests waiting for each endpoint."""
    probe_every_s: Amount
    """How often a worker that is in use is asked for its device's memory."""
    count_every_s: Amount
    """How often each endpoint is asked how many jobs it has, to find those that somebody else sent."""


class Watch(Section, frozen=True):
    """The hours after a candidate has all of the traffic."""

    hours: Amount
    burn_window_minutes: Positive
    burn_rate_max: Annotated[float, msgspec.Meta(gt=1)]
    """How many times faster than it may the error budget is spent in such a window when the watch fails at once."""
    gap_minutes_max: Positive
    """Longest time without a request in which the candidate still counts as watched."""


class Rollout(Section, frozen=True):
    """When traffic moves on to the candidate, and when it is turned back (docs/rollout.md)."""

    key_env: EnvName
    """Names the variable that holds the path of the key that signs decisions; never the key."""
    signers: Text
    """File of the keys whose decisions count (OpenSSH allowed_signers), relative to golive.toml's folder."""
    steps_percent: Annotated[tuple[Percent, ...], msgspec.Meta(min_length=1)]
    step_minutes_min: Amount
    step_requests_min: Positive
    """Requests of the candidate in a step, at least."""
    latency_margin: Share
    """The candidate may be slower than the current by this share."""
    success_margin: Share
    """The candidate's success rate may be lower than the current's by so much."""
    refused_margin: Share
    """Its guardrails may refuse so much more of the requests."""
    length_margin: Share
    """Its answers may be shorter by this share."""
    consecutive_failures_max: Annotated[int, msgspec.Meta(ge=2)]
    """So many failures of the candidate in a row turn it back at once."""
    look_every_s: Amount
    decision_valid_s: Amount
    """The gateway sends nothing to the candidate when it has not heard of its judge for so long."""
    lease_s: Amount
    """A controller that has not renewed its lease for so long is taken for dead."""
    watch: Watch


class Alert(Section, frozen=True):
    """One alert threshold; its unit stands in the metric's name."""

    metric: Literal["total_ms_p95", "total_ms_p50", "fail_rate", "exec_ms_p95", "delay_ms_p50"]
    above: Amount
    for_minutes: Positive
    severity: Literal["page", "slack"]


class Alerts(Section, frozen=True):
    """When somebody is told, and where it is sent. The device memory's limit is ``gpu.memory_used_max``."""

    rules: Annotated[tuple[Alert, ...], msgspec.Meta(min_length=1)]
    window_minutes: Annotated[int, msgspec.Meta(ge=2)]
    """The requests of how many last minutes a percentile or a rate is taken of."""
    fail_min_requests: Positive
    """Requests in the window from which on a fail rate is a rate ..."""
    fail_min_failures: Annotated[int, msgspec.Meta(ge=2)]
    """... and failures in the window that count in thinner traffic too."""
    device_memory_for_minutes: Positive
    absent_for_minutes: Positive
    """How long a metric may be missing."""
    watchdog_repeat_minutes: Positive
    """How often the dead-man's switch hears that alerting works."""
    slack_channel: Annotated[str, msgspec.Meta(pattern="^#[a-z0-9_-]+$")]
    deadman_url: Annotated[str, msgspec.Meta(pattern="^https?://[^/@ ]+(/[^@ ]*)?$")]
    """Raises an alarm when it no longer hears of the Watchdog. No secret: its key stands in a file."""
    secrets_directory: Annotated[str, msgspec.Meta(pattern="^/[A-Za-z0-9._/-]+$")]
    """Where Alertmanager finds its keys, one file each."""
    docs_url: Annotated[str, msgspec.Meta(pattern="^https?://[^@ ?#]*[^@ ?#/]$")]
    """Where this repository's files can be read from a browser: notifications and the dashboard lead there."""
    alertmanager_token_env: EnvName
    """Holds the bearer token of a deployed Alertmanager's API, or ``<name>_FILE`` the path of a file with it."""


class Drill(Section, frozen=True):
    """How ``golive monitor drill`` shows that the alerts fire."""

    time_factor: Annotated[int, msgspec.Meta(ge=5, le=20)]
    """Every time of rules, routing, limits and engine is divided by it; of MON-4's evidence, at most. Below 5 the
    SDK's own pause of a second causes no queue delay, above 20 its tenth of a second a job is no healthy answer."""


class Dashboard(Section, frozen=True):
    """What shows the endpoint while it serves (docs/dashboard.md)."""

    error_budget_days: Annotated[int, msgspec.Meta(ge=1, le=365)]
    """Over how long the failures that ``slo.success_rate`` allows are counted."""
    page_port: Port
    """Of the local page, on loopback."""
    page_every_s: Amount
    """How often the local page reads the gateway's metrics."""
    page_history_minutes: Positive
    """How far back the local page remembers."""
    grafana_token_env: EnvName
    """Names the variable with a service account's token (Viewer), never the token."""
    page_is_enough: bool
    """True: somebody decided that without a Grafana the local page is what is watched."""
    grafana_url: Annotated[str, msgspec.Meta(pattern="^https?://[^@ ?#]*[^@ ?#/]$")] | None = None
    """The Grafana whose dashboard is watched; None: there is none."""
