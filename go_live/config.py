"""golive.toml -> Config. Every number a release is judged by; an unknown or missing key is an error that names it."""

import tomllib
from math import ceil, log
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from go_live.errors import UsageError
from go_live.waivers import same_person

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
"""0: any free one."""
EnvName = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9_]*$")]
ProfileName = Literal["rehearsal", "production", "test"]
MOST_FAILURES = 0.5
"""Largest limit of a fail rate that an alert may have: above it nothing is served."""
WHOLE_PERCENT = 100
Day = Annotated[str, msgspec.Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
"""A date, as TOML and ISO 8601 write it."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of golive.toml. Frozen; unknown keys are refused."""


class Release(Section, frozen=True):
    """What is being released, and where it is recorded."""

    version: Text
    branch: Text
    remote: Text
    records_branch: Text
    first_release: bool
    """True: there is no version to roll back to, and the report says so."""
    watch_after_push_s: Amount
    """How long the live endpoint is watched, after the tag's push, for a rebuild that the push set off."""
    previous: Text | None = None
    """The release to roll back to; needed unless this is the first."""


class Signing(Section, frozen=True):
    """Who signs a release, and whom a verifier believes."""

    key_env: EnvName
    """Names the environment variable that holds the path of the private key (OpenSSH, Ed25519); never the key."""
    tag: Literal["key", "git"]
    """``key``: that key signs the tag, too. ``git``: the tag is signed as git is configured (SSH or OpenPGP)."""
    required: tuple[ProfileName, ...]
    """Profiles whose release is refused without a signature."""
    signers: dict[ProfileName, Text]
    """Profile -> file of its pinned signers (OpenSSH allowed_signers), relative to golive.toml's folder."""
    gpg_fingerprints: tuple[Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{40}$")], ...] = ()
    """OpenPGP keys that may sign tags; OpenSSH's format has no place for them."""


class ExpectedEndpoint(Section, frozen=True):
    """The endpoint's configuration as it is meant to be."""

    workers_min: Count
    workers_max: Count
    scaler_type: Literal["REQUEST_COUNT", "QUEUE_DELAY"]
    scaler_value: Amount
    idle_timeout_s: Positive
    execution_timeout_s: Positive
    flashboot: bool
    gpu: Text
    """A GPU type (``NVIDIA GeForce RTX 4090``), or a whole serverless pool (``ADA_24``)."""
    image: Text | None = None
    """The image that is released, by digest; None: ``--image`` names it, or any image that is pinned will do."""
    env: dict[EnvName, str] = {}
    """Environment that the endpoint must have; it may have more that the worker knows."""
    other_env: tuple[EnvName, ...] = ()
    """Names that something else than the worker reads."""


class EndpointConfig(Section, frozen=True):
    """The live endpoint."""

    id: Text
    job_api: Text
    management_api: Text
    expected: ExpectedEndpoint


class Model(Section, frozen=True):
    """The model that is served."""

    name: Text


class Guardrails(Section, frozen=True):
    """Bounds the worker must enforce."""

    prompt_max_chars: Positive
    max_tokens_min: Positive
    max_tokens_max: Positive
    max_tokens_default: Positive


class Slo(Section, frozen=True):
    """Limits of a load level (the readiness summary's SLO table)."""

    confidence: Share
    exec_ms_p50: Amount
    exec_ms_p95: Amount
    total_ms_p50: Amount
    total_ms_p95: Amount
    queue_ms_p50: Amount
    tokens_per_s_p50: Amount
    success_rate: Share
    burst_length: Positive
    """Misses are declared to come in bursts of this mean length; a PASS has to hold under it."""


class Load(Section, frozen=True):
    """Load levels."""

    concurrency: Annotated[tuple[Positive, ...], msgspec.Meta(min_length=1)]
    requests_per_level: Positive
    warmup_requests: Count
    max_tokens: Positive


class Drift(Section, frozen=True):
    """How much a soak may change from its beginning to its end."""

    batches: Annotated[int, msgspec.Meta(ge=6)]
    alpha: Share
    max_change: Share
    ok_rate_max_drop: Share
    rss_max_growth: Share
    worker_restarts_max: Count


class Soak(Section, frozen=True):
    """Pass criteria of the soak."""

    concurrency: Positive
    minutes: Amount
    total_ms_p50: Amount
    total_ms_p95: Amount
    success_rate: Share
    drift: Drift


class MeasuredCap(Section, frozen=True):
    """A cap that was measured (docs/tuning.md): what ``client.cap_record`` says, once it was found to hold."""

    cap: Positive
    record: Text
    """The file, as golive.toml names it."""
    sha256: Text
    endpoint_id: Text
    measured_at: Text
    """UTC, ISO 8601."""


class Client(Section, frozen=True):
    """What every caller must keep to. Whoever needs the cap asks :func:`go_live.tuning.effective.effective_cap`."""

    concurrency_cap: Positive
    """Counts where no ``cap_record`` is declared."""
    timeout_s: Amount
    lag_ms_p99_max: Amount
    offered_min: Share
    cap_record: Text | None = None
    """A record that ``golive tune --adopt`` wrote, relative to golive.toml's folder; its cap counts instead."""
    measured: MeasuredCap | None = None
    """What the record says; filled in by :func:`go_live.tuning.adopting.with_cap`, and never written in golive.toml."""


class Tuning(Section, frozen=True):
    """What ``golive tune`` sweeps, and what counts as a wait and as a gain (docs/tuning.md)."""

    concurrency: Annotated[tuple[Positive, ...], msgspec.Meta(min_length=1)]
    queue_begins_ms: Amount
    """From this ``delayTime`` on requests are said to queue."""
    gain_min: Share
    """Throughput that one more level has to add, as a share."""
    record_days: Positive
    """How long an adopted record holds."""


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


Percent = Annotated[int, msgspec.Meta(ge=1, le=100)]


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


class Attribution(Section, frozen=True):
    """When the parts of a request's time are known."""

    tolerance_ms: Amount
    network_ms_max: Amount
    unattributed_max: Share


class Cold(Section, frozen=True):
    """When a request counts as cold."""

    delay_ms: Amount


class Burst(Section, frozen=True):
    """What has to bring the endpoint up to its workersMax."""

    in_flight: Positive
    """Requests that are in flight at a time, until the workers are there or the time is over."""
    within_s: Amount
    requests: Positive
    """The most that are sent."""


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


Address = Annotated[str, msgspec.Meta(pattern="^https?://[^/@ ]+(/[^@ ]*[^/@ ])?$")]
"""Of a server, without a slash at its end and without a name or password in it."""
Label = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]


class Loki(Section, frozen=True):
    """Where Loki is, and who asks."""

    url: Address
    tenant: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.-]{0,150}$")]
    """``X-Scope-OrgID``; empty: Loki has one tenant."""
    user: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.-]{0,150}$")]
    """Basic authentication's user, whose password is the token; empty: the token is a bearer's."""
    token_env: EnvName
    """Holds the token; where it is not set, nothing is said of who asks."""


