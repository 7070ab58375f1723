"""Tables of golive.toml about what is released and what it is asked by: endpoint, model, guardrails, client, prices."""

from typing import Annotated, Literal

import msgspec

from go_live.config.values import Amount, Count, EnvName, Positive, Section, Share, Text


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
    env: dict[EnvName, str] = msgspec.field(default_factory=dict)
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
