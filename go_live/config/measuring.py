"""Tables of golive.toml about what is measured before a release, and its limits."""

from typing import Annotated

import msgspec

from go_live.config.values import Amount, Count, Positive, Section, Share


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


class Tuning(Section, frozen=True):
    """What ``golive tune`` sweeps, and what counts as a wait and as a gain (docs/tuning.md)."""

    concurrency: Annotated[tuple[Positive, ...], msgspec.Meta(min_length=1)]
    queue_begins_ms: Amount
    """From this ``delayTime`` on requests are said to queue."""
    gain_min: Share
    """Throughput that one more level has to add, as a share."""
    record_days: Positive
    """How long an adopted record holds."""


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


class Golden(Section, frozen=True):
    """Prompts whose answers are checked."""

    correct_rate: Share