class Datadog(Section, frozen=True):
    """Where Datadog takes logs, and where they are looked for."""

    intake: Address
    api: Address
    api_key_env: EnvName
    app_key_env: EnvName
    """Looking for logs needs an application key beside the API key."""


class CloudWatch(Section, frozen=True):
    """Where CloudWatch Logs keeps them; credentials are found as every AWS client finds them."""

    region: Label
    group: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_/.#-]{1,512}$")]
    retention_days: Positive
    """Of a group that is created; one that is there keeps its own."""


class Logs(Section, frozen=True):
    """Where the workers' logs go (docs/logs.md)."""

    destination: Literal["none", "loki", "cloudwatch", "datadog"]
    arrives_within_s: Amount
    """How long after a request its lines may take to be found at the destination."""
    batch_max_age_s: Amount
    """How long a line may wait for others to be sent with."""
    retry_max_s: Amount
    """Longest pause between two tries, while the destination cannot be reached."""
    state: Text
    """Folder that keeps how far was shipped, relative to golive.toml's."""
    labels: dict[Annotated[str, msgspec.Meta(pattern="^[a-z_][a-z0-9_]{0,62}$")], Label]
    """Said with every line; ``service`` is Datadog's service."""
    loki: Loki
    datadog: Datadog
    cloudwatch: CloudWatch


RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180),
    *(365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What PutRetentionPolicy takes."""
RESERVED_LABELS = frozenset({"job", "endpoint", "worker", "request_id"})
"""What golive itself says of a line, and what would make a stream of every request."""


class Keys(Section, frozen=True):
    """Where secrets come from: names of environment variables, never the secrets."""

    api_key_env: EnvName
    old_api_key_env: EnvName
    gateway_fingerprint_env: EnvName
    """Holds the fingerprint of the key that the gateway uses, or the path of a file with it."""
    ci_fingerprint_env: EnvName
    """Likewise of the key that CI uses."""
    not_deployed: tuple[Literal["gateway", "ci"], ...]
    """Callers that do not exist yet; only a first release may declare them."""
    baseline: Text
    """Findings of the secret scan that somebody answers for."""


class Attestations(Section, frozen=True):
    """Manual items' statements."""

    file: Text


class Golden(Section, frozen=True):
    """Prompts whose answers are checked."""

    correct_rate: Share


class Gpu(Section, frozen=True):
    """What the engine may take of its device."""

    memory_used_max: Share
    """Largest share of the device's memory in use."""


class Price(Section, frozen=True):
    """What a run costs, and may cost; no verdict depends on it."""

    dollars_per_worker_hour: Annotated[float, msgspec.Meta(ge=0)]
    max_dollars: Amount
    """A run that is planned to cost more is refused, and one that comes to cost more is stopped."""


class Assumed(Section, frozen=True):
    """The service that ``golive plan`` reckons with before anything is measured; it decides nothing."""

    p50: Share
    """Within each p50 limit."""
    p95: Share
    """Within each p95 limit."""
    success_rate: Share
    correct_rate: Share


class Profile(Section, frozen=True):
    """How a profile differs: its target and how long the soak lasts."""

    target: Literal["local", "runpod"]
    device: Literal["cpu", "cuda", "timed", "live"]
    """What the worker runs on; ``timed`` is the timed engine (never evidence), ``live`` whatever is deployed."""
    soak_minutes: Amount
    worker_command: tuple[Text, ...] = ("python", "-m", "worker")
    """Starts a local worker; ``python`` is the interpreter that runs golive."""
    worker_env: dict[EnvName, str] = {}
    """Environment of the local worker; only for local targets."""
    workers: Positive = 1
    """How many local workers run, from the start to the end."""
    assumed_total_ms: Amount = 3453
    """Mean total time of a request that ``golive plan`` reckons with. Readiness summary: total p50 at c=2."""
    clean_tree: bool = False
    """Whether a dirty tree is refused (true) or only reported."""


class WaiverEntry(Section, frozen=True):
    """A waiver as a person writes it, in golive.toml or in the waivers.toml beside it (docs/releasing.md)."""

    item: Text
    profile: ProfileName
    owner: Text
    """Who answers for the item."""
    approver: Text
    """Another person, who agreed."""
    approval: Literal["commit", "pipeline"]
    """What shows it: the approver's signed commit that added this entry, or the pipeline's approval."""
    reason: Text
    issued: Day
    expires: Day
    """The waiver holds until this day begins, UTC."""
    version: Text | None = None
    commit: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{12,64}$")] | None = None
    """For one commit only: its first 12 hex digits or more. Either this or ``version``."""
    approval_env: EnvName | None = None
    """For a pipeline: the variable in which it names the approved run, by id or https address."""


class Config(Section, frozen=True):
    """All of golive.toml."""

    release: Release
    signing: Signing
    endpoint: EndpointConfig
    model: Model
    guardrails: Guardrails
    slo: Slo
    load: Load
    soak: Soak
    client: Client
    tuning: Tuning
    gateway: GatewayConfig
    attribution: Attribution
    cold: Cold
    burst: Burst
    alerts: Alerts
    rollout: Rollout
    drill: Drill
    dashboard: Dashboard
    logs: Logs
    keys: Keys
    attestations: Attestations
    golden: Golden
    gpu: Gpu
    price: Price
    assumed: Assumed
    profile: dict[ProfileName, Profile]
    waivers: tuple[WaiverEntry, ...] = ()


def parse(text: str, *, name: str = "golive.toml") -> Config:
    """Parse and validate the text of a golive.toml.

    Raises:
        UsageError: not TOML, or a key is unknown, missing or of the wrong kind; the message names it.
    """
    tables = read_toml(text, name)
    parse_waivers(tables, name)
    try:
        config = msgspec.convert(tables, Config)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}: {error}") from error
    _cross_check(config, name)
    return config


def read_toml(text: str, name: str) -> dict[str, Any]:
    """The tables of a TOML file; dates as ISO 8601 writes them.

    Raises:
        UsageError: not TOML.
    """
    try:
        tables: dict[str, Any] = msgspec.to_builtins(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not valid TOML: {error}") from error
    return tables


def parse_waivers(tables: "Mapping[str, Any]", name: str) -> tuple[WaiverEntry, ...]:
    """The entries of ``[[waivers]]`` in the tables of the file ``name``; none where it has none.

    Raises:
        UsageError: one is malformed; the message names file, entry and remedy.
    """
    rows = tables.get("waivers", [])
    if not isinstance(rows, list):
        raise UsageError(f"{name}: waivers is no list: begin each with [[waivers]]")
    return tuple(_waiver(row, f"{name}: {waiver_name(number, row)}") for number, row in enumerate(rows, start=1))


def waiver_name(number: int, row: Any) -> str:
    """``waiver 2 (PERF-4)``: how messages name an entry."""
    item = row.get("item") if isinstance(row, dict) else None
    return f"waiver {number} ({item})" if isinstance(item, str) else f"waiver {number}"


def _waiver(row: Any, where: str) -> WaiverEntry:
    """One entry, complete in itself."""
    try:
        entry = msgspec.convert(row, WaiverEntry)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}; mend or remove it") from error
    if (entry.version is None) is (entry.commit is None):
        raise UsageError(f"{where}: name either version or commit, so that it is clear what it is for")
    if same_person(entry.owner, entry.approver):
        raise UsageError(f"{where}: owner and approver are the same person: another one has to approve")
    if (entry.approval == "pipeline") is (entry.approval_env is None):
        raise UsageError(f"{where}: approval_env names the pipeline's variable, and stands with approval = 'pipeline'")
    return entry


def load(path: "Path") -> Config:
    """Read and validate the golive.toml at ``path``.

    Raises:
        UsageError: the file cannot be read, or is not valid.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}; run golive in the project's root or name the file") from error
    return parse(text, name=str(path))


def _cross_check(config: Config, name: str) -> None:
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
